//! Tiles: 256 hashes of one level of the tree, and the path under which each is found (`spec/ledger.md`, Tiles).

use super::Malformed;
use crate::id::DIGEST_BYTES;
use crate::merkle::{self, NodeHash};

/// Hashes of a full tile.
pub const TILE_WIDTH: u16 = 256;

/// The highest level that a tree of fewer than 2⁶⁴ leaves has.
pub const LEVEL_MAX: u8 = 7;

/// Levels of the tree in one tile, as a power of two of its width.
pub(super) const TILE_HEIGHT: u32 = 8;

/// The longest path: `tile/entries/`, six elements of the longest index, and a width.
const PATH_BYTES_MAX: usize = 48;

/// Which row of tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// Hashes of this level: 0 has those of the leaves, each higher one those of the full tiles below it.
    Hashes(u8),
    /// The leaves themselves, in bundles as wide as the tiles of level 0.
    Entries,
}

impl Row {
    /// Leaves under one item of the row, as a power of two.
    fn height(self) -> u32 {
        match self {
            Row::Hashes(level) => u32::from(level) * TILE_HEIGHT,
            Row::Entries => 0,
        }
    }
}

/// The place of a tile or bundle, of the full width or of less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileAddress {
    row: Row,
    index: u64,
    width: u16,
}

impl TileAddress {
    /// The tile `index` of `row`, `width` items wide; `None` if no tree of fewer than 2⁶⁴ leaves has it.
    pub fn new(row: Row, index: u64, width: u16) -> Option<Self> {
        let is_level = !matches!(row, Row::Hashes(level) if level > LEVEL_MAX);
        if !is_level || !(1..=TILE_WIDTH).contains(&width) {
            return None;
        }
        let end = (u128::from(index) * u128::from(TILE_WIDTH) + u128::from(width)) << row.height();
        (end <= u128::from(u64::MAX)).then_some(Self { row, index, width })
    }

    /// Tile `index` of `row` as it stands in a tree of `size` leaves; `None` if that tree has none there.
    pub fn in_tree(row: Row, index: u64, size: u64) -> Option<Self> {
        let items = size.checked_shr(row.height())?;
        let rest = items.checked_sub(index.checked_mul(u64::from(TILE_WIDTH))?)?;
        Self::new(row, index, u16::try_from(rest).unwrap_or(TILE_WIDTH).min(TILE_WIDTH))
    }

    /// Reads a path.
    ///
    /// # Errors
    /// `tile-address`; the only path of a tile is the one that [`path`](Self::path) writes.
    pub fn parse(path: &str) -> Result<Self, Malformed> {
        let read = || {
            let (row, rest) = path.strip_prefix("tile/")?.split_once('/')?;
            let (elements, width) = rest.split_once(".p/").unwrap_or((rest, "256"));
            let row = if row == "entries" { Row::Entries } else { Row::Hashes(row.parse().ok()?) };
            let digits: String = elements.chars().filter(char::is_ascii_digit).collect();
            Self::new(row, digits.parse().ok()?, width.parse().ok()?)
        };
        let address = if path.len() <= PATH_BYTES_MAX { read() } else { None };
        address.filter(|address| address.path() == path).ok_or(Malformed::Address)
    }

    /// Its path below the ledger's prefix.
    pub fn path(&self) -> String {
        let Self { row, index, width } = *self;
        let row = match row {
            Row::Hashes(level) => level.to_string(),
            Row::Entries => "entries".to_owned(),
        };
        let mut elements = format!("{:03}", index % 1_000);
        let mut rest = index / 1_000;
        while rest > 0 {
            elements = format!("x{:03}/{elements}", rest % 1_000);
            rest /= 1_000;
        }
        if width == TILE_WIDTH { format!("tile/{row}/{elements}") } else { format!("tile/{row}/{elements}.p/{width}") }
    }

    /// Its row.
    pub fn row(&self) -> Row {
        self.row
    }

    /// Its place in the row.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Items in it, 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether nothing can be added to it any more.
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }
}

/// A tile of hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    address: TileAddress,
    hashes: Vec<NodeHash>,
}

impl Tile {
    /// The tile at `address` with these hashes.
    ///
    /// # Errors
    /// `tile-length` if they are not as many as the address says, or it is the address of a bundle.
    pub fn new(address: TileAddress, hashes: Vec<NodeHash>) -> Result<Self, Malformed> {
        let is_of_hashes = matches!(address.row, Row::Hashes(_));
        if is_of_hashes && hashes.len() == usize::from(address.width) {
            Ok(Self { address, hashes })
        } else {
            Err(Malformed::Tile)
        }
    }

    /// Reads the tile at `address`.
    ///
    /// # Errors
    /// `tile-length`.
    pub fn decode(address: TileAddress, bytes: &[u8]) -> Result<Self, Malformed> {
        let (hashes, rest) = bytes.as_chunks::<DIGEST_BYTES>();
        if !rest.is_empty() || hashes.len() != usize::from(address.width) {
            return Err(Malformed::Tile);
        }
        Self::new(address, hashes.to_vec())
    }

    /// Its bytes: the hashes, one after the other.
    pub fn encode(&self) -> Vec<u8> {
        self.hashes.concat()
    }

    /// Where it stands.
    pub fn address(&self) -> TileAddress {
        self.address
    }

    /// Its hashes, leftmost first.
    pub fn hashes(&self) -> &[NodeHash] {
        &self.hashes
    }

    /// The root over its hashes: of a full tile, the hash that stands for it one level higher.
    pub fn root(&self) -> NodeHash {
        merkle::root(&self.hashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_path_and_a_path_one_address() {
        let rows = [
            (Row::Hashes(0), 0, 256, "tile/0/000"),
            (Row::Hashes(3), 999, 255, "tile/3/999.p/255"),
            (Row::Hashes(1), 1_000, 1, "tile/1/x001/000.p/1"),
            (Row::Hashes(0), 1_234_067, 256, "tile/0/x001/x234/067"),
            (Row::Entries, 4, 17, "tile/entries/004.p/17"),
            (Row::Entries, (1 << 56) - 1, 255, "tile/entries/x072/x057/x594/x037/x927/935.p/255"),
            (Row::Hashes(7), 0, 255, "tile/7/000.p/255"),
        ];
        for (row, index, width, path) in rows {
            let address = TileAddress::new(row, index, width).expect("there is such a tile");
            assert_eq!((address.path().as_str(), TileAddress::parse(path)), (path, Ok(address)));
        }
    }

    #[test]
    fn what_no_tree_has_is_no_address() {
        for (row, index, width) in [
            (Row::Hashes(8), 0, 1),
            (Row::Hashes(0), 0, 0),
            (Row::Hashes(0), 0, 257),
            (Row::Hashes(7), 0, 256),
            (Row::Hashes(7), 1, 1),
            (Row::Hashes(0), 1 << 56, 1),
            (Row::Entries, u64::MAX, 1),
        ] {
            assert_eq!(TileAddress::new(row, index, width), None, "{row:?} {index} {width}");
        }
        for path in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/00",
            "tile/0/0000",
            "tile/00/000",
            "tile/+0/000",
            "tile/8/000",
            "tile/-1/000",
            "tile/0/001/000",
            "tile/0/x000/000",
            "tile/0/x001/x000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/",
            "tile/0/000.p/1/",
            "tile/entry/000",
            "/tile/0/000",
            "tile/0/../000",
            "tile/0/٠٠٠",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(TileAddress::parse(path), Err(Malformed::Address), "{path}");
        }
    }

    #[test]
    fn a_tree_of_70_000_has_the_tiles_of_the_c2sp_example() {
        let width = |row, index| TileAddress::in_tree(row, index, 70_000).map(|address| address.width());
        assert_eq!(
            [width(Row::Hashes(0), 272), width(Row::Hashes(0), 273), width(Row::Hashes(0), 274)],
            [Some(256), Some(112), None]
        );
        assert_eq!([width(Row::Hashes(1), 0), width(Row::Hashes(1), 1)], [Some(256), Some(17)]);
        assert_eq!([width(Row::Hashes(2), 0), width(Row::Hashes(3), 0)], [Some(1), None]);
        assert_eq!(width(Row::Entries, 273), Some(112));
    }

    #[test]
    fn a_tile_has_the_length_its_address_says() {
        let address = TileAddress::new(Row::Hashes(0), 0, 2).expect("an address");
        let tile = Tile::decode(address, &[1; 64]).expect("two hashes");
        assert_eq!((tile.encode(), tile.root()), (vec![1; 64], merkle::node_hash(&[1; 32], &[1; 32])));
        for bytes in [0, 32, 63, 65, 96] {
            assert_eq!(Tile::decode(address, &vec![1; bytes]), Err(Malformed::Tile), "{bytes} bytes");
        }
        let bundle = TileAddress::new(Row::Entries, 0, 2).expect("an address");
        assert_eq!(Tile::decode(bundle, &[1; 64]), Err(Malformed::Tile));
    }
}
