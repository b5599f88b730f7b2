//! Stands in for the kernel's descriptor: readable from `set` to `clear`, and a loop can sleep until it is.

use std::io;

use loom::sync::{Condvar, Mutex};

#[derive(Debug)]
pub struct Descriptor {
    readable: Mutex<bool>,
    changed: Condvar,
}

impl Descriptor {
    pub fn new() -> io::Result<Self> {
        Ok(Self { readable: Mutex::new(false), changed: Condvar::new() })
    }

    pub fn set(&self) {
        *self.readable.lock().unwrap() = true;
        self.changed.notify_all();
    }

    pub fn clear(&self) {
        *self.readable.lock().unwrap() = false;
    }

    /// What an event loop does.
    pub fn wait(&self) {
        let mut readable = self.readable.lock().unwrap();
        while !*readable {
            readable = self.changed.wait(readable).unwrap();
        }
    }
}
