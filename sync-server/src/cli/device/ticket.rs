//! `merestone device ticket`: where this device answers, as text and as a picture.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use merestone_core::id::hex;
use merestone_node::qr::QrPicture;
use serde::Serialize;

use super::PictureKind;
use crate::camp;
use crate::cli::{Context, choose_observer};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;

#[derive(Debug, clap::Args)]
pub(crate) struct TicketArgs {
    /// The address at which others reach this device, instead of all addresses that it has on its networks.
    #[arg(long, value_name = "IP")]
    address: Option<IpAddr>,
    /// The port at which it will answer.
    #[arg(long, value_name = "PORT", default_value_t = camp::PORT)]
    port: u16,
    /// What to call it in the ticket. Default: the device's name.
    #[arg(long, value_name = "NAME", conflicts_with = "no_name")]
    name: Option<String>,
    /// Say no name.
    #[arg(long)]
    no_name: bool,
    /// Whose device it is, by name or key. Default: the device's only observer.
    #[arg(long, value_name = "WHO")]
    observer: Option<String>,
    /// Draw the ticket as a QR code into this new file: .svg or .pbm.
    #[arg(long, value_name = "FILE")]
    qr: Option<PathBuf>,
}

impl TicketArgs {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let device = context.open(0)?;
        let observer = choose_observer(&device, self.observer.as_deref())?;
        let kind = self.qr.as_deref().map(PictureKind::of).transpose()?;
        let bound = SocketAddr::new(self.address.unwrap_or(Ipv6Addr::UNSPECIFIED.into()), self.port);
        let name = self.name.as_deref().unwrap_or(&observer.device);
        let ticket = device.ticket(&observer.key, bound, (!self.no_name).then_some(name))?;
        let text = ticket.to_text();
        let picture = QrPicture::of(&text);
        if let (Some(path), Some(kind), Some(picture)) = (&self.qr, kind, &picture) {
            input::write_new(path, &kind.draw(picture))?;
        }
        context.screen.show(&TicketShown {
            mission: device.mission().to_string(),
            key: hex(ticket.transport()),
            addresses: ticket.addresses().iter().map(ToString::to_string).collect(),
            name: ticket.name().map(str::to_owned),
            ticket: text,
            picture: picture.filter(|_| context.screen.is_watched()),
        })?;
        Ok(Code::Done)
    }
}

#[derive(Serialize)]
struct TicketShown {
    mission: String,
    key: String,
    addresses: Vec<String>,
    name: Option<String>,
    ticket: String,
    #[serde(skip)]
    picture: Option<QrPicture>,
}

impl Report for TicketShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(picture) = &self.picture {
            write!(out, "{}", picture.to_terminal())?;
        }
        writeln!(out, "{}", self.ticket)?;
        writeln!(out, "answers   {}", self.addresses.join(", "))?;
        writeln!(out, "key       {}", self.key)?;
        writeln!(out, "It answers while `merestone serve` or `merestone sync --wait` runs here.")
    }
}
