//! Requests that are cancelled, late or cut off at every point of their lives, from several threads: one end each, and nothing left.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::*;

/// A small generator of numbers, so that a failure can be run again from its seed (`SplitMix64`, by Steele, Lea and Flood).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// Answers a number with itself, after some delay or other; now and then it breaks, or waits until it is stopped.
struct Echo(AtomicU64);

impl Worker<u64, u64> for Echo {
    fn work(&self, payload: u64, context: &Context<u64, u64>) -> u64 {
        let mut dice = Dice(payload ^ self.0.fetch_add(1, Ordering::Relaxed));
        match dice.roll(12) {
            0 => std::panic::panic_any(()),
            1 => {
                while !context.is_stopped() && context.time_left().is_some() {
                    thread::yield_now();
                }
            }
            2 => thread::sleep(Duration::from_micros(dice.roll(300))),
            _ => {}
        }
        payload
    }
}

fn request(dice: &mut Dice) -> Request<u64> {
    // Few keys, so that work is shared; the key decides the payload, and so the answer.
    let payload = dice.roll(50);
    let mut request = Request::new(payload).priority(i8::try_from(dice.roll(5)).unwrap() - 2);
    if dice.roll(3) > 0 {
        request = request.key(Key::of([&payload.to_le_bytes()[..]]));
    }
    if dice.roll(2) > 0 {
        request = request.deadline(Duration::from_micros(dice.roll(3_000)));
    }
    match dice.roll(3) {
        0 => request,
        tenant => request.tenant(tenant.to_string()),
    }
}

/// Submits, cancels and waits at random; how many outcomes there were.
fn client(queue: &Queue<u64, u64>, seed: u64, requests: u64) -> u64 {
    let mut dice = Dice(seed);
    let port = Arc::new(Port::new());
    let (mut tickets, mut posted, mut outcomes) = (Vec::new(), Vec::new(), 0);
    let check = |asked: u64, outcome: &Outcome<u64>| {
        if let Outcome::Answered(answer) = outcome {
            assert_eq!(*answer, asked, "an answer to somebody else");
        }
    };
    for token in 0..requests {
        let request = request(&mut dice);
        let asked = request.payload;
        match dice.roll(3) {
            0 => {
                if let Ok(ticket) = queue.put(request, Some(Duration::from_micros(dice.roll(500)))) {
                    tickets.push((asked, ticket));
                }
            }
            1 => {
                if let Ok(ticket) = queue.submit(request) {
                    tickets.push((asked, ticket));
                }
            }
            _ => {
                if let Ok(handle) = queue.submit_to(request, &port, token, None) {
                    posted.push((token, asked, handle));
                }
            }
        }
        if dice.roll(3) == 0 && !tickets.is_empty() {
            let at = usize::try_from(dice.roll(tickets.len() as u64)).unwrap();
            tickets[at].1.cancel();
        }
        if dice.roll(3) == 0 && !posted.is_empty() {
            let at = usize::try_from(dice.roll(posted.len() as u64)).unwrap();
            posted[at].2.cancel();
        }
        if dice.roll(10) == 0 {
            for (asked, ticket) in tickets.drain(..) {
                let outcome = ticket.result(None).unwrap();
                check(asked, &outcome);
                ticket.cancel();
                assert_eq!(ticket.result(None), Some(outcome), "a second answer");
                outcomes += 1;
            }
        }
    }
    for (asked, ticket) in &tickets {
        check(*asked, &ticket.result(None).unwrap());
        outcomes += 1;
    }
    let mut arrived = Vec::new();
    while arrived.len() < posted.len() {
        arrived.extend(port.wait(None));
    }
    arrived.sort_by_key(|(token, _)| *token);
    for ((token, asked, _), (found, message)) in posted.iter().zip(&arrived) {
        let Message::Outcome(outcome) = message else { panic!("expected an outcome") };
        assert_eq!(token, found);
        check(*asked, outcome);
        outcomes += 1;
    }
    assert!(port.take().is_empty());
    outcomes
}

fn life(seed: u64) {
    let mut dice = Dice(seed);
    let options = Options { capacity: 1 + usize::try_from(dice.roll(20)).unwrap(), ..Options::default() };
    let queue = Queue::new(options);
    let crew = Crew::start(&queue, Echo(AtomicU64::new(seed)), 2).unwrap();
    let outcomes: u64 = thread::scope(|scope| {
        let queue = &queue;
        let clients: Vec<_> =
            (0..3).map(|client_| scope.spawn(move || client(queue, seed * 3 + client_, 150))).collect();
        thread::sleep(Duration::from_micros(dice.roll(20_000)));
        queue.close(if dice.roll(2) == 0 { Close::Finish } else { Close::Abandon });
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    crew.join();
    let Metrics { now, counts, .. } = queue.metrics();
    assert_eq!(counts.submitted, outcomes);
    let ends = counts.answered + counts.timed_out + counts.cancelled + counts.crashed + counts.closed;
    assert_eq!(ends, outcomes, "{counts:?}");
    assert_eq!((now.waiting, now.running, now.workers), (0, 0, 0));
    assert_eq!(queue.shared.in_flight.len(), 0);
    assert_eq!(queue.shared.deadlines.len(), 0);
}

#[test]
fn every_request_ends_once_and_nothing_is_left() {
    // A panic of a worker is part of the plan: it need not be told.
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<()>().is_none() {
            quiet(info);
        }
    }));
    let rounds = std::env::var("PORISM_QUEUE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(60);
    (0..rounds).for_each(life);
}
