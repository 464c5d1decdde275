//! `merestone device`: making a device, enrolling the observers who use it, and saying where it answers.

mod request;
mod succeed;
mod ticket;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use merestone_core::roster::TRANSFER_CHARS_MAX;
use merestone_node::Device;
use merestone_node::device::{Observer, ObserverState, System};
use merestone_node::qr::QrPicture;
use serde::Serialize;

use super::mission::charter_bytes;
use super::{Context, roster, store_key};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::{self, Report};

/// Longest file with an enrolment text: the text, and the white space that mail programs put into it.
const TEXT_BYTES_MAX: usize = 4 * TRANSFER_CHARS_MAX;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a device for the mission of a charter, in the empty or new folder --home.
    #[command(after_help = "Example:\n  merestone device init charter.cbor --home phone")]
    Init {
        /// The charter, signed by every party.
        charter: PathBuf,
    },
    /// Make the keys of a new observer, and the request that an officer certifies.
    ///
    /// The keys stay on this device, wrapped by the passphrase you choose. Send the request to your party's officer by
    /// any way, and read the six words from this screen to the officer, who compares: if they are the same, nobody changed it.
    #[command(
        after_help = "Example:\n  merestone device request --observer Anna --device \"Anna's phone\" --home phone --out anna.request"
    )]
    Request(request::RequestArgs),
    /// Take up the certificate that an officer issued: from then on the observer can sign.
    #[command(after_help = "Example:\n  merestone device accept anna.certificate --home phone")]
    Accept {
        /// The file with the certificate's text; `-` is standard input.
        certificate: PathBuf,
    },
    /// State that an observer goes on under a new key: the old phone was replaced, or is lost.
    ///
    /// The old key's work and the new key's are then shown as one observer's. Where both keys are on this device, both sign;
    /// where the old one is lost, the party signs in its place: see `merestone roster succeed`.
    #[command(after_help = "Example:\n  merestone device succeed anna.succession --home phone")]
    Succeed(succeed::SucceedArgs),
    /// Show where this device answers, for `merestone sync` on another: as text, and as a QR code on a terminal.
    ///
    /// The ticket says an address and a key, and proves nothing: who answers is proved when the devices meet. This device
    /// answers while `merestone serve` or `merestone sync --wait` runs on it.
    #[command(after_help = "Example:\n  merestone device ticket --home phone --qr ticket.svg")]
    Ticket(ticket::TicketArgs),
    /// Show the device: its mission, its observers, what it holds, and the room left.
    #[command(after_help = "Example:\n  merestone device show --home phone")]
    Show,
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        match self {
            Self::Init { charter } => init(context, &charter),
            Self::Request(args) => args.run(context),
            Self::Accept { certificate } => accept(context, &certificate),
            Self::Succeed(args) => args.run(context),
            Self::Ticket(args) => args.run(context),
            Self::Show => {
                context.screen.show(&DeviceShown::of(&context.open(0)?)?)?;
                Ok(Code::Done)
            }
        }
    }
}

/// The text of a request or a certificate in a file.
pub(super) fn read_carried(path: &Path, what: &'static str) -> Result<String, Failure> {
    input::read_text(path, what, TEXT_BYTES_MAX)
}

fn init(context: &Context, charter: &Path) -> Result<Code, Failure> {
    let bytes = charter_bytes(charter)?;
    let device = Device::create(&context.home()?, store_key(), &bytes, System::real(0)?);
    let device = device.map_err(|error| Failure::from(error).about(charter.display()))?;
    context.screen.show(&DeviceShown::of(&device)?)?;
    Ok(Code::Done)
}

fn accept(context: &Context, certificate: &Path) -> Result<Code, Failure> {
    let text = read_carried(certificate, "a certificate")?;
    let device = context.open(0)?;
    let observer = device.accept(&text).map_err(|error| Failure::from(error).about(certificate.display()))?;
    context.screen.show(&ObserverShown::of(&observer, &device))?;
    Ok(Code::Done)
}

/// How a QR code is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) enum PictureKind {
    Svg,
    Pbm,
}

impl PictureKind {
    /// The kind that a file name asks for.
    ///
    /// # Errors
    /// If it asks for another.
    pub(super) fn of(path: &Path) -> Result<Self, Failure> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => Ok(Self::Svg),
            Some("pbm") => Ok(Self::Pbm),
            _ => Err(Failure::new(Code::Usage, format!("{}: a QR code is drawn as .svg or .pbm", path.display()))),
        }
    }

    pub(super) fn draw(self, picture: &QrPicture) -> Vec<u8> {
        match self {
            Self::Svg => picture.to_svg().into_bytes(),
            // Eight pixels to a module: sharp on a screen, and small.
            Self::Pbm => picture.to_pbm(8),
        }
    }
}

/// One observer, as `device` and `roster` show it.
#[derive(Serialize)]
struct ObserverShown {
    observer: String,
    device: String,
    key: String,
    state: &'static str,
    party: Option<u64>,
    role: Option<&'static str>,
    scopes: Vec<String>,
    certificate: Option<String>,
}

impl ObserverShown {
    fn of(observer: &Observer, device: &Device) -> Self {
        let mut shown = Self {
            observer: observer.name.clone(),
            device: observer.device.clone(),
            key: observer.key.to_string(),
            state: "requested",
            party: None,
            role: None,
            scopes: Vec::new(),
            certificate: None,
        };
        match &observer.state {
            ObserverState::Requested => {}
            ObserverState::Certified { certificate, party, role, scopes } => {
                shown.state = "certified";
                shown.party = Some(party.0);
                shown.role = Some(role.name());
                shown.scopes = roster::scope_names(device.charter().charter(), scopes);
                shown.certificate = Some(certificate.to_string());
            }
            ObserverState::Cut { certificate } => {
                shown.state = "cut";
                shown.certificate = Some(certificate.to_string());
            }
        }
        shown
    }
}

impl Report for ObserverShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "observer  {} · {} · {}", self.observer, self.device, self.state)?;
        if let (Some(party), Some(role)) = (self.party, self.role) {
            write!(out, " by party {party} as {role} in {}", self.scopes.join(", "))?;
        }
        writeln!(out, "\n          key {}", self.key)
    }
}

#[derive(Serialize)]
struct DeviceShown {
    mission: String,
    name: String,
    home: PathBuf,
    store: String,
    observers: Vec<ObserverShown>,
    drafts: usize,
    drafts_damaged: usize,
    logs: u64,
    entries: u64,
    bodies_missing: u64,
    photos: u64,
    photo_bytes: u64,
    photos_missing: u64,
    photo_bytes_missing: u64,
    set_aside: u64,
    free_bytes: Option<u64>,
    room_for_photos: Option<u64>,
    low_room: bool,
}

impl DeviceShown {
    fn of(device: &Device) -> Result<Self, Failure> {
        let counts = device.store().counts()?;
        let room = device.room()?;
        Ok(Self {
            mission: device.mission().to_string(),
            name: device.charter().charter().name.clone(),
            home: device.home().folder.clone(),
            store: device.store().identity()?.store.to_string(),
            observers: device.observers().iter().map(|observer| ObserverShown::of(observer, device)).collect(),
            drafts: device.drafts(None)?.len(),
            drafts_damaged: device.damaged_drafts()?.len(),
            logs: counts.logs,
            entries: counts.entries,
            bodies_missing: counts.bodies_missing,
            photos: counts.blobs,
            photo_bytes: counts.blob_bytes,
            photos_missing: counts.blobs_missing,
            photo_bytes_missing: counts.blob_bytes_missing,
            set_aside: counts.aside,
            free_bytes: room.free_bytes,
            room_for_photos: room.photos_about,
            low_room: room.low_room,
        })
    }
}

impl Report for DeviceShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "mission   {} · {}", self.name, self.mission)?;
        writeln!(out, "folder    {}", self.home.display())?;
        for observer in &self.observers {
            observer.human(out)?;
        }
        if self.observers.is_empty() {
            writeln!(out, "observer  none yet: make a request with `merestone device request`")?;
        }
        writeln!(out, "holds     {} entries in {} logs, {} drafts", self.entries, self.logs, self.drafts)?;
        if self.drafts_damaged > 0 {
            writeln!(out, "damaged   {} drafts cannot be read; they are kept as they are", self.drafts_damaged)?;
            writeln!(
                out,
                "          copy the folder before anything else; a newer version of this program may read them"
            )?;
        }
        writeln!(out, "photos    {} ({}), pictures included", self.photos, output::bytes(self.photo_bytes))?;
        if self.photos_missing > 0 || self.bodies_missing > 0 {
            let bytes = output::bytes(self.photo_bytes_missing);
            writeln!(
                out,
                "missing   {} photos ({bytes}), {} bodies of entries",
                self.photos_missing, self.bodies_missing
            )?;
        }
        if self.set_aside > 0 {
            writeln!(out, "damaged   {} items set aside: see `merestone doctor`", self.set_aside)?;
        }
        let free = self.free_bytes.map_or_else(|| "not known".to_owned(), output::bytes);
        let low = if self.low_room { "; the reserve is used up: make room now" } else { "" };
        let photos = self.room_for_photos.map_or_else(String::new, |photos| format!(", about {photos} photos"));
        writeln!(out, "room      {free}{photos}{low}")
    }
}
