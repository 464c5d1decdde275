//! Versions of the conversation, as the link agrees on them before the first frame (`spec/sync.md` §Transport).

use crate::roster::Class;

/// A version of the conversation.
///
/// The two ends agree on one when TLS does, by its [ALPN](Self::alpn); a session never changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Version {
    /// `spec/sync-1.md`.
    #[default]
    V1,
    /// `spec/sync-2.md`.
    V2,
    /// `spec/sync.md`.
    V3,
}

impl Version {
    /// All versions, in the order in which a side prefers them.
    pub const ALL: [Self; 3] = [Self::V3, Self::V2, Self::V1];
    /// The version that two sides of this build agree on.
    pub const NEWEST: Self = Self::ALL[0];

    /// The number in hello.
    pub const fn number(self) -> u64 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }

    /// The name by which TLS agrees on it.
    pub const fn alpn(self) -> &'static [u8] {
        match self {
            Self::V1 => b"merestone/1",
            Self::V2 => b"merestone/2",
            Self::V3 => b"merestone/3",
        }
    }

    /// Whether statements of this class are spoken of: before version 3 none with a number above 6.
    pub const fn speaks_of(self, class: Class) -> bool {
        match self {
            Self::V1 | Self::V2 => class.code() <= Class::Form.code(),
            Self::V3 => true,
        }
    }

    /// The version with this name.
    pub fn from_alpn(alpn: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.alpn() == alpn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_versions_are_preferred_and_each_is_found_by_its_name() {
        assert!(Version::ALL.is_sorted_by(|a, b| a > b));
        for version in Version::ALL {
            assert_eq!(Version::from_alpn(version.alpn()), Some(version));
            assert_eq!(version.alpn(), format!("merestone/{}", version.number()).as_bytes());
        }
        assert_eq!(Version::from_alpn(b"merestone/4"), None);
    }
}
