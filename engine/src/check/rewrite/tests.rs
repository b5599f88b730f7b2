//! Cases that are data, imports, random certificates against a plain reference, and certificates that blow up when written out.

use std::path::PathBuf;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::check::Code;

#[derive(Deserialize)]
struct Cases {
    problem: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    goal: Option<Value>,
    certificate: Value,
    verdict: String,
    code: Option<String>,
    step: Option<u64>,
}

#[test]
fn every_case_gets_its_verdict_in_both_forms() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/rewrite/cases.json");
    let Cases { mut problem, cases } = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let usual = problem["goal"].clone();
    let mut wrong = Vec::new();
    for case in cases {
        problem["goal"] = case.goal.unwrap_or_else(|| usual.clone());
        let mut forms = vec![case.certificate.to_string().into_bytes()];
        if let Ok(parsed) = Certificate::parse(&forms[0]) {
            assert_eq!(Certificate::parse(parsed.to_json().as_bytes()).as_ref(), Ok(&parsed));
            forms.push(parsed.to_bytes());
            assert_eq!(Certificate::parse(&forms[1]), Ok(parsed));
        }
        for form in forms {
            let (verdict, _) = check(problem.to_string().as_bytes(), &form, &Budget::default());
            let fault = verdict.fault();
            let told = (verdict.name(), fault.map(|fault| fault.code.0), fault.and_then(|fault| fault.step));
            if told != (&case.verdict, case.code.as_deref(), case.step) {
                wrong.push(format!("{}: {verdict:?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn terms_that_double_cost_no_more_than_their_steps() {
    let mut certificate =
        Certificate { terms: vec![("a".into(), vec![])], steps: vec![Step::Rule("e".into(), vec![])] };
    for depth in 0..100_000 {
        certificate.steps.push(Step::Apply("f".into(), vec![depth, depth]));
    }
    let problem = json!({"equations": {"e": ["a", "b"]}, "goal": ["a", "b"]}).to_string();
    let (verdict, _) = check(problem.as_bytes(), &certificate.to_bytes(), &Budget::default());
    let fault = verdict.fault().unwrap();
    assert_eq!(fault.code, Code("goal_not_proved"));
    assert!(fault.found.as_ref().unwrap().len() < 1_000);
    let budget = Budget { nodes: 1_000, ..Budget::default() };
    assert_eq!(check(problem.as_bytes(), &certificate.to_bytes(), &budget).0.name(), "undecided");
}

#[test]
fn explanations_of_egg_are_imported() {
    let problem = json!({
        "equations": {"comm-mul": ["(* ?x ?y)", "(* ?y ?x)"], "mul-one": ["(* ?x 1)", "?x"], "double": ["(+ ?x ?x)", "(* 2 ?x)"]},
        "goal": ["(g (* 1 a) (* 2 b))", "(g a (+ b b))"],
    });
    let problem = Problem::parse(problem.to_string().as_bytes()).unwrap();
    let explanation = "(g (* 1 a) (* 2 b))\n\
        (g (Rewrite=> comm-mul (* a 1)) (* 2 b))\n\
        (g (Rewrite=> mul-one a) (* 2 b))\n\
        (g a (Rewrite<= double (+ b b)))\n";
    let certificate = import_egg(&problem, explanation).unwrap();
    assert_eq!(check_parsed(&problem, &certificate, &Budget::default()), Verdict::Accepted);
    for (from, to) in [("mul-one a", "mul-one b"), ("comm-mul", "commute"), ("<=", "=>"), ("(+ b b)", "(+ b a)")] {
        let spoilt = explanation.replacen(from, to, 1);
        assert_eq!(import_egg(&problem, &spoilt).unwrap_err().code.0, "explanation_malformed", "{spoilt}");
    }
    let elsewhere = import_egg(&problem, &explanation.replace(" b", " c")).unwrap();
    assert!(!check_parsed(&problem, &elsewhere, &Budget::default()).is_accepted());
}

/// What a step proves, by terms written out as strings.
fn reference(problem: &Problem, certificate: &Certificate) -> Option<(String, String)> {
    let written = |symbol: &str, arguments: &[String]| {
        if arguments.is_empty() { symbol.to_owned() } else { format!("({symbol} {})", arguments.join(" ")) }
    };
    let mut terms: Vec<String> = Vec::new();
    for (symbol, arguments) in &certificate.terms {
        let arguments =
            arguments.iter().map(|&argument| terms.get(argument as usize).cloned()).collect::<Option<Vec<_>>>()?;
        terms.push(written(symbol, &arguments));
    }
    let side = |pattern: &Pattern, values: &[String]| {
        let mut stack: Vec<String> = Vec::new();
        for node in pattern {
            match node {
                Node::Variable(number) => stack.push(values[*number].clone()),
                Node::Apply(symbol, count) => {
                    let arguments = stack.split_off(stack.len() - count);
                    stack.push(written(symbol, &arguments));
                }
            }
        }
        stack.remove(0)
    };
    let mut proved: Vec<(String, String)> = Vec::new();
    for step in &certificate.steps {
        let earlier = |step: &u32| proved.get(*step as usize).cloned();
        let equal = match step {
            Step::Rule(name, values) => {
                let equation =
                    problem.equations.get(name).filter(|equation| equation.variables.len() == values.len())?;
                let values =
                    values.iter().map(|&value| terms.get(value as usize).cloned()).collect::<Option<Vec<_>>>()?;
                (side(&equation.sides[0], &values), side(&equation.sides[1], &values))
            }
            Step::Flip(step) => earlier(step).map(|(left, right)| (right, left))?,
            Step::Same(term) => terms.get(*term as usize).map(|term| (term.clone(), term.clone()))?,
            Step::Apply(symbol, steps) => {
                let (left, right): (Vec<_>, Vec<_>) =
                    steps.iter().map(earlier).collect::<Option<Vec<_>>>()?.into_iter().unzip();
                (written(symbol, &left), written(symbol, &right))
            }
            Step::Chain(steps) => {
                let links = steps.iter().map(earlier).collect::<Option<Vec<_>>>()?;
                links.windows(2).all(|pair| pair[0].1 == pair[1].0).then_some(())?;
                (links.first()?.0.clone(), links.last()?.1.clone())
            }
        };
        proved.push(equal);
    }
    proved.pop()
}

fn step() -> impl Strategy<Value = Step> {
    let number = || prop_oneof![9 => 0..6_u32, 1 => any::<u32>()];
    let numbers = move || prop::collection::vec(number(), 0..3);
    let symbol = || prop::sample::select(vec!["f", "a", "+", "0"]).prop_map(String::from);
    prop_oneof![
        3 => (prop::sample::select(vec!["commute", "unit", "none"]), numbers()).prop_map(|(rule, values)| Step::Rule(rule.into(), values)),
        1 => number().prop_map(Step::Flip),
        1 => number().prop_map(Step::Same),
        2 => (symbol(), numbers()).prop_map(|(symbol, steps)| Step::Apply(symbol, steps)),
        2 => numbers().prop_map(Step::Chain),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// The goal is whatever the reference says that the certificate proves, or something else.
    #[test]
    fn the_kernel_agrees_with_the_reference(steps in prop::collection::vec(step(), 1..5), spoilt in any::<bool>()) {
        let terms = [("a", vec![]), ("0", vec![]), ("f", vec![0]), ("+", vec![0, 1]), ("f", vec![3])];
        let certificate = Certificate { terms: terms.map(|(symbol, arguments)| (symbol.to_owned(), arguments)).to_vec(), steps };
        let problem = |left: &str, right: &str| {
            let equations = json!({"commute": ["(+ ?x ?y)", "(+ ?y ?x)"], "unit": ["(+ ?x 0)", "?x"]});
            Problem::parse(json!({"equations": equations, "goal": [left, right]}).to_string().as_bytes()).unwrap()
        };
        let proved = reference(&problem("a", "b"), &certificate);
        let (left, right) = proved.clone().unwrap_or(("a".into(), "a".into()));
        let right = if spoilt { "(f b)".to_owned() } else { right };
        let verdict = check_parsed(&problem(&left, &right), &certificate, &Budget::default());
        prop_assert_eq!(verdict.is_accepted(), proved.is_some() && !spoilt, "{:?}", verdict);
        prop_assert_eq!(Certificate::parse(&certificate.to_bytes()), Ok(certificate));
    }

    #[test]
    fn rubbish_is_no_certificate(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = Certificate::parse(&[&b"PRW1"[..], &bytes].concat());
    }
}
