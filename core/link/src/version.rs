//! Which conversations are spoken inside a link, and how two peers agree on one.
//!
//! It names versions; what they say to each other is in `core`.

use std::fmt;

/// A version of the conversation inside a link, agreed in the handshake (ALPN, RFC 7301).
///
/// Both sides offer every version they speak, and the newest that both offered is taken. The
/// agreement is part of the handshake that TLS protects, so nobody on the way can talk two peers
/// down to an older one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `merestone/1`.
    V1,
    /// `merestone/2`.
    V2,
    /// `merestone/3`.
    V3,
}

impl Version {
    /// Every version this program speaks, newest first: the order of preference.
    pub const ALL: [Self; 3] = [Self::V3, Self::V2, Self::V1];

    /// The newest version this program speaks.
    pub const NEWEST: Self = Self::ALL[0];

    /// The name in the handshake.
    pub const fn alpn(self) -> &'static [u8] {
        match self {
            Self::V1 => b"merestone/1",
            Self::V2 => b"merestone/2",
            Self::V3 => b"merestone/3",
        }
    }

    pub(crate) fn from_alpn(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.alpn() == name)
    }

    /// What one side offers when `newest` is the newest it may speak, in order of preference.
    pub(crate) fn offered(newest: Self) -> Vec<Vec<u8>> {
        Self::ALL.into_iter().filter(|version| *version <= newest).map(|version| version.alpn().to_vec()).collect()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "merestone/1",
            Self::V2 => "merestone/2",
            Self::V3 => "merestone/3",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_offered_newest_first_and_never_above_the_newest_allowed() {
        assert_eq!(Version::offered(Version::V3), [b"merestone/3", b"merestone/2", b"merestone/1"]);
        assert_eq!(Version::offered(Version::V2), [b"merestone/2", b"merestone/1"]);
        assert_eq!(Version::offered(Version::V1), [b"merestone/1"]);
        assert!(Version::ALL.is_sorted_by(|a, b| a > b));
    }

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for version in Version::ALL {
            assert_eq!(Version::from_alpn(version.alpn()), Some(version));
            assert_eq!(version.to_string().as_bytes(), version.alpn());
        }
        assert_eq!(Version::from_alpn(b"merestone/4"), None);
    }
}
