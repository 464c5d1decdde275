//! What comes out: upright, small, and nothing of the original's metadata.

use std::io::Cursor;

use image::metadata::Orientation as Turn;
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba};
use merestone_media::{
    Metadata, NoRendition, OFFERED_PREVIEW_BYTES_MAX, PhotoFormat, PreviewRefusal, Renditions, accept_preview, inspect,
    render,
};

#[test]
fn all_eight_orientations_of_a_picture_come_out_the_same() {
    let upright = DynamicImage::from(painted());
    let thumbnails: Vec<RgbImage> = (1..=8)
        .map(|number| {
            // Turning back: a quarter turn's reverse is the other one, the rest reverse themselves.
            let back = match number {
                6 => 8,
                8 => 6,
                other => other,
            };
            let mut stored = upright.clone();
            stored.apply_orientation(Turn::from_exif(back).expect("1 to 8"));
            let original = with_exif(&encoded(&stored, ImageFormat::Jpeg), number);
            let facts = inspect(&original).expect("a jpeg");
            assert_eq!(facts.orientation.number(), number);
            assert_eq!(facts.metadata, Metadata::Whole);
            thumbnail(&render(&original, &facts))
        })
        .collect();
    for (number, thumbnail) in (1..).zip(&thumbnails) {
        assert_eq!(thumbnail.dimensions(), (320, 180), "orientation {number}");
        assert!(difference(&thumbnails[0], thumbnail) < 2.0, "orientation {number}");
    }
}

#[test]
fn renditions_hold_no_metadata() {
    let original = with_exif(&encoded(&painted().into(), ImageFormat::Jpeg), 3);
    assert!(original.windows(6).any(|window| window == b"Secret"));
    let facts = inspect(&original).expect("a jpeg");
    assert_eq!(facts.make.as_deref(), Some("Secret"));
    let Renditions { thumbnail, preview } = render(&original, &facts);
    for rendition in [thumbnail, preview] {
        let bytes = rendition.expect("a whole photo").bytes;
        // Until the scan: JFIF's APP0 and what decoding needs; no other APPn, no comment.
        let mut at = 2;
        while bytes[at + 1] != 0xda {
            let marker = bytes[at + 1];
            assert!(matches!(marker, 0xe0 | 0xdb | 0xc0 | 0xc4), "marker {marker:x} does not belong here");
            let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
            if marker == 0xe0 {
                assert_eq!((length, &bytes[at + 4..at + 9]), (16, &b"JFIF\0"[..]));
            }
            at += 2 + length;
        }
        assert!(!bytes.windows(6).any(|window| window == b"Secret"));
    }
}

#[test]
fn every_pixel_kind_of_png_and_webp_is_rendered_on_white() {
    let wide = |value: u8| u16::from(value) * 257;
    let grey = [90, 90, 90];
    let cases: Vec<(DynamicImage, [u8; 3])> = vec![
        (ImageBuffer::from_pixel(9, 5, Luma([90_u8])).into(), grey),
        (ImageBuffer::from_pixel(9, 5, LumaA([90_u8, 255])).into(), grey),
        (ImageBuffer::from_pixel(9, 5, Luma([wide(90)])).into(), grey),
        (ImageBuffer::from_pixel(9, 5, LumaA([wide(90), 0])).into(), [255; 3]),
        (ImageBuffer::from_pixel(9, 5, Rgb([200_u8, 30, 90])).into(), [200, 30, 90]),
        (ImageBuffer::from_pixel(9, 5, Rgba([0_u8, 0, 0, 0])).into(), [255; 3]),
        (ImageBuffer::from_pixel(9, 5, Rgb([200, 30, 90].map(wide))).into(), [200, 30, 90]),
        (ImageBuffer::from_pixel(9, 5, Rgba([0_u16, 0, 0, 32_896])).into(), [127; 3]),
    ];
    for (picture, expected) in cases {
        check_flat(&encoded(&picture, ImageFormat::Png), PhotoFormat::Png, expected);
        let narrow = match picture.color().has_alpha() {
            true => DynamicImage::from(picture.to_rgba8()),
            false => DynamicImage::from(picture.to_rgb8()),
        };
        check_flat(&encoded(&narrow, ImageFormat::WebP), PhotoFormat::WebP, expected);
    }
}

#[test]
fn a_format_not_decodable_here_says_so_and_an_app_may_offer_a_preview() {
    let heic = b"\0\0\0\x14ftypheic\0\0\0\0heic";
    let facts = inspect(heic).expect("known by its brand");
    let none = Err(NoRendition::NotDecodable);
    let renditions = render(heic, &facts);
    assert_eq!((renditions.thumbnail, renditions.preview), (none.clone(), none));

    let offered = with_exif(&encoded(&painted().into(), ImageFormat::Jpeg), 6);
    let renditions = accept_preview(&offered).expect("a jpeg");
    assert_eq!(thumbnail(&renditions).dimensions(), (180, 320));
    let preview = renditions.preview.expect("a whole jpeg");
    assert!(!preview.bytes.windows(6).any(|window| window == b"Secret"));
}

#[test]
fn offered_previews_are_refused_by_size_format_and_damage() {
    let jpeg = encoded(&painted().into(), ImageFormat::Jpeg);
    let too_large = vec![0; OFFERED_PREVIEW_BYTES_MAX + 1];
    for (offered, refusal) in [
        (&too_large[..], PreviewRefusal::TooLarge { bytes: too_large.len() }),
        (b"", PreviewRefusal::NotJpeg),
        (&encoded(&painted().into(), ImageFormat::Png), PreviewRefusal::NotJpeg),
        (&jpeg[..jpeg.len() / 2], PreviewRefusal::NoRendition { reason: NoRendition::DamagedPixels }),
    ] {
        assert_eq!(accept_preview(offered), Err(refusal));
    }
}

#[test]
fn codes_are_stable() {
    for (code, reason) in [
        (1, NoRendition::NotDecodable),
        (2, NoRendition::DamagedPixels),
        (3, NoRendition::TooManyPixels),
        (4, NoRendition::OriginalTooLarge),
    ] {
        assert_eq!(reason.code(), code);
        assert_eq!(NoRendition::from_code(code), Some(reason));
    }
    assert_eq!(NoRendition::from_code(0), None);
    assert_eq!(NoRendition::from_code(5), None);
}

#[test]
fn every_cut_and_every_changed_byte_still_gives_an_answer() {
    let small = image::imageops::thumbnail(&painted(), 16, 9);
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let original = encoded(&small.clone().into(), format);
        let look = |bytes: &[u8]| inspect(bytes).map(|facts| render(bytes, &facts));
        for length in 0..original.len() {
            let _any = look(&original[..length]);
        }
        for at in 0..original.len() {
            let mut changed = original.clone();
            changed[at] ^= 0x81;
            let _any = look(&changed);
        }
    }
}

/// Not symmetrical in any way.
fn painted() -> RgbImage {
    RgbImage::from_fn(640, 360, |x, y| {
        let corner = if x < 200 && y < 90 { 200 } else { 0 };
        Rgb([(x * 255 / 640) as u8, (y * 255 / 360) as u8, corner])
    })
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), format).expect("the picture is small");
    bytes
}

/// The JPEG with an EXIF segment: made by "Secret", stored in this orientation.
fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut block = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    block.extend(b"\x01\x0f\0\x02\0\0\0\x07\0\0\0\x26");
    block.extend([1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    block.extend(b"\0\0\0\0Secret\0");
    let length = (block.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], b"\xff\xe1", &length, &block, &jpeg[2..]].concat()
}

fn thumbnail(renditions: &Renditions) -> RgbImage {
    let rendition = renditions.thumbnail.as_ref().expect("a whole photo");
    image::load_from_memory(&rendition.bytes).expect("our own jpeg").to_rgb8()
}

fn difference(a: &RgbImage, b: &RgbImage) -> f64 {
    let sum: u64 = a.iter().zip(b.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.len() as f64
}

fn check_flat(original: &[u8], format: PhotoFormat, expected: [u8; 3]) {
    let facts = inspect(original).expect("a known format");
    assert_eq!(facts.format, format);
    let made = thumbnail(&render(original, &facts));
    assert_eq!(made.dimensions(), (9, 5));
    for pixel in made.pixels() {
        for (value, expected) in pixel.0.iter().zip(expected) {
            assert!(value.abs_diff(expected) <= 3, "{pixel:?} for {expected:?}");
        }
    }
}
