//! Classes and the shape of a frame on its stream: what this room knows about the bytes it carries.
//!
//! It does not look inside a frame.

use std::fmt;

/// What a frame is for, hence how urgent it is and how long it may be.
///
/// Each class travels on its own stream, so a photo never stands in front of a text.
/// Declared from most to least urgent; the order of the variants is the order of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The conversation itself: certificates and other statements, digests, tips, requests, acknowledgements.
    Control,
    /// Entries: the text of incidents and decisions, and their signatures.
    Entries,
    /// Chunks of thumbnails.
    Thumbnails,
    /// Chunks of previews.
    Previews,
    /// Chunks of original photos.
    Originals,
}

/// Longest control frame. Tips of a large mission (thousands of logs, under 100 bytes each) fit in
/// one frame; anything longer is split by the conversation.
pub const CONTROL_FRAME_BYTES_MAX: usize = 1 << 20;

/// Longest frame of entries. One batch is one transaction of the receiver's store; 1 MiB is
/// hundreds of entries, and a link that breaks loses no more than that.
pub const ENTRIES_FRAME_BYTES_MAX: usize = 1 << 20;

/// Longest frame of photo bytes. Chunks are 64 KiB, so a frame carries up to three with their
/// framing; small enough that a slow link acknowledges something every few seconds.
pub const PHOTO_FRAME_BYTES_MAX: usize = 256 << 10;

/// Bytes in front of each frame: its length, unsigned, big endian.
pub(crate) const HEADER_BYTES: usize = 4;

impl Class {
    /// Every class, most urgent first.
    pub const ALL: [Self; 5] = [Self::Control, Self::Entries, Self::Thumbnails, Self::Previews, Self::Originals];

    /// The longest frame of this class, in bytes, without its header.
    pub const fn frame_bytes_max(self) -> usize {
        match self {
            Self::Control => CONTROL_FRAME_BYTES_MAX,
            Self::Entries => ENTRIES_FRAME_BYTES_MAX,
            Self::Thumbnails | Self::Previews | Self::Originals => PHOTO_FRAME_BYTES_MAX,
        }
    }

    /// The first byte of this class's stream. Zero names no class, so zeroed bytes are refused.
    pub(crate) const fn byte(self) -> u8 {
        self.index() as u8 + 1
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.byte() == byte)
    }

    /// Position in [`Class::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    /// QUIC sends pending bytes of a higher priority first.
    pub(crate) const fn stream_priority(self) -> i32 {
        -(self.index() as i32)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Control => "control",
            Self::Entries => "entries",
            Self::Thumbnails => "thumbnails",
            Self::Previews => "previews",
            Self::Originals => "originals",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_own_byte_and_zero_has_none() {
        assert_eq!(Class::from_byte(0), None);
        assert_eq!(Class::from_byte(6), None);
        for (index, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class.index(), index);
            assert_eq!(Class::from_byte(class.byte()), Some(class));
        }
    }

    #[test]
    fn a_less_urgent_class_never_has_the_higher_stream_priority() {
        for pair in Class::ALL.windows(2) {
            assert!(pair[0].stream_priority() > pair[1].stream_priority());
        }
    }
}
