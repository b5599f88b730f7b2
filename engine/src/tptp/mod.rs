//! TPTP: reading `fof` and `cnf` problems, with `include`, and printing them for a prover.
//!
//! The reader is made for files of unknown origin: its time is linear, its depth bounded, and its errors name the place.

mod ast;
mod canonical;
mod cursor;
mod error;
mod include;
mod lexer;
mod limits;
mod parser;
mod print;
mod problem;
mod scope;
pub mod smt;
mod statement;
mod symbols;

#[cfg(test)]
mod strategies;

pub use ast::{Annotated, Chain, Connective, Formula, Language, Quantifier, Role, Symbol, Term};
pub use canonical::canonical;
pub use error::{ParseError, ParseErrorKind, Place};
pub use limits::Limits;
pub use parser::parse_formula;
pub use problem::Problem;
