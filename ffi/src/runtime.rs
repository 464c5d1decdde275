//! The threads that calls run on: one runtime for all phones of a process, started with the first call.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};

use crate::error::PhoneError;
use crate::log::{LogLevel, say};

/// Threads that drive links: as many as a phone has fast cores.
const LINK_THREADS: usize = 2;

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

fn runtime() -> Result<&'static Runtime, PhoneError> {
    /// Held while one is made: the system gives no threads now, and may with the next call.
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = RUNTIME.get().is_none().then(|| locked(&MAKING));
    if let Some(started) = RUNTIME.get() {
        return Ok(started);
    }
    let made = Builder::new_multi_thread().worker_threads(LINK_THREADS).thread_name("merestone").enable_all().build();
    let made = made.map_err(|_| PhoneError::internal("the system gives no threads"))?;
    Ok(RUNTIME.get_or_init(|| made))
}

/// Does work that may wait for the disk or for the app, on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PhoneError> + Send + 'static,
) -> Result<T, PhoneError> {
    let (work, answer) = answering(work);
    done(work).await?;
    answer.take()
}

/// Drives a future on the runtime's threads; dropping what this gives drops the future.
pub(crate) async fn driven<T: Send + 'static>(
    work: impl Future<Output = Result<T, PhoneError>> + Send + 'static,
) -> Result<T, PhoneError> {
    let answer = Answer::default();
    let kept = answer.clone();
    let mut task = start(Box::pin(async move { kept.put(work.await) }))?;
    (&mut task.0).await.map_err(|error| ended(&error))?;
    answer.take()
}

/// What a call answers, kept until its task is over.
///
/// Tasks have no result of their own, so that the runtime is compiled once for all calls instead of once for each.
struct Answer<T>(Arc<Mutex<Option<Result<T, PhoneError>>>>);

impl<T> Answer<T> {
    fn put(&self, answer: Result<T, PhoneError>) {
        *locked(&self.0) = Some(answer);
    }

    fn take(&self) -> Result<T, PhoneError> {
        locked(&self.0).take().unwrap_or_else(|| Err(mistake()))
    }
}

impl<T> Default for Answer<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Answer<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

fn answering<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PhoneError> + Send + 'static,
) -> (Box<dyn FnOnce() + Send>, Answer<T>) {
    let answer = Answer::default();
    let kept = answer.clone();
    (Box::new(move || kept.put(work())), answer)
}

fn done(work: Box<dyn FnOnce() + Send>) -> Pin<Box<dyn Future<Output = Result<(), PhoneError>> + Send>> {
    Box::pin(async move { runtime()?.spawn_blocking(work).await.map_err(|error| ended(&error)) })
}

fn start(work: Pin<Box<dyn Future<Output = ()> + Send>>) -> Result<Aborting, PhoneError> {
    Ok(Aborting(runtime()?.spawn(work)))
}

/// Something whose end may wait for the disk: it ends on a thread where nobody waits, whoever let go of it last.
pub(crate) struct Aside<T: Send + 'static>(Option<T>);

impl<T: Send> Aside<T> {
    pub(crate) fn new(held: T) -> Self {
        Self(Some(held))
    }
}

impl<T: Send> Deref for Aside<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("held until it is dropped")
    }
}

impl<T: Send> Drop for Aside<T> {
    fn drop(&mut self) {
        let (Some(held), Some(runtime)) = (self.0.take(), RUNTIME.get()) else { return };
        let ending = Ending::begin();
        runtime.spawn_blocking(move || {
            drop(held);
            drop(ending);
        });
    }
}

/// How many are ending [aside](Aside).
static ENDING: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

struct Ending;

impl Ending {
    fn begin() -> Self {
        *locked(&ENDING.0) += 1;
        Self
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        *locked(&ENDING.0) -= 1;
        ENDING.1.notify_all();
    }
}

/// Waits, for so long at most, for what is ending aside: a phone that was let go of can then be opened again.
pub(crate) fn wait_for_endings(time: Duration) {
    drop(ENDING.1.wait_timeout_while(locked(&ENDING.0), time, |ending| *ending > 0));
}

/// A task that ends with its handle.
struct Aborting(JoinHandle<()>);

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn ended(error: &JoinError) -> PhoneError {
    if error.is_panic() { mistake() } else { PhoneError::internal("the call was ended before it had an answer") }
}

/// What a panic said may name people and answers, so it is not passed on.
fn mistake() -> PhoneError {
    say(LogLevel::Error, "a call ended in a panic");
    PhoneError::internal("the program made a mistake; what was saved is safe, please report it")
}

/// Locks a value that is whole after each statement, so that a panic elsewhere spoiled nothing.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::thread::{self, ThreadId};

    use super::*;

    struct Slow(Receiver<()>, Sender<ThreadId>);

    impl Drop for Slow {
        fn drop(&mut self) {
            self.0.recv().unwrap();
            self.1.send(thread::current().id()).unwrap();
        }
    }

    #[test]
    fn letting_go_waits_for_nothing_and_whoever_needs_the_end_can_wait_for_it() {
        runtime().unwrap();
        let ((go, may_go), (ended, end)) = (mpsc::channel(), mpsc::channel());
        drop(Aside::new(Slow(may_go, ended)));
        wait_for_endings(Duration::from_millis(1));
        assert!(end.try_recv().is_err(), "it has not ended");
        go.send(()).unwrap();
        wait_for_endings(Duration::from_secs(120));
        assert_ne!(end.try_recv().unwrap(), thread::current().id());
    }
}
