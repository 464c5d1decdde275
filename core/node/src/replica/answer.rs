//! One thing under the names that the rooms below give it.

use merestone_core::sync::frame;
use merestone_core::sync::{self, LocalTip};
use merestone_store::{BlobClass, LogTip};

/// The log as the conversation compares it; `None` while its first entry is not held.
pub(super) fn local_tip(tip: &LogTip) -> Option<LocalTip> {
    let &LogTip { log, key: _, scope, epoch: _, height, head, branches, top: _, changed: _ } = tip;
    // Planted: the branches of a fork are not compared.
    #[cfg(planted)]
    let branches = branches.filter(|_| !merestone_core::planted::is("ignore-fork-tip"));
    let tip = frame::LogTip { log, height, head: head?, branches };
    // Which logs hold incidents is not known here: all are equally urgent, and go by id.
    Some(LocalTip { tip, scope, urgency: 0 })
}

pub(super) const fn stored_blob_class(class: frame::BlobClass) -> BlobClass {
    match class {
        frame::BlobClass::Thumbnail => BlobClass::Thumbnail,
        frame::BlobClass::Preview => BlobClass::Preview,
        frame::BlobClass::Original => BlobClass::Original,
    }
}

pub(super) const fn link_class(class: sync::Class) -> merestone_link::Class {
    match class {
        sync::Class::Control => merestone_link::Class::Control,
        sync::Class::Entries => merestone_link::Class::Entries,
        sync::Class::Blobs(frame::BlobClass::Thumbnail) => merestone_link::Class::Thumbnails,
        sync::Class::Blobs(frame::BlobClass::Preview) => merestone_link::Class::Previews,
        sync::Class::Blobs(frame::BlobClass::Original) => merestone_link::Class::Originals,
    }
}

pub(super) const fn session_version(version: merestone_link::Version) -> sync::Version {
    match version {
        merestone_link::Version::V1 => sync::Version::V1,
        merestone_link::Version::V2 => sync::Version::V2,
        merestone_link::Version::V3 => sync::Version::V3,
    }
}

pub(super) const fn session_class(class: merestone_link::Class) -> sync::Class {
    match class {
        merestone_link::Class::Control => sync::Class::Control,
        merestone_link::Class::Entries => sync::Class::Entries,
        merestone_link::Class::Thumbnails => sync::Class::Blobs(frame::BlobClass::Thumbnail),
        merestone_link::Class::Previews => sync::Class::Blobs(frame::BlobClass::Preview),
        merestone_link::Class::Originals => sync::Class::Blobs(frame::BlobClass::Original),
    }
}

/// The classes of a link that are read now.
pub(super) fn readable(is_receiving: impl Fn(sync::Class) -> bool) -> Vec<merestone_link::Class> {
    merestone_link::Class::ALL.into_iter().filter(|class| is_receiving(session_class(*class))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_read_back_under_every_name() {
        for class in sync::Class::ALL {
            assert_eq!(session_class(link_class(class)), class);
        }
    }
}
