//! Which checks are kept, and what a kept one is an answer to. No disk and no clock here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::verdict::{Check, Subject, Trust};

/// What an attempt may cost; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Time of work.
    pub time: Option<Duration>,
    /// Whatever else the prover counts: steps, generated clauses, heartbeats.
    pub units: Option<u64>,
}

impl Budget {
    /// Whether nothing in `other` is larger.
    pub fn covers(&self, other: &Self) -> bool {
        fn covers<T: Ord>(mine: Option<T>, other: Option<T>) -> bool {
            mine.is_none_or(|mine| other.is_some_and(|other| other <= mine))
        }
        covers(self.time, other.time) && covers(self.units, other.units)
    }
}

/// What somebody wants to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who has to vouch for the answer, at least.
    pub trust: Trust,
    /// What it may cost.
    pub budget: Budget,
}

/// A check, and the request that it was made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What came out.
    pub check: Check,
    /// For which request.
    pub request: Request,
}

/// Where an entry stands under its key: each place holds at most one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// An answer, whatever it cost.
    Answer,
    /// None within a budget, at a level of trust.
    Limit(Trust),
}

impl Place {
    /// The number for it.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Answer => 0,
            Self::Limit(trust) => 1 + u8::from(trust),
        }
    }
}

/// What becomes of a new entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    /// It takes the place.
    Write,
    /// What is there says as much, or more.
    Keep,
    /// Both weigh the same and contradict each other: neither can be believed.
    Remove,
}

impl Entry {
    /// Where it is kept. `None`: nowhere, because it says nothing about the next attempt.
    pub fn place(&self) -> Option<Place> {
        match self.check.verdict.subject() {
            Subject::Goal | Subject::Candidate => Some(Place::Answer),
            // Without a limit it did not come from one.
            Subject::Budget if self.request.budget != Budget::default() => Some(Place::Limit(self.request.trust)),
            Subject::Budget | Subject::Attempt => None,
        }
    }

    /// Up to which level of trust it is an answer.
    ///
    /// A claim about the goal is worth what vouches for it. A candidate that fails has failed whatever the request was for: no check of a
    /// stronger kind was needed to say so.
    fn reach(&self) -> Trust {
        match self.check.verdict.subject() {
            Subject::Candidate => self.check.trust.max(self.request.trust),
            _ => self.check.trust,
        }
    }

    /// Whether it is an answer to `request`.
    pub fn serves(&self, request: &Request) -> bool {
        match self.place() {
            Some(Place::Answer) => self.reach() >= request.trust,
            // More trust takes more work, and less trust less: a limit says something about its own level only.
            Some(Place::Limit(trust)) => trust == request.trust && self.request.budget.covers(&request.budget),
            None => false,
        }
    }

    /// What becomes of `new`, which has the same place as `self`.
    pub(super) fn merge(&self, new: &Self) -> Merge {
        if self.place() != Some(Place::Answer) {
            return if self.request.budget.covers(&new.request.budget) { Merge::Keep } else { Merge::Write };
        }
        match new.reach().cmp(&self.reach()) {
            std::cmp::Ordering::Greater => Merge::Write,
            std::cmp::Ordering::Equal if new.check.verdict != self.check.verdict => Merge::Remove,
            _ => Merge::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::check;
    use super::*;
    use crate::verdict::Verdict;

    fn entry(verdict: Verdict, trust: Trust, request: Request) -> Entry {
        Entry { check: check(verdict, trust), request }
    }

    fn at(trust: Trust, seconds: Option<u64>) -> Request {
        Request { trust, budget: Budget { time: seconds.map(Duration::from_secs), units: None } }
    }

    #[test]
    fn what_is_kept_and_where() {
        use Verdict::{
            Cancelled, Crashed, Failed, Incomplete, Memory, Mismatch, Overloaded, Proved, Refuted, Rejected,
        };
        use Verdict::{Timeout, Unknown, Unsupported};
        let limited = at(Trust::L1, Some(10));
        for verdict in [Proved, Refuted, Rejected, Incomplete, Mismatch] {
            assert_eq!(entry(verdict, Trust::L1, limited).place(), Some(Place::Answer), "{verdict}");
        }
        for verdict in [Timeout, Unknown] {
            assert_eq!(entry(verdict, Trust::L0, limited).place(), Some(Place::Limit(Trust::L1)), "{verdict}");
            assert_eq!(entry(verdict, Trust::L0, at(Trust::L1, None)).place(), None, "{verdict}");
        }
        for verdict in [Crashed, Memory, Cancelled, Overloaded, Unsupported, Failed] {
            assert_eq!(entry(verdict, Trust::L4, limited).place(), None, "{verdict}");
        }
    }

    #[test]
    fn a_stronger_answer_serves_a_weaker_request_and_not_the_other_way_round() {
        for stored in Trust::ALL {
            for asked in Trust::ALL {
                let proved = entry(Verdict::Proved, stored, at(Trust::L4, None));
                assert_eq!(proved.serves(&at(asked, Some(1))), stored >= asked);
                let rejected = entry(Verdict::Rejected, Trust::L0, at(stored, None));
                assert_eq!(rejected.serves(&at(asked, Some(1))), stored >= asked);
            }
        }
    }

    #[test]
    fn a_timeout_answers_budgets_that_are_not_larger_at_its_own_level() {
        let timeout = entry(Verdict::Timeout, Trust::L0, at(Trust::L1, Some(10)));
        let served = |trust, seconds| timeout.serves(&at(trust, seconds));
        assert!(served(Trust::L1, Some(10)) && served(Trust::L1, Some(1)));
        assert!(!served(Trust::L1, Some(11)) && !served(Trust::L1, None));
        assert!(!served(Trust::L0, Some(10)) && !served(Trust::L2, Some(1)));
    }

    #[test]
    fn a_budget_covers_another_in_every_respect() {
        let budget = |time: Option<u64>, units| Budget { time: time.map(Duration::from_secs), units };
        assert!(budget(None, None).covers(&budget(Some(1), None)));
        assert!(budget(Some(2), Some(5)).covers(&budget(Some(2), Some(5))));
        assert!(!budget(Some(2), Some(5)).covers(&budget(Some(1), None)));
        assert!(!budget(Some(2), Some(5)).covers(&budget(Some(3), Some(1))));
    }

    #[test]
    fn the_stronger_answer_stays_and_equal_ones_that_differ_cancel_out() {
        let answer = |verdict, trust| entry(verdict, trust, at(trust, None));
        let weak = answer(Verdict::Proved, Trust::L1);
        assert_eq!(weak.merge(&answer(Verdict::Rejected, Trust::L4)), Merge::Write);
        assert_eq!(answer(Verdict::Rejected, Trust::L4).merge(&weak), Merge::Keep);
        assert_eq!(weak.merge(&weak), Merge::Keep);
        assert_eq!(weak.merge(&answer(Verdict::Incomplete, Trust::L1)), Merge::Remove);
    }
}
