//! Several processes write one cache, and die at any moment.
//!
//! A child is this test program, told by the environment to run one test that does the child's work.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::samples::{entry, key};
use super::{Entry, Options, VerdictCache};
use crate::verdict::Verdict;

const PATH: &str = "PORISM_TEST_CACHE";
const FIRST: &str = "PORISM_TEST_FIRST";

/// What stands under a number: told apart from every other.
fn numbered(number: u32) -> Entry {
    let mut entry = entry(Verdict::Proved);
    entry.check.detail = format!("number {number}");
    entry.check.raw = "word ".repeat(number as usize % 500);
    entry
}

/// Puts numbers from `FIRST` on, and prints each that was put.
#[test]
fn child() {
    let (Some(path), Ok(first)) = (env::var_os(PATH), env::var(FIRST)) else { return };
    let cache = VerdictCache::open(Path::new(&path), Options::default()).unwrap();
    let first: u32 = first.parse().unwrap();
    for number in first..first + 200 {
        cache.put(&key(number), numbered(number)).unwrap();
        println!("\nput {number}");
        std::io::stdout().flush().unwrap();
    }
}

fn start(path: &Path, first: u32) -> Child {
    let name = module_path!().split_once("::").unwrap().1;
    Command::new(env::current_exe().unwrap())
        .args([&format!("{name}::child"), "--exact", "--nocapture"])
        .env(PATH, path)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The numbers that a child says it has put, up to `most` of them.
fn numbers(child: &mut Child, most: usize) -> Vec<u32> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let put = lines.filter_map(|line| line.unwrap().strip_prefix("put ").map(|number| number.parse().unwrap()));
    put.take(most).collect()
}

fn expect(path: &Path, put: impl IntoIterator<Item = u32>) {
    let cache = VerdictCache::open(path, Options::default()).unwrap();
    for number in put {
        let stored = numbered(number);
        assert_eq!(cache.get(&key(number), &stored.request).unwrap().as_deref(), Some(&stored));
    }
    cache.verify().unwrap();
}

#[test]
fn processes_share_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared.verdicts");
    // The first ones make it, all at once; each writes half of what another one writes too.
    let mut children: Vec<Child> = (0..4).map(|child| start(&path, child * 100)).collect();
    for child in &mut children {
        assert_eq!(numbers(child, usize::MAX).len(), 200);
        assert!(child.wait().unwrap().success());
    }
    expect(&path, 0..500);
}

#[test]
fn what_was_put_outlives_a_killed_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("killed.verdicts");
    let mut put = Vec::new();
    for round in 0..12 {
        let (mut killed, mut other) = (start(&path, round * 1000), start(&path, round * 1000 + 500));
        // At once, in the middle of opening, or after some entries.
        put.extend(numbers(&mut killed, round as usize * 5));
        killed.kill().unwrap();
        killed.wait().unwrap();
        put.extend(numbers(&mut other, 20));
        other.kill().unwrap();
        other.wait().unwrap();
        expect(&path, put.iter().copied());
    }
}
