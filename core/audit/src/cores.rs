//! Work spread over the cores: one thread and one state of its own for each, and results in the order of the items.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What each core keeps between two calls.
pub(crate) struct Cores<S> {
    states: Vec<S>,
}

impl<S> Cores<S> {
    /// One state for each of `threads` cores, at least one.
    pub(crate) fn new(threads: usize, make: impl Fn() -> S) -> Self {
        Self { states: std::iter::repeat_with(make).take(threads.max(1)).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.states.len()
    }
}

/// Does `work` on every item; cores take the next item when they are done with one.
pub(crate) fn on_cores<S: Send, T: Sync, R: Send>(
    cores: &mut Cores<S>,
    items: &[T],
    work: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<R> {
    on_cores_beside(cores, items, work, || ()).0
}

/// The same, while one core first does what can only be done by one; that core helps with the items when it is through.
pub(crate) fn on_cores_beside<S: Send, T: Sync, R: Send, B>(
    cores: &mut Cores<S>,
    items: &[T],
    work: impl Fn(&mut S, &T) -> R + Sync,
    beside: impl FnOnce() -> B,
) -> (Vec<R>, B) {
    let next = AtomicUsize::new(0);
    let take_all = |state: &mut S| {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, work(state, item)));
        }
    };
    let (first, others) = cores.states.split_first_mut().expect("there is at least one state");
    let others = others.iter_mut().take(items.len());
    let (mut results, beside): (Vec<(usize, R)>, B) = thread::scope(|scope| {
        let started: Vec<_> = others.map(|state| scope.spawn(|| take_all(state))).collect();
        let beside = beside();
        let mut results = take_all(first);
        for thread in started {
            match thread.join() {
                Ok(more) => results.extend(more),
                // A fault of ours: it goes on as if it had happened here.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        (results, beside)
    });
    results.sort_unstable_by_key(|(at, _)| *at);
    (results.into_iter().map(|(_, result)| result).collect(), beside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_whatever_the_number_of_cores() {
        let items: Vec<u64> = (0..1_000).collect();
        let wanted: Vec<u64> = items.iter().map(|n| n * n).collect();
        for threads in [0, 1, 2, 7] {
            let mut cores = Cores::new(threads, || 0u64);
            let square = |count: &mut u64, n: &u64| {
                *count += 1;
                n * n
            };
            assert_eq!(on_cores_beside(&mut cores, &items, square, || "beside"), (wanted.clone(), "beside"));
            assert_eq!(cores.states.iter().sum::<u64>(), 1_000);
        }
    }
}
