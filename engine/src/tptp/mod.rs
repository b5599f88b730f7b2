//! TPTP: reading `fof` and `cnf` problems, with `include`, and printing them for a prover.

mod ast;

pub use ast::{Annotated, Chain, Connective, Formula, Language, Quantifier, Role, Symbol, Term};
