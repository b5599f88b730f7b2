//! An event count: a condition variable for conditions that live in lock-free structures.
//!
//! A waiter announces itself, looks at its condition once more, and only then sleeps; a notifier makes the condition true, and
//! only then looks for waiters. The two fences order these steps, so that at least one of the two sees the other:
//!
//! ```text
//! waiter                          notifier
//! waiting += 1                    make the condition true
//! fence                           fence
//! read the epoch                  nobody waits?  done
//! is the condition true?          epoch += 1
//! sleep while the epoch is the same   wake
//! ```
//!
//! To notify nobody costs a fence and two loads. The method is Dmitry Vyukov's; this one sleeps on a condition variable, which
//! on Linux is a futex.

use std::time::{Duration, Instant};

use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use crate::sync::{Condvar, Mutex, hint, lock, sleep};

/// Lets threads sleep until a condition of theirs may have become true.
#[derive(Debug)]
pub struct EventCount {
    /// How often somebody was notified while somebody waited. Changes under `sleepers` only.
    epoch: AtomicU32,
    /// How many threads are between `prepare` and the end of their wait.
    waiting: AtomicU32,
    /// Somebody is in `spin`, and will look at the condition again after leaving it.
    spinning: AtomicBool,
    sleepers: Mutex<()>,
    woken: Condvar,
}

impl Default for EventCount {
    fn default() -> Self {
        Self::new()
    }
}

impl EventCount {
    /// One with nobody waiting.
    pub fn new() -> Self {
        Self {
            epoch: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            spinning: AtomicBool::new(false),
            sleepers: Mutex::new(()),
            woken: Condvar::new(),
        }
    }

    /// Announces that this thread is about to wait. Look at the condition afterwards: if it is true, drop what this returns;
    /// if it is not, [wait](Prepared::wait).
    pub fn prepare(&self) -> Prepared<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        Prepared { event: self, epoch: self.epoch.load(Ordering::Acquire) }
    }

    /// Looks at the condition again and again, at most `rounds` times, to spare a notifier that comes soon the price of waking a
    /// sleeper. One thread at a time: for the others this returns `false` at once.
    ///
    /// While somebody spins, [`notify_one`](Self::notify_one) trusts it to find what has changed. So whatever this returns, look
    /// for work again; and whoever takes work while more is left has to call `notify_one` itself.
    pub fn spin(&self, rounds: u32, ready: impl Fn() -> bool) -> bool {
        if self.spinning.compare_exchange(false, true, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return false;
        }
        let found = (0..rounds).any(|_| {
            hint::spin_loop();
            ready()
        });
        self.spinning.store(false, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        found
    }

    /// Wakes one thread that waits, unless one spins. Call it after making the condition true.
    pub fn notify_one(&self) {
        fence(Ordering::SeqCst);
        if !self.spinning.load(Ordering::Relaxed) && self.next_epoch() {
            self.woken.notify_one();
        }
    }

    /// Wakes every thread that waits. Call it after making the condition true.
    pub fn notify_all(&self) {
        fence(Ordering::SeqCst);
        if self.next_epoch() {
            self.woken.notify_all();
        }
    }

    /// Whether there is somebody to wake.
    fn next_epoch(&self) -> bool {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return false;
        }
        // Under the lock, so that no waiter is between its look at the epoch and its sleep.
        let _sleepers = lock(&self.sleepers);
        self.epoch.fetch_add(1, Ordering::Release);
        true
    }
}

/// A thread that has announced itself; dropped, it takes the announcement back.
#[derive(Debug)]
#[must_use = "look at the condition, then wait or drop"]
pub struct Prepared<'a> {
    event: &'a EventCount,
    epoch: u32,
}

impl Prepared<'_> {
    /// Sleeps until notified after `prepare`, or until the `timeout` has passed. May return early: look at the condition again.
    pub fn wait(self, timeout: Option<Duration>) {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut guard = lock(&self.event.sleepers);
        while self.event.epoch.load(Ordering::Acquire) == self.epoch {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                break;
            }
            guard = sleep(&self.event.woken, guard, left);
        }
    }
}

impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        self.event.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    use super::*;

    #[test]
    fn a_wait_ends_with_its_timeout() {
        EventCount::new().prepare().wait(Some(Duration::from_millis(1)));
    }

    #[test]
    fn what_was_notified_before_the_wait_is_not_slept_over() {
        let event = EventCount::new();
        let prepared = event.prepare();
        event.notify_one();
        prepared.wait(None);
    }

    /// Threads hand tokens out and take them; a wake-up that is lost leaves the test hanging.
    #[test]
    fn no_wake_up_is_lost_under_stress() {
        const TOKENS: usize = 20_000;
        const TAKERS: usize = 3;
        let (event, there, taken) = (EventCount::new(), AtomicUsize::new(0), AtomicUsize::new(0));
        let take = || there.fetch_update(Ordering::AcqRel, Ordering::Acquire, |tokens| tokens.checked_sub(1)).is_ok();
        thread::scope(|scope| {
            for taker in 0..TAKERS {
                scope.spawn({
                    let (event, there, taken) = (&event, &there, &taken);
                    move || {
                        while taken.load(Ordering::Acquire) < TOKENS {
                            event.spin(50 * u32::try_from(taker).unwrap(), || there.load(Ordering::Relaxed) > 0);
                            let prepared = event.prepare();
                            if take() {
                                drop(prepared);
                                if there.load(Ordering::Acquire) > 0 {
                                    event.notify_one();
                                }
                                if taken.fetch_add(1, Ordering::AcqRel) + 1 == TOKENS {
                                    event.notify_all();
                                }
                            } else if taken.load(Ordering::Acquire) < TOKENS {
                                prepared.wait(None);
                            }
                        }
                    }
                });
            }
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..TOKENS / 2 {
                        there.fetch_add(1, Ordering::AcqRel);
                        event.notify_one();
                    }
                });
            }
        });
        assert_eq!((there.into_inner(), taken.into_inner()), (0, TOKENS));
    }
}
