//! How many requests may wait, and the line of those who want to be told when one more may.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use porism_native::sync::atomic::{AtomicUsize, Ordering, fence};
use porism_native::sync::{Mutex, lock};

/// Called with a place for the first in line, or with `None` when the queue is closed. Whoever wants it no more hands it back.
pub type Offer = Box<dyn FnOnce(Option<Place>) -> Option<Place> + Send>;

/// The places of one queue. Taking and giving back are lock-free while nobody stands in line.
pub struct Places {
    capacity: usize,
    free: AtomicUsize,
    /// How many stand in line: the length of `line`, to be read without its lock.
    in_line: AtomicUsize,
    /// `None` once closed.
    line: Mutex<Option<VecDeque<Offer>>>,
}

impl fmt::Debug for Places {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Places")
            .field("capacity", &self.capacity)
            .field("taken", &self.taken())
            .finish_non_exhaustive()
    }
}

/// A place that somebody holds; dropped, it is free again.
#[derive(Debug)]
#[must_use = "a place that is dropped is free again"]
pub struct Place(Option<Arc<Places>>);

impl Place {
    /// The place belongs to a request from now on, which gives it back by [`Places::give_back`].
    pub(super) fn occupy(mut self) {
        self.0 = None;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(places) = self.0.take() {
            places.give_back();
        }
    }
}

impl Places {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            free: AtomicUsize::new(capacity),
            in_line: AtomicUsize::new(0),
            line: Mutex::new(Some(VecDeque::new())),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many are taken, more or less: others take and give back meanwhile.
    pub(super) fn taken(&self) -> usize {
        self.capacity - self.free.load(Ordering::Relaxed).min(self.capacity)
    }

    /// A place, if one is free and nobody stands in line for it.
    pub(super) fn try_take(self: &Arc<Self>) -> Option<Place> {
        if self.in_line.load(Ordering::Relaxed) > 0 {
            return None;
        }
        self.take_free()
    }

    fn take_free(self: &Arc<Self>) -> Option<Place> {
        let taken = self.free.fetch_update(Ordering::Acquire, Ordering::Relaxed, |free| free.checked_sub(1));
        taken.is_ok().then(|| Place(Some(Arc::clone(self))))
    }

    /// A request has left its place.
    pub(super) fn give_back(self: &Arc<Self>) {
        self.free.fetch_add(1, Ordering::Release);
        // Either we see whoever steps in line, or it sees the place that is free now.
        fence(Ordering::SeqCst);
        if self.in_line.load(Ordering::Relaxed) > 0 {
            self.serve();
        }
    }

    /// Steps in line.
    pub(super) fn stand_in_line(self: &Arc<Self>, offer: Offer) {
        let mut line = lock(&self.line);
        let Some(open) = line.as_mut() else {
            drop(line);
            offer(None);
            return;
        };
        open.push_back(offer);
        self.in_line.fetch_add(1, Ordering::Relaxed);
        drop(line);
        fence(Ordering::SeqCst);
        self.serve();
    }

    /// Hands free places to those in line, first come, first served.
    fn serve(self: &Arc<Self>) {
        while let Some(mut place) = self.take_free() {
            // A place that is handed back goes to the next one here, and not by a recursion that a long line could make deep.
            loop {
                let Some(next) = self.next_in_line() else {
                    // It must not be dropped here: that would serve again. Give it back, and look once more for a newcomer.
                    place.0 = None;
                    self.free.fetch_add(1, Ordering::Release);
                    fence(Ordering::SeqCst);
                    break;
                };
                match next(Some(place)) {
                    Some(handed_back) => place = handed_back,
                    None => break,
                }
            }
            if self.in_line.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }

    fn next_in_line(&self) -> Option<Offer> {
        let mut line = lock(&self.line);
        let next = line.as_mut()?.pop_front()?;
        self.in_line.fetch_sub(1, Ordering::Relaxed);
        Some(next)
    }

    /// Tells all in line, and whoever comes later, that there will be no place.
    pub(super) fn close(&self) {
        let mut guard = lock(&self.line);
        let line = guard.take();
        self.in_line.store(0, Ordering::Relaxed);
        drop(guard);
        for offer in line.into_iter().flatten() {
            offer(None);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn places(capacity: usize) -> Arc<Places> {
        Arc::new(Places::new(capacity))
    }

    #[test]
    fn no_more_than_there_are() {
        let places = places(2);
        let held = (places.try_take().unwrap(), places.try_take().unwrap());
        assert!(places.try_take().is_none());
        drop(held);
        assert_eq!(places.taken(), 0);
    }

    #[test]
    fn a_free_place_goes_to_the_first_in_line_and_not_to_a_newcomer() {
        let places = places(1);
        let held = places.try_take().unwrap();
        let (send, offered) = mpsc::channel();
        for number in [1, 2] {
            let send = send.clone();
            places.stand_in_line(Box::new(move |place| {
                send.send((number, place)).unwrap();
                None
            }));
        }
        assert!(offered.try_recv().is_err());
        drop(held);
        let (number, place) = offered.try_recv().unwrap();
        assert_eq!(number, 1);
        assert!(places.try_take().is_none());
        drop(place);
        assert_eq!(offered.try_recv().unwrap().0, 2);
    }

    #[test]
    fn a_long_line_of_those_who_went_away_is_skipped() {
        let places = places(1);
        let held = places.try_take().unwrap();
        (0..200_000).for_each(|_| places.stand_in_line(Box::new(|place| place)));
        drop(held);
        assert!(places.try_take().is_some());
    }

    #[test]
    fn closing_tells_the_line() {
        let places = places(0);
        let (send, told) = mpsc::channel();
        for _ in 0..2 {
            let send = send.clone();
            places.stand_in_line(Box::new(move |place| {
                send.send(place.is_none()).unwrap();
                None
            }));
            places.close();
            assert_eq!(told.try_recv(), Ok(true));
        }
    }
}
