//! Many leases from many threads, with every fault at random: nobody gets a worker of another, none is one too many, none is left.

use std::convert::Infallible;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use super::tests::{StandIn, World, key, sound};
use super::*;
use crate::queue::life_tests::Dice;
use crate::queue::{Close, Context, Crew, Outcome, Queue, Request};

const HEADERS: [&str; 4] = ["a", "b", "c", "d"];

fn pool(workers: usize) -> Pool<StandIn> {
    let mut options = Options::new(NonZero::new(workers).unwrap());
    options.memory_bytes = Some(100_000);
    options.guess_bytes = 100;
    options.patience = Duration::from_micros(200);
    options.sample_every = Duration::from_micros(500);
    options.retry.first = Duration::from_micros(50);
    options.retry.longest = Duration::from_micros(200);
    options.wear.uses = NonZero::new(20);
    options.wear.idle = Some(Duration::from_millis(2));
    Pool::new(options).unwrap()
}

/// One lease with some fault or other; whether a worker was used.
fn once(
    pool: &Pool<StandIn>,
    world: &Arc<World>,
    header: &str,
    dice: &mut Dice,
    cancels: &mpsc::Sender<Cancel>,
) -> bool {
    let cancel = Cancel::new().unwrap();
    if dice.roll(4) == 0 {
        cancels.send(cancel.clone()).unwrap();
    }
    let deadline = (dice.roll(2) == 0).then(|| Instant::now() + Duration::from_micros(dice.roll(2_000)));
    let start_fails = dice.roll(8) == 0;
    let until = Until { deadline, cancel: &cancel };
    let leased =
        pool.lease(&key(header), &until, |_| if start_fails { Err("no licence") } else { Ok(StandIn::start(world)) });
    let lease = match leased {
        Ok(lease) => lease,
        Err(LeaseError::Closed | LeaseError::System(_)) => panic!("it is open, and there are descriptors"),
        Err(_) => return false,
    };
    assert!(!lease.in_use.swap(true, Ordering::SeqCst), "two leases on one worker");
    match dice.roll(10) {
        0 => thread::sleep(Duration::from_micros(dice.roll(500))),
        1 => lease.gone.store(true, Ordering::SeqCst),
        2 => lease.bytes.store(200_000, Ordering::SeqCst),
        _ => thread::yield_now(),
    }
    lease.in_use.store(false, Ordering::SeqCst);
    let condition = match dice.roll(12) {
        0 => return true,
        1 => {
            let panicked = panic::catch_unwind(AssertUnwindSafe(move || {
                let _lease = lease;
                panic::panic_any(());
            }));
            return panicked.is_err();
        }
        2 => Condition::Broken,
        3 => Condition::Suspect,
        _ => Condition::Sound,
    };
    lease.give_back(condition);
    true
}

#[test]
fn nothing_is_lost_shared_or_left() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 400;
    let (pool, world) = (pool(3), Arc::new(World::default()));
    let keeper = Keeper::start(&pool).unwrap();
    let served = HEADERS.map(|_| AtomicUsize::new(0));
    let (cancels, to_cancel) = mpsc::channel::<Cancel>();
    thread::scope(|scope| {
        scope.spawn(move || to_cancel.iter().for_each(|cancel| cancel.cancel()));
        for number in 0..THREADS {
            let (pool, world, served, cancels) = (&pool, &world, &served, cancels.clone());
            scope.spawn(move || {
                let mut dice = Dice(number as u64);
                for _ in 0..ROUNDS {
                    let which = usize::try_from(dice.roll(4)).unwrap();
                    let used = once(pool, world, HEADERS[which], &mut dice, &cancels);
                    served[which].fetch_add(usize::from(used), Ordering::SeqCst);
                }
            });
        }
        drop(cancels);
    });
    let metrics = pool.metrics();
    let served: Vec<_> = served.iter().map(World::read).collect();
    assert!(served.iter().all(|&served| served > 0), "{served:?}");
    assert_eq!((metrics.now.waiting, metrics.now.busy, metrics.now.starting, metrics.now.ending), (0, 0, 0, 0));
    assert_eq!(metrics.counts.leases, served.iter().sum::<usize>() as u64);
    assert!(World::read(&world.most_alive) <= 3);
    drop(keeper);
    drop(pool);
    assert!(world.is_empty(), "{world:?}");
    assert_eq!(metrics.counts.starts, World::read(&world.started) as u64);
}

/// One worker, and a key that four threads want without a pause: whoever wants another one gets it nevertheless.
#[test]
fn no_key_starves() {
    let (pool, world) = (pool(1), Arc::new(World::default()));
    let never = Cancel::new().unwrap();
    let done = Cancel::new().unwrap();
    let lease = |header: &str| {
        let until = Until { deadline: None, cancel: &never };
        pool.lease::<Infallible>(&key(header), &until, |_| Ok(StandIn::start(&world))).unwrap()
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.is_cancelled() {
                    sound(lease("busy"));
                }
            });
        }
        for header in ["a", "b", "c"] {
            (0..5).for_each(|_| assert!(sound(lease(header)).is_none_or(|cause| cause == Cause::Uses)));
        }
        done.cancel();
    });
    assert_eq!(World::read(&world.most_alive), 1);
}

/// Answers `win` at once; anything else works until it is told to stop, and then counts that it was.
struct Racer {
    pool: Pool<StandIn>,
    world: Arc<World>,
    stopped: Arc<AtomicUsize>,
}

impl Driver<StandIn, &'static str, &'static str> for Racer {
    fn check(&self, _: &mut StandIn, job: &'static str, until: &Until<'_>) -> Result<&'static str, Failure> {
        if job == "win" {
            return Ok("proved");
        }
        while !until.cancel.is_cancelled() {
            thread::yield_now();
        }
        self.stopped.fetch_add(1, Ordering::SeqCst);
        Err(Failure::Cancelled)
    }

    fn recover(&self, _: &mut StandIn, _: &Until<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

impl crate::queue::Worker<&'static str, &'static str> for Racer {
    fn work(&self, job: &'static str, context: &Context<&'static str, &'static str>) -> &'static str {
        let cancel = Cancel::new().unwrap();
        let stop = cancel.clone();
        context.when_stopped(move || stop.cancel());
        let until = Until { deadline: None, cancel: &cancel };
        let start = |_: &Until<'_>| Ok::<_, Infallible>(StandIn::start(&self.world));
        let Ok(lease) = self.pool.lease(&key(job), &until, start) else { return "no worker" };
        work(lease, self, job, &until).0.unwrap_or("stopped")
    }
}

/// A race is some tickets of a queue: the first answer wins, and cancelling the other tickets stops their workers through the context.
#[test]
fn the_losers_of_a_race_are_stopped_and_kept() {
    let (pool, world, stopped) = (pool(3), Arc::new(World::default()), Arc::new(AtomicUsize::new(0)));
    let queue = Queue::new(crate::queue::Options::default());
    let racer = Racer { pool: pool.clone(), world: Arc::clone(&world), stopped: Arc::clone(&stopped) };
    let crew = Crew::start(&queue, racer, 3).unwrap();
    let losers = ["lose", "lose too"].map(|job| queue.submit(Request::new(job)).unwrap());
    while pool.metrics().now.busy < 2 {
        thread::yield_now();
    }
    let winner = queue.submit(Request::new("win")).unwrap();
    assert_eq!(winner.result(None), Some(Outcome::Answered("proved")));
    for loser in &losers {
        loser.cancel();
        assert_eq!(loser.result(None), Some(Outcome::Cancelled));
    }
    queue.close(Close::Finish);
    crew.join();
    let metrics = pool.metrics();
    assert_eq!(stopped.load(Ordering::SeqCst), 2);
    assert_eq!((metrics.counts.recoveries, metrics.now.idle, metrics.counts.ended()), (2, 3, 0));
    drop(pool);
    drop(queue);
    assert!(world.is_empty());
}
