//! What becomes of a worker after each way in which a check can go.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::tests::{Scene, StandIn, World, key};
use super::*;

type Recover = dyn Fn(&Until<'_>) -> Result<(), Failure>;
type Check = dyn Fn(&mut StandIn, &Until<'_>) -> Result<u8, Failure>;

/// Does what the test says, and counts how often it was asked to recover.
struct Scripted {
    check: Box<Check>,
    recover: Box<Recover>,
    recoveries: AtomicUsize,
}

impl Scripted {
    fn new(
        check: impl Fn(&mut StandIn, &Until<'_>) -> Result<u8, Failure> + 'static,
        recover: impl Fn(&Until<'_>) -> Result<(), Failure> + 'static,
    ) -> Self {
        Self { check: Box::new(check), recover: Box::new(recover), recoveries: AtomicUsize::new(0) }
    }
}

impl Driver<StandIn, (), u8> for Scripted {
    fn check(&self, worker: &mut StandIn, (): (), until: &Until<'_>) -> Result<u8, Failure> {
        (self.check)(worker, until)
    }

    fn recover(&self, _: &mut StandIn, until: &Until<'_>) -> Result<(), Failure> {
        self.recoveries.fetch_add(1, Ordering::SeqCst);
        (self.recover)(until)
    }
}

#[test]
fn one_rule_says_what_becomes_of_a_worker() {
    let well: fn(&Until<'_>) -> Result<(), Failure> = |_| Ok(());
    let unwell: fn(&Until<'_>) -> Result<(), Failure> = |_| Err(Failure::OutOfMemory);
    let broken = || Failure::Protocol("expected a number, found `!`".to_owned());
    let other = || Failure::Other("the driver failed".to_owned());
    let ended = || Failure::Ended("killed".to_owned());
    for (answer, recover, fate, interrupts) in [
        (Ok(7), unwell, Fate::Kept, 0),
        (Err(Failure::TimedOut), well, Fate::Recovered, 1),
        (Err(Failure::TimedOut), unwell, Fate::Ended(Cause::Unrecovered), 1),
        (Err(Failure::Cancelled), well, Fate::Recovered, 1),
        (Err(Failure::Cancelled), unwell, Fate::Ended(Cause::Unrecovered), 1),
        (Err(Failure::OutOfMemory), well, Fate::Ended(Cause::OutOfMemory), 0),
        (Err(broken()), well, Fate::Ended(Cause::Broken), 0),
        (Err(other()), well, Fate::Ended(Cause::Broken), 0),
        (Err(ended()), well, Fate::Ended(Cause::Gone), 0),
    ] {
        let scene = Scene::new(1, |_| {});
        let told = answer.clone();
        let driver = Scripted::new(move |_, _| told.clone(), recover);
        assert_eq!(work(scene.lease("a"), &driver, (), &scene.forever()), (answer, fate));
        assert_eq!(World::read(&scene.world.interrupts), interrupts);
        assert_eq!(driver.recoveries.load(Ordering::SeqCst), interrupts, "recovered without an interrupt");
        let metrics = scene.pool.metrics();
        let kills_avoided = u64::from(fate == Fate::Recovered);
        assert_eq!((metrics.counts.interrupts, metrics.counts.recoveries), (interrupts as u64, kills_avoided));
        assert_eq!(metrics.now.idle, usize::from(!matches!(fate, Fate::Ended(_))));
        assert_eq!(metrics.counts.ended(), u64::from(matches!(fate, Fate::Ended(_))));
    }
}

#[test]
fn a_recovery_has_the_grace_and_its_own_token() {
    let scene = Scene::new(1, |options| options.grace = Duration::from_millis(5));
    let cancel = Cancel::new().unwrap();
    let stop = cancel.clone();
    let driver = Scripted::new(
        move |_, _| {
            stop.cancel();
            Err(Failure::Cancelled)
        },
        |until| {
            assert!(!until.cancel.is_cancelled());
            while Instant::now() < until.deadline.unwrap() {}
            Err(Failure::TimedOut)
        },
    );
    let until = Until { deadline: None, cancel: &cancel };
    let lease = scene.lease("a");
    let (answer, used) = ask(lease, &driver, (), &until);
    assert_eq!(answer, Err(Failure::Cancelled), "the answer is there before the recovery");
    assert!(scene.must_wait("a"), "and the place is taken until after it");
    assert_eq!(settle(used, &driver), Fate::Ended(Cause::Unrecovered));
    assert!(scene.world.is_empty());
}

#[test]
fn canaries_look_after_so_many_uses() {
    let scene = Scene::new(1, |options| options.canary_every = NonZero::new(2));
    let driver = Scripted::new(|_, _| Ok(1), |_| Ok(()));
    let ill = Scripted::new(|_, _| Ok(1), |_| Err(Failure::OutOfMemory));
    let mut fates = Vec::new();
    for driver in [&driver, &driver, &ill, &ill] {
        fates.push(work(scene.lease("a"), driver, (), &scene.forever()).1);
    }
    assert_eq!(fates, [Fate::Kept, Fate::Kept, Fate::Kept, Fate::Ended(Cause::Canary)]);
    assert_eq!(driver.recoveries.load(Ordering::SeqCst), 1);
    assert_eq!(World::read(&scene.world.interrupts), 0);
    assert_eq!(scene.pool.metrics().counts.canaries, 2);
}

#[test]
fn who_comes_too_late_does_not_disturb_the_worker() {
    let scene = Scene::new(1, |_| {});
    let driver = Scripted::new(|_, _| panic!("it should not be asked"), |_| panic!("nor interrupted"));
    let past = Until { deadline: Some(Instant::now()), cancel: &scene.never };
    assert_eq!(work(scene.lease("a"), &driver, (), &past), (Err(Failure::TimedOut), Fate::Kept));
    let lease = scene.lease("a");
    assert_eq!(lease.uses(), 0);
    let cancel = Cancel::new().unwrap();
    cancel.cancel();
    let until = Until { deadline: None, cancel: &cancel };
    assert_eq!(work(lease, &driver, (), &until), (Err(Failure::Cancelled), Fate::Kept));
}

#[test]
fn a_monster_is_out_of_memory_and_a_fast_answer_counts() {
    for answer in [Err(Failure::Cancelled), Ok(3)] {
        let scene = Scene::new(1, |options| options.memory_bytes = Some(1000));
        let cancel = Cancel::new().unwrap();
        let until = Until { deadline: None, cancel: &cancel };
        let (pool, told) = (scene.pool.clone(), answer.clone());
        let driver = Scripted::new(
            move |worker, until| {
                worker.bytes.store(5000, Ordering::SeqCst);
                pool.tend();
                assert!(until.cancel.is_cancelled());
                told.clone()
            },
            |_| panic!("a monster is not recovered"),
        );
        let lease = scene.pool.lease::<&str>(&key("a"), &until, |_| Ok(StandIn::start(&scene.world))).unwrap();
        let expected = answer.map_err(|_| Failure::OutOfMemory);
        assert_eq!(work(lease, &driver, (), &until), (expected, Fate::Ended(Cause::Monster)));
    }
}

#[test]
fn a_driver_that_panics_ends_its_worker() {
    let scene = Scene::new(1, |_| {});
    let driver = Scripted::new(|_, _| panic!("in a driver"), |_| Ok(()));
    let lease = scene.lease("a");
    assert!(catch_unwind(AssertUnwindSafe(|| work(lease, &driver, (), &scene.forever()))).is_err());
    assert!(scene.world.is_empty());
    assert_eq!(scene.pool.metrics().counts.ended_dropped, 1);
}
