//! Random formulas and random token soup for the property tests.

use proptest::prelude::*;

use super::ast::{Chain, Connective, Formula, Quantifier, Symbol, Term};
use super::symbols::name_of_content;

fn name() -> impl Strategy<Value = Symbol> {
    prop_oneof![
        4 => "[a-d]".prop_map(|word| Symbol::new(&word)),
        1 => r"\$\$?(less|sys)".prop_map(|word| Symbol::new(&word)),
        1 => "[ -~é|]{1,4}".prop_map(|content| Symbol::new(&name_of_content(&content))),
    ]
}

fn variable() -> impl Strategy<Value = Symbol> {
    "[X-Z]".prop_map(|name| Symbol::new(&name))
}

fn term() -> impl Strategy<Value = Term> {
    let leaf = prop_oneof![
        variable().prop_map(Term::Variable),
        name().prop_map(|functor| Term::Apply(functor, Vec::new())),
        "-?[1-9][0-9]?(\\.5|/3|e-7)?".prop_map(|number| Term::Literal(Symbol::new(&number))),
        "\"[a-z ']{0,3}\"".prop_map(|object| Term::Literal(Symbol::new(&object))),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        (name(), prop::collection::vec(inner, 1..4)).prop_map(|(functor, arguments)| Term::Apply(functor, arguments))
    })
}

fn connective() -> impl Strategy<Value = Connective> {
    use Connective::{Iff, ImpliedBy, Implies, Nand, Nor, Xor};
    prop::sample::select(vec![Implies, ImpliedBy, Iff, Xor, Nor, Nand])
}

/// Any formula that the parser could build.
pub(super) fn formula() -> impl Strategy<Value = Formula> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Formula::Constant),
        (name(), prop::collection::vec(term(), 0..3))
            .prop_map(|(predicate, arguments)| Formula::Atom(predicate, arguments)),
        (term(), term()).prop_map(|(left, right)| Formula::Equal(left, right)),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let chain = prop::sample::select(vec![Chain::And, Chain::Or]);
        let quantifier = prop::sample::select(vec![Quantifier::Forall, Quantifier::Exists]);
        prop_oneof![
            inner.clone().prop_map(|negated| Formula::Not(Box::new(negated))),
            (chain, prop::collection::vec(inner.clone(), 2..4))
                .prop_map(|(chain, members)| Formula::Chain(chain, members)),
            (connective(), inner.clone(), inner.clone()).prop_map(|(connective, left, right)| Formula::Binary(
                connective,
                Box::new(left),
                Box::new(right)
            )),
            (quantifier, prop::collection::vec(variable(), 1..3), inner)
                .prop_map(|(quantifier, variables, body)| Formula::Quantified(quantifier, variables, Box::new(body))),
        ]
    })
}

/// Tokens in any order, and some things that are none.
pub(super) fn token_soup() -> impl Strategy<Value = String> {
    let pieces = [
        "fof",
        "cnf",
        "tff",
        "include",
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        ":",
        "axiom",
        "conjecture",
        "p",
        "f",
        "X",
        "Y",
        "'q r'",
        "'\\''",
        "$true",
        "$false",
        "$less",
        "\"d\"",
        "1",
        "-2/3",
        "1.5",
        "~",
        "&",
        "|",
        "=>",
        "<=",
        "<=>",
        "<~>",
        "~|",
        "~&",
        "!",
        "?",
        "=",
        "!=",
        " ",
        "\n",
        "% c\n",
        "/* c */",
        "/*",
        "'",
        "\"",
        "\\",
        "$",
        "\0",
        "é",
        "fof(a,axiom,",
        ").",
        "![X]:",
        "p(X)",
        "f(X)=Y",
        "*",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
}
