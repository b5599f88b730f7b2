//! The pool over real processes, with the faults that provers have.

use std::env;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use porism_native::process::{ChildLimits, Launch};

use super::tests::key;
use super::*;

/// Answers each line `number command` with `number word`.
const PROVER: &str = "
import os, signal, sys, time
kept, working = [], False

def stop(*_):
    if working:
        raise KeyboardInterrupt

signal.signal(signal.SIGINT, stop)
for line in sys.stdin:
    number, command = line.split()
    word = 'done'
    try:
        working = command != 'canary'
        if command == 'hang' or command == 'deaf':
            if command == 'deaf':
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            print(number, 'begun', flush=True)
            time.sleep(1000)
        elif command == 'crash':
            os._exit(3)
        elif command == 'babble':
            number = 'what'
        elif command == 'grow':
            kept.append(b'x' * (64 << 20))
            print(number, 'begun', flush=True)
            time.sleep(1000)
        elif command == 'much':
            kept.append(b'x' * (1 << 40))
    except KeyboardInterrupt:
        word = 'interrupted'
    except MemoryError:
        word = 'memory'
    working = False
    print(number, word, flush=True)
";

/// Numbers its requests, so that a late answer is not taken for the next one. Says over `begun` that a long job is under way.
struct Lines {
    begun: mpsc::Sender<()>,
}

impl Lines {
    fn ask(&self, session: &mut Session, number: u32, command: &str, until: &Until<'_>) -> Result<String, Failure> {
        session.send(format!("{number} {command}\n").as_bytes(), until).map_err(failure)?;
        self.answer(session, number, until)
    }

    fn answer(&self, session: &mut Session, number: u32, until: &Until<'_>) -> Result<String, Failure> {
        loop {
            let line = String::from_utf8_lossy(&session.receive(until).map_err(failure)?).into_owned();
            match line.split_once(' ') {
                Some((of, "begun")) if of == number.to_string() => drop(self.begun.send(())),
                Some((of, word)) if of == number.to_string() => return Ok(word.to_owned()),
                Some((of, _)) if of.parse::<u32>().is_ok_and(|of| of < number) => {}
                _ => return Err(Failure::Protocol(format!("expected an answer to {number}, found `{line}`"))),
            }
        }
    }
}

fn failure(error: SessionError) -> Failure {
    match error {
        SessionError::TimedOut => Failure::TimedOut,
        SessionError::Cancelled => Failure::Cancelled,
        SessionError::Ended { .. } => Failure::Ended(error.to_string()),
        SessionError::Framing(error) => Failure::Protocol(error.to_string()),
        SessionError::System(error) => Failure::Other(error.to_string()),
    }
}

impl Driver<Session, (u32, &'static str), String> for Lines {
    fn check(&self, session: &mut Session, job: (u32, &'static str), until: &Until<'_>) -> Result<String, Failure> {
        match self.ask(session, job.0, job.1, until)?.as_str() {
            "memory" => Err(Failure::OutOfMemory),
            word => Ok(word.to_owned()),
        }
    }

    fn recover(&self, session: &mut Session, until: &Until<'_>) -> Result<(), Failure> {
        session.send(format!("{} canary\n", u32::MAX).as_bytes(), until).map_err(failure)?;
        loop {
            // The job may have begun just after the interrupt.
            let soon = Some(Instant::now() + Duration::from_millis(50)).min(until.deadline);
            match self.answer(session, u32::MAX, &Until { deadline: soon, ..*until }) {
                Err(Failure::TimedOut) if until.deadline > soon => session.interrupt(),
                answer => return answer.map(drop),
            }
        }
    }
}

struct Scene {
    pool: Pool<Session>,
    driver: Lines,
    begun: mpsc::Receiver<()>,
}

type Leased = Result<Lease<Session>, LeaseError<Failure>>;

impl Scene {
    fn new(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(NonZero::new(2).unwrap());
        options.grace = Duration::from_secs(10);
        options.sample_every = Duration::from_millis(5);
        change(&mut options);
        let (sender, begun) = mpsc::channel();
        Self { pool: Pool::new(options).unwrap(), driver: Lines { begun: sender }, begun }
    }

    fn launch(&self, header: &str, launch: &Launch, cancel: &Cancel) -> Leased {
        self.pool.lease(&key(header), &Until { deadline: None, cancel }, |until| {
            let start = || Session::start(launch, Framing::Lines, 1 << 20);
            let mut session = start().map_err(|error| Failure::Other(error.to_string()))?;
            self.driver.ask(&mut session, 0, "canary", until)?;
            Ok(session)
        })
    }

    fn lease(&self, cancel: &Cancel) -> Lease<Session> {
        self.launch("", &python(PROVER), cancel).unwrap()
    }

    /// One check by a worker of its own or a warm one, which `disturb` is told the process number of once it is at work.
    fn check(
        &self,
        command: &'static str,
        disturb: impl FnOnce(u32, &Cancel) + Send,
    ) -> (Result<String, Failure>, Fate) {
        let cancel = Cancel::new().unwrap();
        let lease = self.lease(&cancel);
        let pid = lease.pid();
        let driver = &self.driver;
        thread::scope(|scope| {
            let until = Until { deadline: None, cancel: &cancel };
            let checked = scope.spawn(move || work(lease, driver, (1, command), &until));
            if ["hang", "deaf"].contains(&command) {
                self.begun.recv().unwrap();
            }
            disturb(pid, &cancel);
            checked.join().unwrap()
        })
    }
}

fn python(script: &str) -> Launch {
    Launch { args: vec!["-u".into(), "-c".into(), script.into()], ..Launch::new("python3") }
}

fn kill_9(pid: u32) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

fn nothing(_: u32, _: &Cancel) {}

#[test]
fn a_warm_process_answers_again() {
    let scene = Scene::new(|_| {});
    for _ in 0..3 {
        assert_eq!(scene.check("work", nothing), (Ok("done".to_owned()), Fate::Kept));
    }
    let counts = scene.pool.metrics().counts;
    assert_eq!((counts.starts, counts.reuses), (1, 2));
}

#[test]
fn a_process_that_hangs_is_interrupted_and_used_again() {
    let scene = Scene::new(|_| {});
    let mut pids = Vec::new();
    let (answer, fate) = scene.check("hang", |pid, cancel| {
        pids.push(pid);
        cancel.cancel();
    });
    assert_eq!((answer, fate), (Err(Failure::Cancelled), Fate::Recovered));
    assert_eq!(scene.check("work", |pid, _| pids.push(pid)), (Ok("done".to_owned()), Fate::Kept));
    assert_eq!(pids[0], pids[1]);
}

#[test]
fn a_process_that_is_deaf_to_interrupts_is_killed_after_the_grace() {
    let scene = Scene::new(|options| options.grace = Duration::from_millis(50));
    let (answer, fate) = scene.check("deaf", |_, cancel| cancel.cancel());
    assert_eq!((answer, fate), (Err(Failure::Cancelled), Fate::Ended(Cause::Unrecovered)));
    assert_eq!(scene.check("work", nothing).1, Fate::Kept);
}

#[test]
fn a_deadline_interrupts_as_a_cancel_does() {
    let (scene, never) = (Scene::new(|_| {}), Cancel::new().unwrap());
    let lease = scene.lease(&never);
    let until = Until { deadline: Some(Instant::now() + Duration::from_millis(20)), cancel: &never };
    assert_eq!(work(lease, &scene.driver, (1, "hang"), &until), (Err(Failure::TimedOut), Fate::Recovered));
}

#[test]
fn crashes_and_babble_end_a_process() {
    let scene = Scene::new(|_| {});
    let (answer, fate) = scene.check("crash", nothing);
    assert!(matches!(answer, Err(Failure::Ended(why)) if why.contains('3')));
    assert_eq!(fate, Fate::Ended(Cause::Gone));
    let (answer, fate) = scene.check("babble", nothing);
    assert!(matches!(answer, Err(Failure::Protocol(what)) if what.contains("what done")));
    assert_eq!(fate, Fate::Ended(Cause::Broken));
    assert_eq!(scene.check("hang", |pid, _| kill_9(pid)).1, Fate::Ended(Cause::Gone));
}

#[test]
fn a_process_that_is_killed_while_idle_is_replaced() {
    let (scene, never) = (Scene::new(|_| {}), Cancel::new().unwrap());
    let mut lease = scene.lease(&never);
    let pid = lease.pid();
    kill_9(pid);
    while !lease.has_ended() {
        thread::yield_now();
    }
    lease.give_back(Condition::Sound);
    assert_ne!(scene.lease(&never).pid(), pid);
    assert_eq!(scene.pool.metrics().counts.ended_gone, 1);
}

#[test]
fn who_ran_out_of_memory_is_ended_whatever_it_says() {
    let scene = Scene::new(|_| {});
    let launch =
        Launch { limits: ChildLimits { memory_bytes: Some(1 << 30), ..ChildLimits::default() }, ..python(PROVER) };
    let never = Cancel::new().unwrap();
    let until = Until { deadline: None, cancel: &never };
    let lease = scene.launch("limited", &launch, &never).unwrap();
    let (answer, fate) = work(lease, &scene.driver, (1, "much"), &until);
    assert_eq!((answer, fate), (Err(Failure::OutOfMemory), Fate::Ended(Cause::OutOfMemory)));
}

#[test]
fn a_process_that_grows_over_the_memory_of_the_pool_is_stopped_alone() {
    let scene = Scene::new(|options| {
        options.memory_bytes = Some(64 << 20);
        options.guess_bytes = 16 << 20;
    });
    let neighbour_token = Cancel::new().unwrap();
    let neighbour = scene.lease(&neighbour_token);
    let _keeper = Keeper::start(&scene.pool).unwrap();
    let (answer, fate) = scene.check("grow", nothing);
    assert_eq!((answer, fate), (Err(Failure::OutOfMemory), Fate::Ended(Cause::Monster)));
    assert!(!neighbour_token.is_cancelled());
    let until = Until { deadline: None, cancel: &neighbour_token };
    assert_eq!(work(neighbour, &scene.driver, (1, "work"), &until), (Ok("done".to_owned()), Fate::Kept));
}

#[test]
fn what_does_not_start_says_why() {
    let (scene, never) = (Scene::new(|_| {}), Cancel::new().unwrap());
    let absent = scene.launch("absent", &Launch::new("/nowhere/prover"), &never);
    assert!(matches!(absent, Err(LeaseError::Start(Failure::Other(why))) if why.contains("/nowhere/prover")));
    let crashing = scene.launch("crashing", &python("import sys; sys.exit(9)"), &never);
    assert!(matches!(crashing, Err(LeaseError::Start(Failure::Ended(why))) if why.contains('9')));
    assert_eq!(scene.pool.health().problems.len(), 2);
    assert_eq!(scene.check("work", nothing).1, Fate::Kept, "another key is not held up");
}

#[test]
fn no_process_is_left() {
    let (scene, never) = (Scene::new(|_| {}), Cancel::new().unwrap());
    let (first, second) = (scene.lease(&never), scene.lease(&never));
    let pids = [first.pid(), second.pid()];
    first.give_back(Condition::Sound);
    drop(second);
    drop(scene);
    assert!(pids.iter().all(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists()), "{pids:?}");
}

/// Runs itself in a process that may open few descriptors, so that the other tests keep theirs.
#[test]
fn without_descriptors_starts_fail_and_nothing_leaks() {
    const SIGN: &str = "PORISM_FEW_DESCRIPTORS";
    if env::var_os(SIGN).is_none() {
        let test = thread::current().name().unwrap().to_owned();
        let shell = "ulimit -n 40; exec \"$0\" --exact \"$1\"";
        let mut command = Command::new("sh");
        command.args(["-c", shell]).arg(env::current_exe().unwrap()).arg(test).env(SIGN, "1");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let scene = Scene::new(|options| {
        options.workers = NonZero::new(64).unwrap();
        options.retry.first = Duration::ZERO;
    });
    let never = Cancel::new().unwrap();
    let mut leases = Vec::new();
    for round in 0..20 {
        let refused = loop {
            match scene.launch("", &Launch::new("cat"), &never) {
                Ok(lease) => leases.push(lease),
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, LeaseError::Start(_)), "{refused:?}");
        assert!(leases.len() > 2, "round {round}: descriptors have leaked");
        let now = scene.pool.metrics().now;
        assert_eq!((now.busy, now.starting, now.waiting), (leases.len(), 0, 0));
        leases.clear();
    }
}
