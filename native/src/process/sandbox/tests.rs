//! Each attack of `tests/attacks/escapes.py`, with a sandbox and without: what never gets through anyway would test nothing.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use super::super::{self as process, Cancel, Launch, Limits, SpawnError, Until, run_launch};
use super::*;

/// The interpreter and where its library stands.
fn python() -> &'static (PathBuf, PathBuf) {
    static PYTHON: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let script =
            "import os, sys; print(os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix), sep='\\n')";
        let said = Command::new("python3").args(["-c", script]).output().expect("the attacks need python3").stdout;
        let said = String::from_utf8(said).unwrap();
        let mut lines = said.lines().map(PathBuf::from);
        (lines.next().unwrap(), lines.next().unwrap())
    })
}

fn attacks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("tests/attacks").canonicalize().unwrap()
}

/// A kernel that grants less than this one: what the sandbox falls back to elsewhere.
fn without_namespaces() -> &'static Granted {
    static LESS: OnceLock<Granted> = OnceLock::new();
    LESS.get_or_init(|| {
        let no = || Err("not in this test".to_owned());
        let (landlock, seccomp) = (Granted::here().landlock.clone(), Granted::here().seccomp.clone());
        Granted { landlock, seccomp, user: 0, mounts: no(), processes: no(), proc: no(), network: no(), ipc: no() }
    })
}

/// The world of one attack: what is allowed, and what is not.
struct Scene {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["project", "own", "outside"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("project/file"), "a project's file").unwrap();
        fs::write(folder.path().join("outside/file"), "a secret").unwrap();
        let sandbox = Sandbox {
            read: vec![python().1.clone(), attacks(), folder.path().join("project")],
            write: vec![folder.path().join("own")],
            ..Sandbox::default()
        };
        Self { folder, sandbox }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn command(&self, attack: &str, arguments: &[String]) -> Command {
        let mut command = Command::new(&python().0);
        command.args(["-I", "-S", "-B"]).arg(attacks().join("escapes.py")).arg(attack).args(arguments);
        command.current_dir(self.folder.path().join("own"));
        command
    }

    fn confined(&self, attack: &str, arguments: &[String], granted: &Granted) -> String {
        let prepared = Arc::new(self.sandbox.prepare_on(granted).unwrap());
        said(&mut confine(self.command(attack, arguments), &prepared))
    }

    /// Held in every kind of sandbox, and not without.
    fn is_held(&self, attack: &str, arguments: &[&str]) {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        for granted in [Granted::here(), without_namespaces()] {
            let said = self.confined(attack, &arguments, granted);
            assert!(said.starts_with("held"), "{attack}: {said} with {granted:?}");
        }
        let said = said(&mut self.command(attack, &arguments));
        assert_eq!(said, "escaped", "{attack} without a sandbox");
    }
}

fn confine(mut command: Command, prepared: &Arc<Prepared>) -> Command {
    let prepared = Arc::clone(prepared);
    // SAFETY: `apply` is made for this place.
    unsafe { command.pre_exec(move || prepared.apply()) };
    command
}

/// The last line that it printed.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().last().map(str::to_owned);
    last.unwrap_or_else(|| format!("nothing, {}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// A process outside, of the same user.
struct Victim(std::process::Child);

impl Victim {
    fn new() -> Self {
        Self(Command::new("sleep").arg("600").spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_is_allowed_works() {
    let scene = Scene::new();
    let own = scene.path("own");
    for granted in [Granted::here(), without_namespaces()] {
        let run = |attack, arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
            assert_eq!(scene.confined(attack, &arguments, granted), "escaped", "{attack} with {granted:?}");
        };
        run("read", &[&scene.path("project/file")]);
        run("list_folder", &[&scene.path("project")]);
        run("create", &[&own]);
        run("write", &[&format!("{own}/created")]);
        run("remove", &[&format!("{own}/created")]);
        run("many_processes", &["3"]);
        run("write", &["/dev/null"]);
        run("read", &["/proc/meminfo"]);
    }
}

#[test]
fn files_outside_are_neither_read_nor_changed() {
    let scene = Scene::new();
    let (file, folder) = (scene.path("outside/file"), scene.path("outside"));
    scene.is_held("read", &[&file]);
    scene.is_held("list_folder", &[&folder]);
    scene.is_held("write", &[&file]);
    scene.is_held("create", &[&folder]);
    scene.is_held("remove", &[&file]);
    scene.is_held("chmod", &[&file]);
    scene.is_held("touch", &[&file]);
    scene.is_held("truncate", &[&file]);
}

#[test]
fn a_project_is_not_changed() {
    let scene = Scene::new();
    let (file, folder) = (scene.path("project/file"), scene.path("project"));
    scene.is_held("write", &[&file]);
    scene.is_held("create", &[&folder]);
    scene.is_held("remove", &[&file]);
    scene.is_held("chmod", &[&file]);
    scene.is_held("touch", &[&file]);
    scene.is_held("truncate", &[&file]);
    scene.is_held("set_attribute", &[&file]);
}

#[test]
fn there_is_no_way_round_by_links_dots_or_descriptors() {
    let scene = Scene::new();
    let (file, own) = (scene.path("outside/file"), scene.path("own"));
    let clean = || {
        for link in ["link", "hard"] {
            let _ = fs::remove_file(scene.folder.path().join("own").join(link));
        }
    };
    let is_held = |attack: &str, arguments: &[&str]| {
        for granted in [Granted::here(), without_namespaces()] {
            clean();
            let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
            let said = scene.confined(attack, &arguments, granted);
            assert!(said.starts_with("held"), "{attack}: {said} with {granted:?}");
        }
        clean();
    };
    is_held("through_symlink", &[&file, &own]);
    scene.is_held("through_proc_root", &[&file]);
    scene.is_held("through_dots", &[&file, &own]);
    is_held("through_hard_link", &[&file, &own]);
    for attack in ["through_symlink", "through_hard_link"] {
        assert_eq!(said(&mut scene.command(attack, &[file.clone(), own.clone()])), "escaped");
    }
}

#[test]
fn what_it_writes_is_no_program_and_bears_no_bits() {
    let scene = Scene::new();
    let own = scene.path("own");
    scene.is_held("run_own_program", &[&own]);
    scene.is_held("run_from_memory", &["-"]);
    scene.is_held("setuid_file", &[&own]);
    scene.is_held("setuid_on_creation", &[&own]);
    let bits = |name: &str| fs::metadata(scene.path(name)).unwrap().permissions().mode() & 0o6000;
    assert_eq!(bits("own/born-setuid"), 0o6000, "made by the run without a sandbox");
}

#[test]
fn nothing_is_reached() {
    let scene = Scene::new();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (tcp_port, udp_port) = (tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port());
    udp.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 10];
        while let Ok((count, from)) = udp.recv_from(&mut buffer) {
            let _ = udp.send_to(&buffer[..count], from);
        }
    });
    let _stream = UnixListener::bind(scene.path("outside/stream")).unwrap();
    let _datagram = UnixDatagram::bind(scene.path("outside/datagram")).unwrap();
    // Also where it may write: a socket there belongs to somebody else all the same.
    let _inside = UnixListener::bind(scene.path("own/stream")).unwrap();
    scene.is_held("tcp", &[&tcp_port.to_string()]);
    scene.is_held("udp", &[&udp_port.to_string()]);
    scene.is_held("listen", &["-"]);
    scene.is_held("netlink", &["-"]);
    scene.is_held("unix_stream", &[&scene.path("outside/stream")]);
    scene.is_held("unix_stream", &[&scene.path("own/stream")]);
    scene.is_held("unix_datagram", &[&scene.path("outside/datagram")]);
}

#[test]
fn a_private_network_holds_the_program_alone() {
    let mut scene = Scene::new();
    scene.sandbox.network = Network::Private;
    let Ok(prepared) = scene.sandbox.prepare() else {
        assert!(Granted::here().network.is_err());
        return;
    };
    drop(prepared);
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port().to_string();
    assert_eq!(scene.confined("listen", &["-".to_owned()], Granted::here()), "escaped");
    assert!(scene.confined("tcp", &[port], Granted::here()).starts_with("held"));
    let _unix = UnixListener::bind(scene.path("own/stream")).unwrap();
    assert!(scene.confined("unix_stream", &[scene.path("own/stream")], Granted::here()).starts_with("held"));
    assert!(scene.sandbox.prepare_on(without_namespaces()).is_err());
}

#[test]
fn processes_outside_are_out_of_reach() {
    let scene = Scene::new();
    let victim = Victim::new();
    scene.is_held("kill", &[&victim.pid()]);
    scene.is_held("read", &[&format!("/proc/{}/environ", victim.pid())]);
    scene.is_held("lower_limit", &[&victim.pid()]);
    scene.is_held("ptrace", &[&victim.pid()]);
    scene.is_held("read_memory", &[&victim.pid()]);
    scene.is_held("read_memory_by_call", &[&victim.pid()]);
    scene.is_held("outlive_parent", &["-"]);
}

#[test]
fn the_keeper_shows_nothing_of_the_host() {
    let scene = Scene::new();
    for path in ["/proc/1/environ", "/proc/1/mem", "/proc/1/maps", "/proc/1/root/etc/passwd", "/proc/1/cwd/Cargo.toml"]
    {
        let said = scene.confined("read", &[path.to_owned()], Granted::here());
        assert!(said.starts_with("held"), "{path}: {said}");
    }
}

#[test]
fn the_kernel_offers_nothing_unusual() {
    let scene = Scene::new();
    scene.is_held("io_uring", &["-"]);
    scene.is_held("keyring", &["-"]);
    scene.is_held("bpf", &["-"]);
    if is_root() {
        scene.is_held("unshare_user", &["-"]);
        scene.is_held("mount", &[&scene.path("own")]);
        for granted in [Granted::here(), without_namespaces()] {
            let said = scene.confined("device", &[scene.path("own")], granted);
            assert!(said.starts_with("held"), "{said}");
        }
    }
}

fn is_root() -> bool {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

#[test]
fn nothing_outlives_the_program() {
    let scene = Scene::new();
    let own = scene.path("own");
    let beats = || fs::metadata(scene.path("own/beats")).map_or(0, |about| about.len());
    let grows = || {
        // Time enough for what was killed to be gone.
        thread::sleep(Duration::from_millis(300));
        let before = beats();
        thread::sleep(Duration::from_millis(300));
        beats() > before
    };
    for granted in [Granted::here(), without_namespaces()] {
        let _ = fs::remove_file(scene.path("own/beats"));
        scene.confined("daemon", std::slice::from_ref(&own), granted);
        assert!(!grows(), "with {granted:?}");
    }
    let _ = fs::remove_file(scene.path("own/beats"));
    assert_eq!(said(&mut scene.command("daemon", &[own])), "escaped");
    assert!(grows());
}

#[test]
fn the_number_of_processes_is_limited_where_the_report_says_so() {
    let mut scene = Scene::new();
    scene.sandbox.processes = Some(5);
    let holds = scene.sandbox.prepare().unwrap().report().holds(Guarantee::Processes);
    let said = scene.confined("many_processes", &["20".to_owned()], Granted::here());
    assert_eq!(said.starts_with("held"), holds, "{said}");
    assert_eq!(scene.confined("many_processes", &["3".to_owned()], Granted::here()), "escaped");
}

#[test]
fn a_run_is_confined_and_inherits_no_descriptor() {
    use std::os::fd::AsRawFd;
    let scene = Scene::new();
    let secret = fs::File::open(scene.path("outside/file")).unwrap();
    // SAFETY: plain numbers. The copy is not close-on-exec, as those that a host written in C leaves around.
    let inheritable = unsafe { libc::dup(secret.as_raw_fd()) };
    let plain = scene.command("through_descriptors", &["-".to_owned()]);
    let mut launch = Launch::new(plain.get_program());
    launch.args = plain.get_args().map(ToOwned::to_owned).collect();
    launch.sandbox = Some(Sandbox { scratch: true, ..scene.sandbox.clone() });
    let limits = Limits { wall: Duration::from_secs(60), cpu_s: None, memory_bytes: None, max_output_bytes: 1 << 20 };
    let run = |launch: &Launch| {
        let outcome = run_launch(launch, b"", &limits, &Cancel::new().unwrap(), None).unwrap();
        String::from_utf8(outcome.stdout).unwrap()
    };
    assert!(run(&launch).starts_with("held"));
    assert_eq!(said(&mut scene.command("through_descriptors", &["-".to_owned()])), "escaped");
    // SAFETY: the copy above is ours, and nobody has closed it.
    unsafe { libc::close(inheritable) };

    launch.program = "/bin/sh".into();
    launch.args = ["-c".into(), "cd \"$TMPDIR\" && echo x >file && cat file; cat <&0".into()].into();
    assert_eq!(run(&launch), "x\n");
    launch.sandbox = Some(Sandbox { read: vec!["/no/such/path".into()], ..Sandbox::default() });
    let refused = run_launch(&launch, b"", &limits, &Cancel::new().unwrap(), None).unwrap_err();
    assert!(matches!(refused, SpawnError::Sandbox(SandboxError::Path { .. })));
}

#[test]
fn a_child_is_confined_interrupted_and_measured() {
    let mut launch = Launch::new("/bin/sh");
    launch.args =
        ["-c".into(), "trap 'echo interrupted' INT; echo $$; while :; do read line && echo $line; done".into()].into();
    launch.sandbox = Some(Sandbox::default());
    let mut child = process::Child::start(&launch).unwrap();
    let cancel = Cancel::new().unwrap();
    let until = Until { deadline: None, cancel: &cancel };
    let line = |child: &mut process::Child, end: &str| {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end.as_bytes()) {
            child.receive(&mut bytes, &until).unwrap();
        }
        String::from_utf8(bytes).unwrap()
    };
    let own = line(&mut child, "\n");
    let has_keepers = Granted::here().processes.is_ok();
    assert_eq!(own == "2\n", has_keepers, "{own}");
    child.send(b"back\n", &until).unwrap();
    assert_eq!(line(&mut child, "\n"), "back\n");
    // A shell is small, and the two keepers hold what this process holds.
    assert!(child.memory_bytes().unwrap() < 4 << 20);
    child.interrupt();
    child.send(b"after\n", &until).unwrap();
    assert!(line(&mut child, "after\n").contains("interrupted"));
    assert!(child.report().unwrap().holds(Guarantee::Files));
    child.end().unwrap();
}

#[test]
fn a_demand_that_cannot_be_met_is_refused_before_the_start() {
    let none =
        Granted { landlock: Err("none".to_owned()), seccomp: Err("none".to_owned()), ..without_namespaces().clone() };
    let refused = Sandbox::default().prepare_on(&none).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the sandbox cannot guarantee files: takes landlock, and before its version 3 a mount namespace"
    );
    let best = Sandbox { demand: Demand::BestEffort, ..Sandbox::default() };
    let report = best.prepare_on(&none).unwrap().report().clone();
    assert!(
        !report.holds(Guarantee::Files) && !report.holds(Guarantee::Network) && report.holds(Guarantee::Privileges)
    );
}

#[test]
fn a_path_that_is_not_there_is_an_error() {
    let sandbox = Sandbox { read: vec!["/no/such/path".into()], ..Sandbox::default() };
    assert!(matches!(sandbox.prepare(), Err(SandboxError::Path { .. })));
}

#[test]
fn endings_pass_through_the_keepers() {
    use std::os::unix::process::ExitStatusExt;
    let prepared = Arc::new(Sandbox::default().prepare().unwrap());
    let run = |script: &str| confine(Command::new("/bin/sh"), &prepared).args(["-c", script]).status().unwrap();
    assert_eq!(run("exit 7").code(), Some(7));
    assert_eq!(run("kill -SEGV $$").signal(), Some(libc::SIGSEGV));
    assert_eq!(run("kill -KILL $$").signal(), Some(libc::SIGKILL));
    let missing = confine(Command::new("/no/such/program"), &prepared).status().unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}

#[test]
fn scratch_can_be_written_and_goes_with_the_program() {
    for granted in [Granted::here(), without_namespaces()] {
        let sandbox = Sandbox { scratch: true, ..Sandbox::default() };
        let prepared = Arc::new(sandbox.prepare_on(granted).unwrap());
        let scratch = prepared.scratch().unwrap().to_owned();
        let mut command = confine(Command::new("/bin/sh"), &prepared);
        let output = command.args(["-c", "echo x >$0/file && cat $0/file"]).arg(&scratch).output().unwrap();
        assert_eq!(output.stdout, b"x\n", "{output:?} with {granted:?}");
        drop((command, prepared));
        assert!(!scratch.exists());
    }
}
