//! Which files an entry names.

use merestone_core::entry::{RenditionOrReason, VerifiedEntry};
use merestone_store::{BlobClaim, BlobClass};

/// The files that the body of `entry` names; none when the body is withheld or malformed.
pub(super) fn named_by(entry: &VerifiedEntry) -> Vec<(BlobClaim, BlobClass)> {
    // A malformed body leaves the entry authentic and its change unappliable; nobody will ask for its photos.
    let Ok(Some(body)) = entry.body() else { return Vec::new() };
    let mut named = Vec::new();
    for photo in &body.context.photos {
        let original = BlobClaim { hash: photo.sha256, bytes: photo.bytes, chunks: photo.chunks };
        named.push((original, BlobClass::Original));
        let renditions = [(&photo.thumbnail, BlobClass::Thumbnail), (&photo.preview, BlobClass::Preview)];
        for (rendition, class) in renditions {
            match rendition {
                RenditionOrReason::Rendition(made) => {
                    named.push((BlobClaim { hash: made.sha256, bytes: made.bytes, chunks: made.chunks }, class));
                }
                RenditionOrReason::Missing(_) => {}
            }
        }
    }
    named
}
