//! Files made to exhaust a phone: each gets a reason in bounded memory. One test only, for `counting`.

mod counting;

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat, RgbImage};
use merestone_media::{NoRendition, inspect, render};

const MEMORY_MAX: usize = 128 << 20;

/// A name, a file, and the size of its thumbnail or why there is none.
type Case = (&'static str, Vec<u8>, Result<(u32, u32), NoRendition>);

#[test]
fn hostile_and_huge_photos_get_an_answer_in_bounded_memory() {
    use NoRendition::{DamagedPixels, OriginalTooLarge, TooManyPixels};

    let small = jpeg(64, 48);
    let large = grey_jpeg(8000, 5000);
    let cases: Vec<Case> = vec![
        ("40 megapixels", large.clone(), Ok((320, 200))),
        ("40 megapixels cut off, with an end", [&large[..large.len() / 2], b"\xff\xd9"].concat(), Err(DamagedPixels)),
        ("40 megapixels progressive", as_progressive(large), Err(TooManyPixels)),
        ("a jpeg cut off", small[..small.len() - 2].to_vec(), Err(DamagedPixels)),
        ("a jpeg claiming 65535 x 65535", resized(small.clone(), 65_535, 65_535), Err(TooManyPixels)),
        ("a jpeg claiming no rows", resized(small.clone(), 64, 0), Err(DamagedPixels)),
        ("two frames", two_frames(&small), Err(DamagedPixels)),
        ("a thousand scans", many_scans(&small), Err(DamagedPixels)),
        ("a png claiming 60000 x 60000", png(60_000, 60_000, 0, &[]), Err(TooManyPixels)),
        ("a png claiming 5000 x 4000 of 64 bits", png(5000, 4000, 6, &[]), Err(TooManyPixels)),
        ("a png with no data", png(100, 100, 0, &[]), Err(DamagedPixels)),
        ("a png pixel unfolding to a gigabyte", png(1, 1, 0, &zeros_deflated(1 << 30)), Ok((1, 1))),
        ("a small canvas around a large frame", webp(16_383, 16_383), Err(TooManyPixels)),
        ("a small canvas around a cut-off frame", webp(4000, 4000), Err(DamagedPixels)),
        ("lossless tables without end", lossless_webp(1 << 20), Err(OriginalTooLarge)),
        ("a lossless frame of noise", lossless_webp(100_000), Err(DamagedPixels)),
    ];
    for (name, original, expected) in cases {
        let started = std::time::Instant::now();
        let before = counting::start();
        let facts = inspect(&original).expect("a known format");
        let made = render(&original, &facts);
        let used = counting::peak_since(before);
        let size = made.thumbnail.map(|made| (made.width, made.height));
        println!("{name}: {size:?}, {used} bytes, {:?}", started.elapsed());
        assert_eq!(size, expected, "{name}");
        assert!(used <= MEMORY_MAX, "{name} took {used} bytes");
    }
}

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 7]))
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Jpeg)
        .expect("the picture is small");
    bytes
}

fn grey_jpeg(width: u32, height: u32) -> Vec<u8> {
    let pixels: Vec<u8> = (0..width * height).map(|at| ((at / width) >> 5) as u8).collect();
    let mut bytes = Vec::new();
    JpegEncoder::new(&mut bytes).encode(&pixels, width, height, ExtendedColorType::L8).expect("within a jpeg's edges");
    bytes
}

fn frame_at(jpeg: &[u8]) -> usize {
    jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("the encoder writes baseline")
}

fn as_progressive(mut jpeg: Vec<u8>) -> Vec<u8> {
    let at = frame_at(&jpeg);
    jpeg[at + 1] = 0xc2;
    jpeg
}

fn resized(mut jpeg: Vec<u8>, width: u16, height: u16) -> Vec<u8> {
    let at = frame_at(&jpeg);
    jpeg[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
}

fn two_frames(jpeg: &[u8]) -> Vec<u8> {
    let at = frame_at(jpeg);
    let frame = jpeg[at..at + 19].to_vec();
    [&jpeg[..at], &frame, &jpeg[at..]].concat()
}

fn many_scans(jpeg: &[u8]) -> Vec<u8> {
    let scan = b"\xff\xda\0\x08\x01\x01\0\0\x3f\0";
    [&jpeg[..jpeg.len() - 2], &scan.repeat(1000), b"\xff\xd9"].concat()
}

/// A PNG of 8-bit grey (0) or 16-bit colour with transparency (6) around this compressed data.
fn png(width: u32, height: u32, color: u8, data: &[u8]) -> Vec<u8> {
    let depth = if color == 6 { 16 } else { 8 };
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([depth, color, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", &header[..]), (b"IDAT", data), (b"IEND", &[])] {
        file.extend((data.len() as u32).to_be_bytes());
        let start = file.len();
        file.extend(kind);
        file.extend(data);
        file.extend(crc32(&file[start..]).to_be_bytes());
    }
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1)))
    })
}

/// A zlib stream of this many zero bytes, 258 for every two bits.
fn zeros_deflated(length: usize) -> Vec<u8> {
    // One dynamic block (RFC 1951): 0 and 256 have codes of two bits, 285 (258 bytes back) one bit, distance 1 one bit.
    let mut bits = BitWriter::default();
    bits.bytes.extend([0x78, 0x01]);
    bits.push(1, 1);
    bits.push(2, 2);
    // 286 lengths, 1 distance, 18 code lengths (in the order 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1).
    bits.push(286 - 257, 5);
    bits.push(0, 5);
    bits.push(18 - 4, 4);
    for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1] {
        let length = match symbol {
            18 => 1,
            1 | 2 => 2,
            _ => 0,
        };
        bits.push(length, 3);
    }
    // By symbol, from the top bit: 18 is 0, 1 is 10, 2 is 11.
    let (zeros, one, two) = ([0].as_slice(), [1, 0].as_slice(), [1, 1].as_slice());
    let code = |bits: &mut BitWriter, code: &[u32]| code.iter().for_each(|bit| bits.push(*bit, 1));
    let skip = |bits: &mut BitWriter, count: u32| {
        code(bits, zeros);
        bits.push(count - 11, 7);
    };
    code(&mut bits, two);
    skip(&mut bits, 138);
    skip(&mut bits, 117);
    code(&mut bits, two);
    skip(&mut bits, 28);
    code(&mut bits, one);
    code(&mut bits, one);
    // 285 is 0, 0 is 10, 256 is 11; the only distance is 0.
    bits.push(1, 1);
    bits.push(0, 1);
    for _ in 0..length / 258 {
        bits.push(0, 2);
    }
    bits.push(3, 2);
    bits.push(0, 7);
    bits.bytes.extend([0; 4]);
    bits.bytes
}

#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    bits: u32,
    held: u32,
}

impl BitWriter {
    fn push(&mut self, value: u32, count: u32) {
        self.bits |= value << self.held;
        self.held += count;
        while self.held >= 8 {
            self.bytes.push(self.bits as u8);
            self.bits >>= 8;
            self.held -= 8;
        }
    }
}

fn riff(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (kind, data) in chunks {
        body.extend(*kind);
        body.extend((data.len() as u32).to_le_bytes());
        body.extend(data);
        body.extend(vec![0; data.len() % 2]);
    }
    [b"RIFF", &(body.len() as u32).to_le_bytes()[..], &body].concat()
}

/// A canvas of 10 x 10 around a lossy frame whose own header claims more, and whose data is nothing.
fn webp(width: u16, height: u16) -> Vec<u8> {
    let canvas = [0, 0, 0, 0, 9, 0, 0, 9, 0, 0].to_vec();
    let mut frame = b"\x10\x02\x00\x9d\x01\x2a".to_vec();
    frame.extend(width.to_le_bytes());
    frame.extend(height.to_le_bytes());
    frame.extend([0; 64]);
    riff(&[(b"VP8X", canvas), (b"VP8 ", frame)])
}

fn lossless_webp(length: usize) -> Vec<u8> {
    let mut frame = vec![0x2f];
    // 64 x 64: both edges less one, 14 bits each.
    frame.extend((63_u32 | 63 << 14).to_le_bytes());
    let mut state = 7_u32;
    frame.resize_with(length, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    riff(&[(b"VP8L", frame)])
}
