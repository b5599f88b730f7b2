//! A million requests can wait. Alone in its process, so that nobody else's memory counts.

use porism_engine::queue::{Options, Queue, Request};

const REQUESTS: usize = 1_000_000;

/// Resident memory in bytes; `None` where the system does not tell.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? * 1024)
}

#[test]
fn a_million_waiting_requests_take_less_than_256_bytes_each() {
    let Some(before) = resident() else { return };
    let queue: Queue<u64, u64> = Queue::new(Options { capacity: REQUESTS, ..Options::default() });
    for payload in 0..REQUESTS as u64 {
        queue.submit(Request::new(payload)).unwrap();
    }
    let each = (resident().unwrap() - before) / REQUESTS;
    println!("{each} bytes each");
    assert!(each < 256, "{each} bytes each");
    for payload in 0..REQUESTS as u64 {
        let mut running = queue.try_take().unwrap();
        assert_eq!(running.payload(), Some(payload));
        running.finish(payload);
    }
    assert!(queue.try_take().is_none());
}
