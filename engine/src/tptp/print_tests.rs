use proptest::prelude::*;

use super::super::{Limits, Problem, canonical, parse_formula, strategies};

fn reprinted(text: &str) -> String {
    parse_formula(text, &Limits::default()).unwrap().to_string()
}

#[test]
fn spellings() {
    for (text, printed) in [
        ("![X,Y]:(p(X,f(Y))=>q)", "! [X,Y] : (p(X,f(Y)) => q)"),
        ("~a=b", "a != b"),
        ("~~p", "~ ~ p"),
        ("~(p&q)", "~ (p & q)"),
        ("(p&q)&r", "(p & q) & r"),
        ("((p))<~>'q'", "p <~> q"),
        ("'P x'('1',1,\"o\") | $false", "'P x'('1',1,\"o\") | $false"),
        ("? [X] : ! [Y] : X = Y", "? [X] : ! [Y] : X = Y"),
    ] {
        assert_eq!(reprinted(text), printed);
    }
}

#[test]
fn a_statement_prints_for_a_prover() {
    let text = "fof( 'a b' ,axiom, ( p % why\n & q ), file(x,y)).";
    let problem = Problem::parse(text, "t", &Limits::default()).unwrap();
    assert_eq!(problem.formulas[0].to_string(), "fof('a b', axiom, ( p & q )).");
}

proptest! {
    #[test]
    fn what_is_printed_parses_back(formula in strategies::formula()) {
        let printed = formula.to_string();
        let parsed = parse_formula(&printed, &Limits::default());
        prop_assert_eq!(parsed.as_ref(), Ok(&formula), "{}", printed);
    }

    #[test]
    fn canonical_spelling_survives_printing(formula in strategies::formula()) {
        let parsed = parse_formula(&formula.to_string(), &Limits::default()).unwrap();
        prop_assert_eq!(canonical(&parsed), canonical(&formula));
    }

    #[test]
    fn token_soup_is_refused_or_understood(soup in strategies::token_soup()) {
        let limits = Limits::default();
        if let Ok(formula) = parse_formula(&soup, &limits) {
            prop_assert_eq!(parse_formula(&formula.to_string(), &limits), Ok(formula));
        }
        if let Ok(problem) = Problem::parse(&soup, "soup", &limits) {
            let printed: String = problem.formulas.iter().map(ToString::to_string).collect();
            let again = Problem::parse(&printed, "soup", &limits).unwrap();
            prop_assert!(problem.formulas.iter().map(|a| &a.formula).eq(again.formulas.iter().map(|a| &a.formula)));
        }
    }
}
