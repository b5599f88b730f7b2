use std::ffi::OsString;
use std::fs;
use std::ops::ControlFlow;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::{Cancel, Ending, Limits, Outcome, STDERR_TAIL_BYTES, SpawnError, Watch, run};

const SOON: Duration = Duration::from_secs(2);

fn limits() -> Limits {
    Limits { wall: Duration::from_secs(20), cpu_s: None, memory_bytes: None, max_output_bytes: 64 << 20 }
}

fn shell_with(script: &str, stdin: &[u8], limits: &Limits, cancel: &Cancel) -> Outcome {
    let args = [OsString::from("-c"), OsString::from(script)];
    run(Path::new("/bin/sh"), &args, stdin, limits, cancel, None).unwrap()
}

fn shell(script: &str, limits: &Limits) -> Outcome {
    shell_with(script, b"", limits, &Cancel::new().unwrap())
}

fn wall(wall: Duration) -> Limits {
    Limits { wall, ..limits() }
}

/// Whether the process is there and not merely waiting to be reaped by whoever inherited it.
fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

pub(super) fn assert_dies(pid: &str) {
    let give_up = Instant::now() + SOON;
    while is_alive(pid) {
        assert!(Instant::now() < give_up, "process {pid} survived");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn output_and_exit_code_come_back() {
    let outcome = shell("cat; echo words >&2; exit 3", &limits());
    assert_eq!(outcome.ending, Ending::Exited(3));
    assert_eq!(outcome.stderr_tail, b"words\n");

    let echoed = shell_with("cat", b"no newline", &limits(), &Cancel::new().unwrap());
    assert_eq!(echoed.stdout, b"no newline");
}

#[test]
fn a_megabyte_in_one_line_goes_through_both_ways() {
    let line = vec![b'x'; 5 << 20];
    let outcome = shell_with("cat", &line, &limits(), &Cancel::new().unwrap());
    assert_eq!(outcome.ending, Ending::Exited(0));
    assert!(outcome.stdout == line);
}

#[test]
fn a_child_need_not_read_its_input() {
    let outcome = shell_with("exec true", &vec![b'x'; 1 << 20], &limits(), &Cancel::new().unwrap());
    assert_eq!(outcome.ending, Ending::Exited(0));
}

#[test]
fn standard_error_is_drained_and_its_tail_kept() {
    let outcome = shell("head -c 3000000 /dev/zero >&2; printf end >&2", &limits());
    assert_eq!(outcome.ending, Ending::Exited(0));
    assert_eq!(outcome.stderr_tail.len(), STDERR_TAIL_BYTES);
    assert!(outcome.stderr_tail.ends_with(b"end"));
}

#[test]
fn too_much_output_ends_the_child_and_is_cut() {
    let outcome = shell("yes", &Limits { max_output_bytes: 1000, ..limits() });
    assert_eq!(outcome.ending, Ending::OutputTooLarge);
    assert_eq!(outcome.stdout.len(), 1000);
    assert_eq!(shell("printf 123", &Limits { max_output_bytes: 2, ..limits() }).ending, Ending::OutputTooLarge);
    assert_eq!(shell("printf 123", &Limits { max_output_bytes: 3, ..limits() }).ending, Ending::Exited(0));
}

#[test]
fn the_deadline_ends_a_child_and_keeps_what_it_said() {
    let outcome = shell("printf before; exec sleep 60", &wall(Duration::from_millis(200)));
    assert_eq!(outcome.ending, Ending::TimedOut);
    assert_eq!(outcome.stdout, b"before");
    assert!(outcome.wall >= Duration::from_millis(200) && outcome.wall < SOON);
}

#[test]
fn waiting_costs_no_processor_time() {
    let before = thread_cpu();
    shell("exec sleep 60", &wall(Duration::from_millis(500)));
    assert!(thread_cpu() < before + Duration::from_millis(100));
}

pub(super) fn thread_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live local of the right type.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

#[test]
fn cancel_from_another_thread_ends_it_within_milliseconds() {
    let cancel = Cancel::new().unwrap();
    let canceller = thread::spawn({
        let cancel = cancel.clone();
        move || {
            thread::sleep(Duration::from_millis(100));
            let at = Instant::now();
            cancel.cancel();
            at
        }
    });
    let outcome = shell_with("sleep 60", b"", &limits(), &cancel);
    let ended = Instant::now();
    assert_eq!(outcome.ending, Ending::Cancelled);
    // A loaded machine is slow, a missed wake-up would take twenty seconds.
    assert!(ended - canceller.join().unwrap() < Duration::from_millis(500));
}

#[test]
fn one_token_stops_all_runs_and_later_ones() {
    let cancel = Cancel::new().unwrap();
    thread::scope(|scope| {
        let runs: Vec<_> =
            (0..4).map(|_| scope.spawn(|| shell_with("sleep 60", b"", &limits(), &cancel).ending)).collect();
        thread::sleep(Duration::from_millis(50));
        cancel.cancel();
        assert!(runs.into_iter().all(|run| run.join().unwrap() == Ending::Cancelled));
    });
    assert_eq!(shell_with("sleep 60", b"", &limits(), &cancel).ending, Ending::Cancelled);
}

#[test]
fn a_grandchild_that_holds_the_output_does_not_hold_us() {
    let outcome = shell("sleep 60 & echo $!", &limits());
    assert_eq!(outcome.ending, Ending::Exited(0));
    assert!(outcome.wall < SOON);
    assert_dies(String::from_utf8(outcome.stdout).unwrap().trim());
}

#[test]
fn a_grandchild_in_a_session_of_its_own_does_not_hold_us_either() {
    let outcome = shell("setsid sleep 1 & setsid yes >&2 & echo started; sleep 0.1", &limits());
    assert_eq!(outcome.stdout, b"started\n");
    assert!(outcome.wall < Duration::from_millis(900));
}

#[test]
fn the_whole_tree_is_killed() {
    let outcome = shell("(sleep 60 & echo $!; (sleep 60 & echo $!; wait) & wait)", &wall(Duration::from_millis(300)));
    assert_eq!(outcome.ending, Ending::TimedOut);
    let pids = String::from_utf8(outcome.stdout).unwrap();
    assert_eq!(pids.lines().count(), 2);
    pids.lines().for_each(assert_dies);
}

#[test]
fn a_signal_is_told_from_an_exit() {
    assert_eq!(shell("kill -SEGV $$", &limits()).ending, Ending::Signalled(libc::SIGSEGV));
    assert_eq!(shell("exit 139", &limits()).ending, Ending::Exited(139));
}

#[test]
fn processor_time_is_limited_and_reported() {
    let outcome = shell("while :; do :; done", &Limits { cpu_s: Some(1), ..limits() });
    assert_eq!(outcome.ending, Ending::Signalled(libc::SIGXCPU));
    // Clocks of guests and their hosts differ; what counts is that it is reported.
    assert!(outcome.cpu >= Duration::from_millis(500));
    assert!(outcome.max_rss_bytes > 0);
}

#[test]
fn address_space_is_limited() {
    let outcome = shell("ulimit -v; ulimit -c", &Limits { memory_bytes: Some(512 << 20), ..limits() });
    assert_eq!(outcome.stdout, b"524288\n0\n");
}

#[test]
fn the_child_leads_its_session_and_has_only_the_standard_descriptors() {
    let file = fs::File::open("/dev/null").unwrap();
    // SAFETY: plain numbers. The copy is not close-on-exec, as those that a host written in C leaves around.
    let inheritable = unsafe { libc::dup(file.as_raw_fd()) };
    assert!(inheritable > 2);
    let outcome = shell("ls /proc/$$/fd; ps -o sid= -p $$ 2>/dev/null || echo $$; echo $$", &limits());
    let text = String::from_utf8(outcome.stdout).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let [fds @ .., session, own] = &lines[..] else { panic!("{text}") };
    assert_eq!(fds, ["0", "1", "2"]);
    assert_eq!(session, own);
    // SAFETY: the copy above is ours, and nobody has closed it.
    unsafe { libc::close(inheritable) };
}

#[test]
fn a_missing_program_and_a_refused_one_are_told_apart() {
    let cancel = Cancel::new().unwrap();
    let start = |program: &str| run(Path::new(program), &[], b"", &limits(), &cancel, None).unwrap_err();
    assert!(matches!(start("/no/such/program"), SpawnError::NotFound { .. }));
    assert!(matches!(start("/dev/null"), SpawnError::Refused { .. }));
}

#[test]
fn the_watch_is_asked_regularly_and_can_stop_the_run() {
    let mut asked = 0;
    let mut ask = || {
        asked += 1;
        if asked == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let watch = Watch { every: Duration::from_millis(20), ask: &mut ask };
    let args = ["60".into()];
    let cancel = Cancel::new().unwrap();
    let outcome = run(Path::new("/bin/sleep"), &args, b"", &limits(), &cancel, Some(watch)).unwrap();
    assert_eq!(outcome.ending, Ending::Cancelled);
    assert!(outcome.wall < SOON);
    assert_eq!(asked, 5);
}

/// Runs in a process of its own, since other tests in this one open descriptors and start children meanwhile.
#[test]
fn two_hundred_runs_leave_nothing_behind() {
    const INNER: &str = "PORISM_TEST_LEAK_INNER";
    if std::env::var_os(INNER).is_none() {
        let own = std::env::current_exe().unwrap();
        let name = "process::tests::two_hundred_runs_leave_nothing_behind";
        let status = std::process::Command::new(own).args([name, "--exact"]).env(INNER, "1").status().unwrap();
        assert!(status.success());
        return;
    }
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    for turn in 0..200 {
        let script = ["true", "exit 1", "sleep 60 &", "sleep 60"][turn % 4];
        shell(script, &wall(Duration::from_millis(20)));
    }
    assert_eq!(open(), before);
    // SAFETY: a null status is allowed, and -1 means any child.
    let left = unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) };
    assert_eq!(left, -1, "a child was not reaped");
}
