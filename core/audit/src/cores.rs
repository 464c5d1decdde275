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
    if items.len() < 2 || others.is_empty() {
        return take_all(first).into_iter().map(|(_, result)| result).collect();
    }
    let mut results: Vec<(usize, R)> = thread::scope(|scope| {
        let started: Vec<_> = others.iter_mut().map(|state| scope.spawn(|| take_all(state))).collect();
        let mut results = take_all(first);
        for thread in started {
            match thread.join() {
                Ok(more) => results.extend(more),
                // A fault of ours: it goes on as if it had happened here.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
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
            let found = on_cores(&mut cores, &items, |count, n| {
                *count += 1;
                n * n
            });
            assert_eq!(found, wanted);
            assert_eq!(cores.states.iter().sum::<u64>(), 1_000);
        }
    }
}
