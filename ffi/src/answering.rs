//! A phone that answers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use merestone_core::key::PublicKey;
use merestone_node::Device;
use merestone_node::nearby::Advertising;
use merestone_node::qr::QrPicture;
use merestone_node::replica::{Replica, Serving};

use crate::error::PhoneError;
use crate::log::{LogLevel, say};
use crate::runtime::{Aside, blocking, driven, locked};
use crate::sync::{CallerLine, TicketLine};

/// A phone that answers peers. Letting go of it ends every conversation at once; `stop` lets them say good-bye.
/// When the phone is suspended it answers nobody any more: serve again after `resume`.
#[derive(uniffi::Object)]
pub struct Answering {
    device: Aside<Arc<Device>>,
    observer: PublicKey,
    address: SocketAddr,
    is_advertised: bool,
    at_work: Aside<Mutex<Option<AtWork>>>,
}

struct AtWork {
    serving: Serving,
    advertising: Option<Advertising>,
}

impl Answering {
    /// Must be called on the runtime.
    pub(crate) fn begin(
        device: Arc<Device>,
        replica: &Replica,
        observer: PublicKey,
        address: SocketAddr,
        is_advertised: bool,
    ) -> Result<Arc<Self>, PhoneError> {
        let serving = replica.serve(replica.bind(address)?)?;
        let address = serving.address();
        let advertising = is_advertised.then(|| Advertising::begin(&device, replica, address)).and_then(Result::ok);
        if is_advertised && advertising.is_none() {
            say(LogLevel::Warning, "the system lets this phone not be found nearby; a ticket leads to it");
        }
        let is_advertised = advertising.is_some();
        let (device, at_work) = (Aside::new(device), Aside::new(Mutex::new(Some(AtWork { serving, advertising }))));
        Ok(Arc::new(Self { device, observer, address, is_advertised, at_work }))
    }
}

#[uniffi::export]
impl Answering {
    /// Where it answers, `ADDRESS:PORT`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Whether others can find it nearby: the system may not let it speak there.
    pub fn is_advertised(&self) -> bool {
        self.is_advertised
    }

    /// The ticket to this phone, with a name for people that it carries, if any.
    ///
    /// # Errors
    /// `NotEnrolled` without a certificate; `Unreachable` without an address that others could use; `Refused` for a name that
    /// a ticket cannot hold.
    pub async fn ticket(&self, name: Option<String>) -> Result<TicketLine, PhoneError> {
        let (device, observer, address) = (Arc::clone(&self.device), self.observer, self.address);
        blocking(move || {
            let text = device.ticket(&observer, address, name.as_deref())?.to_text();
            Ok(TicketLine { qr: QrPicture::of(&text).map(Into::into), text })
        })
        .await
    }

    /// Everybody who called, in the order of their keys; nobody once it is stopped.
    pub async fn callers(&self) -> Result<Vec<CallerLine>, PhoneError> {
        let callers = locked(&self.at_work).as_ref().map(|at_work| at_work.serving.callers());
        Ok(callers.unwrap_or_default().into_iter().map(Into::into).collect())
    }

    /// Says good-bye to everybody and answers no more. Stopping again changes nothing.
    pub async fn stop(&self) -> Result<(), PhoneError> {
        let at_work = locked(&self.at_work).take();
        driven(async move {
            if let Some(AtWork { serving, advertising }) = at_work {
                if let Some(advertising) = advertising {
                    advertising.stop().await;
                }
                serving.stop().await;
            }
            Ok(())
        })
        .await
    }
}
