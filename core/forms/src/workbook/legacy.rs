//! What an `.xls` claims, looked at before the library that reads it believes it: an old format in which a few
//! bytes may ask for terabytes. ([MS-CFB] compound files, [MS-XLS] records.)

use crate::refused::Reason;

/// Most cells of a sheet, filled or not: so many are held at once.
pub(crate) const CELLS_MAX: u64 = 2_000_000;
/// End of a chain of sectors.
const END: u32 = 0xffff_fffe;
/// Sectors from here on are none.
const SPECIAL: u32 = 0xffff_fffa;
/// Streams shorter than this lie in sectors of their own size.
const MINI_BELOW: usize = 4_096;
/// Length of those.
const MINI_SECTOR: usize = 64;

/// Refuses a file whose sectors go in circles or whose sheets are larger than a form's may be. Gives the file without
/// what its sheets say of their own extent: office programs say a million rows of ten, and the library believes them.
pub(super) fn bounded(bytes: &[u8]) -> Result<Vec<u8>, Reason> {
    let file = Compound::open(bytes).ok_or(Reason::NotAWorkbook)?;
    let stream = file.workbook().ok_or(Reason::NotAWorkbook)?;
    let mut plain = bytes.to_vec();
    let mut extent = Extent::default();
    let mut at = 0;
    while let Some(record) = Record::at(&stream.bytes, at) {
        let data = at + 4..at + 4 + record.data.len();
        at = data.end;
        let fits = match record.kind {
            // BOF: another sheet.
            0x0809 => {
                extent = Extent::default();
                true
            }
            // BoundSheet8: where a sheet begins.
            0x0085 => dword(record.data, 0).is_some_and(|begins| (begins as usize) < stream.bytes.len()),
            // Dimensions.
            0x0200 => {
                data.filter_map(|at| stream.place(at)).for_each(|place| plain[place] = 0);
                true
            }
            // Formula, Number, Label, RString, BoolErr, Rk, LabelSst, MulRk, MulBlank.
            0x0006 | 0x0203 | 0x0204 | 0x00d6 | 0x0205 | 0x027e | 0x00fd | 0x00bd => {
                let (Some(row), Some(column)) = (word(record.data, 0), word(record.data, 2)) else {
                    return Err(Reason::NotAWorkbook);
                };
                let last =
                    if record.kind == 0x00bd { column.saturating_add(record.data.len() as u32 / 6) } else { column };
                extent.add(row, column);
                extent.add(row, last);
                extent.cells() <= CELLS_MAX
            }
            _ => true,
        };
        if !fits {
            return Err(Reason::too_much("cells between the first and the last of a sheet", CELLS_MAX));
        }
    }
    Ok(plain)
}

/// A stream, and where its pieces lie in the file.
struct Stream {
    bytes: Vec<u8>,
    piece: usize,
    places: Vec<usize>,
}

impl Stream {
    /// Where the byte `at` of the stream lies in the file.
    fn place(&self, at: usize) -> Option<usize> {
        Some(self.places.get(at / self.piece)? + at % self.piece)
    }
}

/// One record of a workbook's stream.
struct Record<'s> {
    kind: u16,
    data: &'s [u8],
}

impl<'s> Record<'s> {
    fn at(stream: &'s [u8], at: usize) -> Option<Self> {
        let kind = u16::try_from(word(stream, at)?).ok()?;
        let length = word(stream, at + 2)? as usize;
        Some(Self { kind, data: stream.get(at + 4..at + 4 + length)? })
    }
}

/// The rectangle around cells.
#[derive(Default)]
struct Extent {
    rows: Option<(u32, u32)>,
    columns: Option<(u32, u32)>,
}

impl Extent {
    fn add(&mut self, row: u32, column: u32) {
        let around =
            |known: Option<(u32, u32)>, at: u32| known.map_or((at, at), |(low, high)| (low.min(at), high.max(at)));
        self.rows = Some(around(self.rows, row));
        self.columns = Some(around(self.columns, column));
    }

    fn cells(&self) -> u64 {
        let length = |range: Option<(u32, u32)>| range.map_or(0, |(low, high)| u64::from(high - low) + 1);
        length(self.rows).saturating_mul(length(self.columns))
    }
}

/// A compound file, whose chains of sectors are followed as far as they can go.
struct Compound<'b> {
    bytes: &'b [u8],
    sector: usize,
    fat: Vec<u32>,
    directory: Vec<u8>,
}

impl<'b> Compound<'b> {
    fn open(bytes: &'b [u8]) -> Option<Self> {
        let sector = match word(bytes, 30)? {
            9 => 512,
            12 => 4_096,
            _ => return None,
        };
        let mut file = Self { bytes, sector, fat: Vec::new(), directory: Vec::new() };
        file.fat = file.table()?;
        file.directory = file.chain(dword(bytes, 48)?, usize::MAX)?;
        // The small streams lie together in the stream of the root, and have a table of their own.
        let length = (dword(bytes, 64)? as usize).saturating_mul(sector);
        if length > 0 {
            let root = file.entry(0)?;
            file.chain(root.0, root.1)?;
            file.chain(dword(bytes, 60)?, length)?;
        }
        Some(file)
    }

    /// Which sector follows each.
    fn table(&self) -> Option<Vec<u32>> {
        let mut ids: Vec<u32> = (0..109).filter_map(|index| dword(self.bytes, 76 + index * 4)).collect();
        let mut next = dword(self.bytes, 68)?;
        let mut left = self.bytes.len() / self.sector + 1;
        while next < SPECIAL {
            left = left.checked_sub(1)?;
            let more = self.sector_at(next)?;
            ids.extend(more.chunks_exact(4).filter_map(|four| dword(four, 0)));
            next = ids.pop()?;
        }
        let mut table = Vec::new();
        for id in ids.into_iter().filter(|id| *id < SPECIAL) {
            let sector = self.sector_at(id)?;
            table.extend(sector.chunks_exact(4).filter_map(|four| dword(four, 0)));
            if table.len() > self.bytes.len() {
                return None;
            }
        }
        Some(table)
    }

    /// The bytes of a chain, at most `length`; none if it goes in a circle or leaves the file.
    fn chain(&self, id: u32, length: usize) -> Option<Vec<u8>> {
        Some(self.stream(id, length)?.bytes)
    }

    fn stream(&self, mut id: u32, length: usize) -> Option<Stream> {
        let mut stream = Stream { bytes: Vec::new(), piece: self.sector, places: Vec::new() };
        let mut left = self.bytes.len() / self.sector + 1;
        while id != END && stream.bytes.len() < length {
            left = left.checked_sub(1)?;
            stream.bytes.extend_from_slice(self.sector_at(id)?);
            stream.places.push(self.place(id)?);
            id = *self.fat.get(id as usize)?;
        }
        stream.bytes.truncate(length);
        Some(stream)
    }

    fn sector_at(&self, id: u32) -> Option<&'b [u8]> {
        let begins = self.place(id)?;
        let ends = begins.checked_add(self.sector)?.min(self.bytes.len());
        self.bytes.get(begins..ends).filter(|sector| !sector.is_empty())
    }

    /// Where a sector begins: the header takes one of its own.
    fn place(&self, id: u32) -> Option<usize> {
        (id as usize).checked_add(1)?.checked_mul(self.sector)
    }

    /// Where a stream begins, and its length.
    fn entry(&self, index: usize) -> Option<(u32, usize)> {
        let entry = self.directory.get(index * 128..index * 128 + 128)?;
        Some((dword(entry, 116)?, dword(entry, 120)? as usize))
    }

    /// The stream of the workbook.
    fn workbook(&self) -> Option<Stream> {
        let is_named = |index: &usize, wanted: &str| {
            let name = self.directory.get(index * 128..index * 128 + 64).unwrap_or_default();
            let letters = name.chunks_exact(2).map(|pair| pair[0]).take_while(|letter| *letter != 0);
            letters.map(|letter| letter.to_ascii_lowercase()).eq(wanted.bytes())
        };
        let entries = self.directory.len() / 128;
        let found =
            ["workbook", "book"].into_iter().find_map(|wanted| (0..entries).find(|index| is_named(index, wanted)));
        let (begins, length) = self.entry(found?)?;
        if length >= MINI_BELOW {
            return self.stream(begins, length);
        }
        let (root, root_length) = self.entry(0)?;
        let small = self.stream(root, root_length)?;
        let table = self.chain(dword(self.bytes, 60)?, usize::MAX)?;
        let mut stream = Stream { bytes: Vec::new(), piece: MINI_SECTOR, places: Vec::new() };
        let (mut id, mut left) = (begins, small.bytes.len() / MINI_SECTOR + 1);
        while id != END && stream.bytes.len() < length {
            left = left.checked_sub(1)?;
            let at = (id as usize).checked_mul(MINI_SECTOR)?;
            stream.bytes.extend_from_slice(small.bytes.get(at..at + MINI_SECTOR)?);
            stream.places.push(small.place(at)?);
            id = dword(&table, (id as usize).checked_mul(4)?)?;
        }
        stream.bytes.truncate(length);
        Some(stream)
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u32::from(u16::from_le_bytes(two.try_into().ok()?)))
}

fn dword(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}
