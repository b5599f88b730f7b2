use std::ffi::OsString;
use std::fs;
use std::mem;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::tests::{assert_dies, thread_cpu};
use super::{Cancel, Child, ChildLimits, Ending, Env, HELD_BYTES, Launch, STDERR_TAIL_BYTES, SpawnError, Stop, Until};

const LONG: Duration = Duration::from_secs(20);

fn shell(script: &str) -> Launch {
    Launch { args: vec!["-c".into(), script.into()], ..Launch::new("/bin/sh") }
}

fn start(script: &str) -> Child {
    Child::start(&shell(script)).unwrap()
}

fn after(time: Duration, cancel: &Cancel) -> Until<'_> {
    Until { deadline: Some(Instant::now() + time), cancel }
}

/// Everything that is printed until the child ends.
fn rest(child: &mut Child) -> Vec<u8> {
    let cancel = Cancel::new().unwrap();
    let until = after(LONG, &cancel);
    let mut all = Vec::new();
    loop {
        let before = all.len();
        match child.receive(&mut all, &until) {
            Ok(()) => assert!(all.len() > before, "at least one new byte"),
            Err(Stop::Ended) => return all,
            Err(stop) => panic!("{stop}"),
        }
    }
}

fn receive_line(child: &mut Child) -> String {
    let cancel = Cancel::new().unwrap();
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        child.receive(&mut line, &after(LONG, &cancel)).unwrap();
    }
    String::from_utf8(line).unwrap().trim().to_owned()
}

/// Runs the test `name` again in a process of its own, and says whether this is that process.
fn is_alone(name: &str) -> bool {
    const INNER: &str = "PORISM_TEST_ALONE";
    if std::env::var_os(INNER).is_some() {
        return true;
    }
    let name = format!("process::child_tests::{name}");
    let own = std::env::current_exe().unwrap();
    let ran = Command::new(own).args([&name, "--exact"]).env(INNER, "1").output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    false
}

#[test]
fn it_answers_again_and_again() {
    let cancel = Cancel::new().unwrap();
    let mut child = start("exec cat");
    for turn in 0..100 {
        child.send(format!("line {turn}\n").as_bytes(), &after(LONG, &cancel)).unwrap();
        assert_eq!(receive_line(&mut child), format!("line {turn}"));
    }
    assert!(!child.has_ended());
    child.close_input();
    assert!(rest(&mut child).is_empty());
    assert!(child.has_ended());
    assert_eq!(child.end().unwrap().ending, Ending::Exited(0));
}

#[test]
fn two_full_pipes_do_not_wait_for_each_other() {
    let cancel = Cancel::new().unwrap();
    let mut child = start("exec cat");
    let sent = vec![b'x'; 8 << 20];
    child.send(&sent, &after(LONG, &cancel)).unwrap();
    child.close_input();
    assert!(rest(&mut child) == sent);
}

#[test]
fn standard_error_is_drained_while_sending_and_receiving() {
    let cancel = Cancel::new().unwrap();
    let mut child =
        start("head -c 3000000 /dev/zero >&2; head -c 1000000; head -c 3000000 /dev/zero >&2; printf end >&2");
    child.send(&vec![b'x'; 1_000_000], &after(LONG, &cancel)).unwrap();
    assert_eq!(rest(&mut child).len(), 1_000_000);
    assert_eq!(child.stderr_tail().len(), STDERR_TAIL_BYTES);
    assert!(child.stderr_tail().ends_with(b"end"));
}

#[test]
fn what_is_held_for_a_child_that_does_not_read_is_bounded() {
    let cancel = Cancel::new().unwrap();
    let mut child = start("exec yes");
    let stop = child.send(&vec![b'x'; 1 << 20], &after(Duration::from_secs(2), &cancel)).unwrap_err();
    assert!(matches!(stop, Stop::TimedOut));
    let mut held = Vec::new();
    child.receive(&mut held, &after(LONG, &cancel)).unwrap();
    assert!(held.len() <= HELD_BYTES + (64 << 10));
}

#[test]
fn the_end_comes_after_all_output() {
    let mut child = start("printf words; echo last >&2; exit 3");
    while !child.has_ended() {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(rest(&mut child), b"words");
    assert_eq!(child.stderr_tail(), b"last\n");
    assert_eq!(child.ending(), Some(Ending::Exited(3)));
    let cancel = Cancel::new().unwrap();
    assert!(matches!(child.send(b"more", &after(LONG, &cancel)), Err(Stop::Ended)));
    assert!(matches!(child.receive(&mut Vec::new(), &after(LONG, &cancel)), Err(Stop::Ended)));
    assert_eq!(child.end().unwrap().ending, Ending::Exited(3));
}

#[test]
fn a_signal_from_elsewhere_is_told() {
    let mut child = start("kill -SEGV $$");
    rest(&mut child);
    assert_eq!(child.ending(), Some(Ending::Signalled(libc::SIGSEGV)));
}

#[test]
fn deadlines_and_cancels_stop_both_ways() {
    let cancel = Cancel::new().unwrap();
    let mut child = start("exec sleep 60");
    let soon = || after(Duration::from_millis(20), &cancel);
    assert!(matches!(child.receive(&mut Vec::new(), &soon()), Err(Stop::TimedOut)));
    assert!(matches!(child.send(&vec![0; 1 << 20], &soon()), Err(Stop::TimedOut)));
    let until = Until { deadline: None, cancel: &cancel };
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(50));
            cancel.cancel();
        });
        assert!(matches!(child.receive(&mut Vec::new(), &until), Err(Stop::Cancelled)));
    });
    assert!(matches!(child.send(b"x", &until), Err(Stop::Cancelled)));
    assert_eq!(child.end().unwrap().ending, Ending::Signalled(libc::SIGKILL));
}

#[test]
fn waiting_costs_no_processor_time() {
    let cancel = Cancel::new().unwrap();
    // Closed pipes, a full one, and one that says nothing: none of them may make the wait spin.
    for script in ["exec sleep 60", "exec sleep 60 >&- 2>&-", "exec sleep 60 <&-"] {
        let mut child = start(script);
        let before = thread_cpu();
        assert!(matches!(
            child.receive(&mut Vec::new(), &after(Duration::from_millis(200), &cancel)),
            Err(Stop::TimedOut)
        ));
        assert!(matches!(
            child.send(&vec![0; 1 << 20], &after(Duration::from_millis(200), &cancel)),
            Err(Stop::TimedOut)
        ));
        assert!(thread_cpu() < before + Duration::from_millis(100), "{script}");
    }
}

#[test]
fn an_interrupted_child_goes_on() {
    const SCRIPT: &str = "
import sys, time
while True:
    try:
        print('ready', flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print('interrupted', flush=True)
";
    let mut child =
        Child::start(&Launch { args: ["-c", SCRIPT].map(OsString::from).to_vec(), ..Launch::new("python3") }).unwrap();
    let ready_again = "interrupted\nready";
    assert_eq!(receive_line(&mut child), "ready");
    for _ in 0..3 {
        child.interrupt();
        let mut said = String::new();
        while said != ready_again {
            said = [said, receive_line(&mut child)].join("\n").trim().to_owned();
        }
    }
}

#[test]
fn nothing_of_the_group_outlives_it() {
    let stubborn = "trap '' TERM HUP INT; (trap '' TERM HUP INT; sleep 60; sleep 60) & echo $!; wait; sleep 60";
    let mut dropped = start(stubborn);
    let grandchild = receive_line(&mut dropped);
    drop(dropped);
    assert_dies(&grandchild);

    // The leader ends, and the grandchild keeps its pipes open.
    let mut left = start("sleep 60 & echo $!; exit 4");
    let grandchild = receive_line(&mut left);
    assert!(rest(&mut left).is_empty());
    assert_dies(&grandchild);
    assert_eq!(left.end().unwrap().ending, Ending::Exited(4));
}

#[test]
fn a_writer_that_escaped_does_not_hold_us() {
    let mut child = start("setsid yes & echo started; exit 0");
    assert!(rest(&mut child).starts_with(b"started\n") || child.has_ended());
    // It ends by `SIGPIPE` once our end of its pipe is closed.
    child.end().unwrap();
}

#[test]
fn it_dies_with_the_thread_that_started_it() {
    let pid = thread::spawn(|| {
        let child = start("exec sleep 60");
        let pid = child.pid();
        mem::forget(child);
        pid
    })
    .join()
    .unwrap();
    assert_dies(&pid.to_string());
}

#[test]
fn a_pipe_without_a_reader_breaks_nobody() {
    if !is_alone("a_pipe_without_a_reader_breaks_nobody") {
        return;
    }
    // What a host written in C has, and where a broken pipe is the end of it.
    // SAFETY: `SIG_DFL` installs no code of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let cancel = Cancel::new().unwrap();
    let mut child = start("exec true");
    while !child.has_ended() {
        thread::sleep(Duration::from_millis(1));
    }
    assert!(matches!(child.send(&vec![0; 1 << 20], &after(LONG, &cancel)), Err(Stop::Ended)));
    let mut closed = start("exec sleep 60 <&-");
    let soon = after(Duration::from_millis(200), &cancel);
    assert!(matches!(closed.send(&vec![0; 1 << 20], &soon), Err(Stop::TimedOut)));
}

#[test]
fn signals_that_the_host_ignores_are_not_ignored_by_the_child() {
    if !is_alone("signals_that_the_host_ignores_are_not_ignored_by_the_child") {
        return;
    }
    for signal in [libc::SIGINT, libc::SIGPIPE, libc::SIGXFSZ, libc::SIGUSR1] {
        // SAFETY: `SIG_IGN` installs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    let launch = Launch { args: vec!["Sig".into(), "/proc/self/status".into()], ..Launch::new("grep") };
    let text = String::from_utf8(rest(&mut Child::start(&launch).unwrap())).unwrap();
    for name in ["SigBlk", "SigIgn"] {
        let set = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t")).unwrap();
        // The standard signals. The two after them belong to the C library.
        assert_eq!(u64::from_str_radix(set, 16).unwrap() & 0x7fff_ffff, 0, "{text}");
    }
}

#[test]
fn the_launch_chooses_environment_directory_and_limits() {
    let variable = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
    let mut launch = Launch {
        env: Env::Only(vec![variable("ONE", "1")]),
        dir: Some("/proc".into()),
        limits: ChildLimits {
            cpu_s: Some(7),
            memory_bytes: Some(1 << 30),
            processes: Some(5000),
            files: Some(40),
            file_bytes: Some(4096),
        },
        ..shell("/usr/bin/env; pwd; cat /proc/self/limits")
    };
    let text = String::from_utf8(rest(&mut Child::start(&launch).unwrap())).unwrap();
    assert!(text.contains("ONE=1\n") && !text.contains("HOME=") && text.contains("\n/proc\n"), "{text}");
    for (name, soft, hard) in [
        ("Max cpu time", "7", "8"),
        ("Max address space", "1073741824", "1073741824"),
        ("Max processes", "5000", "5000"),
        ("Max open files", "40", "40"),
        ("Max file size", "4096", "4096"),
        ("Max core file size", "0", "0"),
    ] {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let values: Vec<_> = line.split_ascii_whitespace().take(2).collect();
        assert_eq!(values, [soft, hard], "{name}");
    }

    launch.env = Env::InheritedWith(vec![variable("ONE", "2")]);
    let text = String::from_utf8(rest(&mut Child::start(&launch).unwrap())).unwrap();
    assert!(text.contains("ONE=2\n") && text.contains("PATH="), "{text}");
}

#[test]
fn a_missing_program_and_a_missing_directory_are_told_apart() {
    assert!(matches!(Child::start(&Launch::new("/no/such/program")), Err(SpawnError::NotFound { .. })));
    assert!(matches!(Child::start(&Launch::new("/dev/null")), Err(SpawnError::Refused { .. })));
    let nowhere = Launch { dir: Some("/no/such/directory".into()), ..shell("true") };
    let Err(error) = Child::start(&nowhere) else { panic!("it started") };
    assert_eq!(error.to_string(), "/bin/sh could not be started: no directory at /no/such/directory");
}

#[test]
fn memory_is_that_of_the_whole_session() {
    const BYTES: u64 = 64 << 20;
    const SCRIPT: &str = "
import os, time
if os.fork():
    os.wait()
block = bytearray(b'x') * (64 << 20)
print('ready', flush=True)
time.sleep(60)
";
    let mut child =
        Child::start(&Launch { args: ["-c", SCRIPT].map(OsString::from).to_vec(), ..Launch::new("python3") }).unwrap();
    // The block is the grandchild's.
    assert_eq!(receive_line(&mut child), "ready");
    let bytes = child.memory_bytes().unwrap();
    assert!((BYTES..2 * BYTES).contains(&bytes), "{bytes}");

    let mut over = start("exit 0");
    rest(&mut over);
    assert_eq!(over.memory_bytes(), None);
}

/// Runs in a process of its own, since other tests in this one open descriptors and start children meanwhile.
#[test]
fn a_thousand_starts_leave_nothing_behind() {
    if !is_alone("a_thousand_starts_leave_nothing_behind") {
        return;
    }
    let cancel = Cancel::new().unwrap();
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    for turn in 0..1000 {
        let mut child = start(["true", "exec cat", "sleep 60 & exit 1", "kill -9 $$", "exec /no/such"][turn % 5]);
        match turn % 4 {
            0 => drop(child),
            1 => drop(child.end().unwrap()),
            2 => drop(child.send(b"words", &after(LONG, &cancel))),
            _ => drop(child.receive(&mut Vec::new(), &after(Duration::from_millis(5), &cancel))),
        }
        assert!(Child::start(&Launch::new("/no/such/program")).is_err());
    }
    assert_eq!(open(), before);
    // SAFETY: a null status is allowed, and -1 means any child.
    let left = unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) };
    assert_eq!(left, -1, "a child was not reaped");
}
