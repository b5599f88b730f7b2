//! The index is made anew in the background when enough has been added, from what recalls saw.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::builder;
use super::clock::SystemClock;
use super::error::{MemoryError, Result};
use super::sample::Sample;
use super::view::View;
use super::{Options, lock};
use crate::lsh::Workers;

/// How long to wait before looking whether another process has made its index.
const PATIENCE: Duration = Duration::from_millis(50);

/// Makes indexes, and keeps a sample of the queries that were asked.
#[derive(Debug, Default)]
pub(super) struct Indexer {
    /// Set when an index was made: readers look for it then.
    pub(super) new_index: Arc<AtomicBool>,
    pub(super) sample: Mutex<Sample>,
    cancel: Arc<AtomicBool>,
    busy: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Which memory to index.
#[derive(Debug)]
pub(super) struct Task {
    directory: PathBuf,
    options: Options,
}

impl Task {
    pub(super) fn new(directory: &Path, options: &Options) -> Self {
        let options =
            Options { create: false, embedder: options.embedder.clone(), clock: Box::new(SystemClock), ..*options };
        Self { directory: directory.to_owned(), options }
    }
}

impl Indexer {
    /// Notes a query, and begins to make an index if `view` wants one and this memory can be written to.
    pub(super) fn saw(&self, query: &[f32], view: &View, task: impl FnOnce() -> Task) {
        // The zero vector has no neighbours. Whoever else is noting a query just now has one for both.
        if query.iter().any(|&x| x != 0.0)
            && let Ok(mut sample) = self.sample.try_lock()
        {
            sample.add(query);
        }
        if view.wants_index() && !self.busy.load(Ordering::Relaxed) {
            self.begin(task());
        }
    }

    /// Makes an index now, on `threads` threads; says whether there was anything left to do.
    pub(super) fn build(&self, task: &Task, threads: usize) -> Result<bool> {
        // One that is being made in the background may be all that is wanted. None is begun meanwhile.
        let mut background = lock(&self.thread);
        if let Some(thread) = background.take() {
            let _ = thread.join();
        }
        let workers = Workers { threads, cancel: &self.cancel };
        let queries = lock(&self.sample).queries();
        let made = builder::build(&task.directory, &task.options, &queries, &workers)?;
        self.new_index.store(true, Ordering::Relaxed);
        self.busy.store(false, Ordering::Relaxed);
        Ok(made)
    }

    fn begin(&self, task: Task) {
        let Ok(mut background) = self.thread.try_lock() else {
            return;
        };
        if task.options.read_only || self.busy.swap(true, Ordering::Relaxed) {
            return;
        }
        let queries = lock(&self.sample).queries();
        let (cancel, busy, new_index) = (Arc::clone(&self.cancel), Arc::clone(&self.busy), Arc::clone(&self.new_index));
        let work = move || {
            let workers = Workers { threads: threads_in_background(), cancel: &cancel };
            let mut outcome = builder::build(&task.directory, &task.options, &queries, &workers);
            // Another process is at it. When it is done there may be nothing left to do but to see what it made.
            while matches!(outcome, Err(MemoryError::Locked { .. })) && !cancel.load(Ordering::Relaxed) {
                thread::sleep(PATIENCE);
                outcome = builder::build(&task.directory, &task.options, &queries, &workers);
            }
            // Nobody waits for it, and searches do without: what went wrong is seen when an index is asked for.
            if outcome.is_ok() {
                new_index.store(true, Ordering::Relaxed);
                busy.store(false, Ordering::Relaxed);
            }
        };
        *background = thread::Builder::new().name("porism-index".into()).spawn(work).ok();
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
        if let Some(thread) = lock(&self.thread).take() {
            // A panic there was a failed attempt, no more.
            let _ = thread.join();
        }
    }
}

/// How many threads this machine has.
pub(super) fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Half of them: searches go on meanwhile.
fn threads_in_background() -> usize {
    (threads() / 2).max(1)
}
