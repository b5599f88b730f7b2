//! New theorems against a library: one at a time, without reading anything again, and lemmas on top of each other.

use std::sync::Arc;

use super::super::{Budget, Code, Fault, Verdict};
use super::codes::{self, meaning};
use super::kernel::{Claim, OwnLabels, Scratch, Wrong};
use super::library::{HYPOTHESIS, Library, NONE, VARIABLE};
use super::proof::{self, Misproof};
use super::scan::is_label_byte;
use super::view::{Lemma, View};

/// A theorem with a proof that is no part of the library.
///
/// It stands in the outermost scope, so that its variables have the types that they have there, and brings its essential hypotheses
/// and its disjoint variables along.
#[derive(Clone, Copy, Debug, Default)]
pub struct Proposal<'a> {
    /// The typecode and the symbols, with white space between them.
    pub statement: &'a str,
    /// The essential hypotheses: the label that the proof uses, and the statement.
    pub hypotheses: &'a [(&'a str, &'a str)],
    /// Groups of variables that are disjoint, each with white space between its variables.
    pub disjoint: &'a [&'a str],
    /// A normal or a compressed proof: what stands between `$=` and `$.` in a file.
    pub proof: &'a [u8],
    /// Only statements before this one may be cited; all, unless it is set.
    pub before: Option<u32>,
}

/// A library with lemmas on top. It can be cloned and extended cheaply, so that a search keeps many side by side.
#[derive(Clone, Debug)]
pub struct Environment {
    library: Arc<Library>,
    lemmas: Vec<Arc<Lemma>>,
}

/// Memory that is used again from one proposal to the next: after a few, none is asked of the system any more.
#[derive(Debug, Default)]
pub struct ProposalScratch {
    kernel: Scratch,
    typecode: u32,
    math: Vec<u32>,
    frame: Vec<[u32; HYPOTHESIS]>,
    frame_math: Vec<u32>,
    groups: Vec<[u32; 3]>,
    members: Vec<u32>,
    labels: Vec<u8>,
    label_ends: Vec<usize>,
    floatings: Vec<u32>,
}

impl Environment {
    /// The library, and nothing on top.
    pub fn new(library: Arc<Library>) -> Self {
        Self { library, lemmas: Vec::new() }
    }

    /// The library below.
    pub fn library(&self) -> &Arc<Library> {
        &self.library
    }

    /// How many lemmas are on top.
    pub fn depth(&self) -> usize {
        self.lemmas.len()
    }

    /// Decides whether the proof proves the statement.
    pub fn check_one(&self, proposal: &Proposal<'_>, budget: &Budget, scratch: &mut ProposalScratch) -> Verdict {
        let view = View { columns: self.library.columns(), lemmas: &self.lemmas };
        if let Err(fault) = scratch.prepare(proposal, view) {
            return Verdict::Rejected(fault);
        }
        let all = self.library.len().saturating_add(u32::try_from(self.lemmas.len()).unwrap_or(u32::MAX));
        let floatings = scratch.frame.len() - scratch.label_ends.len();
        let claim = Claim {
            typecode: scratch.typecode,
            math: &scratch.math,
            frame: &scratch.frame,
            frame_math: &scratch.frame_math,
            groups: &scratch.groups,
            members: &scratch.members,
            head: u32::try_from(scratch.groups.len()).ok().and_then(|groups| groups.checked_sub(1)).unwrap_or(NONE),
            before: proposal.before.map_or(all, |before| before.min(all)),
            roster: None,
            own_labels: Some(OwnLabels { text: &scratch.labels, ends: &scratch.label_ends, first: floatings }),
        };
        let text = proposal.proof;
        match proof::check(view, claim, text, 0..text.len(), budget, &mut scratch.kernel) {
            Ok(()) => Verdict::Accepted,
            Err(Misproof { wrong, span, step }) => {
                decide(&wrong, view, Fault::new(wrong.code, "").at(text, span), step)
            }
        }
    }

    /// How many mandatory hypotheses a proposal has, if it is well formed.
    pub(super) fn mandatory(&self, proposal: &Proposal<'_>, scratch: &mut ProposalScratch) -> Option<usize> {
        let view = View { columns: self.library.columns(), lemmas: &self.lemmas };
        scratch.prepare(proposal, view).ok().map(|()| scratch.frame.len())
    }

    /// The environment with the theorem on top under this label, if its proof is accepted; otherwise the verdict.
    pub fn extend(
        &self,
        label: &str,
        proposal: &Proposal<'_>,
        budget: &Budget,
        scratch: &mut ProposalScratch,
    ) -> Result<Self, Verdict> {
        let reject =
            |code: Code| Err(Verdict::Rejected(Box::new(Fault::new(code, format!("{}: '{label}'", meaning(code))))));
        let view = View { columns: self.library.columns(), lemmas: &self.lemmas };
        if label.is_empty() || !label.bytes().all(is_label_byte) {
            return reject(codes::LABEL_MALFORMED);
        }
        if view.find(label.as_bytes()).is_some() {
            return reject(codes::LABEL_REUSED);
        }
        if view.columns.find_symbol(label.as_bytes()).is_some() {
            return reject(codes::LABEL_IS_SYMBOL);
        }
        match self.check_one(proposal, budget, scratch) {
            Verdict::Accepted => {}
            verdict => return Err(verdict),
        }
        let mut lemmas = Vec::with_capacity(self.lemmas.len() + 1);
        lemmas.extend_from_slice(&self.lemmas);
        lemmas.push(Arc::new(scratch.lemma(label)));
        Ok(Self { library: Arc::clone(&self.library), lemmas })
    }
}

#[cold]
fn decide(wrong: &Wrong, view: View<'_>, mut fault: Fault, step: u64) -> Verdict {
    fault.message = wrong.message.clone().unwrap_or_else(|| meaning(wrong.code).to_owned());
    super::describe(&mut fault, wrong, step, view);
    if wrong.undecided { Verdict::Undecided(Box::new(fault)) } else { Verdict::Rejected(Box::new(fault)) }
}

impl ProposalScratch {
    /// Turns the words of a proposal into numbers, and makes its frame.
    fn prepare(&mut self, proposal: &Proposal<'_>, view: View<'_>) -> Result<(), Box<Fault>> {
        let Self { math, frame, frame_math, groups, members, labels, label_ends, floatings, .. } = self;
        math.clear();
        frame.clear();
        frame_math.clear();
        groups.clear();
        members.clear();
        labels.clear();
        label_ends.clear();
        floatings.clear();
        self.typecode = expression(view, proposal.statement, math)?;
        for &(label, statement) in proposal.hypotheses {
            let name = label.as_bytes();
            if name.is_empty() || !name.iter().copied().all(is_label_byte) {
                return Err(fault(codes::LABEL_MALFORMED, label));
            }
            let mut start = 0;
            let twice = label_ends.iter().any(|&end| labels[std::mem::replace(&mut start, end)..end] == *name);
            if twice || view.find(name).is_some() {
                return Err(fault(codes::LABEL_REUSED, label));
            }
            labels.extend_from_slice(name);
            label_ends.push(labels.len());
            let place = frame_math.len();
            let typecode = expression(view, statement, frame_math)?;
            frame.push([typecode, narrow(place), narrow(frame_math.len() - place)]);
        }
        let used = frame_math.iter().chain(math.iter()).filter(|&&code| code & VARIABLE != 0);
        floatings.extend(used.filter_map(|&code| Some(view.columns.symbols.get((code & !VARIABLE) as usize)?[3])));
        floatings.sort_unstable();
        floatings.dedup();
        let floating = |&statement: &u32| {
            let row = view.columns.row(statement)?;
            Some([row[super::library::TYPECODE], *view.columns.math(row).first()?, NONE])
        };
        frame.splice(0..0, floatings.iter().filter_map(floating));
        for (number, group) in proposal.disjoint.iter().enumerate() {
            let start = members.len();
            for name in group.split_ascii_whitespace() {
                let code = symbol(view, name)?;
                if code & VARIABLE == 0 {
                    return Err(fault(codes::DISJOINT_CONSTANT, name));
                }
                members.push(code & !VARIABLE);
            }
            let group = &mut members[start..];
            if group.len() < 2 {
                return Err(fault(codes::DISJOINT_SHORT, proposal.disjoint[number]));
            }
            group.sort_unstable();
            if group.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(fault(codes::DISJOINT_REPEATED, proposal.disjoint[number]));
            }
            let before = number.checked_sub(1).map_or(NONE, narrow);
            groups.push([before, narrow(start), narrow(members.len() - start)]);
        }
        Ok(())
    }

    /// The last proposal as an assertion.
    fn lemma(&self, label: &str) -> Lemma {
        let mandatory =
            |symbol: &u32| self.frame.iter().any(|&[_, code, length]| length == NONE && code & !VARIABLE == *symbol);
        let mut disjoint = Vec::new();
        for &[_, start, length] in &self.groups {
            let place = disjoint.len();
            disjoint.push(0);
            disjoint
                .extend(self.members[start as usize..][..length as usize].iter().filter(|&symbol| mandatory(symbol)));
            match disjoint.len() - place - 1 {
                0 | 1 => disjoint.truncate(place),
                found => disjoint[place] = narrow(found),
            }
        }
        Lemma {
            label: label.as_bytes().to_vec(),
            typecode: self.typecode,
            math: self.math.clone(),
            frame: self.frame.clone(),
            frame_math: self.frame_math.clone(),
            disjoint,
        }
    }
}

/// Appends the symbols behind the typecode of a statement, each declared and each variable typed; the typecode.
fn expression(view: View<'_>, statement: &str, math: &mut Vec<u32>) -> Result<u32, Box<Fault>> {
    let mut names = statement.split_ascii_whitespace();
    let first = names.next().ok_or_else(|| fault(codes::STATEMENT_EMPTY, statement))?;
    let typecode = symbol(view, first)?;
    if typecode & VARIABLE != 0 {
        return Err(fault(codes::TYPECODE_NOT_CONSTANT, first));
    }
    for name in names {
        math.push(symbol(view, name)?);
    }
    Ok(typecode)
}

fn symbol(view: View<'_>, name: &str) -> Result<u32, Box<Fault>> {
    let found = view.columns.find_symbol(name.as_bytes()).ok_or_else(|| fault(codes::SYMBOL_UNDECLARED, name))?;
    if found[2] & VARIABLE != 0 && found[3] == NONE {
        return Err(fault(codes::VARIABLE_UNTYPED, name));
    }
    Ok(found[2])
}

#[cold]
fn fault(code: Code, what: &str) -> Box<Fault> {
    let shown: String = what.chars().take(100).collect();
    Box::new(Fault::new(code, format!("{}: '{shown}'", meaning(code))))
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NONE)
}
