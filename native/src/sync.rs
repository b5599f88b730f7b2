//! Atomics and locks: the standard library's, or those of loom in a model (`tests/loom`).
//!
//! What takes its primitives from here can be run by loom under every interleaving that the memory model allows.

use std::sync::PoisonError;
use std::time::Duration;

#[cfg(loom)]
pub use loom::{
    hint,
    sync::{Condvar, Mutex, MutexGuard, atomic},
};
#[cfg(not(loom))]
pub use std::{
    hint,
    sync::{Condvar, Mutex, MutexGuard, atomic},
};

/// Takes a lock. That another thread has panicked while it held the lock is for that thread to answer for: what is guarded this
/// way is whole between any two statements.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sleeps until `condvar` is notified or, if there is a `timeout`, until it has passed. May wake for nothing.
///
/// loom knows no time: in a model a timeout never passes.
pub fn sleep<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>, timeout: Option<Duration>) -> MutexGuard<'a, T> {
    match timeout {
        #[cfg(not(loom))]
        Some(timeout) => condvar.wait_timeout(guard, timeout).unwrap_or_else(PoisonError::into_inner).0,
        _ => condvar.wait(guard).unwrap_or_else(PoisonError::into_inner),
    }
}
