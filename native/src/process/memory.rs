//! How much memory the processes of a session hold.

use std::collections::HashMap;
use std::fs;
use std::sync::LazyLock;

/// The sum over all processes of each of `sessions`, named by the numbers of their leaders; `None` where none of them lives. A page that
/// n processes share counts one n-th where that may be read.
///
/// It reads the state of every process of the machine, since children whose parent died can be found in no other way: ask for all
/// sessions at once.
pub fn memory_of_sessions(sessions: &[u32]) -> Vec<Option<u64>> {
    let mut sums: HashMap<u32, Option<u64>> = sessions.iter().map(|&session| (session, None)).collect();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if let Some(sum) = session_of(pid).and_then(|session| sums.get_mut(&session.cast_unsigned()))
            && let Some(bytes) = of_process(pid)
        {
            *sum = Some(sum.unwrap_or(0) + bytes);
        }
    }
    sessions.iter().map(|session| sums.get(session).copied().flatten()).collect()
}

/// The session of a process that lives.
fn session_of(pid: u32) -> Option<libc::pid_t> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in parentheses and may hold anything, even parentheses.
    let after_name = stat.iter().rposition(|&byte| byte == b')')?;
    let mut fields = std::str::from_utf8(stat.get(after_name + 1..)?).ok()?.split_ascii_whitespace();
    let state = fields.next()?;
    // After the state: the parent, the group, the session.
    let session = fields.nth(2)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(session)
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
