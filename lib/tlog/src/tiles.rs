//! Tiles as public tools read them (c2sp.org/tlog-tiles). A full tile has 256 hashes or 256
//! entries.

use tlog_tiles::Tile;

use super::{HashFile, TlogError};

const HEIGHT: u8 = 8;
const WIDTH: u64 = 256;

/// The path of a tile of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TilePath {
    /// The level of a tile of hashes; `None` for a tile of entries.
    level: Option<u8>,
    index: u64,
    width: u64,
}

impl TilePath {
    /// Parses the part of a path behind `/tile/`: `<level>/<index>[.p/<width>]`, where the level
    /// may be `entries`. The index is written in groups of three digits; all but the last have an
    /// `x` in front.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.split_once('/')?;
        let level = if level == "entries" { None } else { Some(number(level, 63)?) };
        let level = level.map(u8::try_from).transpose().ok()?;
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, number(width, WIDTH - 1).filter(|width| *width > 0)?),
            None => (rest, WIDTH),
        };
        let groups: Vec<&str> = index.split('/').collect();
        let (last, before) = groups.split_last()?;
        let mut index = 0_u64;
        let before = before.iter().map(|group| group.strip_prefix('x'));
        for group in before.chain([Some(*last)]) {
            let group = group.filter(|g| g.len() == 3 && g.bytes().all(|b| b.is_ascii_digit()))?;
            index = index.checked_mul(1_000)?.checked_add(group.parse().ok()?)?;
        }
        // A log numbers its entries with 64 bits.
        if (groups.len() > 1 && groups[0] == "x000") || index >= u64::MAX / WIDTH {
            return None;
        }
        Some(Self { level, index, width })
    }

    /// The path without `/tile/` in front.
    #[must_use]
    pub fn path(self) -> String {
        let mut groups = vec![format!("{:03}", self.index % 1_000)];
        let mut rest = self.index / 1_000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1_000));
            rest /= 1_000;
        }
        groups.reverse();
        let level = self.level.map_or_else(|| "entries".to_owned(), |level| level.to_string());
        let path = format!("{level}/{}", groups.join("/"));
        if self.width == WIDTH { path } else { format!("{path}.p/{}", self.width) }
    }

    /// Every tile of a log of `size` entries.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        let entries = Self::row(None, size);
        let hashes = (0..HEIGHT).map_while(move |level| {
            let width = size.checked_shr(u32::from(level) * 8).filter(|width| *width > 0)?;
            Some(Self::row(Some(level), width))
        });
        entries.chain(hashes.flatten())
    }

    fn row(level: Option<u8>, width: u64) -> impl Iterator<Item = Self> {
        let full = (0..width / WIDTH).map(move |index| Self { level, index, width: WIDTH });
        let rest = width % WIDTH;
        let partial = Self { level, index: width / WIDTH, width: rest };
        full.chain((rest > 0).then_some(partial))
    }

    /// The number of the first entry and the count of entries in a tile of entries; `None` for a
    /// tile of hashes.
    #[must_use]
    pub const fn entries(self) -> Option<(u64, u64)> {
        match self.level {
            None => Some((self.index * WIDTH, self.width)),
            Some(_) => None,
        }
    }

    /// Whether a log of `size` entries has the whole tile.
    #[must_use]
    pub fn is_within(self, size: u64) -> bool {
        let shift = u32::from(self.level.unwrap_or(0)) * 8;
        let width = size.checked_shr(shift).unwrap_or(0);
        self.index * WIDTH + self.width <= width
    }

    /// The content of a tile of hashes.
    pub fn hashes(self, hashes: &HashFile) -> Result<Vec<u8>, TlogError> {
        let level = self.level.unwrap_or(0);
        let width = u32::try_from(self.width).unwrap_or(0);
        let tile = Tile::new(HEIGHT, level, self.index, width, false);
        tile.read_data(hashes).map_err(|e| hashes.broken(&e))
    }
}

/// The content of a tile of entries: each entry with its length in front, in 16 bits, big endian.
#[must_use]
pub fn bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(entry);
    }
    out
}

/// Parses a decimal number without a leading zero that is at most `max`.
fn number(text: &str, max: u64) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|n| plain && *n <= max)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_follow_the_specification() {
        for path in ["0/x001/x234/067", "entries/000", "2/013.p/7", "entries/x001/000.p/255"] {
            assert_eq!(TilePath::parse(path).unwrap().path(), path);
        }
        let tile = TilePath::parse("0/x001/x234/067").unwrap();
        assert_eq!((tile.level, tile.index, tile.width), (Some(0), 1_234_067, 256));
        for bad in [
            "",
            "0",
            "64/000",
            "00/000",
            "0/00",
            "0/x000/001",
            "0/001/002",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/07",
            "data/000",
            "0/+01",
            "-1/000",
            "0/x18446744073709551615",
            "entries/x230/x000/x230/x000/x230/000.p/7",
        ] {
            assert_eq!(TilePath::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn all_lists_the_tiles_of_a_log_of_70_000_entries() {
        let tiles: Vec<_> = TilePath::all(70_000).collect();
        assert_eq!(tiles.iter().filter(|t| t.level.is_none()).count(), 274);
        assert_eq!(tiles.iter().filter(|t| t.level == Some(0)).count(), 274);
        assert_eq!(tiles.iter().filter(|t| t.level == Some(1)).count(), 2);
        assert_eq!(tiles.last().unwrap().path(), "2/000.p/1");
        assert!(tiles.iter().all(|tile| tile.is_within(70_000)));
        assert!(!tiles.last().unwrap().is_within(65_535));
    }

    proptest! {
        #[test]
        fn foreign_paths_never_panic(path: String, size: u64) {
            let _ = TilePath::parse(&path).map(|tile| tile.is_within(size));
        }

        #[test]
        fn a_parsed_path_is_canonical(path in "(entries|[0-9]{1,2})/(x[0-9]{3}/){0,7}[0-9]{3}(\\.p/[0-9]{1,3})?") {
            if let Some(tile) = TilePath::parse(&path) {
                prop_assert_eq!(tile.path(), path);
            }
        }
    }
}
