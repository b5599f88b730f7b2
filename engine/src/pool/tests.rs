//! Stand-ins for workers, and what all tests of the pool use.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::*;
use crate::queue::tests::SetClock;

/// What happened to all workers of a test.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) started: AtomicUsize,
    pub(super) ended: AtomicUsize,
    pub(super) alive: AtomicUsize,
    pub(super) most_alive: AtomicUsize,
    pub(super) interrupts: AtomicUsize,
}

impl World {
    pub(super) fn read(counter: &AtomicUsize) -> usize {
        counter.load(Ordering::SeqCst)
    }

    /// Every worker that was started has been ended.
    pub(super) fn is_empty(&self) -> bool {
        Self::read(&self.alive) == 0 && Self::read(&self.started) == Self::read(&self.ended)
    }
}

/// A worker without a process. It breaks the test when it goes without having been ended.
#[derive(Debug)]
pub(super) struct StandIn {
    world: Arc<World>,
    pub(super) number: usize,
    pub(super) bytes: Arc<AtomicU64>,
    pub(super) gone: Arc<AtomicBool>,
    pub(super) in_use: AtomicBool,
    ended: bool,
}

impl StandIn {
    pub(super) fn start(world: &Arc<World>) -> Self {
        let number = world.started.fetch_add(1, Ordering::SeqCst);
        let alive = world.alive.fetch_add(1, Ordering::SeqCst) + 1;
        world.most_alive.fetch_max(alive, Ordering::SeqCst);
        Self {
            world: Arc::clone(world),
            number,
            bytes: Arc::new(AtomicU64::new(100)),
            gone: Arc::default(),
            in_use: AtomicBool::new(false),
            ended: false,
        }
    }
}

impl Worker for StandIn {
    type Meter = Weak<AtomicU64>;

    fn meter(&self) -> Self::Meter {
        Arc::downgrade(&self.bytes)
    }

    fn measure(meters: &[Self::Meter]) -> Vec<Option<u64>> {
        meters.iter().map(|meter| meter.upgrade().map(|bytes| bytes.load(Ordering::SeqCst))).collect()
    }

    fn interrupt(&self) {
        self.world.interrupts.fetch_add(1, Ordering::SeqCst);
    }

    fn has_ended(&mut self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }

    fn end(mut self) {
        self.ended = true;
        self.world.alive.fetch_sub(1, Ordering::SeqCst);
        self.world.ended.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        assert!(self.ended, "worker {} was dropped, and not ended", self.number);
    }
}

/// A pool with a clock that the test sets, and its world.
pub(super) struct Scene {
    pub(super) pool: Pool<StandIn>,
    pub(super) clock: Arc<SetClock>,
    pub(super) world: Arc<World>,
    pub(super) never: Cancel,
}

pub(super) type Leased = Result<Lease<StandIn>, LeaseError<&'static str>>;

impl Scene {
    /// With room for `workers`, after `change` of the options.
    pub(super) fn new(workers: usize, change: impl FnOnce(&mut Options)) -> Self {
        let clock = Arc::new(SetClock::default());
        let mut options = Options::new(NonZero::new(workers).unwrap());
        options.clock = clock.clone();
        options.sample_every = Duration::ZERO;
        options.guess_bytes = 100;
        change(&mut options);
        Self { pool: Pool::new(options).unwrap(), clock, world: Arc::default(), never: Cancel::new().unwrap() }
    }

    pub(super) fn forever(&self) -> Until<'_> {
        Until { deadline: None, cancel: &self.never }
    }

    /// A lease that need not wait.
    pub(super) fn try_lease(&self, header: &str) -> Leased {
        self.pool.lease(&key(header), &self.forever(), |_| Ok(StandIn::start(&self.world)))
    }

    pub(super) fn lease(&self, header: &str) -> Lease<StandIn> {
        self.try_lease(header).unwrap()
    }

    pub(super) fn fail_to_start(&self, header: &str) -> Leased {
        self.pool.lease(&key(header), &self.forever(), |_| Err("no licence"))
    }

    /// Whether one who asks now would have to wait.
    pub(super) fn must_wait(&self, header: &str) -> bool {
        let until = Until { deadline: Some(Instant::now() + Duration::from_millis(2)), cancel: &self.never };
        let leased = self.pool.lease(&key(header), &until, |_| Err("nobody should start one"));
        matches!(leased, Err(LeaseError::TimedOut))
    }
}

pub(super) fn key(header: &str) -> WorkerKey {
    WorkerKey::new("stand-in", "1", header.as_bytes())
}

pub(super) fn sound(lease: Lease<StandIn>) -> Option<Cause> {
    lease.give_back(Condition::Sound)
}
