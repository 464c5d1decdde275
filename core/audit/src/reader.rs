//! Log files: from front to back in stretches of whole items, and single items again.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use merestone_core::Refused;
use merestone_core::audit::fast::{ITEM_BYTES_MAX, Split, split};

/// Reads the next bytes, whatever interrupts it.
pub(crate) fn read_some(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Reads a log file from front to back in stretches of whole items.
pub(crate) struct LogReader {
    file: File,
    buffer: Vec<u8>,
    start: usize,
    offset: u64,
    is_at_end: bool,
}

/// The next whole items of a log file.
pub(crate) struct Items {
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Why nothing more comes of a log file.
#[derive(Clone, Copy)]
pub(crate) enum Stop {
    Broken { offset: u64, refused: Refused },
    Unreadable,
    End,
}

/// Bytes of a stretch: some 240 entries, so that cores finish within ten milliseconds of each other.
const STRETCH_BYTES: usize = 128 << 10;
/// Bytes read at a time.
const BLOCK_BYTES: usize = 2 << 20;

impl LogReader {
    pub(crate) fn new(file: File) -> Self {
        Self { file, buffer: Vec::new(), start: 0, offset: 0, is_at_end: false }
    }

    pub(crate) fn next(&mut self) -> Result<Items, Stop> {
        self.fill().map_err(|_| Stop::Unreadable)?;
        let Split { bytes, broken } = split(&self.buffer[self.start..], self.is_at_end, STRETCH_BYTES);
        let offset = self.offset;
        if bytes == 0 {
            return Err(broken.map_or(Stop::End, |refused| Stop::Broken { offset, refused }));
        }
        let taken = self.buffer[self.start..self.start + bytes].to_vec();
        self.start += bytes;
        self.offset += bytes as u64;
        Ok(Items { offset, bytes: taken })
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.is_at_end || self.buffer.len() - self.start >= STRETCH_BYTES + ITEM_BYTES_MAX {
            return Ok(());
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let held = self.buffer.len();
        self.buffer.resize(BLOCK_BYTES + ITEM_BYTES_MAX, 0);
        let mut filled = held;
        while filled < self.buffer.len() {
            let read = read_some(&mut self.file, &mut self.buffer[filled..])?;
            if read == 0 {
                self.is_at_end = true;
                break;
            }
            filled += read;
        }
        self.buffer.truncate(filled);
        Ok(())
    }
}

/// Reads single items of a log file again, wherever they stand.
pub(crate) struct ItemReader {
    file: File,
    buffer: Vec<u8>,
}

/// Enough for nearly every entry in one read.
const USUAL_ITEM_BYTES: usize = 2 << 10;

impl ItemReader {
    pub(crate) fn new(file: File) -> Self {
        Self { file, buffer: Vec::new() }
    }

    /// At least the item at `offset`, or all that is left of the file.
    pub(crate) fn at(&mut self, offset: u64, is_large: bool) -> io::Result<&[u8]> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.buffer.resize(if is_large { ITEM_BYTES_MAX } else { USUAL_ITEM_BYTES }, 0);
        let mut filled = 0;
        while filled < self.buffer.len() {
            let read = read_some(&mut self.file, &mut self.buffer[filled..])?;
            if read == 0 {
                break;
            }
            filled += read;
        }
        Ok(&self.buffer[..filled])
    }
}
