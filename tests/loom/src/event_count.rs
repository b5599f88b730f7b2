//! The event count loses no wake-up. A lost one is a deadlock, which loom reports.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use crate::event::EventCount;
use crate::model;

/// The weakest condition that there is: one relaxed flag. Whatever structure holds the condition orders at least as much.
#[test]
fn a_waiter_sees_a_relaxed_flag() {
    model(|| {
        let shared = Arc::new((EventCount::new(), AtomicBool::new(false)));
        let waiter = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (event, flag) = &*shared;
                while !flag.load(Ordering::Relaxed) {
                    let prepared = event.prepare();
                    if !flag.load(Ordering::Relaxed) {
                        prepared.wait(None);
                    }
                }
            })
        };
        let (event, flag) = &*shared;
        flag.store(true, Ordering::Relaxed);
        event.notify_one();
        waiter.join().unwrap();
    });
}

fn take(tokens: &AtomicUsize) -> bool {
    tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| tokens.checked_sub(1)).is_ok()
}

/// Takes one token as a worker takes a request: spin, announce, look, sleep; and pass on what is left.
fn take_one(event: &EventCount, tokens: &AtomicUsize, spin: bool) {
    loop {
        if spin {
            event.spin(1, || tokens.load(Ordering::Relaxed) > 0);
        }
        let prepared = event.prepare();
        if take(tokens) {
            drop(prepared);
            if tokens.load(Ordering::Relaxed) > 0 {
                event.notify_one();
            }
            return;
        }
        prepared.wait(None);
    }
}

fn two_takers_and_two_tokens(spin: bool) {
    model(move || {
        let shared = Arc::new((EventCount::new(), AtomicUsize::new(0)));
        let takers: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || take_one(&shared.0, &shared.1, spin))
            })
            .collect();
        for _ in 0..2 {
            shared.1.fetch_add(1, Ordering::Relaxed);
            shared.0.notify_one();
        }
        takers.into_iter().for_each(|taker| taker.join().unwrap());
    });
}

#[test]
fn two_tokens_wake_two_takers() {
    two_takers_and_two_tokens(false);
}

#[test]
fn a_spinning_taker_passes_on_what_it_leaves() {
    two_takers_and_two_tokens(true);
}

#[test]
fn notify_all_wakes_all() {
    model(|| {
        let shared = Arc::new((EventCount::new(), AtomicBool::new(false)));
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let prepared = shared.0.prepare();
                    if !shared.1.load(Ordering::Relaxed) {
                        prepared.wait(None);
                    }
                })
            })
            .collect();
        shared.1.store(true, Ordering::Relaxed);
        shared.0.notify_all();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}
