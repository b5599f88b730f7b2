use std::hash::{DefaultHasher, Hash};
use std::time::{Duration, Instant};

use super::super::{ParseErrorKind, Problem, Role, canonical, smt};
use super::*;

fn parse(text: &str) -> Formula {
    parse_formula(text, &Limits::default()).unwrap()
}

fn failure(text: &str) -> String {
    parse_formula(text, &Limits::default()).unwrap_err().to_string()
}

fn atom(name: &str) -> Formula {
    Formula::Atom(Symbol::new(name), Vec::new())
}

fn variable(name: &str) -> Term {
    Term::Variable(Symbol::new(name))
}

#[test]
fn prefixes_bind_tighter_than_connectives() {
    let not_p = Formula::Not(Box::new(atom("p")));
    assert_eq!(parse("~p & q"), Formula::Chain(Chain::And, vec![not_p, atom("q")]));
    let all_p = Formula::Quantified(Quantifier::Forall, vec![Symbol::new("X")], Box::new(atom("p")));
    assert_eq!(parse("![X]:p => q"), Formula::Binary(Connective::Implies, Box::new(all_p), Box::new(atom("q"))));
}

#[test]
fn negation_reaches_over_an_equation() {
    let equation = Formula::Equal(variable("X"), variable("Y"));
    assert_eq!(parse("X != Y"), Formula::Not(Box::new(equation)));
    assert_eq!(parse("~ X = Y"), parse("X != Y"));
}

#[test]
fn every_connective() {
    for (sign, expected) in [
        ("=>", Connective::Implies),
        ("<=", Connective::ImpliedBy),
        ("<=>", Connective::Iff),
        ("<~>", Connective::Xor),
        ("~|", Connective::Nor),
        ("~&", Connective::Nand),
    ] {
        let formula = Formula::Binary(expected, Box::new(atom("p")), Box::new(atom("q")));
        assert_eq!(parse(&format!("p{sign}q")), formula);
    }
}

#[test]
fn a_name_may_be_predicate_and_functor_of_any_arity() {
    parse("p(p,p(p)) & p & p(X) = p");
}

#[test]
fn literals_are_terms_only() {
    let number = Term::Literal(Symbol::new("-1/2"));
    assert_eq!(parse("X = -1/2"), Formula::Equal(variable("X"), number));
    assert_eq!(failure("p & 12"), "formula:1:7: expected '=' or '!=', found end of file");
    assert_eq!(failure("X & p"), "formula:1:3: expected '=' or '!=', found '&'");
}

#[test]
fn bad_formulas_say_what_and_where() {
    let mixed = "the end of the formula (connectives mix only with parentheses)";
    for (text, place, expected, found) in [
        ("", "1:1", "a formula", "end of file"),
        ("p &", "1:4", "a formula", "end of file"),
        ("p &\n & q", "2:2", "a formula", "'&'"),
        ("p & q | r", "1:7", mixed, "'|'"),
        ("p => q => r", "1:8", mixed, "'=>'"),
        ("p <=> q & r", "1:9", mixed, "'&'"),
        ("(p", "1:3", "a connective or ')'", "end of file"),
        ("p)", "1:2", "the end of the formula", "')'"),
        ("p q", "1:3", "the end of the formula", "'q'"),
        ("p.", "1:2", "the end of the formula", "'.'"),
        ("p(", "1:3", "a term", "end of file"),
        ("p()", "1:3", "a term", "')'"),
        ("p(a", "1:4", "',' or ')'", "end of file"),
        ("p(a,)", "1:5", "a term", "')'"),
        ("p($true)", "1:3", "a term", "'$true'"),
        ("a = ~p", "1:5", "a term", "'~'"),
        ("a = b = c", "1:7", "the end of the formula", "'='"),
        ("! X : p", "1:3", "'[' and variables", "'X'"),
        ("![]: p", "1:3", "a variable", "']'"),
        ("![x]: p", "1:3", "a variable", "'x'"),
        ("![X p", "1:5", "',' or ']'", "'p'"),
        ("![X] p", "1:6", "':'", "'p'"),
        ("é", "1:1", "a formula", "'é'"),
        ("p('é' @ b)", "1:7", "',' or ')'", "'@'"),
        ("p('a", "1:5", "a closing quote on the same line", "end of file"),
        ("p('a\n')", "1:5", "a closing quote on the same line", r"'\n'"),
        (r"p('\n')", "1:4", "an escape of a quote or a backslash", r"'\'"),
        ("p('')", "1:4", "a character inside the quotes", "'''"),
        ("p(012)", "1:3", "a number without leading zeros", "'0'"),
        ("$P", "1:2", "a lower-case word after '$'", "'P'"),
        ("p /* q", "1:3", "a comment that ends with '*/'", "'/* q'"),
        ("p < q", "1:3", "the end of the formula", "'<'"),
        ("p(\0)", "1:3", "a term", r"'\u{0}'"),
    ] {
        assert_eq!(failure(text), format!("formula:{place}: expected {expected}, found {found}"), "{text}");
    }
}

#[test]
fn errors_can_be_taken_apart() {
    let error = parse_formula("p & )", &Limits::default()).unwrap_err();
    assert_eq!((error.place().line, error.place().column), (1, 5));
    assert_eq!((error.expected(), error.found()), (Some("a formula"), Some("')'")));
}

fn nestings(depth: usize) -> Vec<String> {
    let nest = |open: &str, close: &str| format!("{}p{}", open.repeat(depth), close.repeat(depth));
    vec![
        nest("(", ")"),
        nest("~", ""),
        nest("![X]:", ""),
        nest("p(", ")"),
        nest("(q & ", ")"),
        nest("(q => ", ")"),
        nest("~(", ")"),
        nest("q = p(", ")"),
    ]
}

#[test]
fn hostile_nesting_is_refused_without_reading_on() {
    for open in ["(", "~", "![X]:", "p(", "?[X]:(", "p=>("] {
        let text = open.repeat(50_000_000 / open.len());
        let start = Instant::now();
        let error = parse_formula(&text, &Limits::default()).unwrap_err();
        assert!(matches!(error.kind(), ParseErrorKind::TooDeep { limit: 500, .. }), "{open}: {error}");
        assert!(start.elapsed() < Duration::from_secs(2), "{open}");
    }
}

/// Everything that recurses, at the greatest depth, on the stack of an ordinary thread.
#[test]
fn the_deepest_formula_fits_an_ordinary_stack() {
    let limits = Limits { max_depth: usize::MAX, ..Limits::default() };
    let all_recursions = move || {
        for depth in [Limits::DEEPEST / 2 - 1, Limits::DEEPEST - 1] {
            for text in nestings(depth) {
                let Ok(formula) = parse_formula(&text, &limits) else { continue };
                let copy = parse_formula(&formula.to_string(), &limits).unwrap();
                assert_eq!(copy, formula.clone());
                copy.hash(&mut DefaultHasher::new());
                assert!(!canonical(&formula).is_empty());
                assert!(!format!("{formula:?}").is_empty());
                let problem = Problem::parse(&format!("fof(a, axiom, {text})."), "deep", &limits);
                if let Ok(problem) = problem {
                    smt::write_smt2(&mut String::new(), &[], problem.formulas.first());
                }
            }
            let clause = format!("cnf(a, axiom, {}p{}).", "(".repeat(depth), ")".repeat(depth));
            assert!(Problem::parse(&clause, "deep", &limits).is_ok());
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(all_recursions).unwrap().join().unwrap();
}

#[test]
fn depth_is_counted_to_the_level() {
    let limits = Limits { max_depth: 3, ..Limits::default() };
    assert!(parse_formula("((p))", &limits).is_ok());
    let error = parse_formula("(((p)))", &limits).unwrap_err();
    assert_eq!(error.to_string(), "formula:1:4: too deep: formulas nest to at most 3 levels");
}

#[test]
fn nodes_and_bytes_are_bounded() {
    let limits = Limits { max_nodes: 10, max_bytes: 40, ..Limits::default() };
    let error = parse_formula("p(a,a,a,a,a,a,a,a,a,a)", &limits).unwrap_err();
    assert!(matches!(error.kind(), ParseErrorKind::TooMany { limit: 10, .. }), "{error}");
    let error = parse_formula(&"p".repeat(41), &limits).unwrap_err();
    assert_eq!(error.to_string(), "formula:1:1: too large: at least 41 bytes in all, the limit is 40");
}

#[test]
fn clauses_are_disjunctions_of_literals() {
    let clause = |text: &str| {
        Problem::parse(&format!("cnf(a,axiom,{text})."), "t", &Limits::default())
            .map(|mut p| p.formulas.remove(0).formula)
    };
    let expected = parse("p(X) | ~ q | X != a | $false");
    for text in ["p(X) | ~ q | X != a | $false", "( p(X) | ~ (q) | X != a | $false )"] {
        assert_eq!(clause(text).as_ref(), Ok(&expected));
    }
    assert_eq!(clause("((~p))"), Ok(parse("~p")));
    for bad in ["p & q", "![X]: p(X)", "p | (q | r)", "~ ~ p", "p => q", "(p"] {
        assert!(clause(bad).is_err(), "{bad}");
    }
    assert_eq!(clause("p | ![X]: q").unwrap_err().to_string(), "t:1:17: expected a literal, found '!'");
}

#[test]
fn every_role_is_read() {
    for role in Role::ALL {
        let text = format!("fof(a,{},p).", role.as_str());
        assert_eq!(Problem::parse(&text, "t", &Limits::default()).unwrap().formulas[0].role, role);
    }
}
