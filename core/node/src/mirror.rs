//! Keeping a conversation with another camp: what one is given, the other holds soon after.
//!
//! It is the conversation of any two peers, held open and begun again when it breaks. Two camps that mirror each other
//! need this on one side only.

use std::error::Error as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use merestone_core::sync::frame::Wants;
use merestone_link::PeerKey;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::clock::Entropy;
use crate::device::Device;
use crate::replica::{End, Meet, Meeting, Replica, SyncError, SyncOutcome, SyncProgress};

/// The first wait after a conversation that broke off.
const WAIT: Duration = Duration::from_secs(1);
/// The longest: a camp whose power comes back is not left alone for longer.
const WAIT_MAX: Duration = Duration::from_secs(120);
/// How long a conversation may take to say good-bye.
const GOODBYE: Duration = Duration::from_secs(5);

/// Another camp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherCamp {
    /// Where it may answer; all are called. None: nothing is ever called.
    pub addresses: Vec<SocketAddr>,
    /// Which key it must prove; `None` shows our own certificate to whoever answers.
    pub expected: Option<PeerKey>,
}

/// How a mirror stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MirrorState {
    /// It calls the other camp.
    #[default]
    Calling,
    /// A conversation is under way.
    Talking(Box<SyncProgress>),
    /// None is, for this reason; it calls again after this time.
    Waiting {
        /// Why the last one ended or did not come about: a name that programs may rely on.
        code: &'static str,
        /// The same in words.
        why: String,
        /// What a person can do about it, if it stays so.
        advice: &'static str,
        /// How long it waits.
        wait: Duration,
    },
}

/// A conversation that is held open. Dropping it ends it at once; [`stop`](Self::stop) says good-bye.
#[derive(Debug)]
pub struct Mirror {
    state: watch::Receiver<MirrorState>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Mirror {
    /// Begins to call. Must be called within a tokio runtime.
    pub fn begin(device: &Arc<Device>, replica: &Replica, other: OtherCamp) -> Self {
        let (sender, state) = watch::channel(MirrorState::Calling);
        let (stop, stopped) = watch::channel(false);
        let (device, replica) = (Arc::clone(device), replica.clone());
        let task = tokio::spawn(async move {
            let mut ended = stopped.clone();
            let mut calls = Calls { replica, other, state: sender, stop: stopped };
            tokio::select! {
                () = calls.go_on(device.entropy()) => {}
                _ = ended.wait_for(|stop| *stop) => {}
            }
        });
        Self { state, stop, task: Some(task) }
    }

    /// How it stands; changes whenever that does.
    pub fn state(&self) -> watch::Receiver<MirrorState> {
        self.state.clone()
    }

    /// Ends it.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            let _ = timeout(GOODBYE, task).await;
        }
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

struct Calls {
    replica: Replica,
    other: OtherCamp,
    state: watch::Sender<MirrorState>,
    stop: watch::Receiver<bool>,
}

impl Calls {
    async fn go_on(&mut self, entropy: &dyn Entropy) {
        let mut backoff = WAIT;
        let addresses = self.other.addresses.clone();
        let expected = self.other.expected;
        let meet = Meet { addresses, expected, stay: true, wants: Wants::EVERYTHING, photo_bytes_max: u64::MAX };
        while !meet.addresses.is_empty() {
            self.state.send_replace(MirrorState::Calling);
            let Ended { may_pass, code, why, advice } = self.hold(self.replica.sync_with(meet.clone())).await;
            if *self.stop.borrow() {
                return;
            }
            backoff = if may_pass { WAIT } else { (backoff * 2).min(WAIT_MAX) };
            let wait = jittered(backoff, entropy);
            self.state.send_replace(MirrorState::Waiting { code, why, advice, wait });
            sleep(wait).await;
        }
    }

    /// One conversation to its end.
    async fn hold(&self, mut meeting: Meeting) -> Ended {
        while let Some(progress) = meeting.changed().await {
            if progress.peer.is_some() {
                self.state.send_replace(MirrorState::Talking(Box::new(progress)));
            }
        }
        match meeting.outcome().await {
            Ok(SyncOutcome { peer, end, .. }) => {
                let has_parted = matches!(end, End::Done | End::Stopped);
                let may_pass = peer.is_some() && (has_parted || end.is_worth_retrying());
                Ended { may_pass, code: end.code(), why: end.to_string(), advice: end.advice() }
            }
            Err(error) => {
                Ended { may_pass: false, code: error.code(), why: with_cause(&error), advice: error.advice() }
            }
        }
    }
}

/// How a conversation ended.
struct Ended {
    /// There was one, and the next may go on where it ended: what was refused once is refused again.
    may_pass: bool,
    code: &'static str,
    why: String,
    advice: &'static str,
}

fn with_cause(error: &SyncError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Between half of it and all of it, so that camps that lost the same link do not all call at the same moment.
fn jittered(wait: Duration, entropy: &dyn Entropy) -> Duration {
    let mut byte = [0];
    // Without random bytes the wait is the whole of it.
    let part = entropy.fill(&mut byte).map_or(u32::from(u8::MAX), |()| u32::from(byte[0]));
    wait / 2 + wait / 2 * part / u32::from(u8::MAX)
}
