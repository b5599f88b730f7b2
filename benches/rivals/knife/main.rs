//! metamath-knife on one database: the processor time of each pass, and with `one` the time of single theorems.
//!
//! `knife FILE THREADS [one LABEL...]` prints one JSON object.

use std::time::Instant;

use metamath_rs::database::{Database, DbOptions};

/// User and system time of this process in seconds. The clock of the kernel ticks a hundred times a second.
fn processor_s() -> f64 {
    let line = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = line.rsplit(')').next().expect("a name in parentheses").split_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<f64>().expect("a count of ticks");
    (ticks(11) + ticks(12)) / 100.0
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("a file");
    let jobs = arguments.next().expect("a number of threads").parse().expect("a number");
    let (started, began) = (Instant::now(), processor_s());
    let mut database = Database::new(DbOptions { autosplit: true, jobs, ..DbOptions::default() });
    database.parse(path, Vec::new());
    database.name_pass();
    database.scope_pass();
    let loaded = processor_s();
    database.verify_pass();
    let (wall_s, verified) = (started.elapsed().as_secs_f64(), processor_s());
    let faults = database.diag_notations().len();
    let one: Vec<String> = arguments.skip(1).map(|label| format!("\"{label}\": {}", best_ns(&database, &label))).collect();
    println!(
        "{{\"load_s\": {:.2}, \"all_s\": {:.2}, \"wall_s\": {wall_s:.3}, \"faults\": {faults}, \"one_ns\": {{{}}}}}",
        loaded - began,
        verified - began,
        one.join(", ")
    );
}

/// The quickest of seven checks of one theorem.
fn best_ns(database: &Database, label: &str) -> u128 {
    let statement = database.statement(label.as_bytes()).expect("a theorem");
    let check = |_| {
        let started = Instant::now();
        database.verify_one(&mut (), statement).expect("a proof");
        started.elapsed().as_nanos()
    };
    (0..7).map(check).min().unwrap_or(0)
}
