//! Small damage to good databases, judged by the engine and by the reference: they must agree on every theorem.
//!
//! `PORISM_MUTANTS` says how many are made; 5,000 unless it is set.

use super::super::{Checker, Verdict};
use super::conformance_tests::accepted_texts;
use super::reference::{self, Outcome};
use super::{Library, Reading};

/// A small generator, so that a mutant can be made again from its number.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides.max(1)
    }
}

fn mutant(bases: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut dice = Dice(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    for _ in 0..4 {
        dice.roll(2);
    }
    let base = &bases[dice.roll(bases.len())];
    let mut tokens: Vec<Vec<u8>> =
        base.split(u8::is_ascii_whitespace).filter(|token| !token.is_empty()).map(<[u8]>::to_vec).collect();
    for _ in 0..=dice.roll(2) {
        let at = dice.roll(tokens.len());
        let other = tokens.get(dice.roll(tokens.len())).cloned().unwrap_or_default();
        let Some(token) = tokens.get_mut(at) else { break };
        match dice.roll(8) {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, other),
            2 => *token = other,
            3 if at > 0 => tokens.swap(at - 1, at),
            // Letters of compressed proofs, most often.
            4 if !token.is_empty() => {
                let place = dice.roll(token.len());
                token[place] = b"ABCDEFGTUVYZ?az$(".to_vec()[dice.roll(17)];
            }
            5 if token.len() > 1 => {
                let place = dice.roll(token.len() - 1);
                token.swap(place, place + 1);
            }
            6 => {
                let place = dice.roll(token.len() + 1);
                token.insert(place, b'A' + u8::try_from(dice.roll(26)).unwrap());
            }
            _ => drop(token.pop()),
        }
    }
    tokens.join(&b' ')
}

fn judge(text: &[u8]) -> Result<Vec<(String, &'static str)>, ()> {
    let library = Library::from_text(text.to_vec(), "mutant.mm", &Reading::default()).map_err(|_| ())?;
    let mut scratch = library.scratch();
    let judged = library.theorems().into_iter().map(|theorem| {
        let verdict = library.check(&theorem, &Library::BUDGET, &mut scratch);
        let name = match &verdict {
            Verdict::Accepted => "accepted",
            Verdict::Rejected(_) => "rejected",
            Verdict::Undecided(_) => "undecided",
        };
        (library.label(theorem).unwrap().to_owned(), name)
    });
    Ok(judged.collect())
}

fn judge_by_reference(text: &[u8]) -> Result<Vec<(String, &'static str)>, ()> {
    let judged = reference::check(text, &|_| None).map_err(|_| ())?;
    let name = |outcome: &Outcome| match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Rejected(_) => "rejected",
        Outcome::Incomplete | Outcome::GaveUp => "undecided",
    };
    Ok(judged.into_iter().map(|(label, outcome)| (label, name(&outcome))).collect())
}

#[test]
fn engine_and_reference_agree_on_mutants() {
    let count = std::env::var("PORISM_MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(5000);
    let bases = accepted_texts();
    let (mut malformed, mut accepted, mut refused) = (0, 0, 0);
    for number in 0..count {
        let text = mutant(&bases, number);
        let judged = judge(&text);
        assert_eq!(judged, judge_by_reference(&text), "mutant {number}:\n{}", String::from_utf8_lossy(&text));
        match judged {
            Err(()) => malformed += 1,
            Ok(judged) if judged.iter().all(|(_, verdict)| *verdict == "accepted") => accepted += 1,
            Ok(_) => refused += 1,
        }
    }
    // Mutants that are all alike would test nothing.
    assert!(
        malformed > count / 20 && accepted > count / 20 && refused > count / 20,
        "{malformed} {accepted} {refused}"
    );
}
