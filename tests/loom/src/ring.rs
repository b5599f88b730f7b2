//! The ring and the event count together: what was pushed is taken, once, and nobody sleeps over it.
//!
//! The ring that ships is crossbeam's `ArrayQueue`, which loom cannot see into. This one is written after the same algorithm
//! (Dmitry Vyukov's bounded queue: one stamp a slot, which says whose turn it is) on loom's atomics.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering, fence};
use loom::thread;

use crate::event::EventCount;
use crate::model;

/// A slot may be written in turn `t` when its stamp is `t`, and read when it is `t + 1`; then it waits for the next lap.
struct Slot {
    stamp: AtomicUsize,
    /// Relaxed: only the stamp may order what is read here after what was written.
    value: AtomicUsize,
}

struct Ring {
    head: AtomicUsize,
    tail: AtomicUsize,
    slots: Vec<Slot>,
}

impl Ring {
    /// At least two slots: of one, "written" and "free for the next lap" would be the same stamp.
    fn new(slots: usize) -> Self {
        let slot = |turn| Slot { stamp: AtomicUsize::new(turn), value: AtomicUsize::new(0) };
        Self { head: AtomicUsize::new(0), tail: AtomicUsize::new(0), slots: (0..slots).map(slot).collect() }
    }

    fn push(&self, value: usize) -> Result<(), usize> {
        let mut tail = self.tail.load(Ordering::Relaxed);
        loop {
            let slot = &self.slots[tail % self.slots.len()];
            let stamp = slot.stamp.load(Ordering::Acquire);
            if stamp == tail {
                match self.tail.compare_exchange(tail, tail + 1, Ordering::SeqCst, Ordering::Relaxed) {
                    Ok(_) => {
                        slot.value.store(value, Ordering::Relaxed);
                        slot.stamp.store(tail + 1, Ordering::Release);
                        return Ok(());
                    }
                    Err(now) => tail = now,
                }
            } else {
                fence(Ordering::SeqCst);
                if self.head.load(Ordering::Relaxed) + self.slots.len() == tail {
                    return Err(value);
                }
                thread::yield_now();
                tail = self.tail.load(Ordering::Relaxed);
            }
        }
    }

    fn pop(&self) -> Option<usize> {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            let slot = &self.slots[head % self.slots.len()];
            let stamp = slot.stamp.load(Ordering::Acquire);
            if stamp == head + 1 {
                match self.head.compare_exchange(head, head + 1, Ordering::SeqCst, Ordering::Relaxed) {
                    Ok(_) => {
                        let value = slot.value.load(Ordering::Relaxed);
                        slot.stamp.store(head + self.slots.len(), Ordering::Release);
                        return Some(value);
                    }
                    Err(now) => head = now,
                }
            } else {
                fence(Ordering::SeqCst);
                if self.tail.load(Ordering::Relaxed) == head {
                    return None;
                }
                thread::yield_now();
                head = self.head.load(Ordering::Relaxed);
            }
        }
    }
}

fn take(ring: &Ring, event: &EventCount) -> usize {
    loop {
        if let Some(value) = ring.pop() {
            return value;
        }
        let prepared = event.prepare();
        if let Some(value) = ring.pop() {
            return value;
        }
        prepared.wait(None);
    }
}

#[test]
fn two_producers_and_a_sleeping_consumer() {
    model(|| {
        let shared = Arc::new((Ring::new(2), EventCount::new()));
        let producers: Vec<_> = [1, 2]
            .map(|value| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    shared.0.push(value).unwrap();
                    shared.1.notify_one();
                })
            })
            .into();
        let mut got = [take(&shared.0, &shared.1), take(&shared.0, &shared.1)];
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
        assert_eq!(shared.0.pop(), None);
        producers.into_iter().for_each(|producer| producer.join().unwrap());
    });
}

#[test]
fn a_full_ring_hands_the_value_back_and_a_lap_later_takes_it() {
    model(|| {
        let shared = Arc::new((Ring::new(2), EventCount::new()));
        shared.0.push(1).unwrap();
        shared.0.push(2).unwrap();
        let producer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let refused = shared.0.push(3);
                shared.1.notify_one();
                refused.is_err()
            })
        };
        assert_eq!((take(&shared.0, &shared.1), take(&shared.0, &shared.1)), (1, 2));
        let refused = producer.join().unwrap();
        assert_eq!(shared.0.pop(), (!refused).then_some(3));
    });
}
