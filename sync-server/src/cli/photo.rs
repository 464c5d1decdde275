//! `merestone photo`: adding photos to a record that exists.

use std::path::PathBuf;

use clap::Subcommand;
use merestone_core::id::{BlobHash, RecordId};
use merestone_node::redaction::PixelBox;

use super::record::{self, Filling, NamedPhoto, SavedShown, SignerArgs, SigningArgs};
use super::{Context, choose_observer};
use crate::exit::{Code, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Attach a photo to a record. The file's bytes are kept as they are: they are the evidence.
    ///
    /// JPEG, PNG and WebP get a thumbnail and a preview, signed with the photo. Others are kept without, and say why.
    #[command(
        after_help = "Example:\n  merestone photo add 9c0b… gate.jpg --caption 'the gate from the south' --home phone"
    )]
    Add {
        /// The record's id.
        #[arg(value_parser = record::record_id)]
        record: RecordId,
        /// The photo.
        file: PathBuf,
        /// What it shows.
        #[arg(long)]
        caption: Option<String>,
        #[command(flatten)]
        signing: SigningArgs,
    },
    /// Make a copy of a photo in which rectangles are blank, as a record of its own that names the original.
    ///
    /// The copy has none of the original's metadata. You sign that you made it from that original; another observer
    /// countersigns with `merestone record sign COPY --as concurrence`. It can be published where the original cannot.
    #[command(after_help = "Example:\n  merestone photo redact 9c0b… 51ad… --box 1200,340,260,90 --home phone")]
    Redact {
        /// The record whose photo it is.
        #[arg(value_parser = record::record_id)]
        record: RecordId,
        /// The photo: SHA-256 of its file.
        #[arg(value_parser = photo_hash)]
        photo: BlobHash,
        /// A rectangle of the upright photo to blank, in pixels from the left and the top. Repeat for each.
        #[arg(long = "box", value_name = "X,Y,WIDTH,HEIGHT", value_parser = pixel_box, required = true)]
        boxes: Vec<PixelBox>,
        #[command(flatten)]
        signer: SignerArgs,
    },
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        match self {
            Self::Add { record, file, caption, signing } => {
                let photos = vec![NamedPhoto { file, caption }];
                record::edit(context, record, Filling { settings: Vec::new(), photos, anyway: false }, &signing)
            }
            Self::Redact { record, photo, boxes, signer } => {
                let device = context.open(signer.utc_offset)?;
                let observer = choose_observer(&device, signer.observer.as_deref())?;
                context.unlock(&device, &observer)?;
                let saved = device.redact(&observer.key, record, photo, &boxes)?;
                context.screen.show(&SavedShown::of(saved))?;
                Ok(Code::Done)
            }
        }
    }
}

fn photo_hash(text: &str) -> Result<BlobHash, String> {
    BlobHash::from_hex(text).ok_or_else(|| "a photo's hash has 64 hex digits".to_owned())
}

fn pixel_box(text: &str) -> Result<PixelBox, String> {
    let numbers = text.split(',').map(|number| number.trim().parse::<u32>());
    let numbers = numbers.collect::<Result<Vec<_>, _>>().unwrap_or_default();
    match numbers.as_slice() {
        &[x, y, width, height] => Ok(PixelBox { x, y, width, height }),
        _ => Err("a rectangle is x,y,width,height in whole pixels".to_owned()),
    }
}
