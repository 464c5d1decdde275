//! `merestone photo`: adding photos to a record that exists.

use std::path::PathBuf;

use clap::Subcommand;
use merestone_core::id::RecordId;

use super::Context;
use super::record::{self, Filling, NamedPhoto, SigningArgs};
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
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let Self::Add { record, file, caption, signing } = self;
        let photos = vec![NamedPhoto { file, caption }];
        record::edit(context, record, Filling { settings: Vec::new(), photos, anyway: false }, &signing)
    }
}
