//! Places: no more are held than there are, and nobody stands in line while one is free.

use std::sync::Arc as Shared;

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use super::places::{Place, Places};
use crate::model;

fn wait_in_line(places: &Shared<Places>) -> Place {
    let slot = Arc::new((Mutex::new(None), Condvar::new()));
    let offered = Arc::clone(&slot);
    places.stand_in_line(Box::new(move |place| {
        *offered.0.lock().unwrap() = place;
        offered.1.notify_one();
        None
    }));
    let mut place = slot.0.lock().unwrap();
    loop {
        match place.take() {
            Some(place) => return place,
            None => place = slot.1.wait(place).unwrap(),
        }
    }
}

/// A place that is given back while somebody steps in line reaches him. A lost one is a deadlock, which loom reports.
#[test]
fn one_in_line_gets_what_is_given_back() {
    model(|| {
        let places = Shared::new(Places::new(1));
        let held = places.try_take().unwrap();
        let waiter = {
            let places = Shared::clone(&places);
            thread::spawn(move || drop(wait_in_line(&places)))
        };
        drop(held);
        waiter.join().unwrap();
        assert_eq!(places.taken(), 0);
    });
}

#[test]
fn two_in_line_and_one_place() {
    model(|| {
        let places = Shared::new(Places::new(1));
        let held = places.try_take().unwrap();
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let places = Shared::clone(&places);
                thread::spawn(move || drop(wait_in_line(&places)))
            })
            .collect();
        drop(held);
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        assert_eq!(places.taken(), 0);
    });
}
