//! Photos: the original's bytes are evidence and are kept as they came; small pictures are made once, here.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use merestone_core::entry::{Media, MissingReason, PHOTOS_MAX, Photo, Rendition, RenditionOrReason};
use merestone_core::id::{BlobHash, EntryId};
use merestone_core::merkle::chunk_root;
use merestone_media as media;
use merestone_media::{
    NoRendition, ORIGINAL_BYTES_MAX, PhotoFacts, PhotoFormat, PhotoRefusal, PreviewRefusal, Renditions,
};
use merestone_store::{Batch, BlobError, DraftId};

use super::name_photos;
use crate::clock::NoEntropy;
use crate::device::{AccessError, Device};
use crate::draft::{Draft, DraftError, DraftPhoto, check_length};
use merestone_forms::Answer;

/// A photo as an app hands it over.
#[derive(Clone, Copy)]
pub enum PhotoSource<'a> {
    /// A file; it is read and not changed.
    File(&'a Path),
    /// Its bytes.
    Bytes(&'a [u8]),
}

/// A photo was attached: its files are durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The draft as it now is.
    pub draft: Draft,
    /// The photo's row: its caption is the answer to `photos/<row>/caption`.
    pub row: String,
    /// What the camera says: suggestions to the observer, not evidence.
    pub facts: PhotoFacts,
}

impl Attached {
    /// The draft's answer at a key, that of a photo included.
    pub fn answer(&self, key: &str) -> Option<Answer> {
        let of_photo = self.draft.photos.iter().map(DraftPhoto::answer).find(|(at, _)| at == key);
        of_photo.map(|(_, answer)| answer).or_else(|| self.draft.answers.get(key).cloned())
    }
}

/// A photo was not attached; the draft is as before.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// More bytes than a photo may have, or no format known here.
    #[error(transparent)]
    Refused(#[from] PhotoRefusal),
    /// The picture that the app offers instead cannot be used.
    #[error(transparent)]
    Preview(#[from] PreviewRefusal),
    /// As many photos as one entry can name.
    #[error("the draft has {PHOTOS_MAX} photos: save it and go on with an edit")]
    TooMany,
    /// The file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// There are no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The draft could not be changed.
    #[error(transparent)]
    Draft(#[from] DraftError),
}

impl From<AccessError> for PhotoError {
    fn from(error: AccessError) -> Self {
        Self::Draft(error.into())
    }
}

impl From<BlobError> for PhotoError {
    fn from(error: BlobError) -> Self {
        AccessError::from(error).into()
    }
}

impl Device {
    /// Attaches a photo to a draft. Attaching the same one again changes nothing but its caption.
    ///
    /// For a format that is not decoded here (HEIC, AVIF) an app may hand over what its platform decoded, a JPEG,
    /// as `preview`; it is signed as the observer's word that it shows the same. Where a picture can be made here, that is made.
    /// Otherwise the entry says why there is none.
    ///
    /// # Errors
    /// [`PhotoError`].
    pub fn attach(
        &self,
        draft: DraftId,
        photo: PhotoSource<'_>,
        preview: Option<&[u8]>,
        caption: Option<&str>,
    ) -> Result<Attached, PhotoError> {
        let caption = caption.map(Answer::text);
        caption.as_ref().map_or(Ok(()), check_length)?;
        let original = original(photo)?;
        let facts = media::inspect(&original)?;
        let (mut kept, mut row) = Default::default();
        let draft = self.change(draft, |draft| {
            row = match same_photo(draft, &original).map(|photo| photo.row.clone()) {
                Some(row) => row,
                None if draft.photos.len() >= PHOTOS_MAX => return Err(PhotoError::TooMany),
                None => {
                    let photo = self.kept_once(&mut kept, &original, &facts, preview)?;
                    let row = self.new_row()?;
                    put_photo(draft, row.clone(), photo);
                    row
                }
            };
            if let Some(caption) = &caption {
                draft.answers.insert(format!("photos/{row}/caption"), caption.clone());
            }
            Ok(())
        })?;
        Ok(Attached { draft, row, facts })
    }

    /// Attaches a photo to a draft as the answer to a question; `preview` as in [`attach`](Self::attach). The photo that stood there before is taken out of the draft
    /// once the new one is durable, and not before: whatever goes wrong, one of them is there.
    ///
    /// # Errors
    /// [`PhotoError`]; the draft is then as before.
    pub fn attach_at(
        &self,
        draft: DraftId,
        key: &str,
        photo: PhotoSource<'_>,
        preview: Option<&[u8]>,
    ) -> Result<Attached, PhotoError> {
        crate::draft::check_key(key)?;
        let original = original(photo)?;
        let facts = media::inspect(&original)?;
        let row = match key.strip_prefix("photos/").and_then(|rest| rest.strip_suffix("/file")) {
            Some(row) => row.to_owned(),
            None => key.to_owned(),
        };
        let mut kept = None;
        let draft = self.change(draft, |draft| {
            let elsewhere = same_photo(draft, &original).filter(|photo| photo.row != row);
            if let Some(hash) = elsewhere.map(|photo| photo.photo.sha256) {
                draft.photos.retain(|photo| photo.row != row);
                // An entry names each photo once, whatever the number of questions that it answers.
                draft.answers.insert(key.to_owned(), Answer::Text(hash.to_string()));
                return Ok(());
            }
            let photo = self.kept_once(&mut kept, &original, &facts, preview)?;
            draft.photos.retain(|photo| photo.row != row);
            if draft.photos.len() >= PHOTOS_MAX {
                return Err(PhotoError::TooMany);
            }
            put_photo(draft, row.clone(), photo);
            draft.answers.remove(key);
            Ok(())
        })?;
        Ok(Attached { draft, row, facts })
    }

    /// Takes a photo out of a draft, with its caption.
    ///
    /// # Errors
    /// If the draft could not be changed.
    pub fn detach(&self, draft: DraftId, row: &str) -> Result<Draft, DraftError> {
        let cells = format!("photos/{row}/");
        self.change(draft, |draft| {
            draft.photos.retain(|photo| photo.row != row);
            draft.answers.retain(|key, _| !key.starts_with(&cells));
            Ok(())
        })
    }

    /// Says with the entry that the photos of its draft are held; their files are durable since they were attached.
    pub(super) fn adopt_photos(&self, entry: EntryId, draft: &Draft, batch: &mut Batch) -> Result<(), AccessError> {
        for DraftPhoto { row: _, photo } in &draft.photos {
            name_photos(entry, std::slice::from_ref(photo), batch);
            for hash in photo_files(photo) {
                // A file that is gone is wanted then, and a peer may have it; the entry still says what was seen.
                if let Some(blob) = self.store.written_blob(hash)? {
                    batch.blob(blob);
                }
            }
        }
        Ok(())
    }

    /// A photo for a draft that is not kept; its files are durable.
    pub(crate) fn new_photo(&self, original: &[u8]) -> Result<DraftPhoto, PhotoError> {
        let photo = self.keep_photo(original, &media::inspect(original)?, None)?;
        Ok(DraftPhoto { row: self.new_row()?, photo })
    }

    /// A row of the repeat `photos` that nobody has.
    fn new_row(&self) -> Result<String, NoEntropy> {
        Ok(format!("{:016x}", u64::from_be_bytes(self.random()?)))
    }

    /// [`keep_photo`](Self::keep_photo), once.
    fn kept_once(
        &self,
        kept: &mut Option<Photo>,
        original: &[u8],
        facts: &PhotoFacts,
        preview: Option<&[u8]>,
    ) -> Result<Photo, PhotoError> {
        if let Some(kept) = kept {
            return Ok(kept.clone());
        }
        Ok(kept.insert(self.keep_photo(original, facts, preview)?).clone())
    }

    /// Makes a photo's files durable and says what the entry will say of it.
    fn keep_photo(&self, original: &[u8], facts: &PhotoFacts, preview: Option<&[u8]>) -> Result<Photo, PhotoError> {
        let renditions = renditions(original, facts, preview)?;
        let kept = self.store.write_blob(original)?;
        let upright = facts.pixels.map(|pixels| {
            let (width, height) = (u64::from(pixels.width), u64::from(pixels.height));
            if facts.orientation.swaps_edges() { (height, width) } else { (width, height) }
        });
        Ok(Photo {
            sha256: kept.hash(),
            bytes: kept.bytes(),
            chunks: chunk_root(original),
            media: media_of(facts.format),
            width: upright.map(|(width, _)| width),
            height: upright.map(|(_, height)| height),
            thumbnail: self.keep_rendition(renditions.thumbnail)?,
            preview: self.keep_rendition(renditions.preview)?,
        })
    }

    fn keep_rendition(
        &self,
        rendition: Result<media::Rendition, NoRendition>,
    ) -> Result<RenditionOrReason, PhotoError> {
        let rendition = match rendition {
            Ok(rendition) => rendition,
            Err(reason) => return Ok(RenditionOrReason::Missing(missing(reason))),
        };
        let kept = self.store.write_blob(rendition.bytes.as_slice())?;
        Ok(RenditionOrReason::Rendition(Rendition {
            sha256: kept.hash(),
            bytes: kept.bytes(),
            chunks: chunk_root(&rendition.bytes),
            width: rendition.width.into(),
            height: rendition.height.into(),
        }))
    }
}

/// Puts a photo where an entry names it: they stand in the order of their hashes.
fn put_photo(draft: &mut Draft, row: String, photo: Photo) {
    draft.photos.push(DraftPhoto { row, photo });
    draft.photos.sort_by_key(|photo| photo.photo.sha256);
}

/// The files of a photo: its original first.
pub(crate) fn photo_files(photo: &Photo) -> impl Iterator<Item = BlobHash> {
    let rendition = |rendition: &RenditionOrReason| match rendition {
        RenditionOrReason::Rendition(rendition) => Some(rendition.sha256),
        RenditionOrReason::Missing(_) => None,
    };
    [Some(photo.sha256), rendition(&photo.thumbnail), rendition(&photo.preview)].into_iter().flatten()
}

fn renditions(original: &[u8], facts: &PhotoFacts, preview: Option<&[u8]>) -> Result<Renditions, PreviewRefusal> {
    let made = media::render(original, facts);
    match (&made.preview, preview) {
        (Err(NoRendition::NotDecodable), Some(offered)) => media::accept_preview(offered),
        _ => Ok(made),
    }
}

/// The photo of a draft that has these bytes; hashed only where one has as many.
fn same_photo<'a>(draft: &'a Draft, original: &[u8]) -> Option<&'a DraftPhoto> {
    let mut as_long = draft.photos.iter().filter(|photo| photo.photo.bytes == original.len() as u64).peekable();
    as_long.peek()?;
    let hash = BlobHash::of(original);
    as_long.find(|photo| photo.photo.sha256 == hash)
}

/// The bytes of a photo: those that were given, or those of its file.
fn original(photo: PhotoSource<'_>) -> Result<Cow<'_, [u8]>, PhotoError> {
    match photo {
        PhotoSource::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
        PhotoSource::File(path) => read_file(path).map(Cow::Owned),
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, PhotoError> {
    let error = |source| PhotoError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(error)?;
    let bytes_max = ORIGINAL_BYTES_MAX as u64;
    if let Some(bytes) = file.metadata().ok().map(|meta| meta.len()).filter(|&bytes| bytes > bytes_max) {
        return Err(PhotoRefusal::TooLarge { bytes: usize::try_from(bytes).unwrap_or(usize::MAX) }.into());
    }
    let mut bytes = Vec::new();
    // A file that grows while it is read is cut where it is too large anyway.
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(error)?;
    Ok(bytes)
}

const fn media_of(format: PhotoFormat) -> Media {
    match format {
        PhotoFormat::Jpeg => Media::Jpeg,
        PhotoFormat::Png => Media::Png,
        PhotoFormat::WebP => Media::WebP,
        PhotoFormat::Heic => Media::Heic,
        PhotoFormat::Avif => Media::Avif,
    }
}

const fn missing(reason: NoRendition) -> MissingReason {
    match reason {
        NoRendition::NotDecodable => MissingReason::NotDecodable,
        NoRendition::DamagedPixels => MissingReason::DamagedPixels,
        NoRendition::TooManyPixels => MissingReason::TooManyPixels,
        NoRendition::OriginalTooLarge => MissingReason::OriginalTooLarge,
    }
}
