//! Every photo of the external fixture set, which is not part of this repository:
//! `${MERESTONE_SHARED:-../shared}/fixtures/photos`, seen from the workspace's root.
//!
//! One test only, because the allocator's peak is shared by the whole binary.

mod counting;
#[path = "../../../tests/src/skip.rs"]
#[allow(unreachable_pub, reason = "shared with the tests that lie above every room")]
mod skip;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use exif::{In, Tag, Value};
use merestone_media::{
    CAMERA_NAME_BYTES_MAX, Metadata, MetadataDamage, NoRendition, PREVIEW_BYTES_MAX, PREVIEW_EDGE_MAX, PhotoFacts,
    PhotoFormat, PhotoRefusal, PixelSize, Rendition, THUMBNAIL_BYTES_MAX, THUMBNAIL_EDGE_MAX, inspect, render,
};

const MEMORY_MAX: usize = 128 << 20;

#[test]
fn every_external_photo_is_inspected_and_rendered_within_bounds() {
    let Some(folder) = fixtures() else {
        return skip::skip("the external fixture set is absent (MERESTONE_SHARED names its folder)");
    };
    let mut files = Vec::new();
    walk(&folder, &mut files);
    assert!(files.len() > 100, "the set has over a hundred photos");

    let mut outcomes: BTreeMap<String, (PhotoFacts, Result<Rendition, NoRendition>)> = BTreeMap::new();
    for path in files {
        let name = path.strip_prefix(&folder).expect("found below it").display().to_string();
        let original = std::fs::read(&path).expect("fixtures can be read");
        let before = counting::start();
        let facts = match inspect(&original) {
            // Brands of no photo: its authors made it to be refused.
            Err(PhotoRefusal::UnknownFormat) if name == "odd/nom-compatible-brands-fail.heic" => {
                continue;
            }
            inspected => inspected.unwrap_or_else(|refusal| panic!("{name}: {refusal}")),
        };
        let renditions = render(&original, &facts);
        let used = counting::peak_since(before) + original.len();
        assert!(used <= MEMORY_MAX, "{name} took {used} bytes");

        check_facts(&name, &facts);
        check_against_another_reader(&name, &original, &facts);
        for (made, edge_max, bytes_max) in [
            (&renditions.thumbnail, THUMBNAIL_EDGE_MAX, THUMBNAIL_BYTES_MAX),
            (&renditions.preview, PREVIEW_EDGE_MAX, PREVIEW_BYTES_MAX),
        ] {
            if let Ok(rendition) = made {
                check_rendition(&name, &facts, rendition, edge_max, bytes_max);
            }
        }
        assert_eq!(renditions.thumbnail.as_ref().err(), renditions.preview.as_ref().err(), "{name}");
        println!(
            "{name}: {:?}, {:?}, {:?}, {used} bytes",
            facts.pixels.map(|size| (size.width, size.height)),
            facts.metadata,
            renditions.thumbnail.as_ref().map(|made| (made.width, made.height)),
        );
        outcomes.insert(name, (facts, renditions.thumbnail));
    }
    check_known(&outcomes);
    check_orientations(&outcomes);
}

fn fixtures() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = std::env::var_os("MERESTONE_SHARED").unwrap_or_else(|| "../shared".into());
    let folder = root.join(shared).join("fixtures/photos");
    folder.is_dir().then_some(folder)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("fixtures can be listed") {
        let path = entry.expect("fixtures can be listed").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|kind| kind != "md" && !path.to_string_lossy().contains("LICENSE")) {
            files.push(path);
        }
    }
}

fn check_facts(name: &str, facts: &PhotoFacts) {
    let format = match name.rsplit('.').next() {
        Some("jpg" | "jpeg") => PhotoFormat::Jpeg,
        Some("png") => PhotoFormat::Png,
        Some("webp") => PhotoFormat::WebP,
        Some("heic") => PhotoFormat::Heic,
        Some("avif") => PhotoFormat::Avif,
        other => panic!("{name}: {other:?} is not a photo's ending"),
    };
    assert_eq!(facts.format, format, "{name}");
    for text in [&facts.make, &facts.model].into_iter().flatten() {
        assert!(text.len() <= CAMERA_NAME_BYTES_MAX, "{name}");
        assert!(text.chars().all(|c| (' '..='~').contains(&c)), "{name}");
    }
}

/// What `kamadak-exif` finds where it finds a well-formed value, we must find too, and the same.
fn check_against_another_reader(name: &str, original: &[u8], facts: &PhotoFacts) {
    let exif = exif::Reader::new()
        .continue_on_error(true)
        .read_from_container(&mut Cursor::new(original))
        .or_else(|error| error.distill_partial_result(|_| {}));
    let Ok(exif) = exif else {
        return;
    };
    let text = |tag| match exif.get_field(tag, In::PRIMARY).map(|field| &field.value) {
        Some(Value::Ascii(texts)) => {
            texts.first().map(|text| String::from_utf8_lossy(text).trim().to_owned()).filter(|text| !text.is_empty())
        }
        _ => None,
    };
    assert_eq!(facts.make, text(Tag::Make), "{name}");
    assert_eq!(facts.model, text(Tag::Model), "{name}");
    let orientation = exif
        .get_field(Tag::Orientation, In::PRIMARY)
        .and_then(|field| field.value.get_uint(0))
        .filter(|number| (1..=8).contains(number));
    assert_eq!(u32::from(facts.orientation.number()), orientation.unwrap_or(1), "{name}");
    if let Some(taken) = facts.taken {
        let shown = format!(
            "{:04}:{:02}:{:02} {:02}:{:02}:{:02}",
            taken.year, taken.month, taken.day, taken.hour, taken.minute, taken.second
        );
        let theirs = text(Tag::DateTimeOriginal).unwrap_or_default();
        assert!(theirs.starts_with(&shown), "{name}: {theirs}");
    } else if matches!(facts.metadata, Metadata::Whole) {
        let theirs = text(Tag::DateTimeOriginal).unwrap_or_default();
        assert!(theirs.chars().all(|c| " :0".contains(c)), "{name}: {theirs}");
    }
    if let Some(place) = facts.place {
        for (tag, side, found) in [
            (Tag::GPSLatitude, Tag::GPSLatitudeRef, place.latitude_e7),
            (Tag::GPSLongitude, Tag::GPSLongitudeRef, place.longitude_e7),
        ] {
            let parts: Vec<f64> = match exif.get_field(tag, In::PRIMARY).map(|field| &field.value) {
                Some(Value::Rational(parts)) => parts.iter().map(|part| part.to_f64()).collect(),
                Some(Value::SRational(parts)) => parts.iter().map(|part| part.to_f64()).collect(),
                other => panic!("{name}: only we see a place in {other:?}"),
            };
            let sign = match text(side).as_deref() {
                Some("S" | "W") => -1.0,
                _ => 1.0,
            };
            let degrees = parts[0] + parts[1] / 60.0 + parts[2] / 3600.0;
            assert!((sign * degrees * 1e7 - f64::from(found)).abs() < 1.0, "{name}");
        }
    }
}

fn check_rendition(name: &str, facts: &PhotoFacts, rendition: &Rendition, edge_max: u32, bytes_max: usize) {
    let PixelSize { width, height } = facts.pixels.expect("what was decoded has a size");
    let (width, height) = match facts.orientation.swaps_edges() {
        true => (height, width),
        false => (width, height),
    };
    assert!(rendition.width <= edge_max && rendition.height <= edge_max, "{name}");
    assert!(rendition.width <= width && rendition.height <= height, "{name}");
    assert!(rendition.bytes.len() <= bytes_max, "{name}");
    assert!(
        rendition.width == edge_max
            || rendition.height == edge_max
            || (rendition.width, rendition.height) == (width, height),
        "{name}: smaller than it needs to be"
    );
    let decoded = image::load_from_memory(&rendition.bytes).expect("our own jpeg");
    assert_eq!((decoded.width(), decoded.height()), (rendition.width, rendition.height));
    let facts = inspect(&rendition.bytes).expect("our own jpeg");
    assert_eq!(facts.metadata, Metadata::Absent, "{name}");
}

/// Spot checks against what other tools say of these files.
fn check_known(outcomes: &BTreeMap<String, (PhotoFacts, Result<Rendition, NoRendition>)>) {
    let facts = |name: &str| &outcomes[name].0;
    let none = |name: &str| outcomes[name].1.as_ref().err().copied();
    let size = |width, height| PixelSize::new(width, height);

    let canyon = facts("phones/tnt-grand_canyon.jpg");
    assert_eq!(canyon.pixels, size(4032, 3024));
    assert_eq!(canyon.model.as_deref(), Some("iPhone 7"));
    let taken = canyon.taken.expect("it says when");
    assert_eq!((taken.year, taken.month, taken.day, taken.utc_offset_minutes), (2018, 3, 12, None));
    assert!(canyon.place.is_some());

    let iphone = facts("phones/apple-iphone-13-pro-max.heic");
    assert_eq!(iphone.pixels, size(4032, 3024));
    assert_eq!(iphone.orientation.number(), 6);
    assert_eq!(iphone.taken.and_then(|taken| taken.utc_offset_minutes), Some(60));
    assert_eq!(none("phones/apple-iphone-13-pro-max.heic"), Some(NoRendition::NotDecodable));
    assert_eq!(facts("formats/nom-exif.avif").pixels, size(192, 256));
    assert_eq!(none("formats/nom-exif.avif"), Some(NoRendition::NotDecodable));
    assert_eq!(facts("formats/nom-exif-one-entry.heic").pixels, size(3674, 5500));

    let nokia = facts("phones/hmd-nokia-8.3-5g.jpg");
    assert_eq!(nokia.taken.and_then(|taken| taken.utc_offset_minutes), Some(180));
    // Cut off behind their EXIF by the set's authors.
    assert_eq!(none("cameras/goexif-2006-08-03-16-29-38.jpg"), Some(NoRendition::DamagedPixels));
    // It writes its position with a type of its own.
    assert!(nokia.place.is_some());
    // Huge counts on values nobody asked for harm nobody; a directory outside the block is damage.
    assert_eq!(facts("odd/goexif-max_uint32_exif.jpg").metadata, Metadata::Whole);
    assert_eq!(facts("odd/nom-broken.jpg").metadata, Metadata::Damaged { damage: MetadataDamage::Directory });
    for (name, (_, thumbnail)) in outcomes {
        let whole = name.starts_with("formats/imagers") || name.starts_with("phones/");
        if whole && !name.ends_with("heic") {
            assert!(thumbnail.is_ok(), "{name}: {thumbnail:?}");
        }
    }
}

/// The eight files show one picture, stored eight ways and compressed each time.
fn check_orientations(outcomes: &BTreeMap<String, (PhotoFacts, Result<Rendition, NoRendition>)>) {
    let upright = |number: u8| {
        let (facts, thumbnail) = &outcomes[&format!("orientation/landscape-{number}.jpg")];
        assert_eq!(facts.orientation.number(), number);
        let rendition = thumbnail.as_ref().expect("a whole photo");
        image::load_from_memory(&rendition.bytes).expect("our own jpeg").to_rgb8()
    };
    let first = upright(1);
    assert_eq!(first.dimensions(), (320, 213));
    for number in 2..=8 {
        let other = upright(number);
        assert_eq!(other.dimensions(), first.dimensions());
        let difference: u64 = first.iter().zip(other.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let mean = difference as f64 / first.len() as f64;
        assert!(mean < 6.0, "orientation {number} differs by {mean} on average");
    }
}
