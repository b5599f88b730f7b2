//! What the log of events teaches.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::error::{MemoryError, Result};
use super::event::Event;
use super::{Memory, RecordId, consistent, events, records};
use crate::features;
use crate::learn::{Case, Considered, Effect, Lessons, Skill};
use crate::verdict::{Subject, Verdict};

/// How learning goes, in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Progress {
    /// Events with an outcome.
    pub cases: u64,
    /// How good the predictions of what a proof uses were: each was made before its outcome was known.
    pub skill: Option<SkillNumbers>,
    /// Whether those predictions may have a say.
    pub trusted: bool,
    /// How much logistic regression, naive Bayes and nearest neighbours are trusted.
    pub trust: Vec<f64>,
    /// What it does to the success of goals that a record is shown, from the least to the greatest. Empty while nothing was withheld.
    pub effects: Vec<RecordEffect>,
}

/// [`Skill`], as numbers with names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "they are those of `Skill`")]
pub struct SkillNumbers {
    pub predictions: usize,
    pub base_rate: f64,
    pub brier: f64,
    pub skill: f64,
    pub low: f64,
    pub high: f64,
    pub calibration_error: f64,
}

/// The [`Effect`] of a record.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "they are those of `Effect`")]
pub struct RecordEffect {
    pub record: RecordId,
    pub mean: f64,
    pub low: f64,
    pub high: f64,
    pub exposures: u64,
}

impl Memory {
    /// What follows from all events that have an outcome, in the order of their numbers. So it does not matter in which order, or how
    /// late, they were settled.
    ///
    /// Goals are seen by the built-in features, whoever makes the vectors of the memory: another embedder changes nothing here.
    pub fn lessons(&self) -> Result<Lessons> {
        self.learnt().map(|(lessons, _)| lessons)
    }

    /// How learning goes.
    pub fn progress(&self) -> Result<Progress> {
        let (lessons, withheld) = self.learnt()?;
        let mut withheld: Vec<i64> = withheld.into_iter().collect();
        withheld.sort_unstable();
        let effects = lessons.effects(&withheld);
        let mut effects: Vec<RecordEffect> = withheld.iter().zip(effects).filter_map(named).collect();
        effects.sort_by(|left, right| left.mean.total_cmp(&right.mean).then(left.record.cmp(&right.record)));
        Ok(Progress {
            cases: lessons.cases(),
            skill: lessons.skill().map(SkillNumbers::from),
            trusted: lessons.trusted(),
            trust: lessons.trust().into(),
            effects,
        })
    }

    /// The lessons, and the records with which chance had its way.
    fn learnt(&self) -> Result<(Lessons, HashSet<i64>)> {
        let mut lessons = Lessons::new(features::DIMENSION).map_err(|error| MemoryError::Input(error.to_string()))?;
        let mut by_chance = HashSet::new();
        self.read(|reader| {
            let transaction = consistent(reader)?;
            let mut goals: HashMap<RecordId, Vec<f32>> = HashMap::new();
            events::for_each(&transaction, None, |event| {
                let Some(settlement) = &event.settlement else { return Ok(()) };
                let proved = outcome(settlement.verdict);
                let id = event.content.goal;
                if let std::collections::hash_map::Entry::Vacant(place) = goals.entry(id) {
                    let goal = records::get(&transaction, &[id], None)?.pop().ok_or_else(|| records::missing(id))?;
                    place.insert(features::embed(&goal.statement).to_vec());
                }
                let considered = considered(&event);
                by_chance.extend(considered.iter().filter(|one| one.propensity < 1.0).map(|one| one.record));
                lessons.learn(&Case { goal: &goals[&id], considered: &considered, proved, at_ms: event.created_ms });
                Ok(())
            })
        })?;
        Ok((lessons, by_chance))
    }
}

impl Progress {
    /// The numbers as a JSON object.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| MemoryError::io("the progress", "write it", &error.into()))
    }
}

/// Whether the goal was proved; `None` if the verdict says nothing of it.
fn outcome(verdict: Verdict) -> Option<bool> {
    matches!(verdict.subject(), Subject::Goal | Subject::Budget).then_some(verdict == Verdict::Proved)
}

fn considered(event: &Event) -> Vec<Considered> {
    let used = event.settlement.as_ref().map_or(&[][..], |settlement| &settlement.used);
    let one = |candidate: &super::Candidate| Considered {
        record: candidate.record.0,
        score: candidate.score,
        shown: candidate.slot.is_some(),
        propensity: candidate.propensity,
        used: used.binary_search(&candidate.record).is_ok(),
    };
    event.content.candidates.iter().map(one).collect()
}

fn named((&record, effect): (&i64, Option<Effect>)) -> Option<RecordEffect> {
    let Effect { mean, low, high, exposures } = effect?;
    Some(RecordEffect { record: RecordId(record), mean, low, high, exposures })
}

impl From<Skill> for SkillNumbers {
    fn from(skill: Skill) -> Self {
        Self {
            predictions: skill.predictions,
            base_rate: skill.base_rate,
            brier: skill.brier,
            skill: skill.skill,
            low: skill.interval.0,
            high: skill.interval.1,
            calibration_error: skill.calibration_error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::tests::{lemma, memory};
    use crate::memory::{Candidate, EventId, NewEvent, Settlement};

    /// Twelve recalls of one goal, each with three candidates, settled in the order of `order`.
    fn progress(order: impl Iterator<Item = usize>) -> Progress {
        let (_directory, memory) = memory();
        let ids: Vec<RecordId> =
            (0..4).map(|number| memory.insert(&lemma(&format!("p{number}(a)"))).unwrap().id).collect();
        let events: Vec<EventId> = (0..12)
            .map(|number| {
                let candidate = |slot: u32| {
                    let shown = slot > 0 || number % 3 > 0;
                    let propensity = if slot > 0 { 1.0 } else { 0.5 };
                    let record = ids[slot as usize + 1];
                    Candidate { record, score: 0.5, slot: shown.then_some(slot), propensity }
                };
                let candidates = (0..3).map(candidate).collect();
                let event = NewEvent { goal: ids[0], snapshot: 1, candidates, policy: "top".into(), seed: 0 };
                memory.log_event(&event).unwrap()
            })
            .collect();
        for number in order {
            let proved = number % 2 == 0;
            let settlement = Settlement {
                verdict: if proved { Verdict::Proved } else { Verdict::Unknown },
                attempts: 1,
                seconds: 0.1,
                used: if proved { vec![ids[2]] } else { Vec::new() },
                evidence: None,
            };
            memory.settle(events[number], &settlement).unwrap();
            memory.settle(events[number], &settlement).unwrap();
        }
        memory.progress().unwrap()
    }

    #[test]
    fn the_order_of_settlements_does_not_matter_and_to_repeat_one_changes_nothing() {
        let forward = progress(0..12);
        assert_eq!(forward.cases, 12);
        assert_eq!(forward.effects.len(), 1);
        assert_eq!(forward, progress((0..12).rev()));
    }

    #[test]
    fn what_is_pending_teaches_nothing() {
        let young = progress(0..0);
        assert_eq!((young.cases, young.trusted, young.effects.len()), (0, false, 0));
    }
}
