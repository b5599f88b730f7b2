//! How much memory the processes of a session hold.

use std::collections::HashMap;
use std::fs;
use std::sync::LazyLock;

/// The sum over all processes of each of `sessions`, named by the numbers of their leaders; `None` where none of them lives. A page that
/// n processes share counts one n-th where that may be read.
///
/// It asks for the session of every process of the machine, since children whose parent died can be found in no other way: ask for all
/// sessions at once.
pub fn memory_of_sessions(sessions: &[u32]) -> Vec<Option<u64>> {
    let mut sums: HashMap<u32, Option<u64>> = sessions.iter().map(|&session| (session, None)).collect();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<libc::pid_t>().ok()) else { continue };
        if let Some(sum) = sums.get_mut(&session_of(pid).cast_unsigned())
            && let Some(bytes) = of_process(pid)
        {
            *sum = Some(sum.unwrap_or(0) + bytes);
        }
    }
    sessions.iter().map(|session| sums.get(session).copied().flatten()).collect()
}

/// -1 when there is no such process any more.
fn session_of(pid: libc::pid_t) -> libc::pid_t {
    // SAFETY: takes one number and touches no memory of ours.
    unsafe { libc::getsid(pid) }
}

/// PSS where it may be read, else the resident size; `None` when the process has none any more, as one that waits to be reaped.
fn of_process(pid: libc::pid_t) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok();
    rollup
        .and_then(|rollup| pss_bytes(&rollup))
        .or_else(|| resident_bytes(&fs::read_to_string(format!("/proc/{pid}/statm")).ok()?))
        .filter(|&bytes| bytes > 0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert_eq!(
            pss_bytes("5597-7ffc ---p 0 00:00 0   [rollup]\nRss:   1608 kB\nPss:    282 kB\nPss_Dirty: 9 kB\n"),
            Some(282 << 10)
        );
        assert_eq!(pss_bytes(""), None);
        assert_eq!(pss_bytes("Pss: many kB"), None);
        assert_eq!(resident_bytes("1000 7 3 1 0 200 0\n"), Some(7 * *PAGE_BYTES));
        assert_eq!(resident_bytes("18446744073709551615 18446744073709551615"), None);
        assert_eq!(resident_bytes(""), None);
    }

    #[test]
    fn both_sizes_are_of_the_same_order() {
        let rollup = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
        let statm = fs::read_to_string("/proc/self/statm").unwrap();
        let (pss, resident) = (pss_bytes(&rollup).unwrap(), resident_bytes(&statm).unwrap());
        assert!(pss > 0 && pss <= 2 * resident, "{pss} {resident}");
    }
}
