//! Work on several cores that can be called off.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// The work was called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the work was called off")]
pub struct Cancelled;

/// How many threads may work, and whether they should stop.
///
/// They live as long as one piece of work: a pool that outlived it would be lost in the child of a fork, which Python services do.
#[derive(Clone, Copy, Debug)]
pub struct Workers<'a> {
    /// At least one.
    pub threads: usize,
    /// Set to call the work off.
    pub cancel: &'a AtomicBool,
}

/// How many items a thread takes at once, at most.
const CHUNK: usize = 256;
/// How many chunks a thread has to do at least, so that none waits long for the last.
const CHUNKS: usize = 4;

impl Workers<'_> {
    /// An error if the work was called off.
    pub(crate) fn check(&self) -> Result<(), Cancelled> {
        if self.cancel.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }

    /// What `work` makes of each of `count` items, in order.
    pub(crate) fn map<T: Send>(&self, count: usize, work: impl Fn(usize) -> T + Sync) -> Result<Vec<T>, Cancelled> {
        let next = AtomicUsize::new(0);
        let chunk = (count / (CHUNKS * self.threads)).clamp(1, CHUNK);
        let take = || {
            let mut done = Vec::new();
            loop {
                let start = next.fetch_add(chunk, Ordering::Relaxed);
                if start >= count {
                    return Ok(done);
                }
                self.check()?;
                let end = (start + chunk).min(count);
                done.push((start, (start..end).map(&work).collect::<Vec<T>>()));
            }
        };
        let mut chunks: Vec<(usize, Vec<T>)> = self.run(take)?.into_iter().flatten().collect();
        chunks.sort_unstable_by_key(|&(start, _)| start);
        Ok(chunks.into_iter().flat_map(|(_, items)| items).collect())
    }

    /// What `work` makes of each part of `count` items: one part a thread, in order.
    pub(crate) fn split<T: Send>(
        &self,
        count: usize,
        work: impl Fn(Range<usize>) -> Result<T, Cancelled> + Sync,
    ) -> Result<Vec<T>, Cancelled> {
        let size = count.div_ceil(self.threads).max(1);
        let parts = (0..count).step_by(size).map(|start| start..(start + size).min(count));
        let work = &work;
        thread::scope(|scope| {
            let threads: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    }

    fn run<T: Send>(&self, work: impl Fn() -> Result<T, Cancelled> + Sync) -> Result<Vec<T>, Cancelled> {
        self.split(self.threads, |_| work())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_back_in_order_from_any_number_of_threads() {
        let cancel = AtomicBool::new(false);
        for threads in [1, 2, 5] {
            let squares = Workers { threads, cancel: &cancel }.map(1000, |item| item * item).unwrap();
            assert!(squares.into_iter().eq((0..1000).map(|item| item * item)));
        }
    }

    #[test]
    fn what_was_called_off_ends() {
        let cancel = AtomicBool::new(true);
        assert_eq!(Workers { threads: 2, cancel: &cancel }.map(10, |item| item), Err(Cancelled));
    }
}
