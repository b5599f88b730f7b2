//! Who gets which worker, at times that a test sets.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::thread;

use super::state::Grant;
use super::tests::{Scene, StandIn, World, key, sound};
use super::*;

#[test]
fn a_worker_is_used_again_by_its_key_alone() {
    let scene = Scene::new(2, |_| {});
    let first = scene.lease("a").number;
    let lease = scene.lease("a");
    assert_ne!(lease.number, first, "a lease that is dropped ends its worker");
    let kept = lease.number;
    assert_eq!(sound(lease), None);
    let again = scene.lease("a");
    assert_eq!((again.number, again.uses()), (kept, 1));
    let other = scene.lease("b");
    assert_ne!(other.number, kept);
    assert!(scene.must_wait("a"));
    let counts = scene.pool.metrics().counts;
    assert_eq!((counts.leases, counts.reuses, counts.starts, counts.given_up), (4, 1, 3, 1));
}

#[test]
fn the_least_recently_used_of_other_keys_makes_room() {
    let scene = Scene::new(2, |_| {});
    let (a, b) = (scene.lease("a"), scene.lease("b"));
    let number = a.number;
    sound(b);
    sound(a);
    sound(scene.lease("c"));
    assert_eq!(World::read(&scene.world.most_alive), 2);
    assert_eq!(scene.lease("a").number, number, "b had waited longer");
    assert_eq!(scene.pool.metrics().counts.ended_evicted, 1);
}

#[test]
fn suspect_broken_and_gone_workers_are_not_used_again() {
    let scene = Scene::new(1, |_| {});
    assert_eq!(scene.lease("a").give_back(Condition::Suspect), Some(Cause::Unrecovered));
    assert_eq!(scene.lease("a").give_back(Condition::Broken), Some(Cause::Broken));
    let lease = scene.lease("a");
    lease.gone.store(true, Ordering::SeqCst);
    sound(lease);
    let lease = scene.lease("a");
    assert_eq!(lease.number, 3);
    lease.gone.store(true, Ordering::SeqCst);
    sound(lease);
    scene.pool.tend();
    assert!(scene.world.is_empty());
    assert_eq!(scene.pool.metrics().counts.ended_gone, 2);
}

#[test]
fn worn_workers_are_ended() {
    let scene = Scene::new(1, |options| {
        options.wear = Wear {
            uses: NonZero::new(2),
            age: Some(Duration::from_secs(10)),
            growth_bytes: Some(1000),
            idle: Some(Duration::from_secs(5)),
        };
    });
    assert_eq!(sound(scene.lease("a")), None);
    assert_eq!(sound(scene.lease("a")), Some(Cause::Uses));
    let lease = scene.lease("a");
    lease.bytes.store(1101, Ordering::SeqCst);
    assert_eq!(sound(lease), Some(Cause::Growth));
    let lease = scene.lease("a");
    scene.clock.set_ms(10_000);
    assert_eq!(sound(lease), Some(Cause::Age));
    assert_eq!(sound(scene.lease("a")), None);
    scene.clock.set_ms(14_999);
    scene.pool.tend();
    assert_eq!(scene.pool.metrics().now.idle, 1);
    scene.clock.set_ms(15_000);
    scene.pool.tend();
    assert_eq!(scene.pool.metrics().counts.ended_idle, 1);
    assert!(scene.world.is_empty());
}

#[test]
fn failing_starts_are_tried_again_later_and_then_refused() {
    let scene = Scene::new(2, |options| options.retry.refuse_after = 2);
    assert!(matches!(scene.fail_to_start("a"), Err(LeaseError::Start("no licence"))));
    assert!(scene.must_wait("a"));
    sound(scene.lease("b"));
    scene.clock.set_ms(100);
    assert!(matches!(scene.fail_to_start("a"), Err(LeaseError::Start(_))));
    let Err(LeaseError::BackingOff { retry_after, reason }) = scene.try_lease("a") else { panic!("it should refuse") };
    assert_eq!((retry_after, &*reason), (Duration::from_millis(200), "no licence"));
    let health = scene.pool.health();
    assert!(!health.ok && health.problems[0].contains("2 times in a row: no licence"), "{health:?}");
    scene.clock.set_ms(300);
    sound(scene.lease("a"));
    assert!(scene.pool.health().ok);
    assert_eq!(scene.pool.metrics().counts.failed_starts, 2);
}

#[test]
fn a_start_that_panics_leaves_no_trace() {
    let scene = Scene::new(1, |_| {});
    let start = |_: &Until<'_>| -> Result<StandIn, &str> { panic!("in a start") };
    let panicked =
        catch_unwind(AssertUnwindSafe(|| scene.pool.lease(&key("a"), &scene.forever(), start).map(drop).is_ok()));
    assert!(panicked.is_err());
    sound(scene.lease("a"));
}

#[test]
fn a_start_goes_on_although_nobody_waits_for_it() {
    let scene = Scene::new(1, |_| {});
    let cancel = Cancel::new().unwrap();
    let leased = scene.pool.lease::<&str>(&key("a"), &Until { deadline: None, cancel: &cancel }, |until| {
        cancel.cancel();
        assert!(!until.cancel.is_cancelled());
        Ok(StandIn::start(&scene.world))
    });
    assert!(matches!(leased, Err(LeaseError::Cancelled)));
    let lease = scene.lease("a");
    assert_eq!((lease.number, lease.uses()), (0, 0));
}

#[test]
fn memory_is_kept_by_what_was_learned_and_idle_workers_make_room() {
    let scene = Scene::new(9, |options| options.memory_bytes = Some(1000));
    let lease = scene.lease("large");
    lease.bytes.store(600, Ordering::SeqCst);
    sound(lease);
    let first = scene.lease("large");
    assert!(scene.must_wait("large"), "600 more are not there");
    let small = scene.pool.lease::<&str>(&WorkerKey::new("other prover", "1", b""), &scene.forever(), |_| {
        Ok(StandIn::start(&scene.world))
    });
    assert_eq!(scene.pool.metrics().now.reserved_bytes, 700);
    sound(small.unwrap());
    sound(first);
    let large = scene.lease("another large");
    let now = scene.pool.metrics().now;
    assert_eq!((now.idle, now.busy), (1, 1), "the large one went, the small one stayed: {now:?}");
    drop(large);
}

#[test]
fn a_monster_is_stopped_and_no_neighbour() {
    let scene = Scene::new(9, |options| options.memory_bytes = Some(1000));
    sound(scene.lease("idle neighbour"));
    let neighbour = scene.lease("a");
    let cancel = Cancel::new().unwrap();
    let monster = scene
        .pool
        .lease::<&str>(&key("b"), &Until { deadline: None, cancel: &cancel }, |_| Ok(StandIn::start(&scene.world)))
        .unwrap();
    monster.bytes.store(5000, Ordering::SeqCst);
    scene.pool.tend();
    assert!(cancel.is_cancelled() && monster.is_condemned());
    assert!(!scene.never.is_cancelled() && !neighbour.is_condemned());
    assert_eq!(sound(monster), Some(Cause::Monster));
    assert_eq!(sound(neighbour), None);
    assert_eq!(scene.pool.metrics().now.idle, 2);
    assert_eq!(scene.pool.metrics().counts.ended_monster, 1);
    sound(scene.lease("b"));
}

#[test]
fn a_give_back_wakes_exactly_one() {
    let scene = Scene::new(1, |_| {});
    let lease = scene.lease("a");
    let numbers: Vec<u64> = {
        let mut state = lock(&scene.pool.shared.state);
        ["b", "a", "a"].map(|header| state.arrive(&key(header), &scene.never, 0)).to_vec()
    };
    sound(lease);
    let mut state = lock(&scene.pool.shared.state);
    assert_eq!(state.dispatch(0), 0, "nothing is left to give");
    let Some(Grant::Warm(kept)) = state.take_grant(numbers[1]) else { panic!("the first who wants an `a` gets it") };
    assert!(state.take_grant(numbers[0]).is_none() && state.take_grant(numbers[2]).is_none());
    drop(state);
    scene.pool.shared.end(kept, Cause::Dropped);
    let mut state = lock(&scene.pool.shared.state);
    let Some(Grant::Start { .. }) = state.take_grant(numbers[0]) else { panic!("the first in line starts one") };
    assert!(state.take_grant(numbers[2]).is_none());
}

#[test]
fn who_has_lost_patience_comes_first() {
    let scene = Scene::new(1, |options| options.patience = Duration::from_secs(1));
    let lease = scene.lease("a");
    let (b, a) = {
        let mut state = lock(&scene.pool.shared.state);
        (state.arrive(&key("b"), &scene.never, 0), state.arrive(&key("a"), &scene.never, 0))
    };
    scene.clock.set_ms(1000);
    sound(lease);
    let mut state = lock(&scene.pool.shared.state);
    let Some(Grant::Start { evicted, .. }) = state.take_grant(b) else { panic!("`b` was first and has waited") };
    assert_eq!(evicted.len(), 1);
    assert!(state.take_grant(a).is_none());
    drop(state);
    evicted.into_iter().for_each(|kept| kept.worker.end());
}

#[test]
fn what_the_impatient_lack_is_kept_for_them() {
    let scene = Scene::new(9, |options| {
        options.patience = Duration::from_secs(1);
        options.memory_bytes = Some(1000);
    });
    let lease = scene.lease("large");
    lease.bytes.store(1000, Ordering::SeqCst);
    sound(lease);
    let (one, two) = (scene.pool.clone(), scene.pool.clone());
    let small = |pool: &Pool<StandIn>| {
        let small = WorkerKey::new("small", "1", b"");
        pool.lease::<&str>(&small, &scene.forever(), |_| Ok(StandIn::start(&scene.world))).unwrap()
    };
    let (one, two) = (small(&one), small(&two));
    let mut state = lock(&scene.pool.shared.state);
    let large = state.arrive(&key("large"), &scene.never, 0);
    let next = state.arrive(&WorkerKey::new("small", "1", b""), &scene.never, 0);
    drop(state);
    scene.clock.set_ms(1000);
    sound(one);
    assert!(lock(&scene.pool.shared.state).take_grant(next).is_none(), "it would pass the large one");
    sound(two);
    let Some(Grant::Start { evicted, place }) = lock(&scene.pool.shared.state).take_grant(large) else {
        panic!("there is room now")
    };
    assert_eq!(evicted.len(), 2);
    assert!(lock(&scene.pool.shared.state).take_grant(next).is_none());
    lock(&scene.pool.shared.state).leave(next);
    evicted.into_iter().for_each(|kept| kept.worker.end());
    drop(shared::Taken::new(&scene.pool.shared, place));
}

/// Until so many wait in line.
fn line_of(scene: &Scene, waiting: usize) {
    while scene.pool.metrics().now.waiting != waiting {
        thread::yield_now();
    }
}

#[test]
fn sleepers_wake_for_a_worker_a_cancel_and_the_end() {
    let scene = Scene::new(1, |_| {});
    let mut lease = Some(scene.lease("a"));
    let (cancel, never) = (Cancel::new().unwrap(), scene.never.clone());
    let wait = |cancel: &Cancel| {
        let until = Until { deadline: None, cancel };
        scene.pool.lease::<&str>(&key("a"), &until, |_| Ok(StandIn::start(&scene.world)))
    };
    thread::scope(|scope| {
        let cancelled = scope.spawn(|| wait(&cancel));
        line_of(&scene, 1);
        let served = scope.spawn(|| wait(&never));
        line_of(&scene, 2);
        cancel.cancel();
        assert!(matches!(cancelled.join().unwrap(), Err(LeaseError::Cancelled)));
        lease.take().map(sound);
        let lease = served.join().unwrap().unwrap();
        assert_eq!(lease.uses(), 1);
        let refused = scope.spawn(|| wait(&never));
        line_of(&scene, 1);
        scene.pool.close();
        assert!(matches!(refused.join().unwrap(), Err(LeaseError::Closed)));
        assert_eq!(sound(lease), Some(Cause::Closed));
    });
    assert!(scene.world.is_empty());
    assert!(!scene.pool.health().ok);
}

#[test]
fn workers_end_with_the_last_handle() {
    let scene = Scene::new(2, |_| {});
    let lease = scene.lease("a");
    sound(scene.lease("b"));
    drop(scene.pool);
    assert_eq!(World::read(&scene.world.alive), 2, "a lease is a handle too");
    sound(lease);
    assert!(scene.world.is_empty());
}
