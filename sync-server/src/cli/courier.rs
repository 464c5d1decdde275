//! `merestone courier`: what this device holds, as one file on a stick, and back.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use merestone_core::courier::Part;
use merestone_core::sync::frame::BlobClass;
use merestone_node::Device;
use merestone_node::courier::{CourierOrder, CourierRead, CourierSeen, CourierWritten, LeftOutPhoto, RefusedPart};
use merestone_store::Counts;
use serde::Serialize;

use super::{Context, choose_observer, roster};
use crate::exit::{Code, Failure};
use crate::output::{self, Report};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write what this device holds into one new file: text first, then photos.
    ///
    /// The file is not encrypted: whoever finds the stick reads what is on it. It proves itself; nobody needs to trust who
    /// carries it. A stick with the FAT32 file system takes files of 4 GB at most: give --bytes-max 4000000000.
    #[command(
        after_help = "Exit code 0: everything that was asked for is in it. 2: photos were left out; they are named.\n\n\
                      Example:\n  merestone courier write /media/stick/monday.courier --for 'Base camp' --home phone\n\
                      A second stick for what did not fit on the first:\n  \
                      merestone courier write second.courier --bytes-max 4000000000 --beside first.courier --home camp"
    )]
    Write(WriteArgs),
    /// Take what is in a file and not held here; everything is verified as from a device that is met.
    ///
    /// The file is checked from end to end before anything is taken, and never written to. A damaged photo costs that
    /// photo and nothing else. Reading again, also after a crash, goes on where it stopped.
    #[command(
        after_help = "Exit code 0: taken. 1: something was refused or damaged; it is named, and the rest was taken.\n\n\
                      Example:\n  merestone courier read /media/stick/monday.courier --home camp"
    )]
    Read(ReadArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct WriteArgs {
    /// The new file.
    file: PathBuf,
    /// Only what this device lacked when it last signed for what it holds: by its name, its observer or key.
    #[arg(long = "for", value_name = "DEVICE")]
    made_for: Option<String>,
    /// Leave out the camera's files, and carry the small pictures.
    #[arg(long)]
    no_originals: bool,
    /// The most bytes that the file may have. Photos that do not fit are left out and named.
    #[arg(long, value_name = "BYTES")]
    bytes_max: Option<u64>,
    /// Leave out the photos that this file carries already; may be given several times.
    #[arg(long, value_name = "FILE")]
    beside: Vec<PathBuf>,
    /// In whose name, by name or key. Default: the device's only observer.
    #[arg(long, value_name = "WHO")]
    observer: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReadArgs {
    /// The file.
    file: PathBuf,
    /// Check it, say what is in it, and take nothing.
    #[arg(long)]
    dry_run: bool,
    /// In whose name, by name or key. Default: the device's only observer.
    #[arg(long, value_name = "WHO")]
    observer: Option<String>,
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        match self {
            Self::Write(args) => args.run(context),
            Self::Read(args) => args.run(context),
        }
    }
}

impl WriteArgs {
    fn run(self, context: &Context) -> Result<Code, Failure> {
        let device = context.open(0)?;
        let observer = choose_observer(&device, self.observer.as_deref())?;
        let mut without = BTreeSet::new();
        for beside in &self.beside {
            without.extend(device.inspect_courier(beside)?.blobs);
        }
        let order = CourierOrder {
            made_for: self.made_for,
            without_originals: self.no_originals,
            bytes_max: self.bytes_max,
            without,
        };
        let written = device.write_courier(&observer.key, &self.file, &order)?;
        context.screen.show(&WrittenShown::of(&self.file, &written))?;
        let is_all = written.left_out.is_empty() && written.damaged.is_empty();
        Ok(if is_all { Code::Done } else { Code::Undecided })
    }
}

impl ReadArgs {
    fn run(self, context: &Context) -> Result<Code, Failure> {
        let device = Arc::new(context.open(0)?);
        if self.dry_run {
            let seen = device.inspect_courier(&self.file)?;
            let is_sound = seen.damaged.is_empty();
            context.screen.show(&SeenShown::of(&device, &seen))?;
            return Ok(if is_sound { Code::Done } else { Code::Failed });
        }
        let observer = choose_observer(&device, self.observer.as_deref())?;
        // What is no bundle is said before anybody is asked for a passphrase.
        device.recognise_courier(&self.file)?;
        context.unlock(&device, &observer)?;
        let replica = device.replica(&observer.key)?;
        let read = device.read_courier(&replica, &self.file)?;
        let is_sound = read.refused.is_empty() && read.seen.damaged.is_empty();
        context.screen.show(&ReadShown::of(&device, &read)?)?;
        Ok(if is_sound { Code::Done } else { Code::Failed })
    }
}

#[derive(Serialize)]
struct WrittenShown {
    file: PathBuf,
    bytes: u64,
    made_for: Option<String>,
    statements: u64,
    entries: u64,
    photos: u64,
    left_out: Vec<LeftOutShown>,
    damaged: Vec<String>,
}

#[derive(Serialize)]
struct LeftOutShown {
    record: Option<String>,
    photo: String,
    class: &'static str,
    bytes: u64,
}

impl WrittenShown {
    fn of(file: &Path, written: &CourierWritten) -> Self {
        let left_out = |left: &LeftOutPhoto| LeftOutShown {
            record: left.record.map(|record| record.to_string()),
            photo: left.hash.to_string(),
            class: class_name(left.class),
            bytes: left.bytes,
        };
        Self {
            file: file.to_owned(),
            bytes: written.bytes,
            made_for: written.made_for.as_ref().map(|(observer, device)| format!("{observer} · {device}")),
            statements: written.statements,
            entries: written.entries,
            photos: written.blobs,
            left_out: written.left_out.iter().map(left_out).collect(),
            damaged: written.damaged.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Report for WrittenShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "written   {} ({})", self.file.display(), output::bytes(self.bytes))?;
        if let Some(made_for) = &self.made_for {
            writeln!(out, "for       {made_for}: what it lacked when it last signed for what it holds")?;
        }
        writeln!(out, "carries   {} entries, {} photos and pictures", self.entries, self.photos)?;
        for left in &self.left_out {
            let record = left.record.as_deref().unwrap_or("not known");
            writeln!(
                out,
                "left out  {} {} of record {record} ({})",
                left.class,
                left.photo,
                output::bytes(left.bytes)
            )?;
        }
        for photo in &self.damaged {
            writeln!(out, "damaged   {photo}: it was set aside here, and comes again from another device")?;
        }
        writeln!(out, "It is not encrypted: whoever finds it reads what is in it.")
    }
}

#[derive(Serialize)]
struct PartShown {
    what: String,
    code: &'static str,
    why: String,
}

impl PartShown {
    fn of(refused: &RefusedPart) -> Self {
        let what = match refused.part {
            Part::Statements { class: _, count } | Part::LaterStatements { code: _, count } => {
                format!("{count} statements")
            }
            Part::Entries { scope: _, count } => format!("{count} entries"),
            Part::Blob(blob) => format!("{} {}", class_name(blob.class), blob.hash),
        };
        Self { what, code: refused.fault.code(), why: refused.fault.to_string() }
    }
}

#[derive(Serialize)]
struct SeenShown {
    maker: String,
    maker_cut: bool,
    scopes: Vec<String>,
    made_for_one: bool,
    bytes: u64,
    statements: u64,
    entries: u64,
    photos: usize,
    left_out: u64,
    damaged: Vec<PartShown>,
}

impl SeenShown {
    fn of(device: &Device, seen: &CourierSeen) -> Self {
        let (observer, name) = &seen.maker;
        Self {
            maker: format!("{observer} · {name}"),
            maker_cut: seen.is_maker_cut,
            scopes: roster::scope_names(device.charter().charter(), &seen.scopes),
            made_for_one: seen.made_for.is_some(),
            bytes: seen.bytes,
            statements: seen.statements,
            entries: seen.entries,
            photos: seen.blobs.len(),
            left_out: seen.left_out,
            damaged: seen.damaged.iter().map(PartShown::of).collect(),
        }
    }
}

impl Report for SeenShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let cut = if self.maker_cut { " · its key is cut" } else { "" };
        writeln!(out, "made by   {}{cut}, as the file says", self.maker)?;
        writeln!(out, "scopes    {}", self.scopes.join(", "))?;
        writeln!(
            out,
            "carries   {} entries, {} photos and pictures ({})",
            self.entries,
            self.photos,
            output::bytes(self.bytes)
        )?;
        if self.made_for_one {
            writeln!(out, "for one   it was made for one device; another may lack what stands before")?;
        }
        if self.left_out > 0 {
            writeln!(out, "left out  {} photos and pictures are not in it", self.left_out)?;
        }
        for part in &self.damaged {
            writeln!(out, "damaged   {}", part.what)?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct ReadShown {
    #[serde(flatten)]
    seen: SeenShown,
    statements_new: u64,
    entries_new: u64,
    entries_of_other_scopes: u64,
    photos_new: u64,
    photos_unnamed: u64,
    refused: Vec<PartShown>,
    /// What this device lacks now, of everything it knows.
    bodies_missing: u64,
    photos_missing: u64,
}

impl ReadShown {
    fn of(device: &Device, read: &CourierRead) -> Result<Self, Failure> {
        let Counts { bodies_missing, blobs_missing, .. } = device.store().counts()?;
        Ok(Self {
            seen: SeenShown::of(device, &read.seen),
            statements_new: read.statements_new,
            entries_new: read.entries_new,
            entries_of_other_scopes: read.entries_of_other_scopes,
            photos_new: read.blobs_new,
            photos_unnamed: read.blobs_unnamed,
            refused: read.refused.iter().map(PartShown::of).collect(),
            bodies_missing,
            photos_missing: blobs_missing,
        })
    }
}

impl Report for ReadShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        self.seen.human(out)?;
        writeln!(
            out,
            "taken     {} entries, {} photos and pictures that were not here",
            self.entries_new, self.photos_new
        )?;
        if self.entries_of_other_scopes > 0 {
            let count = self.entries_of_other_scopes;
            writeln!(out, "not taken {count} entries of scopes that this device's certificate does not grant")?;
        }
        if self.photos_unnamed > 0 {
            writeln!(out, "not taken {} photos that no entry here names", self.photos_unnamed)?;
        }
        for part in &self.refused {
            writeln!(out, "refused   {}: {}", part.what, part.why)?;
        }
        if self.bodies_missing + self.photos_missing > 0 {
            let (bodies, photos) = (self.bodies_missing, self.photos_missing);
            writeln!(out, "missing   {photos} photos and pictures, {bodies} bodies of entries")?;
        }
        Ok(())
    }
}

const fn class_name(class: BlobClass) -> &'static str {
    match class {
        BlobClass::Thumbnail => "thumbnail",
        BlobClass::Preview => "preview",
        BlobClass::Original => "original",
    }
}
