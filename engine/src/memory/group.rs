//! Inserts of several threads in one commit.
//!
//! Whoever comes while nobody commits, commits at once. Whoever comes meanwhile leaves what is to be stored, and waits; when the
//! commit is done, one of those who wait commits for all of them, so that they share the costs of one, such as a sync. If that
//! fails, nothing of it has happened, and each of them tries alone: an error is told to the one whom it concerns.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::error::Result;
use super::lock;
use super::record::{Inserted, NewRecord};

/// More records than that are no matter of microseconds: they are committed alone.
const FEW: usize = 16;

/// What the threads of one memory share.
#[derive(Debug, Default)]
pub(super) struct Group {
    line: Mutex<Line>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Line {
    /// Whether somebody commits.
    busy: bool,
    waiting: Vec<Arc<Request>>,
}

/// What one thread wants stored.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) records: Vec<NewRecord>,
    /// Their vectors, one behind the other.
    pub(super) vectors: Vec<f32>,
    answer: Mutex<Answer>,
}

#[derive(Debug, Default)]
enum Answer {
    #[default]
    Outstanding,
    Stored(Vec<Inserted>),
    /// It was not stored with others: store it alone.
    Alone,
}

impl Group {
    /// Stores `records` with their `vectors` through `alone`, or with those of other threads through `together`.
    pub(super) fn store(
        &self,
        records: &[NewRecord],
        vectors: &[f32],
        alone: impl Fn() -> Result<Vec<Inserted>>,
        together: impl Fn(&[Arc<Request>]) -> Result<Vec<Vec<Inserted>>>,
    ) -> Result<Vec<Inserted>> {
        if records.len() > FEW {
            return alone();
        }
        let mut line = lock(&self.line);
        if !line.busy && line.waiting.is_empty() {
            let _turn = Turn::take(self, line);
            return alone();
        }
        let own = Arc::new(Request { records: records.to_vec(), vectors: vectors.to_vec(), answer: Mutex::default() });
        line.waiting.push(Arc::clone(&own));
        loop {
            let answer = mem::take(&mut *lock(&own.answer));
            match answer {
                Answer::Stored(inserted) => return Ok(inserted),
                Answer::Alone => {
                    drop(line);
                    return alone();
                }
                Answer::Outstanding => {}
            }
            if line.busy {
                line = self.moved.wait(line).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let turn = Turn::take(self, line);
            if turn.requests.len() == 1 {
                return alone();
            }
            if let Ok(stored) = together(&turn.requests) {
                for (request, inserted) in turn.requests.iter().zip(stored) {
                    *lock(&request.answer) = Answer::Stored(inserted);
                }
            }
            drop(turn);
            line = lock(&self.line);
        }
    }
}

/// The right to commit, for oneself and for those who wait. However it ends, nobody waits for ever.
struct Turn<'a> {
    group: &'a Group,
    requests: Vec<Arc<Request>>,
}

impl<'a> Turn<'a> {
    fn take(group: &'a Group, mut line: MutexGuard<'_, Line>) -> Self {
        line.busy = true;
        Self { group, requests: mem::take(&mut line.waiting) }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        for request in &self.requests {
            let mut answer = lock(&request.answer);
            if matches!(*answer, Answer::Outstanding) {
                *answer = Answer::Alone;
            }
        }
        lock(&self.group.line).busy = false;
        self.group.moved.notify_all();
    }
}
