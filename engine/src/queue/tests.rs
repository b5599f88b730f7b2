//! What a queue promises to one thread, at times that a test sets.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::*;

#[derive(Debug, Default)]
pub(crate) struct SetClock(AtomicU64);

impl SetClock {
    pub(crate) fn set_ms(&self, ms: u64) {
        self.0.store(ms * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now_ns(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

type Strings = Queue<&'static str, String>;

fn queue(capacity: usize) -> (Strings, Arc<SetClock>) {
    let clock = Arc::new(SetClock::default());
    (Queue::new(Options { capacity, clock: clock.clone(), ..Options::default() }), clock)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn key(text: &str) -> Key {
    Key::of([text.as_bytes()])
}

fn now(ticket: &Ticket<&'static str, String>) -> Option<Outcome<String>> {
    ticket.result(Some(Duration::ZERO))
}

/// Does the next piece of work, and says which it was.
fn work(queue: &Strings) -> Option<&'static str> {
    let mut running = queue.try_take()?;
    let payload = running.payload()?;
    running.finish(payload.to_uppercase());
    Some(payload)
}

/// Makes the queue believe that a piece of work takes that long.
fn teach(queue: &Strings, clock: &SetClock, takes_ms: u64) {
    let ticket = queue.submit(Request::new("lesson")).unwrap();
    let running = queue.try_take().unwrap();
    clock.set_ms(clock.now_ns() / 1_000_000 + takes_ms);
    running.finish(String::new());
    assert!(now(&ticket).is_some());
}

#[expect(clippy::unnecessary_wraps, reason = "compared with what `now` returns")]
fn answered(text: &str) -> Option<Outcome<String>> {
    Some(Outcome::Answered(text.to_owned()))
}

#[test]
fn an_answer_reaches_its_ticket_and_stays() {
    let (queue, _) = queue(1);
    let ticket = queue.submit(Request::new("a")).unwrap();
    assert_eq!(now(&ticket), None);
    assert_eq!(work(&queue), Some("a"));
    assert_eq!((now(&ticket), now(&ticket)), (answered("A"), answered("A")));
    ticket.cancel();
    assert_eq!(now(&ticket), answered("A"));
    assert!(queue.try_take().is_none());
}

#[test]
fn priority_and_deadline_and_age_make_the_order() {
    let (queue, clock) = queue(100);
    let submit = |request: Request<&'static str>| queue.submit(request).unwrap();
    let _tickets = [
        submit(Request::new("no deadline")),
        submit(Request::new("due in 20 s").deadline(ms(20_000))),
        submit(Request::new("due in 5 s").deadline(ms(5_000))),
        submit(Request::new("a level up, due in 14 s").priority(1).deadline(ms(14_000))),
        submit(Request::new("no deadline, a level down").priority(-1)),
    ];
    clock.set_ms(1);
    let _late = [submit(Request::new("later")), submit(Request::new("later and up").priority(1))];
    let order: Vec<_> = std::iter::from_fn(|| work(&queue)).collect();
    assert_eq!(
        order,
        [
            "a level up, due in 14 s",
            "due in 5 s",
            "due in 20 s",
            "later and up",
            "no deadline",
            "later",
            "no deadline, a level down"
        ]
    );
}

#[test]
fn full_is_an_answer_and_the_request_comes_back() {
    let (queue, clock) = queue(2);
    teach(&queue, &clock, 8);
    let tickets = [queue.submit(Request::new("a")).unwrap(), queue.submit(Request::new("b")).unwrap()];
    let refused = queue.submit(Request::new("c")).unwrap_err();
    assert_eq!(refused.why, Refusal::Full { capacity: 2, expected_wait: ms(8) });
    assert_eq!(refused.request.payload, "c");
    tickets[0].cancel();
    assert!(queue.submit(refused.request).is_ok());
    assert_eq!(queue.metrics().counts.refused_full, 1);
}

#[test]
fn a_deadline_that_cannot_be_met_is_refused_at_the_door() {
    let (queue, clock) = queue(100);
    assert!(queue.submit(Request::new("nobody knows yet").deadline(ms(1))).is_ok());
    clock.set_ms(2);
    queue.expire();
    teach(&queue, &clock, 100);
    let _ten: Vec<_> = (0..10).map(|_| queue.submit(Request::new("work").deadline(ms(5_000))).unwrap()).collect();
    let why = queue.submit(Request::new("last").deadline(ms(900)).priority(-1)).unwrap_err().why;
    assert_eq!(why, Refusal::TooLate { expected_wait: ms(1_000), left: ms(900) });
    // It would be the first in turn, so nothing of that is ahead of it.
    assert!(queue.submit(Request::new("first").deadline(ms(900))).is_ok());
    let why = queue.submit(Request::new("too late already").deadline(ms(0))).unwrap_err().why;
    assert!(matches!(why, Refusal::TooLate { .. }));
    assert_eq!(queue.metrics().counts.refused_late, 2);
}

#[test]
fn a_deadline_counts_from_the_submission_whether_it_waits_or_runs() {
    let (queue, clock) = queue(2);
    let waits = queue.submit(Request::new("waits").deadline(ms(10)).priority(-9)).unwrap();
    let runs = queue.submit(Request::new("runs").deadline(ms(20))).unwrap();
    let running = queue.try_take().unwrap();
    let (told, stopped) = mpsc::channel();
    running.context().when_stopped(move || told.send(()).unwrap());
    assert_eq!(running.context().time_left(), Some(ms(20)));
    clock.set_ms(10);
    queue.expire();
    assert_eq!((now(&waits), now(&runs)), (Some(Outcome::TimedOut), None));
    assert!(!running.context().is_stopped());
    clock.set_ms(20);
    queue.expire();
    assert_eq!(now(&runs), Some(Outcome::TimedOut));
    assert!(running.context().is_stopped() && stopped.try_recv().is_ok());
    running.finish("too late".into());
    assert_eq!(now(&runs), Some(Outcome::TimedOut));
    assert!(queue.try_take().is_none());
    assert_eq!(queue.metrics().now.waiting, 0);
}

#[test]
fn late_work_is_not_begun_even_if_nobody_looked_at_the_clock() {
    let (queue, clock) = queue(2);
    let ticket = queue.submit(Request::new("a").deadline(ms(10))).unwrap();
    clock.set_ms(10);
    assert!(queue.try_take().is_none());
    assert_eq!(now(&ticket), Some(Outcome::TimedOut));
}

#[test]
fn equal_requests_share_the_work_and_its_answer() {
    let (queue, _) = queue(1);
    let shared = |payload| queue.submit(Request::new(payload).key(key("k"))).unwrap();
    let first = shared("a");
    let second = shared("never looked at");
    let running = queue.try_take().unwrap();
    let third = shared("nor this");
    running.finish("once".into());
    assert_eq!([now(&first), now(&second), now(&third)], [(); 3].map(|()| answered("once")));
    assert_eq!(queue.metrics().counts.coalesced, 2);
    assert_eq!(queue.metrics().counts.started, 1);
    // It is over: the next one is new work.
    let fourth = shared("b");
    assert_eq!(work(&queue), Some("b"));
    assert_eq!(now(&fourth), answered("B"));
}

#[test]
fn shared_work_stops_when_the_last_one_leaves_and_not_before() {
    let (queue, clock) = queue(4);
    let shared = |deadline| queue.submit(Request::new("a").key(key("k")).deadline(ms(deadline))).unwrap();
    let (first, second, third) = (shared(10), shared(30), shared(20));
    let running = queue.try_take().unwrap();
    assert_eq!(running.context().time_left(), Some(ms(30)));
    clock.set_ms(10);
    queue.expire();
    assert_eq!([now(&first), now(&second), now(&third)], [Some(Outcome::TimedOut), None, None]);
    second.cancel();
    assert_eq!(running.context().time_left(), Some(ms(10)));
    assert!(!running.context().is_stopped());
    third.cancel();
    assert!(running.context().is_stopped());
    // Nobody joins work that is being stopped.
    let fourth = shared(50);
    running.finish("lost".into());
    assert_eq!(now(&fourth), None);
    assert_eq!(work(&queue), Some("a"));
    assert_eq!(now(&fourth), answered("A"));
}

#[test]
fn shared_work_is_as_urgent_as_the_most_urgent_who_waits() {
    let (queue, _) = queue(4);
    let tickets = [
        queue.submit(Request::new("shared").key(key("k")).priority(-5)).unwrap(),
        queue.submit(Request::new("other")).unwrap(),
        queue.submit(Request::new("").key(key("k")).priority(5)).unwrap(),
    ];
    assert_eq!([work(&queue), work(&queue), work(&queue)], [Some("shared"), Some("other"), None]);
    assert!(tickets.iter().all(|ticket| now(ticket).is_some()));
}

#[test]
fn cancelled_work_is_not_begun_and_leaves_nothing_behind() {
    let (queue, _) = queue(10);
    for _ in 0..100_000 {
        let ticket = queue.submit(Request::new("a").key(key("k")).deadline(ms(1_000_000))).unwrap();
        ticket.cancel();
        assert_eq!(now(&ticket), Some(Outcome::Cancelled));
    }
    assert!(queue.shared.sorted.load(Ordering::Relaxed) < 5_000);
    assert!(queue.shared.deadlines.len() < 5_000);
    assert_eq!(queue.shared.in_flight.len(), 0);
    assert_eq!(queue.metrics().now.waiting, 0);
    assert!(queue.try_take().is_none());
}

#[test]
fn a_worker_that_goes_away_crashes_its_request_and_no_other() {
    let (queue, _) = queue(2);
    let tickets = [queue.submit(Request::new("a")).unwrap(), queue.submit(Request::new("b")).unwrap()];
    drop(queue.try_take().unwrap());
    assert!(matches!(now(&tickets[0]), Some(Outcome::Crashed(_))));
    assert_eq!(work(&queue), Some("b"));
    assert_eq!(now(&tickets[1]), answered("B"));
}

#[test]
fn answers_arrive_at_a_port_in_the_order_of_their_completion() {
    let (queue, _) = queue(8);
    let port = Arc::new(Port::new());
    for (token, priority) in [(1, 0), (2, 5), (3, 0)] {
        queue.submit_to(Request::new("a").priority(priority), &port, token, None).unwrap();
    }
    let cancelled = queue.submit_to(Request::new("a"), &port, 4, None).unwrap();
    cancelled.cancel();
    while work(&queue).is_some() {}
    let tokens: Vec<_> = port.take().into_iter().map(|(token, _)| token).collect();
    assert_eq!(tokens, [4, 2, 1, 3]);
}

#[test]
fn a_place_can_be_asked_for() {
    let (queue, _) = queue(1);
    let port = Arc::new(Port::new());
    let _first = queue.submit(Request::new("a")).unwrap();
    queue.ask_for_place(&port, 7);
    assert!(port.take().is_empty());
    assert_eq!(work(&queue), Some("a"));
    assert!(matches!(queue.submit(Request::new("pushes in")).unwrap_err().why, Refusal::Full { .. }));
    let (7, Message::Place(Some(place))) = port.take().remove(0) else { panic!("expected a place") };
    queue.submit_to(Request::new("b"), &port, 8, Some(place)).unwrap();
    assert_eq!(work(&queue), Some("b"));
}

#[test]
fn a_place_for_one_who_has_gone_goes_to_the_next() {
    let (queue, _) = queue(1);
    let _first = queue.submit(Request::new("a")).unwrap();
    let (gone, stays) = (Arc::new(Port::new()), Arc::new(Port::new()));
    queue.ask_for_place(&gone, 1);
    queue.ask_for_place(&stays, 2);
    gone.close();
    assert_eq!(work(&queue), Some("a"));
    assert!(matches!(stays.take().as_slice(), [(2, Message::Place(Some(_)))]));
    assert_eq!(queue.metrics().now.waiting, 0);
}

#[test]
fn put_waits_for_a_place_and_no_longer_than_it_may() {
    let (queue, _) = queue(1);
    let _first = queue.submit(Request::new("a")).unwrap();
    let refused = queue.put(Request::new("b"), Some(ms(5))).unwrap_err();
    assert!(matches!(refused.why, Refusal::Full { .. }));
    assert!(queue.put(Request::new("b").deadline(ms(5)), None).is_err());
    thread::scope(|scope| {
        let put = scope.spawn(|| queue.put(Request::new("c"), None).unwrap());
        while queue.metrics().counts.refused_full < 3 {
            thread::yield_now();
        }
        assert_eq!(work(&queue), Some("a"));
        let ticket = put.join().unwrap();
        assert_eq!(work(&queue), Some("c"));
        assert_eq!(now(&ticket), answered("C"));
    });
    thread::scope(|scope| {
        let _last = queue.submit(Request::new("d")).unwrap();
        let put = scope.spawn(|| queue.put(Request::new("e"), None).unwrap_err().why);
        queue.close(Close::Finish);
        assert_eq!(put.join().unwrap(), Refusal::Closed);
    });
}

#[test]
fn closing_answers_everything() {
    let (queue, _) = queue(8);
    let runs = queue.submit(Request::new("a")).unwrap();
    let running = queue.try_take().unwrap();
    let waits = queue.submit(Request::new("b")).unwrap();
    queue.close(Close::Finish);
    assert_eq!((now(&runs), now(&waits)), (None, None));
    assert_eq!(queue.submit(Request::new("c")).unwrap_err().why, Refusal::Closed);
    queue.close(Close::Abandon);
    assert_eq!((now(&runs), now(&waits)), (Some(Outcome::Closed), Some(Outcome::Closed)));
    assert!(running.context().is_stopped());
    assert!(queue.take().is_none());
    assert!(!queue.health().ok);
}

/// Upper-cases; panics on "panic"; waits to be stopped on "wait".
struct Upper;

impl Worker<&'static str, String> for Upper {
    fn work(&self, payload: &'static str, context: &Context<&'static str, String>) -> String {
        match payload {
            "panic" => panic!("as it was told"),
            "wait" => {
                let stopped = Arc::new((AtomicBool::new(false), thread::current()));
                let other = Arc::clone(&stopped);
                context.when_stopped(move || {
                    other.0.store(true, Ordering::SeqCst);
                    other.1.unpark();
                });
                while !stopped.0.load(Ordering::SeqCst) {
                    thread::park();
                }
                "stopped".to_owned()
            }
            _ => payload.to_uppercase(),
        }
    }
}

#[test]
fn a_crew_works_survives_panics_and_finishes_what_waits() {
    let queue = Strings::new(Options::default());
    let crew = Crew::start(&queue, Upper, 2).unwrap();
    let tickets: Vec<_> = ["a", "panic", "b", "panic", "panic", "c"]
        .into_iter()
        .map(|payload| queue.submit(Request::new(payload)).unwrap())
        .collect();
    queue.close(Close::Finish);
    crew.join();
    let ends: Vec<_> = tickets.iter().map(|ticket| ticket.result(None).unwrap()).collect();
    let crashed = Outcome::Crashed("as it was told".into());
    let answered = |text: &str| Outcome::Answered(text.to_owned());
    let expected = [answered("A"), crashed.clone(), answered("B"), crashed.clone(), crashed, answered("C")];
    assert_eq!(ends, expected);
}

#[test]
fn a_crew_keeps_deadlines_and_is_told_to_stop() {
    let queue = Strings::new(Options::default());
    let crew = Crew::start(&queue, Upper, 1).unwrap();
    let runs = queue.submit(Request::new("wait").deadline(ms(30))).unwrap();
    let waits = queue.submit(Request::new("a").deadline(ms(10)).priority(-9)).unwrap();
    assert_eq!((waits.result(None), runs.result(None)), (Some(Outcome::TimedOut), Some(Outcome::TimedOut)));
    let port = Arc::new(Port::new());
    let abandoned = queue.submit(Request::new("wait")).unwrap();
    queue.tell_when_workers_are_gone(&port, 1);
    queue.close(Close::Abandon);
    assert_eq!(abandoned.result(None), Some(Outcome::Closed));
    crew.join();
    assert!(matches!(port.take().as_slice(), [(1, Message::WorkersGone)]));
}

/// Answers "long" with the number of threads that have ended before it.
#[derive(Default)]
struct Ends {
    ended: AtomicUsize,
    closed: AtomicBool,
}

impl Worker<&'static str, String> for Arc<Ends> {
    fn work(&self, _: &'static str, _: &Context<&'static str, String>) -> String {
        while !self.closed.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        thread::sleep(ms(20));
        self.ended.load(Ordering::SeqCst).to_string()
    }

    fn run_thread(&self, take_and_work: &mut (dyn FnMut() + Send)) {
        take_and_work();
        self.ended.fetch_add(1, Ordering::SeqCst);
    }
}

/// Processes died with an idle thread that had started them, while another thread still worked with them.
#[test]
fn no_thread_of_a_crew_ends_while_another_works() {
    let queue = Strings::new(Options::default());
    let ends = Arc::new(Ends::default());
    let crew = Crew::start(&queue, Arc::clone(&ends), 3).unwrap();
    let long = queue.submit(Request::new("long")).unwrap();
    queue.close(Close::Finish);
    ends.closed.store(true, Ordering::SeqCst);
    crew.join();
    assert_eq!(long.result(None), Some(Outcome::Answered("0".to_owned())));
    assert_eq!(ends.ended.load(Ordering::SeqCst), 3);
}
