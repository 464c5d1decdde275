//! The threads that calls run on: one runtime for all phones of a process, started with the first call.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

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
    let task = runtime()?.spawn_blocking(work);
    task.await.map_err(|error| ended(&error))?
}

/// Drives a future on the runtime's threads; dropping what this gives drops the future.
pub(crate) async fn driven<T: Send + 'static>(
    work: impl Future<Output = Result<T, PhoneError>> + Send + 'static,
) -> Result<T, PhoneError> {
    let mut task = Aborting(runtime()?.spawn(work));
    (&mut task.0).await.map_err(|error| ended(&error))?
}

/// Does quick work on the caller's thread; a panic becomes an error here too.
pub(crate) fn at_once<T>(work: impl FnOnce() -> Result<T, PhoneError>) -> Result<T, PhoneError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(mistake()))
}

/// A task that ends with its handle.
struct Aborting<T>(JoinHandle<T>);

impl<T> Drop for Aborting<T> {
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
