//! How much memory the processes of a session hold.

use std::fs;
use std::sync::LazyLock;

/// The sum over all processes of `session`; `None` when none of them lives.
///
/// With `keepers`, the leader of the session and its child are left out: they stand around a confined program, and hold nothing
/// but a copy of what was the host's memory when it was started.
///
/// It reads the state of every process of the machine, since children whose parent died can be found in no other way.
pub(super) fn of_session(session: libc::pid_t, keepers: bool) -> Option<u64> {
    let mut sum = None;
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Some((parent, of)) = parent_and_session(pid) else { continue };
        let is_keeper = keepers && (parent == session || libc::pid_t::try_from(pid) == Ok(session));
        if of == session
            && !is_keeper
            && let Some(bytes) = of_process(pid)
        {
            sum = Some(sum.unwrap_or(0) + bytes);
        }
    }
    sum
}

/// The parent and the session of a process that lives.
fn parent_and_session(pid: u32) -> Option<(libc::pid_t, libc::pid_t)> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in parentheses and may hold anything, even parentheses.
    let after_name = stat.iter().rposition(|&byte| byte == b')')?;
    let mut fields = std::str::from_utf8(stat.get(after_name + 1..)?).ok()?.split_ascii_whitespace();
    let state = fields.next()?;
    // After the state: the parent, the group, the session.
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some((parent, session))
}

/// PSS where it may be read, else the resident size; `None` when the process is gone.
fn of_process(pid: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
    rollup
        .ok()
        .as_deref()
        .and_then(pss_bytes)
        .or_else(|| resident_bytes(&fs::read_to_string(format!("/proc/{pid}/statm")).ok()?))
}

/// The line `Pss:   282 kB`.
fn pss_bytes(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The second number of `statm`, in pages.
fn resident_bytes(statm: &str) -> Option<u64> {
    statm.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()?.checked_mul(*PAGE_BYTES)
}

static PAGE_BYTES: LazyLock<u64> = LazyLock::new(|| {
    // SAFETY: takes one number and touches no memory of ours.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
});
