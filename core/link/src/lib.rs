//! Carrying frames between two devices, over whatever network there is.
//!
//! Two phones on a road, a phone and the laptop at base camp, two camps: one kind of link. This
//! room opens it, proves to each side which key the other holds, carries frames, and says how the
//! link ended. It does not know what a frame means, whose key it talks to, or what is stored; the
//! sans-IO conversation in `core` knows that and is pumped from above.
//!
//! # A key, and nothing more
//!
//! A link is QUIC with TLS 1.3, and both sides show a raw Ed25519 key (RFC 7250). There are no
//! certificates, names, or authorities: after the handshake each side knows a [`PeerKey`], and
//! that whoever is there can sign with it now. Whether that key belongs to the mission is for the
//! first frame to show. The client's side of this ends first: [`Endpoint::connect`] returns when
//! the *server's* key is proved, before the server has looked at ours. **Take nothing for agreed
//! before the first reply.**
//!
//! # Classes
//!
//! Frames come in five [`Class`]es, each with its own stream, because on one stream a text waits
//! behind the photo that was sent before it. Urgency is kept at all three places where a queue
//! could form:
//!
//! - *sending*: QUIC puts pending bytes of the more urgent class into the next packet;
//! - *on the way*: each class has its own window, and the connection's is three of them, so a
//!   class of photos that nobody reads cannot use up the room for text;
//! - *receiving*: [`Connection::recv`] returns the most urgent frame that is here, except that
//!   every sixteenth goes to a less urgent class, so that photos are slowed and never stopped.
//!
//! Within a class order is kept. Between classes there is none, so a frame that must not overtake
//! another travels in the same class.
//!
//! # Pressure, and memory
//!
//! Nothing is read before [`Connection::recv`] asks for it. A reader that is busy committing to a
//! disk lets its windows fill, and [`Connection::send`] on the other side waits. So memory is
//! bounded by the windows, whatever the peer does: [`MEMORY_PER_PEER_BYTES_MAX`] is their sum,
//! times [`LinkLimits::connections_max`] for an endpoint.
//!
//! # How it ends
//!
//! [`CloseInfo`] tells the cases apart that need different answers. *Closed by the peer*, with a
//! [code](close_code): it meant it, look at the code. *Lost*: nobody meant it, connect again and
//! resume. A close drops what is under way, so the side that received last closes.
//!
//! # Example
//!
//! ```
//! use merestone_link::{Class, CloseInfo, Endpoint, LinkLimits, TransportKey, close_code};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let here = "127.0.0.1:0".parse()?;
//! let camp = Endpoint::bind(here, &TransportKey::from_seed(&[1; 32]), LinkLimits::default())?;
//! let phone = Endpoint::bind(here, &TransportKey::from_seed(&[2; 32]), LinkLimits::default())?;
//! let (camp_key, phone_key) = (camp.public_key(), phone.public_key());
//! let camp_address = camp.local_address()?;
//!
//! let answering = tokio::spawn(async move {
//!     let incoming = camp.accept().await.expect("the camp is open");
//!     let link = incoming.accept().await?;
//!     assert_eq!(link.peer(), phone_key);
//!     let (class, frame) = link.recv().await?;
//!     assert_eq!((class, frame.as_slice()), (Class::Entries, b"rockfall at km 12".as_slice()));
//!     link.send(Class::Control, b"stored".to_vec()).await?;
//!     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(link.closed().await)
//! });
//!
//! let link = phone.connect(camp_address, Some(camp_key)).await?;
//! link.send(Class::Entries, b"rockfall at km 12".to_vec()).await?;
//! assert_eq!(link.recv().await?, (Class::Control, b"stored".to_vec()));
//! link.close(close_code::DONE, "nothing left to say");
//!
//! let ended = answering.await?.map_err(|error| error.to_string())?;
//! assert!(matches!(ended, CloseInfo::ByPeer { code: close_code::DONE, .. }));
//! # Ok(())
//! # }
//! ```
//!
//! # On the wire
//!
//! QUIC version 1, ALPN `merestone/2` or `merestone/1`, the newest that both sides offer
//! ([`Connection::version`]); unidirectional streams only, at most one per class
//! and direction, opened when first needed and never finished before the connection. A stream is
//!
//! ```text
//! stream = class frame*
//! class  = 01 control | 02 entries | 03 thumbnails | 04 previews | 05 originals     1 byte
//! frame  = length bytes          length: 4 bytes, unsigned, big endian, at most the class's
//! ```
//!
//! A peer MUST close with [`close_code::FRAME_TOO_LARGE`], [`close_code::CLASS_UNKNOWN`],
//! [`close_code::CLASS_REPEATED`] or [`close_code::STREAM_CUT`] when it meets one of those.
//! A stream that ends between two frames ends its class; that is allowed and useless.
//!
//! # What it does not do
//!
//! - Hide that two devices talk: addresses, times and sizes are visible to the network.
//! - Withstand a future quantum computer: key exchange is X25519 alone.
//! - Go through routers that let nobody in, or relay. [`discovery`] finds peers on a local network only.
//! - Resume a link: a new one is made, and what is missing is agreed on in the conversation.

mod calling;
mod carrier;
mod closing;
mod connection;
pub mod discovery;
mod endpoint;
mod error;
mod frame;
mod inbox;
mod insist;
mod key;
mod limits;
mod outbox;
mod pulse;
mod slots;
mod socket;
mod stats;
mod steady;
mod tls;
mod version;

pub use carrier::Carrier;
pub use closing::{CloseInfo, Loss, Violation, close_code};
pub use connection::Connection;
pub use endpoint::{Endpoint, Incoming};
pub use error::{AcceptError, BindError, ConnectError, LinkError};
pub use frame::{CONTROL_FRAME_BYTES_MAX, Class, ENTRIES_FRAME_BYTES_MAX, PHOTO_FRAME_BYTES_MAX};
pub use key::{PeerKey, TransportKey};
pub use limits::{
    CONNECTION_WINDOW_BYTES, LinkLimits, MEMORY_PER_PEER_BYTES_MAX, SEND_WINDOW_BYTES, STREAM_WINDOW_BYTES,
};
pub use stats::{ClassStats, LinkStats, UdpStats};
pub use version::Version;
