//! Both checkers on one library.

use std::collections::HashMap;

use super::super::{Fault, Verdict};
use super::codes::{CHECKERS_DISAGREE, meaning};
use super::library::Library;
use super::reference::{self, Outcome};

impl Library {
    /// Has the reference check the same texts, and withdraws each of the `verdicts` on `theorems` that it does not confirm. That is slow:
    /// hundreds of times slower than the engine.
    pub fn check_again(&self, theorems: &[u32], verdicts: &mut [Verdict]) {
        let include = |name: &str| {
            let path = self.root.as_ref()?.join(name).canonicalize().ok()?.display().to_string();
            let file = self.files.iter().position(|(_, known)| *known == path)?;
            Some(self.file_text(file).to_vec())
        };
        let outcomes: HashMap<String, Outcome> = match reference::check(self.file_text(0), &include) {
            Ok(outcomes) => outcomes.into_iter().collect(),
            Err(reason) => {
                for verdict in verdicts {
                    *verdict = disagree(format!("the reference says that this is no database: {reason}"));
                }
                return;
            }
        };
        for (&theorem, verdict) in theorems.iter().zip(verdicts) {
            let outcome = self.label(theorem).and_then(|label| outcomes.get(label));
            let confirmed = matches!(
                (&*verdict, outcome),
                (Verdict::Accepted, Some(Outcome::Accepted))
                    | (Verdict::Rejected(_), Some(Outcome::Rejected(_)))
                    | (Verdict::Undecided(_), _)
            );
            if !confirmed {
                let other = outcome.map_or("nothing".to_owned(), |outcome| format!("{outcome:?}"));
                *verdict = disagree(format!("{}: '{}' and '{other}'", meaning(CHECKERS_DISAGREE), verdict.name()));
            }
        }
    }

    fn file_text(&self, file: usize) -> &[u8] {
        let text = self.columns().text;
        let start = self.files.get(file).map_or(0, |(start, _)| *start as usize);
        let end = self.files.get(file + 1).map_or(text.len(), |(start, _)| *start as usize);
        text.get(start..end).unwrap_or_default()
    }
}

fn disagree(message: String) -> Verdict {
    Verdict::Undecided(Box::new(Fault::new(CHECKERS_DISAGREE, message)))
}
