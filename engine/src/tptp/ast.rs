//! What a TPTP file says, as data: the `fof` and `cnf` languages of TPTP v9.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// An interned name: a functor, a predicate, a variable, or the name of a formula.
///
/// Quoted names are stored without their quotes when the quotes are not needed (`'a'` and `a` are one symbol, as TPTP demands),
/// with escapes resolved; printing adds the quotes back where they are needed. Only a quoted name that begins with `$` or a quote
/// keeps them, because `'$a'` is not the `$a` of the system.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(Arc<str>);

impl Symbol {
    /// The symbol spelled `name`. The parser interns through a table of its own, so that equal names share one allocation.
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }
}

impl Deref for Symbol {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A table of symbols can be asked by name.
impl Borrow<str> for Symbol {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A first-order term.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    /// A variable, free (in `cnf`: universally quantified) or bound.
    Variable(Symbol),
    /// A functor with its arguments; a constant has none. Defined and system functors keep their `$`.
    Apply(Symbol, Vec<Term>),
    /// A distinct object, `"like this"`, or a number, spelled as in the file.
    Literal(Symbol),
}

/// The connectives that take exactly two formulas and do not chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connective {
    /// `=>`
    Implies,
    /// `<=`
    ImpliedBy,
    /// `<=>`
    Iff,
    /// `<~>`
    Xor,
    /// `~|`
    Nor,
    /// `~&`
    Nand,
}

/// The associative connectives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Chain {
    /// `&`
    And,
    /// `|`
    Or,
}

/// The quantifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// `!`
    Forall,
    /// `?`
    Exists,
}

/// A first-order formula. The parser bounds its depth (`Limits::max_depth`), so recursion over it is safe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Formula {
    /// `$true` or `$false`.
    Constant(bool),
    /// A predicate with its arguments; a proposition has none.
    Atom(Symbol, Vec<Term>),
    /// `s = t`; `s != t` is its negation.
    Equal(Term, Term),
    /// `~ f`.
    Not(Box<Formula>),
    /// `f & g & ...` or `f | g | ...`, two or more.
    Chain(Chain, Vec<Formula>),
    /// `f => g` and its like.
    Binary(Connective, Box<Formula>, Box<Formula>),
    /// `! [X, Y] : f`.
    Quantified(Quantifier, Vec<Symbol>, Box<Formula>),
}

/// The language of an annotated formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// First-order form.
    Fof,
    /// Clause normal form; its free variables are universally quantified.
    Cnf,
}

/// What a formula is for, as TPTP names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the variants are TPTP's own words")]
pub enum Role {
    Axiom,
    Hypothesis,
    Definition,
    Assumption,
    Lemma,
    Theorem,
    Corollary,
    Conjecture,
    NegatedConjecture,
    Plain,
}

impl Role {
    /// Every role, in the order of the variants.
    pub const ALL: [Self; 10] = [
        Self::Axiom,
        Self::Hypothesis,
        Self::Definition,
        Self::Assumption,
        Self::Lemma,
        Self::Theorem,
        Self::Corollary,
        Self::Conjecture,
        Self::NegatedConjecture,
        Self::Plain,
    ];

    /// The role that a file spells like this.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Axiom => "axiom",
            Self::Hypothesis => "hypothesis",
            Self::Definition => "definition",
            Self::Assumption => "assumption",
            Self::Lemma => "lemma",
            Self::Theorem => "theorem",
            Self::Corollary => "corollary",
            Self::Conjecture => "conjecture",
            Self::NegatedConjecture => "negated_conjecture",
            Self::Plain => "plain",
        }
    }
}

/// One `fof(name, role, formula, source, info).` of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotated {
    /// Its name, unique in a well-formed problem.
    pub name: Symbol,
    /// `fof` or `cnf`.
    pub language: Language,
    /// What it is for.
    pub role: Role,
    /// What it says.
    pub formula: Formula,
    /// The formula as the file spells it, without name, role and annotations; what a prover is given.
    pub text: Arc<str>,
    /// The annotations after the formula (source and useful info) as spelled, or nothing.
    pub annotations: Option<Arc<str>>,
    /// Index of its file in `Problem::files`.
    pub file: u32,
    /// 1-based line of its first character.
    pub line: u32,
}
