//! How long a request takes to reach a worker and come back, and how many a second pass. Prints quantiles, which a mean would hide.

use std::time::{Duration, Instant};

use porism_engine::queue::{Close, Context, Crew, Key, Options, Queue, Request, Worker};

const REQUESTS: usize = 100_000;

/// Answers with the moment at which it began.
struct Clock;

impl Worker<(), Instant> for Clock {
    fn work(&self, (): (), _: &Context<(), Instant>) -> Instant {
        Instant::now()
    }
}

fn quantiles(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 1000];
    println!("{name}: p50 {:?}, p99 {:?}, p99.9 {:?}", at(500), at(990), at(999));
}

fn rate(name: &str, start: Instant) {
    println!("{name}: {:.0} a second", REQUESTS as f64 / start.elapsed().as_secs_f64());
}

fn main() {
    let queue = Queue::new(Options::default());
    let crew = Crew::start(&queue, Clock, 2).expect("two threads");
    let submit = |request| queue.submit(request).expect("a place");

    let (mut picked_up, mut answered) = (Vec::new(), Vec::new());
    for _ in 0..REQUESTS {
        let start = Instant::now();
        let ticket = submit(Request::new(()));
        // To sleep would measure how fast this thread wakes.
        let began = loop {
            if let Some(outcome) = ticket.result(Some(Duration::ZERO)) {
                break outcome;
            }
            std::hint::spin_loop();
        };
        answered.push(start.elapsed());
        if let porism_engine::queue::Outcome::Answered(began) = began {
            picked_up.push(began.duration_since(start));
        }
    }
    quantiles("from submission until a worker begins", picked_up);
    quantiles("from submission until the answer", answered);

    let start = Instant::now();
    let tickets: Vec<_> = (0..REQUESTS).map(|_| submit(Request::new(()).deadline(Duration::from_secs(60)))).collect();
    rate("submitted with a deadline", start);
    tickets.iter().for_each(|ticket| assert!(ticket.result(None).is_some()));
    rate("answered", start);

    queue.close(Close::Finish);
    crew.join();
    let queue: Queue<(), ()> = Queue::new(Options::default());
    let start = Instant::now();
    for _ in 0..60_000 {
        queue.submit(Request::new(()).key(Key::of([&b"same"[..]]))).expect("a place");
    }
    println!("to join equal work: {:?}", start.elapsed() / 60_000);
}
