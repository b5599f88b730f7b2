//! What is due when: one heap and one thread for all deadlines of a queue.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{self, AtomicUsize};
use std::time::Duration;

use porism_native::sync::{Condvar, Mutex, lock, sleep};

/// Below so many entries of jobs that are over, nobody cleans up.
const FEW: usize = 1024;

#[derive(Debug)]
pub(super) struct Deadlines<J> {
    heap: Mutex<Heap<J>>,
    /// An earlier deadline than all before, or the end.
    changed: Condvar,
    /// At most how many entries are of jobs that are over.
    dead: AtomicUsize,
}

#[derive(Debug)]
struct Heap<J> {
    entries: BinaryHeap<Reverse<Entry<J>>>,
    closed: bool,
}

#[derive(Debug)]
struct Entry<J> {
    at_ns: u64,
    job: Arc<J>,
}

impl<J> Ord for Entry<J> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at_ns.cmp(&other.at_ns)
    }
}

impl<J> PartialOrd for Entry<J> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<J> PartialEq for Entry<J> {
    fn eq(&self, other: &Self) -> bool {
        self.at_ns == other.at_ns
    }
}

impl<J> Eq for Entry<J> {}

impl<J> Deadlines<J> {
    pub(super) fn new() -> Self {
        let heap = Heap { entries: BinaryHeap::new(), closed: false };
        Self { heap: Mutex::new(heap), changed: Condvar::new(), dead: AtomicUsize::new(0) }
    }

    pub(super) fn add(&self, at_ns: u64, job: &Arc<J>) {
        let mut heap = lock(&self.heap);
        if heap.closed {
            return;
        }
        let earliest = heap.entries.peek().is_none_or(|Reverse(first)| at_ns < first.at_ns);
        heap.entries.push(Reverse(Entry { at_ns, job: Arc::clone(job) }));
        drop(heap);
        if earliest {
            self.changed.notify_one();
        }
    }

    /// Some job is over before `count` deadlines of it have passed. Its entries go when they are half of all.
    pub(super) fn note_dead(&self, count: usize, is_over: impl Fn(&J) -> bool) {
        let dead = self.dead.fetch_add(count, atomic::Ordering::Relaxed) + count;
        if dead < FEW {
            return;
        }
        let mut heap = lock(&self.heap);
        if dead * 2 < heap.entries.len() {
            return;
        }
        self.dead.store(0, atomic::Ordering::Relaxed);
        heap.entries.retain(|Reverse(entry)| !is_over(&entry.job));
        let len = heap.entries.len();
        heap.entries.shrink_to(2 * len);
    }

    /// Takes one that is due at `now_ns`.
    pub(super) fn pop_due(&self, now_ns: u64) -> Option<Arc<J>> {
        let mut heap = lock(&self.heap);
        if heap.entries.peek()?.0.at_ns > now_ns {
            return None;
        }
        heap.entries.pop().map(|Reverse(entry)| entry.job)
    }

    /// Waits until one may be due; `false` when closed.
    pub(super) fn wait(&self, now_ns: impl Fn() -> u64) -> bool {
        let mut heap = lock(&self.heap);
        while !heap.closed {
            let left = match heap.entries.peek() {
                Some(Reverse(first)) => match first.at_ns.checked_sub(now_ns()) {
                    None | Some(0) => return true,
                    Some(left) => Some(Duration::from_nanos(left)),
                },
                None => None,
            };
            heap = sleep(&self.changed, heap, left);
        }
        false
    }

    pub(super) fn close(&self) {
        let mut heap = lock(&self.heap);
        heap.closed = true;
        heap.entries.clear();
        drop(heap);
        self.changed.notify_all();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.heap).entries.len()
    }
}
