//! The cases of `tests/conformance/metamath`, put to the engine and to the reference.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::super::{Verdict, Work, check_many};
use super::reference::{self, Outcome};
use super::{Library, Reading};

struct Case {
    file: String,
    name: String,
    verdict: String,
    code: Option<String>,
    /// The database first, then what it includes, with names.
    texts: Vec<(String, Vec<u8>)>,
}

/// The words behind the mark, and the texts with their names.
type Section<'a> = (Vec<&'a str>, Vec<(String, String)>);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/metamath")
}

fn cases() -> Vec<Case> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "cases"));
    paths.sort();
    paths.iter().flat_map(|path| cases_of(path)).collect()
}

fn cases_of(path: &Path) -> Vec<Case> {
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).unwrap();
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("=== ") {
            sections.push((head.split(' ').collect(), vec![("main.mm".to_owned(), String::new())]));
        } else if let Some((_, texts)) = sections.last_mut() {
            match line.strip_prefix("--- ") {
                Some(name) => texts.push((name.to_owned(), String::new())),
                None => texts.last_mut().unwrap().1.extend([line, "\n"]),
            }
        }
    }
    let preludes: HashMap<&str, String> = sections
        .iter()
        .filter(|(head, _)| head[0] == "prelude")
        .map(|(head, texts)| (head[1], texts[0].1.clone()))
        .collect();
    let cases = sections.iter().filter(|(head, _)| head[0] != "prelude").map(|(head, texts)| {
        let mut words = head.iter().copied();
        let verdict = words.next().unwrap().to_owned();
        let code = (verdict != "accepted").then(|| words.next().unwrap().to_owned());
        let name = words.next().unwrap().to_owned();
        let mut texts = texts.clone();
        if let Some(prelude) = words.next() {
            texts[0].1.insert_str(0, &preludes[prelude.strip_prefix('+').unwrap()]);
        }
        let texts = texts.into_iter().map(|(name, text)| (name, unescape(&text))).collect();
        Case { file: file.clone(), name, verdict, code, texts }
    });
    cases.collect()
}

fn unescape(text: &str) -> Vec<u8> {
    let text = text.replace("\\\n", "");
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}

/// The databases of one file that are right, as texts.
pub(super) fn accepted_texts() -> Vec<Vec<u8>> {
    let right = cases().into_iter().filter(|case| case.verdict == "accepted" && case.texts.len() == 1);
    right.map(|mut case| case.texts.remove(0).1).collect()
}

/// The verdict on a whole database: the worst of its proofs.
fn judge(path: &Path, threads: usize) -> Verdict {
    let library = match Library::open(path, &Reading { threads, ..Reading::default() }) {
        Ok(library) => library,
        Err(verdict) => return verdict,
    };
    let cancel = AtomicBool::new(false);
    let work = Work { threads, budget: Library::BUDGET, cancel: &cancel, observer: None };
    let verdicts = check_many(&library, &library.theorems(), &work).unwrap();
    let worst = verdicts.iter().find(|verdict| matches!(verdict, Verdict::Rejected(_)));
    worst.or_else(|| verdicts.iter().find(|verdict| !verdict.is_accepted())).cloned().unwrap_or(Verdict::Accepted)
}

fn judge_by_reference(path: &Path) -> &'static str {
    let root = path.parent().unwrap().canonicalize().unwrap();
    let include = |name: &str| {
        let path = root.join(name).canonicalize().ok()?;
        if path.starts_with(&root) { fs::read(path).ok() } else { None }
    };
    match reference::check(&fs::read(path).unwrap(), &include) {
        Err(_) => "rejected",
        Ok(outcomes) if outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Rejected(_))) => "rejected",
        Ok(outcomes) if outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Accepted) => "accepted",
        Ok(_) => "undecided",
    }
}

#[test]
fn every_case_gets_its_verdict() {
    let scratch = tempfile::tempdir().unwrap();
    let cases = cases();
    assert!(cases.len() >= 150, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let root = scratch.path().join(format!("{number}/root"));
        for (name, text) in &case.texts {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let path = root.join("main.mm");
        let verdict = judge(&path, 1);
        let code = verdict.fault().map(|fault| fault.code.0.to_owned());
        let name = format!("{}: {}", case.file, case.name);
        if verdict.name() != case.verdict || code != case.code {
            wrong.push(format!("{name}: {} {code:?} instead of {} {:?}", verdict.name(), case.verdict, case.code));
        }
        let other = judge_by_reference(&path);
        if other != case.verdict {
            wrong.push(format!("{name}: the reference says {other}"));
        }
        if judge(&path, 3) != verdict {
            wrong.push(format!("{name}: threads change the verdict"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_of_cases_differ_within_a_file() {
    let mut names: Vec<String> = cases().iter().map(|case| format!("{} {}", case.file, case.name)).collect();
    names.sort();
    let twice: Vec<&[String]> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
