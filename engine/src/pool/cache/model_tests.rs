//! Against a naive model: random requests and checks by two handles, with a clock that is moved by hand.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::samples::{HandClock, check, key};
use super::{Budget, Entry, Kept, Options, Request, VerdictCache};
use crate::verdict::{Trust, Verdict};

#[derive(Clone, Debug)]
enum Step {
    Put(u32, Box<Entry>),
    Get(u32, Request),
    Pass(i64),
    Remove(u32),
    /// By the other handle, which the first one notices a minute later.
    PutByOther(u32, Box<Entry>),
    Reopen,
}

/// All entries that were ever put and not removed, less those that the rules let go; rewritten from the documentation.
#[derive(Default)]
struct Model(HashMap<u32, Vec<Entry>>);

fn is_answer(entry: &Entry) -> bool {
    ["proved", "refuted", "rejected", "incomplete", "mismatch"].contains(&entry.check.verdict.as_str())
}

fn is_limit(entry: &Entry) -> bool {
    let limited = entry.request.budget.time.is_some() || entry.request.budget.units.is_some();
    ["timeout", "unknown"].contains(&entry.check.verdict.as_str()) && limited
}

/// The level of an answer: what vouches for it, and for a bad candidate what it was checked for.
fn level(entry: &Entry) -> u8 {
    let bad = ["rejected", "incomplete", "mismatch"].contains(&entry.check.verdict.as_str());
    let asked = if bad { entry.request.trust.into() } else { 0 };
    u8::from(entry.check.trust).max(asked)
}

fn at_most(small: &Budget, large: &Budget) -> bool {
    let time = |budget: &Budget| budget.time.map_or(u128::MAX, |time| time.as_nanos());
    let units = |budget: &Budget| budget.units.map_or(u128::MAX, u128::from);
    time(small) <= time(large) && units(small) <= units(large)
}

impl Model {
    fn put(&mut self, number: u32, new: &Entry) -> Kept {
        let entries = self.0.entry(number).or_default();
        if is_limit(new) {
            let same = |old: &Entry| is_limit(old) && old.request.trust == new.request.trust;
            if entries.iter().any(|old| same(old) && at_most(&new.request.budget, &old.request.budget)) {
                return Kept::Known;
            }
            entries.retain(|old| !same(old));
        } else if is_answer(new) {
            if let Some(place) = entries.iter().position(is_answer) {
                let old = &entries[place];
                if level(new) < level(old) || (level(new) == level(old) && new.check.verdict == old.check.verdict) {
                    return Kept::Known;
                }
                let contradicted = level(new) == level(old);
                entries.remove(place);
                if contradicted {
                    return Kept::Contradicted;
                }
            }
        } else {
            return Kept::Passing;
        }
        entries.push(new.clone());
        Kept::Stored
    }

    fn get(&self, number: u32, request: &Request) -> Option<Entry> {
        let entries = self.0.get(&number)?;
        let answer = entries.iter().find(|entry| is_answer(entry) && level(entry) >= request.trust.into());
        let limit = entries.iter().find(|entry| {
            is_limit(entry) && entry.request.trust == request.trust && at_most(&request.budget, &entry.request.budget)
        });
        answer.or(limit).cloned()
    }
}

fn request() -> impl Strategy<Value = Request> {
    let time = proptest::option::of((0_u64..4).prop_map(Duration::from_secs));
    (proptest::sample::select(&Trust::ALL[..]), time, proptest::option::of(0_u64..3))
        .prop_map(|(trust, time, units)| Request { trust, budget: Budget { time, units } })
}

fn new_entry() -> impl Strategy<Value = Box<Entry>> {
    (proptest::sample::select(Verdict::ALL), proptest::sample::select(&Trust::ALL[..]), request(), "[a-z\u{e9}]{0,4}")
        .prop_map(|(verdict, trust, request, detail)| {
            let mut check = check(verdict, trust);
            check.detail = detail;
            Box::new(Entry { check, request })
        })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u32..4, new_entry()).prop_map(|(key, entry)| Step::Put(key, entry)),
        6 => (0_u32..4, request()).prop_map(|(key, request)| Step::Get(key, request)),
        1 => (1_i64..3).prop_map(Step::Pass),
        1 => (0_u32..4).prop_map(Step::Remove),
        1 => (0_u32..4, new_entry()).prop_map(|(key, entry)| Step::PutByOther(key, entry)),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_cache_says_what_the_model_says(steps in proptest::collection::vec(step(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.verdicts");
        let clock = Arc::new(HandClock::default());
        let open = || VerdictCache::open(&path, Options { clock: clock.clone(), ..Options::default() }).unwrap();
        let (mut cache, other, mut model) = (open(), open(), Model::default());
        for step in steps {
            match step {
                Step::Put(number, entry) => {
                    prop_assert_eq!(cache.put(&key(number), *entry.clone()).unwrap(), model.put(number, &entry));
                }
                Step::Get(number, request) => {
                    let expected = model.get(number, &request);
                    if let Some(peeked) = cache.peek(&key(number), &request) {
                        prop_assert_eq!(Some(&*peeked), expected.as_ref());
                    }
                    let found = cache.get(&key(number), &request).unwrap();
                    prop_assert_eq!(found.as_deref(), expected.as_ref());
                }
                Step::Pass(minutes) => clock.pass(minutes),
                Step::Remove(number) => {
                    let known = model.0.remove(&number).is_some_and(|entries| !entries.is_empty());
                    prop_assert_eq!(cache.remove(&key(number)).unwrap(), known);
                }
                Step::PutByOther(number, entry) => {
                    prop_assert_eq!(other.put(&key(number), *entry.clone()).unwrap(), model.put(number, &entry));
                    clock.pass(1);
                }
                Step::Reopen => cache = open(),
            }
        }
        let entries: usize = model.0.values().map(Vec::len).sum();
        prop_assert_eq!(cache.stats().unwrap().entries, entries as u64);
    }
}
