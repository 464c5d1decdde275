//! A keystore that waits for a person.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use merestone_core::key::{SIGNATURE_BYTES, SigningKey};
use merestone_node::vault::{Keystore, KeystoreError};
use zeroize::Zeroizing;

/// Longer than any machine takes for it, so that a test fails by what it asserts.
pub(crate) const AMPLE: Duration = Duration::from_secs(60);

/// Holds one key, and once it is [armed](Self::arm) asks a person before each signature.
pub(crate) struct Asking {
    key: SigningKey,
    prompt: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

impl Asking {
    pub(crate) fn new() -> Self {
        Self { key: SigningKey::from_seed(&[77; 32]), prompt: Mutex::default() }
    }

    /// What hears of the next prompt, and what answers it.
    pub(crate) fn arm(&self) -> (Receiver<()>, Sender<()>) {
        let ((shows, shown), (answer, answered)) = (mpsc::channel(), mpsc::channel());
        *self.prompt.lock().unwrap() = Some((shows, answered));
        (shown, answer)
    }
}

impl Keystore for Asking {
    fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, KeystoreError> {
        Ok(secret.to_vec())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
        Ok(Zeroizing::new(wrapped.to_vec()))
    }

    fn make_signing_key(&self) -> Result<Option<[u8; 32]>, KeystoreError> {
        Ok(Some(*self.key.public().as_bytes()))
    }

    fn sign(&self, _: &[u8; 32], message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], KeystoreError> {
        let prompt = self.prompt.lock().unwrap().take();
        if let Some((shows, answered)) = prompt {
            shows.send(()).unwrap();
            answered.recv().unwrap();
        }
        Ok(self.key.sign(message))
    }
}

/// What `work` gives, if nothing keeps it from ending.
#[track_caller]
pub(crate) fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || send.send(work()));
    receive.recv_timeout(AMPLE).expect("nothing waits for the person")
}
