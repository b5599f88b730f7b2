//! Where answers arrive for one who waits for many: an event loop, or a thread.

use std::io;
use std::mem;
use std::time::Duration;

use porism_native::event::Descriptor;
use porism_native::sync::{Condvar, Mutex, lock, sleep};

use super::outcome::Outcome;
use super::places::Place;

/// What arrives, besides the token that says for what.
#[derive(Debug)]
pub enum Message<A> {
    /// A request ended.
    Outcome(Outcome<A>),
    /// A place in the queue is free and kept for the one who asked; `None`: the queue was closed.
    Place(Option<Place>),
    /// The last worker of a closed queue is gone.
    WorkersGone,
}

/// Each with the token that says for what.
type Messages<A> = Vec<(u64, Message<A>)>;

/// A list of messages. The first one that is put into an empty list wakes the reader; the others come along.
#[derive(Debug)]
pub struct Port<A> {
    /// `None` once closed.
    messages: Mutex<Option<Messages<A>>>,
    /// For a thread that waits.
    arrived: Condvar,
    /// For an event loop that waits.
    descriptor: Option<Descriptor>,
}

impl<A> Port<A> {
    /// A port that a thread waits on.
    pub fn new() -> Self {
        Self { messages: Mutex::new(Some(Vec::new())), arrived: Condvar::new(), descriptor: None }
    }

    /// A port whose [`descriptor`](Self::descriptor) is readable while there are messages.
    ///
    /// # Errors
    ///
    /// No descriptor is left.
    pub fn with_descriptor() -> io::Result<Self> {
        Ok(Self { descriptor: Some(Descriptor::new()?), ..Self::new() })
    }

    /// What an event loop watches.
    pub fn descriptor(&self) -> Option<&Descriptor> {
        self.descriptor.as_ref()
    }

    /// Takes all messages, in the order of their arrival. Does not wait.
    pub fn take(&self) -> Messages<A> {
        // Cleared first: what arrives from here on finds an empty list sooner or later, and sets it again.
        if let Some(descriptor) = &self.descriptor {
            descriptor.clear();
        }
        lock(&self.messages).as_mut().map(mem::take).unwrap_or_default()
    }

    /// Takes all messages; waits for the first one, at most for `timeout`. May return early and empty.
    pub fn wait(&self, timeout: Option<Duration>) -> Messages<A> {
        let mut messages = lock(&self.messages);
        if messages.as_ref().is_some_and(Vec::is_empty) {
            messages = sleep(&self.arrived, messages, timeout);
        }
        messages.as_mut().map(mem::take).unwrap_or_default()
    }

    /// Puts a message in; hands it back when nobody will read it.
    pub(super) fn post(&self, token: u64, message: Message<A>) -> Option<Message<A>> {
        let mut guard = lock(&self.messages);
        let Some(messages) = guard.as_mut() else { return Some(message) };
        messages.push((token, message));
        let first = messages.len() == 1;
        drop(guard);
        if first {
            match &self.descriptor {
                Some(descriptor) => descriptor.set(),
                None => self.arrived.notify_all(),
            }
        }
        None
    }

    /// Nobody reads it any more: what is in it, and what comes later, is dropped, and a place goes to the next in line.
    pub fn close(&self) {
        let messages = lock(&self.messages).take();
        drop(messages);
    }
}

impl<A> Default for Port<A> {
    fn default() -> Self {
        Self::new()
    }
}
