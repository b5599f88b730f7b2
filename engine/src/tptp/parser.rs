//! The grammar of `fof` and `cnf` formulas, by recursive descent with a bounded depth.
//!
//! The functions are many and small on purpose: without optimisation a function reserves stack for all its branches together.

use super::ast::{Chain, Connective, Formula, Quantifier, Symbol, Term};
use super::cursor::Cursor;
use super::error::{ParseError, ParseErrorKind};
use super::lexer::Kind;
use super::limits::Limits;
use super::symbols::SymbolTable;

type Parsed<T> = Result<T, ParseError>;

/// What the texts of one problem share.
#[derive(Default)]
pub(super) struct Shared {
    pub symbols: SymbolTable,
    /// Terms and formulas built so far.
    nodes: usize,
}

/// Reads a formula on its own, such as `! [X] : f(X, e) = X`; all of `text` must belong to it.
///
/// This is how users state a lemma. Errors name the text `formula`.
pub fn parse_formula(text: &str, limits: &Limits) -> Result<Formula, ParseError> {
    let mut shared = Shared::default();
    let cursor = Cursor::new(text, "formula")?;
    let size_bytes = text.len() as u64;
    if size_bytes > limits.max_bytes {
        return Err(cursor.error_at(0, ParseErrorKind::TooLarge { size_bytes, limit_bytes: limits.max_bytes }));
    }
    let mut parser = Parser::new(cursor, limits, &mut shared);
    let formula = parser.formula()?;
    parser.cursor.expect(Kind::End, "the end of the formula")?;
    Ok(formula)
}

/// Builds formulas from tokens.
pub(super) struct Parser<'a, 's> {
    pub(super) cursor: Cursor<'a>,
    pub(super) limits: &'s Limits,
    pub(super) shared: &'s mut Shared,
    depth: usize,
}

impl<'a, 's> Parser<'a, 's> {
    pub(super) fn new(cursor: Cursor<'a>, limits: &'s Limits, shared: &'s mut Shared) -> Self {
        Self { cursor, limits, shared, depth: 0 }
    }

    /// `unit`, `unit & unit & ...`, or `unit => unit`.
    pub(super) fn formula(&mut self) -> Parsed<Formula> {
        self.enter()?;
        let first = self.unit()?;
        let formula = match self.cursor.kind() {
            Kind::And => self.chain(Kind::And, Chain::And, first),
            Kind::Or => self.chain(Kind::Or, Chain::Or, first),
            _ => self.binary(first),
        };
        self.leave();
        formula
    }

    /// A disjunction of literals, in parentheses or not.
    pub(super) fn clause(&mut self) -> Parsed<Formula> {
        self.enter()?;
        let clause = if self.cursor.accept(Kind::Open)? { self.closed_clause() } else { self.disjunction() };
        self.leave();
        clause
    }

    fn closed_clause(&mut self) -> Parsed<Formula> {
        let clause = self.clause()?;
        self.cursor.expect(Kind::Close, "'|' or ')'")?;
        Ok(clause)
    }

    fn disjunction(&mut self) -> Parsed<Formula> {
        let mut literals = vec![self.literal()?];
        while self.cursor.accept(Kind::Or)? {
            literals.push(self.literal()?);
        }
        match literals.pop() {
            Some(only) if literals.is_empty() => Ok(only),
            last => {
                literals.extend(last);
                self.count()?;
                Ok(Formula::Chain(Chain::Or, literals))
            }
        }
    }

    fn literal(&mut self) -> Parsed<Formula> {
        if !self.cursor.accept(Kind::Tilde)? {
            return self.atom("a literal");
        }
        self.count()?;
        let closes = self.cursor.accept(Kind::Open)?;
        let atom = self.atom("an atom")?;
        if closes {
            self.cursor.expect(Kind::Close, "')'")?;
        }
        Ok(Formula::Not(Box::new(atom)))
    }

    /// A formula that binds tighter than the binary connectives.
    fn unit(&mut self) -> Parsed<Formula> {
        match self.cursor.kind() {
            Kind::Tilde => self.negation(),
            Kind::Bang => self.quantified(Quantifier::Forall),
            Kind::Question => self.quantified(Quantifier::Exists),
            Kind::Open => self.parenthesised(),
            _ => self.atom("a formula"),
        }
    }

    fn negation(&mut self) -> Parsed<Formula> {
        self.cursor.advance()?;
        self.enter()?;
        self.count()?;
        let negated = self.unit()?;
        self.leave();
        Ok(Formula::Not(Box::new(negated)))
    }

    fn parenthesised(&mut self) -> Parsed<Formula> {
        self.cursor.advance()?;
        let formula = self.formula()?;
        self.cursor.expect(Kind::Close, "a connective or ')'")?;
        Ok(formula)
    }

    fn quantified(&mut self, quantifier: Quantifier) -> Parsed<Formula> {
        self.enter()?;
        self.count()?;
        let variables = self.bound_variables()?;
        let body = self.unit()?;
        self.leave();
        Ok(Formula::Quantified(quantifier, variables, Box::new(body)))
    }

    fn bound_variables(&mut self) -> Parsed<Vec<Symbol>> {
        self.cursor.advance()?;
        self.cursor.expect(Kind::OpenBracket, "'[' and variables")?;
        let mut variables = Vec::new();
        loop {
            self.count()?;
            let name = self.cursor.expect(Kind::UpperWord, "a variable")?;
            variables.push(self.shared.symbols.intern(name));
            if !self.cursor.accept(Kind::Comma)? {
                break;
            }
        }
        self.cursor.expect(Kind::CloseBracket, "',' or ']'")?;
        self.cursor.expect(Kind::Colon, "':'")?;
        Ok(variables)
    }

    fn chain(&mut self, separator: Kind, chain: Chain, first: Formula) -> Parsed<Formula> {
        self.count()?;
        let mut members = vec![first];
        while self.cursor.accept(separator)? {
            members.push(self.unit()?);
        }
        self.reject_connective()?;
        Ok(Formula::Chain(chain, members))
    }

    /// `first` alone, or `first => unit`.
    fn binary(&mut self, first: Formula) -> Parsed<Formula> {
        let Some(connective) = connective(self.cursor.kind()) else {
            return Ok(first);
        };
        self.count()?;
        self.cursor.advance()?;
        let second = self.unit()?;
        self.reject_connective()?;
        Ok(Formula::Binary(connective, Box::new(first), Box::new(second)))
    }

    /// Refuses `p & q | r` and `p => q => r`, whose meaning TPTP leaves open.
    fn reject_connective(&self) -> Parsed<()> {
        let kind = self.cursor.kind();
        if matches!(kind, Kind::And | Kind::Or) || connective(kind).is_some() {
            return Err(self.cursor.unexpected("the end of the formula (connectives mix only with parentheses)"));
        }
        Ok(())
    }

    /// A predicate or an equation; `expected` is what the caller would have liked to see.
    fn atom(&mut self, expected: &'static str) -> Parsed<Formula> {
        self.count()?;
        if let Some(value) = truth_value(self.cursor.kind(), self.cursor.spelling()) {
            self.cursor.advance()?;
            return Ok(Formula::Constant(value));
        }
        let left = self.term(expected)?;
        match self.cursor.kind() {
            Kind::Equal => self.equation(left),
            Kind::NotEqual => self.inequation(left),
            _ => self.predicate(left),
        }
    }

    fn equation(&mut self, left: Term) -> Parsed<Formula> {
        self.cursor.advance()?;
        let right = self.term("a term")?;
        Ok(Formula::Equal(left, right))
    }

    fn inequation(&mut self, left: Term) -> Parsed<Formula> {
        self.count()?;
        let equation = self.equation(left)?;
        Ok(Formula::Not(Box::new(equation)))
    }

    /// What was read as a term turns out to be the whole atom.
    fn predicate(&self, atom: Term) -> Parsed<Formula> {
        match atom {
            Term::Apply(name, arguments) => Ok(Formula::Atom(name, arguments)),
            Term::Variable(_) | Term::Literal(_) => Err(self.cursor.unexpected("'=' or '!='")),
        }
    }

    fn term(&mut self, expected: &'static str) -> Parsed<Term> {
        self.count()?;
        let kind = self.cursor.kind();
        let spelling = self.cursor.spelling();
        if truth_value(kind, spelling).is_some() {
            return Err(self.cursor.unexpected("a term"));
        }
        let symbol = match kind {
            Kind::Quoted => self.shared.symbols.intern_quoted(spelling),
            Kind::LowerWord | Kind::DollarWord | Kind::UpperWord | Kind::Distinct | Kind::Integer | Kind::Fraction => {
                self.shared.symbols.intern(spelling)
            }
            _ => return Err(self.cursor.unexpected(expected)),
        };
        self.cursor.advance()?;
        match kind {
            Kind::UpperWord => Ok(Term::Variable(symbol)),
            Kind::Distinct | Kind::Integer | Kind::Fraction => Ok(Term::Literal(symbol)),
            _ => self.application(symbol),
        }
    }

    fn application(&mut self, functor: Symbol) -> Parsed<Term> {
        if self.cursor.kind() != Kind::Open {
            return Ok(Term::Apply(functor, Vec::new()));
        }
        self.enter()?;
        let arguments = self.arguments()?;
        self.leave();
        Ok(Term::Apply(functor, arguments))
    }

    fn arguments(&mut self) -> Parsed<Vec<Term>> {
        self.cursor.advance()?;
        let mut arguments = vec![self.term("a term")?];
        while self.cursor.accept(Kind::Comma)? {
            arguments.push(self.term("a term")?);
        }
        self.cursor.expect(Kind::Close, "',' or ')'")?;
        arguments.shrink_to_fit();
        Ok(arguments)
    }

    /// One level down. Errors end the parse, so only success needs to `leave`.
    fn enter(&mut self) -> Parsed<()> {
        if self.depth == self.limits.depth() {
            let limit = self.limits.depth();
            return Err(self.cursor.error(ParseErrorKind::TooDeep { what: "formulas", limit }));
        }
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Accounts for one more term or formula.
    fn count(&mut self) -> Parsed<()> {
        let limit = self.limits.max_nodes;
        if self.shared.nodes >= limit {
            return Err(self.cursor.error(ParseErrorKind::TooMany { what: "terms and subformulas", limit }));
        }
        self.shared.nodes += 1;
        Ok(())
    }
}

fn connective(kind: Kind) -> Option<Connective> {
    Some(match kind {
        Kind::Implies => Connective::Implies,
        Kind::ImpliedBy => Connective::ImpliedBy,
        Kind::Iff => Connective::Iff,
        Kind::Xor => Connective::Xor,
        Kind::Nor => Connective::Nor,
        Kind::Nand => Connective::Nand,
        _ => return None,
    })
}

fn truth_value(kind: Kind, spelling: &str) -> Option<bool> {
    match (kind, spelling) {
        (Kind::DollarWord, "$true") => Some(true),
        (Kind::DollarWord, "$false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;
