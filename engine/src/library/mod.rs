//! A library: formulas in order, the goals among them, and what each goal may use.

mod folder;
mod goal;

use crate::features::symbol_features;
use crate::rank::{Corpus, Proof, Ranking, nearest_proofs};
use crate::tptp::{Annotated, Problem, Role, smt};

pub use folder::{LibraryError, ORDER_FILE, read};
pub use goal::Goal;

/// Formulas in order, with the features by which they are ranked.
#[derive(Debug)]
pub struct Library {
    problem: Problem,
    corpus: Corpus,
}

impl Library {
    /// Reads the features of all formulas of `problem`.
    pub fn new(problem: Problem) -> Self {
        let mut corpus = Corpus::default();
        for annotated in &problem.formulas {
            corpus.push(&symbol_features(&annotated.formula));
        }
        Self { problem, corpus }
    }

    /// The formulas, by position.
    pub fn formulas(&self) -> &[Annotated] {
        &self.problem.formulas
    }

    /// The corpus of their features.
    pub fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    /// What there is to prove.
    ///
    /// Several conjectures make a library: each may use everything before it. One conjecture makes a problem: order does not
    /// matter. With none, the negated conjectures (or, without those, everything) are to be shown contradictory.
    pub fn goals(&self) -> Vec<Goal> {
        let conjectures = self.positions(Role::Conjecture);
        match conjectures.as_slice() {
            [] => vec![Goal { members: self.positions(Role::NegatedConjecture), before: self.formulas().len() }],
            [only] => vec![Goal { members: vec![*only], before: self.formulas().len() }],
            several => several.iter().map(|&position| Goal::at(position)).collect(),
        }
    }

    fn positions(&self, role: Role) -> Vec<u32> {
        (0..).zip(self.formulas()).filter(|(_, formula)| formula.role == role).map(|(position, _)| position).collect()
    }

    /// Everything that `goal` may use, in order; `usable` as in [`Pool`].
    pub fn premises(&self, goal: &Goal, usable: &[bool]) -> Vec<u32> {
        let pool = goal.pool(usable);
        (0_u32..).take(self.formulas().len()).filter(|&position| pool.contains(position as usize)).collect()
    }

    /// The premises of `goal`, most similar first.
    pub fn similarity(&self, goal: &Goal, usable: &[bool]) -> Ranking {
        self.corpus.similarity(&self.corpus.sum(&goal.members), goal.pool(usable))
    }

    /// The premises of `goal` that helped the `k` most similar proved goals, most helpful first.
    pub fn nearest_proofs(&self, goal: &Goal, proofs: &[Proof], k: usize, usable: &[bool]) -> Ranking {
        nearest_proofs(&self.corpus, &self.corpus.sum(&goal.members), proofs, k, goal.pool(usable))
    }

    /// The problem "`premises` entail `goal`" in TPTP, for a prover.
    pub fn tptp(&self, goal: &Goal, premises: &[u32]) -> String {
        let mut out = String::new();
        for &position in premises {
            goal::write_tptp(&mut out, &self.formulas()[position as usize], Role::Axiom);
        }
        for &position in &goal.members {
            let formula = &self.formulas()[position as usize];
            let role = if formula.role == Role::NegatedConjecture { formula.role } else { Role::Conjecture };
            goal::write_tptp(&mut out, formula, role);
        }
        out
    }

    /// The same problem in SMT-LIB 2.6, for a prover of another kind: unsatisfiable means proved.
    pub fn smt2(&self, goal: &Goal, premises: &[u32]) -> String {
        let at = |&position: &u32| &self.formulas()[position as usize];
        let mut axioms: Vec<&Annotated> = premises.iter().map(at).collect();
        let conjecture = match goal.members.as_slice() {
            [only] if at(only).role != Role::NegatedConjecture => Some(at(only)),
            clauses => {
                axioms.extend(clauses.iter().map(at));
                None
            }
        };
        let mut out = String::new();
        smt::write_smt2(&mut out, &axioms, conjecture);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{Library, Problem};
    use crate::tptp::Limits;

    fn library(text: &str) -> Library {
        Library::new(Problem::parse(text, "test", &Limits::default()).expect("a problem"))
    }

    #[test]
    fn several_conjectures_make_a_library_in_order() {
        let library = library("fof(a, axiom, p). fof(b, conjecture, p). fof(c, axiom, q). fof(d, conjecture, p & q).");
        let goals = library.goals();
        assert_eq!(goals.len(), 2);
        assert_eq!(library.premises(&goals[0], &[]), [0]);
        assert_eq!(library.premises(&goals[1], &[]), [0, 1, 2]);
    }

    #[test]
    fn one_conjecture_may_use_what_follows_it() {
        let library = library("fof(b, conjecture, p). fof(a, axiom, p).");
        let goals = library.goals();
        assert_eq!(library.premises(&goals[0], &[]), [1]);
        assert_eq!(library.tptp(&goals[0], &[1]), "fof(a, axiom, p).\nfof(b, conjecture, p).\n");
    }

    #[test]
    fn numbers_reach_a_prover_as_constants() {
        let library = library("fof(a, axiom, p(1, \"1\", f(2))). fof(b, conjecture, p1).");
        let goals = library.goals();
        let problem = "fof(a, axiom, p('number 1',\"1\",f('number 2'))).\nfof(b, conjecture, p1).\n";
        assert_eq!(library.tptp(&goals[0], &[0]), problem);
    }

    #[test]
    fn clauses_to_refute_stay_negated() {
        let library = library("cnf(a, axiom, p(X)). cnf(g, negated_conjecture, ~ p(c)).");
        let goals = library.goals();
        assert_eq!(goals[0].members, [1]);
        assert!(library.tptp(&goals[0], &[0]).contains("cnf(g, negated_conjecture, ~ p(c))."));
        assert!(!library.smt2(&goals[0], &[0]).contains("(not (not"));
    }
}
