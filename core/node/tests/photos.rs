//! Photos on a device: evidence as it came, small pictures beside it, and nothing lost on the way.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::io::Cursor;

use common::{Mission, carry, inspection, open, vault};
use merestone_core::entry::{Media, MissingReason, PHOTOS_MAX, RenditionOrReason};
use merestone_core::id::BlobHash;
use merestone_media::PhotoRefusal;
use merestone_node::capture::{PhotoError, PhotoSource};
use merestone_node::device::Device;
use merestone_node::draft::DraftError;

/// The beginning of what an iPhone writes: known by its brand, its pixels not decoded here.
const HEIC: &[u8] = b"\0\0\0\x14ftypheic\0\0\0\0heic";

fn jpeg(width: u32, height: u32, shade: u8) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb([shade, 128, 90]));
    picture.write_to(&mut file, image::ImageFormat::Jpeg).unwrap();
    file.into_inner()
}

#[test]
fn a_photo_outlives_a_kill_and_is_held_whole_with_its_entry() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let original = jpeg(2_000, 1_000, 10);
    let path = folder.path().join("IMG_0001.heic");
    std::fs::write(&path, &original).unwrap();
    let draft = device.keep(device.begin(&observer, mission.scope(), inspection()).unwrap()).unwrap();
    let attached = device.attach(draft.id, PhotoSource::File(&path), None, Some("Шлагбаум")).unwrap();
    let again = device.attach(draft.id, PhotoSource::Bytes(&original), None, None).unwrap();
    assert_eq!((again.draft.photos.len(), &again.row), (1, &attached.row), "the same photo is attached once");
    assert_eq!(device.photo_bytes(BlobHash::of(&original)).unwrap(), None, "no entry names it yet");

    drop(device);
    std::fs::remove_file(&path).unwrap();
    let device = open(folder.path(), "b");
    device.unlock(&vault(&device, "one"), &observer).unwrap();
    let saved = device.save(&device.draft(draft.id).unwrap()).unwrap();

    let view = device.record(saved.record).unwrap().unwrap();
    assert_eq!(view.photos.len(), 1);
    let photo = &view.photos[0];
    assert_eq!(photo.captions, ["Шлагбаум"]);
    assert_eq!((photo.photo.media, photo.photo.width, photo.photo.height), (Media::Jpeg, Some(2_000), Some(1_000)));
    assert_eq!(device.photo_bytes(photo.photo.sha256).unwrap().as_deref(), Some(original.as_slice()));
    for (rendition, edge) in [(&photo.photo.thumbnail, 320), (&photo.photo.preview, 1_600)] {
        let RenditionOrReason::Rendition(rendition) = rendition else { panic!("{rendition:?}") };
        assert_eq!(rendition.width, edge);
        let bytes = device.photo_bytes(rendition.sha256).unwrap().unwrap();
        assert_eq!(bytes.len() as u64, rendition.bytes);
    }
    let counts = device.store().counts().unwrap();
    assert_eq!((counts.blobs, counts.blobs_missing), (3, 0));
    let custody = device.custody(saved.entry).unwrap().unwrap();
    assert_eq!((custody.photos, custody.photos_elsewhere, custody.peers), (1, 0, 0));

    // Another device knows of it and wants it.
    let elsewhere = tempfile::tempdir().unwrap();
    let other = mission.device(elsewhere.path(), "c");
    carry(&device, &other);
    assert_eq!(other.store().counts().unwrap().blobs_missing, 3);
    assert_eq!(other.photo_bytes(photo.photo.sha256).unwrap(), None);
    assert_eq!(other.record(saved.record).unwrap(), Some(view));
}

#[test]
fn a_format_that_is_not_decoded_here_says_so_or_takes_what_the_app_decoded() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let photo = |device: &Device, original: &[u8], preview: Option<&[u8]>| {
        let draft = device.keep(device.begin(&observer, mission.scope(), inspection()).unwrap()).unwrap();
        device.attach(draft.id, PhotoSource::Bytes(original), preview, None).map(|attached| {
            let saved = device.save(&attached.draft).unwrap();
            device.record(saved.record).unwrap().unwrap().photos[0].photo.clone()
        })
    };
    let bare = photo(&device, HEIC, None).unwrap();
    assert_eq!(bare.media, Media::Heic);
    let missing = RenditionOrReason::Missing(MissingReason::NotDecodable);
    assert_eq!((&bare.thumbnail, &bare.preview), (&missing, &missing));

    let other = [HEIC, b"another"].concat();
    let shown = photo(&device, &other, Some(&jpeg(400, 300, 3))).unwrap();
    assert!(matches!(shown.preview, RenditionOrReason::Rendition(_)));
    assert_eq!((shown.media, shown.sha256), (Media::Heic, BlobHash::of(&other)), "the original stays the evidence");
    assert!(matches!(photo(&device, &other, Some(b"no jpeg")), Err(PhotoError::Preview(_))));

    // What can be decoded here is, whatever is offered.
    let own = photo(&device, &jpeg(640, 480, 77), Some(b"no jpeg")).unwrap();
    assert!(matches!(own.thumbnail, RenditionOrReason::Rendition(_)));
}

#[test]
fn what_is_no_photo_or_one_too_many_leaves_the_draft_as_it_was() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let draft = device.keep(device.begin(&observer, mission.scope(), inspection()).unwrap()).unwrap();
    let attach = |bytes: &[u8]| device.attach(draft.id, PhotoSource::Bytes(bytes), None, None);
    assert!(matches!(attach(b"GIF89a"), Err(PhotoError::Refused(PhotoRefusal::UnknownFormat))));
    let missing = device.attach(draft.id, PhotoSource::File(&folder.path().join("none")), None, None);
    assert!(matches!(missing, Err(PhotoError::File { .. })));
    assert_eq!(device.draft(draft.id).unwrap().photos, []);

    let long = "x".repeat(65_537);
    let too_long = device.attach(draft.id, PhotoSource::Bytes(HEIC), None, Some(&long));
    assert!(matches!(too_long, Err(PhotoError::Draft(DraftError::TooLong { bytes: 65_537, .. }))));
    assert_eq!(device.draft(draft.id).unwrap().photos, []);

    for n in 0..PHOTOS_MAX {
        attach(&[HEIC, n.to_string().as_bytes()].concat()).unwrap();
    }
    assert!(matches!(attach(HEIC), Err(PhotoError::TooMany)));
    let row = device.draft(draft.id).unwrap().photos[5].row.clone();
    device.put(draft.id, &format!("photos/{row}/caption"), "x").unwrap();
    let left = device.detach(draft.id, &row).unwrap();
    assert_eq!((left.photos.len(), left.answers.len()), (PHOTOS_MAX - 1, 0));
    let saved = device.save(&left).unwrap();
    assert_eq!(device.record(saved.record).unwrap().unwrap().photos.len(), PHOTOS_MAX - 1);
}

#[test]
fn a_damaged_photo_is_not_shown_and_is_wanted_again() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let draft = device.keep(device.begin(&observer, mission.scope(), inspection()).unwrap()).unwrap();
    let original = jpeg(64, 64, 9);
    let attached = device.attach(draft.id, PhotoSource::Bytes(&original), None, None).unwrap();
    device.save(&device.put(attached.draft.id, "post", "Bridge").unwrap()).unwrap();
    let hash = BlobHash::of(&original);
    let name = hash.to_string();
    let file = folder.path().join("store/blobs").join(&name[..2]).join(&name);
    std::fs::write(&file, b"something else").unwrap();
    assert_eq!(device.photo_bytes(hash).unwrap(), None);
    assert_eq!(device.store().counts().unwrap().blobs_missing, 1);
}
