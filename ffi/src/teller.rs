//! Telling the app what changes, on a thread of its own and not too often: whoever listens slowly hears the newest state.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The shortest time between two calls of one listener: ten a second are as many as a screen needs.
pub(crate) const BETWEEN_CALLS: Duration = Duration::from_millis(100);

/// News that can be told in one.
pub(crate) trait News: Send + 'static {
    /// Takes in what happened after it.
    fn add(&mut self, later: Self);
}

/// Calls a listener whenever there is news. Dropping it tells what is left and ends.
pub(crate) struct Teller<T: News>(Arc<Shared<T>>);

struct Shared<T> {
    waiting: Mutex<Waiting<T>>,
    changed: Condvar,
}

struct Waiting<T> {
    news: Option<T>,
    is_over: bool,
}

impl<T: News> Teller<T> {
    /// A teller that calls `listener`; `None` where the system gives no thread.
    pub(crate) fn start(listener: impl FnMut(T) + Send + 'static) -> Option<Self> {
        let shared =
            Arc::new(Shared { waiting: Mutex::new(Waiting { news: None, is_over: false }), changed: Condvar::new() });
        let own = Arc::clone(&shared);
        thread::Builder::new().name("merestone-news".into()).spawn(move || own.run(listener)).ok()?;
        Some(Self(shared))
    }

    /// Tells it soon.
    pub(crate) fn tell(&self, news: T) {
        let mut waiting = self.0.lock();
        match &mut waiting.news {
            Some(earlier) => earlier.add(news),
            none => *none = Some(news),
        }
        drop(waiting);
        self.0.changed.notify_one();
    }
}

impl<T: News> Drop for Teller<T> {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.changed.notify_one();
    }
}

impl<T: News> Shared<T> {
    fn run(&self, mut listener: impl FnMut(T)) {
        while let Some(news) = self.next() {
            // What it throws is its own loss: the next news is told all the same.
            let _ = catch_unwind(AssertUnwindSafe(|| listener(news)));
            // The last news of a teller that ends is not kept waiting.
            let waiting = self.lock();
            if !waiting.is_over {
                drop(self.changed.wait_timeout_while(waiting, BETWEEN_CALLS, |waiting| !waiting.is_over));
            }
        }
    }

    /// Waits for news; `None` when there will be none.
    fn next(&self) -> Option<T> {
        let mut waiting = self.lock();
        loop {
            if let Some(news) = waiting.news.take() {
                return Some(news);
            }
            if waiting.is_over {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        // Both fields are whole after each statement.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use super::*;

    struct Sum(u64);

    impl News for Sum {
        fn add(&mut self, later: Self) {
            self.0 += later.0;
        }
    }

    #[test]
    fn much_news_is_told_in_few_calls_and_nothing_is_left_out() {
        let (send, receive) = mpsc::channel();
        let teller = Teller::start(move |news: Sum| send.send((Instant::now(), news.0)).unwrap()).unwrap();
        let begun = Instant::now();
        for _ in 0..40 {
            teller.tell(Sum(1));
        }
        drop(teller);
        let told: Vec<(Instant, u64)> = receive.iter().collect();
        assert_eq!(told.iter().map(|(_, news)| news).sum::<u64>(), 40);
        let most = begun.elapsed().as_millis() / BETWEEN_CALLS.as_millis() + 2;
        assert!((told.len() as u128) <= most, "{} calls, at most {most}", told.len());
    }
}
