//! The thread that looks after a pool: sizes, ages, idle workers, and those that use too much.

use std::io;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use porism_native::event::Descriptor;
use porism_native::process::Cancel;

use super::Pool;
use super::shared::Shared;
use super::worker::Worker;

/// A thread that [tends](Pool::tend) a pool as often as its options say. It ends with the pool, or when this is dropped.
#[derive(Debug)]
pub struct Keeper {
    stop: Arc<Descriptor>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The system refuses a thread or a descriptor.
    pub fn start<W: Worker>(pool: &Pool<W>) -> io::Result<Self> {
        let stop = Arc::new(Descriptor::new()?);
        let (shared, closing) = (Arc::downgrade(&pool.shared), pool.shared.closing.clone());
        let every = pool.shared.options.sample_every;
        let thread = thread::Builder::new().name("porism-keep".to_owned()).spawn({
            let stop = Arc::clone(&stop);
            move || keep(&shared, &closing, &stop, every)
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.set();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn keep<W: Worker>(shared: &Weak<Shared<W>>, closing: &Cancel, stop: &Descriptor, every: Duration) {
    loop {
        let wake_at = Instant::now() + every;
        while Instant::now() < wake_at {
            if closing.sleep(stop, Some(wake_at)).is_err() || closing.is_cancelled() || Instant::now() < wake_at {
                return;
            }
        }
        let Some(shared) = shared.upgrade() else { return };
        shared.tend();
    }
}
