//! A ticket: whoever ends it first, worker, deadline or caller, there is one answer, and whoever sleeps on it wakes.

use std::sync::Arc as Shared;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::job::{Job, Left, NEVER, To};
use super::outcome::Outcome;
use super::port::{Message, Port};
use crate::model;

type Work = Job<(), u8, ()>;

/// Counts the endings; the payload comes back at most once.
fn ends(left: &Left<()>) -> usize {
    usize::from(matches!(left, Left::LastOfWaiting(()) | Left::LastOfRunning(_)))
}

#[test]
fn worker_deadline_and_caller_race_for_one_answer() {
    model(|| {
        let job: Arc<(Work, AtomicUsize)> = Arc::new((Job::new((), (), 5, To::Here(None)), AtomicUsize::new(0)));
        let racers: Vec<_> = [0, 1]
            .map(|racer| {
                let job = Arc::clone(&job);
                thread::spawn(move || {
                    let left = if racer == 0 {
                        job.0.expire(5, |_| ())
                    } else {
                        match job.0.start() {
                            Some(()) => job.0.finish(&Outcome::Answered(1), |_| ()),
                            None => Left::Somebody,
                        }
                    };
                    job.1.fetch_add(ends(&left), Ordering::Relaxed);
                })
            })
            .into();
        job.1.fetch_add(ends(&job.0.leave(0, |_| ())), Ordering::Relaxed);
        let first = job.0.result(0, None).unwrap();
        racers.into_iter().for_each(|racer| racer.join().unwrap());
        assert_eq!(job.0.result(0, None), Some(first));
        assert_eq!(job.1.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_sleeper_wakes_whoever_ends_it() {
    model(|| {
        let job: Arc<Work> = Arc::new(Job::new((), (), NEVER, To::Here(None)));
        let sleeper = {
            let job = Arc::clone(&job);
            thread::spawn(move || job.result(0, None).unwrap())
        };
        let canceller = {
            let job = Arc::clone(&job);
            thread::spawn(move || drop(job.leave(0, |_| ())))
        };
        if job.start().is_some() {
            let _ = job.finish(&Outcome::Answered(1), |_| ());
        }
        assert!(matches!(sleeper.join().unwrap(), Outcome::Answered(1) | Outcome::Cancelled));
        canceller.join().unwrap();
    });
}

#[test]
fn one_who_joins_is_answered_or_turned_away() {
    model(|| {
        let job: Arc<Work> = Arc::new(Job::new((), (), NEVER, To::Here(None)));
        let worker = {
            let job = Arc::clone(&job);
            thread::spawn(move || {
                if job.start().is_some() {
                    let _ = job.finish(&Outcome::Answered(1), |_| ());
                }
            })
        };
        let leaver = {
            let job = Arc::clone(&job);
            thread::spawn(move || drop(job.leave(0, |_| ())))
        };
        if let Ok((number, _)) = job.join(NEVER, To::Here(None)) {
            assert_eq!(job.result(number, None), Some(Outcome::Answered(1)));
        }
        worker.join().unwrap();
        leaver.join().unwrap();
    });
}

/// Three posts, one loop: it reads only when the descriptor says so, and gets all of them.
#[test]
fn a_port_never_leaves_its_loop_asleep_over_a_message() {
    model(|| {
        let port: Shared<Port<u8>> = Shared::new(Port::with_descriptor().unwrap());
        let posters: Vec<_> = [1, 2]
            .map(|token| {
                let port = Shared::clone(&port);
                thread::spawn(move || drop(port.post(token, Message::WorkersGone)))
            })
            .into();
        let mut tokens = Vec::new();
        while tokens.len() < 2 {
            port.descriptor().unwrap().wait();
            tokens.extend(port.take().into_iter().map(|(token, _)| token));
        }
        tokens.sort_unstable();
        assert_eq!(tokens, [1, 2]);
        posters.into_iter().for_each(|poster| poster.join().unwrap());
    });
}
