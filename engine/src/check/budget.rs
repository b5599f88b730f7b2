//! Bounds on the work of a checker, in units that are the same on every machine.

use thiserror::Error;

/// How much work one certificate may cost before its checker gives up.
///
/// Each format says what its units are. A clock is not among them: a verdict must not depend on the load of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Steps of the certificate: rules applied, hints followed, rewrites made.
    pub steps: u64,
    /// Nodes of shared terms, or literals, that the certificate makes the checker build or compare.
    pub nodes: u64,
    /// Bytes of memory that the check may take beyond its input.
    pub memory_bytes: u64,
}

impl Budget {
    /// No bound but the machine.
    pub const UNBOUNDED: Self = Self { steps: u64::MAX, nodes: u64::MAX, memory_bytes: u64::MAX };
}

impl Default for Budget {
    /// Ample for every proof that people have written, and reached within seconds.
    fn default() -> Self {
        Self { steps: 100_000_000, nodes: 400_000_000, memory_bytes: 1 << 30 }
    }
}

/// The work would cost more than the budget allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("more than {limit} {unit}")]
pub struct Exhausted {
    /// Of what there was not enough: `steps`, `nodes` or `bytes of memory`.
    pub unit: &'static str,
    /// What the budget allowed.
    pub limit: u64,
}

/// What is left of a budget.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    budget: Budget,
    left: Budget,
}

impl Meter {
    /// Nothing is spent yet.
    pub const fn new(budget: &Budget) -> Self {
        Self { budget: *budget, left: *budget }
    }

    /// Pays for `count` steps.
    #[inline]
    pub fn steps(&mut self, count: u64) -> Result<(), Exhausted> {
        pay(&mut self.left.steps, count, "steps", self.budget.steps)
    }

    /// Pays for `count` nodes.
    #[inline]
    pub fn nodes(&mut self, count: u64) -> Result<(), Exhausted> {
        pay(&mut self.left.nodes, count, "nodes", self.budget.nodes)
    }

    /// Pays for `count` bytes of memory.
    #[inline]
    pub fn memory(&mut self, count: u64) -> Result<(), Exhausted> {
        pay(&mut self.left.memory_bytes, count, "bytes of memory", self.budget.memory_bytes)
    }

    /// What was spent so far.
    pub fn spent(&self) -> Budget {
        Budget {
            steps: self.budget.steps - self.left.steps,
            nodes: self.budget.nodes - self.left.nodes,
            memory_bytes: self.budget.memory_bytes - self.left.memory_bytes,
        }
    }
}

#[inline]
fn pay(left: &mut u64, count: u64, unit: &'static str, limit: u64) -> Result<(), Exhausted> {
    match left.checked_sub(count) {
        Some(rest) => {
            *left = rest;
            Ok(())
        }
        None => Err(Exhausted { unit, limit }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_stops_at_the_budget_and_says_what_was_spent() {
        let budget = Budget { steps: 3, ..Budget::UNBOUNDED };
        let mut meter = Meter::new(&budget);
        meter.steps(3).unwrap();
        meter.nodes(7).unwrap();
        assert_eq!(meter.steps(1), Err(Exhausted { unit: "steps", limit: 3 }));
        assert_eq!(meter.spent(), Budget { steps: 3, nodes: 7, memory_bytes: 0 });
    }
}
