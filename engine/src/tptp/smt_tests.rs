use proptest::prelude::*;

use super::super::{Limits, Problem, strategies};
use super::*;

fn script(text: &str) -> String {
    let problem = Problem::parse(text, "t", &Limits::default()).unwrap();
    let (goals, axioms): (Vec<_>, Vec<_>) =
        problem.formulas.iter().partition(|a| matches!(a.role, Role::Conjecture | Role::NegatedConjecture));
    let mut out = String::new();
    write_smt2(&mut out, &axioms, goals.first().copied());
    out
}

fn assertions(text: &str) -> Vec<String> {
    script(text).lines().filter(|line| line.starts_with("(assert")).map(str::to_owned).collect()
}

#[test]
fn a_whole_script() {
    assert_eq!(
        script("fof(a,axiom,![X]: (p(X) => p(f(X)))). fof(b,axiom,p(c)). fof(g,conjecture,?[Y]: p(f(Y)))."),
        "(set-logic UF)\n(declare-sort U 0)\n\
         (declare-fun |f0:c| () U)\n(declare-fun |f1:f| (U) U)\n(declare-fun |p1:p| (U) Bool)\n\
         (assert (forall ((x0 U)) (=> (|p1:p| x0) (|p1:p| (|f1:f| x0)))))\n\
         (assert (|p1:p| |f0:c|))\n\
         (assert (not (exists ((x0 U)) (|p1:p| (|f1:f| x0)))))\n\
         (check-sat)\n"
    );
}

#[test]
fn free_variables_are_closed_before_negation() {
    assert_eq!(
        assertions("cnf(a,axiom,r(X,Y,X)). fof(g,conjecture,p(Z) & ?[Z]: p(Z))."),
        [
            "(assert (forall ((x0 U) (x1 U)) (|p3:r| x0 x1 x0)))",
            "(assert (not (forall ((x0 U)) (and (|p1:p| x0) (exists ((x1 U)) (|p1:p| x1))))))",
        ]
    );
}

#[test]
fn a_negated_conjecture_is_asserted_as_it_stands() {
    assert_eq!(assertions("cnf(g,negated_conjecture,~p)."), ["(assert (not |p0:p|))"]);
}

#[test]
fn connectives() {
    assert_eq!(
        assertions("fof(a,axiom,((p<=q)<=>(p<~>q))=>((p~|q)|(p~&q)|$true|a!=b))."),
        ["(assert (=> (= (=> |p0:q| |p0:p|) (xor |p0:p| |p0:q|)) \
             (or (not (or |p0:p| |p0:q|)) (not (and |p0:p| |p0:q|)) true (not (= |f0:a| |f0:b|)))))",]
    );
}

#[test]
fn names_do_not_collide() {
    let script = script(r#"fof(a,axiom,p(p,p(p),1,"1",'1','x|y','x%7c;y','\\','é')). fof(b,axiom,p)."#);
    for declared in [
        "|f0:p| () U",
        "|f1:p| (U) U",
        "|p9:p| (U U U U U U U U U) Bool",
        "|p0:p| () Bool",
        "|l0:1| () U",
        "|l0:\"1\"| () U",
        "|f0:1| () U",
        "|f0:x%7c;y| () U",
        "|f0:x%25;7c;y| () U",
        "|f0:%5c;| () U",
        "|f0:%e9;| () U",
    ] {
        assert!(script.contains(&format!("(declare-fun {declared})\n")), "{declared} in {script}");
    }
}

#[test]
fn shadowed_and_repeated_variables_keep_their_binder() {
    assert_eq!(
        assertions("fof(a,axiom,![X,X]: (p(X) & ?[X]: p(X)))."),
        ["(assert (forall ((x0 U) (x1 U)) (and (|p1:p| x1) (exists ((x2 U)) (|p1:p| x2)))))"]
    );
}

proptest! {
    #[test]
    fn scripts_are_balanced_and_ascii(formula in strategies::formula()) {
        let script = script(&format!("fof(a,axiom,{formula})."));
        prop_assert!(script.is_ascii());
        let (mut depth, mut quoted) = (0_i32, false);
        for character in script.chars() {
            match character {
                '|' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                _ => {}
            }
            prop_assert!(depth >= 0);
        }
        prop_assert!(depth == 0 && !quoted);
    }
}
