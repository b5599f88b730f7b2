use std::sync::Arc;

use super::super::Verdict;
use super::{Environment, Library, Proposal, ProposalScratch, Reading};

const LOGIC: &str = "$c ( ) -> |- wff $. $v p q r $. wp $f wff p $. wq $f wff q $. wr $f wff r $.
    wi $a wff ( p -> q ) $. ${ mp.1 $e |- p $. mp.2 $e |- ( p -> q ) $. mp $a |- q $. $}
    a1 $a |- ( p -> ( q -> p ) ) $. df-x $a |- ( q -> q ) $.
    ${ h $e |- p $. inner $p |- ( q -> p ) $= wp wq wp wi h wp wq a1 mp $. $}
    ${ $d p q $. apart $a |- ( p -> q ) $. $}
    last $p |- ( r -> ( r -> r ) ) $= ( wi df-x a1 ) AAD $.";

fn environment() -> Environment {
    Environment::new(Arc::new(Library::from_text(LOGIC.into(), "logic.mm", &Reading::default()).unwrap()))
}

fn check(environment: &Environment, proposal: &Proposal<'_>) -> Verdict {
    environment.check_one(proposal, &Library::BUDGET, &mut ProposalScratch::default())
}

fn code(verdict: &Verdict) -> &'static str {
    verdict.fault().map_or("accepted", |fault| fault.code.0)
}

const A1I: Proposal<'_> = Proposal {
    statement: "|- ( r -> q )",
    hypotheses: &[("h.1", "|- q")],
    disjoint: &[],
    proof: b"wq wr wq wi h.1 wq wr a1 mp",
    before: None,
};

#[test]
fn a_new_theorem_brings_its_hypotheses() {
    assert_eq!(code(&check(&environment(), &A1I)), "accepted");
    // In order: wq wr h.1, then the list.
    let compressed = Proposal { proof: b"( wi a1 mp ) ABADCABEF", ..A1I };
    assert_eq!(code(&check(&environment(), &compressed)), "accepted");
}

#[test]
fn faults_point_into_the_proof() {
    let verdict = check(&environment(), &Proposal { proof: b"wq wr wq wi\nh.1 wr wq a1 mp", ..A1I });
    let fault = verdict.fault().unwrap();
    assert_eq!((fault.code.0, fault.line, fault.column, fault.step), ("hypothesis_mismatch", 2, 14, Some(9)));
    assert_eq!(fault.expected.as_deref(), Some("|- ( q -> ( r -> q ) )"));
    assert_eq!(fault.found.as_deref(), Some("|- ( r -> ( q -> r ) )"));
    assert_eq!(fault.label.as_deref(), Some("mp"));
}

#[test]
fn hypotheses_of_the_library_are_not_those_of_the_claim() {
    for proof in [&b"mp.1"[..], b"h"] {
        let proposal = Proposal { statement: "|- p", proof, ..Proposal::default() };
        assert_eq!(code(&check(&environment(), &proposal)), "hypothesis_inactive");
    }
}

#[test]
fn only_earlier_statements_may_be_cited() {
    let environment = environment();
    let before = environment.library().find("a1");
    assert_eq!(code(&check(&environment, &Proposal { before, ..A1I })), "label_later");
}

#[test]
fn disjoint_variables_are_those_of_the_claim() {
    let proposal = Proposal { statement: "|- ( p -> q )", proof: b"wp wq apart", ..Proposal::default() };
    assert_eq!(code(&check(&environment(), &proposal)), "disjoint_missing");
    assert_eq!(code(&check(&environment(), &Proposal { disjoint: &["q p"], ..proposal })), "accepted");
}

#[test]
fn malformed_claims_are_refused() {
    let claims: [(Proposal<'_>, &str); 9] = [
        (Proposal { statement: "", ..A1I }, "statement_empty"),
        (Proposal { statement: "|- z", ..A1I }, "symbol_undeclared"),
        (Proposal { statement: "p q", ..A1I }, "typecode_not_constant"),
        (Proposal { hypotheses: &[("h", "|- q")], ..A1I }, "label_reused"),
        (Proposal { hypotheses: &[("x", "|- q"), ("x", "|- q")], ..A1I }, "label_reused"),
        (Proposal { hypotheses: &[("x y", "|- q")], ..A1I }, "label_malformed"),
        (Proposal { disjoint: &["p"], ..A1I }, "disjoint_short"),
        (Proposal { disjoint: &["p p"], ..A1I }, "disjoint_repeated"),
        (Proposal { disjoint: &["p wff"], ..A1I }, "disjoint_constant"),
    ];
    for (claim, expected) in claims {
        assert_eq!(code(&check(&environment(), &claim)), expected);
    }
}

#[test]
fn lemmas_stand_on_each_other_and_go_with_their_environment() {
    let (base, mut scratch) = (environment(), ProposalScratch::default());
    let first = base.extend("a1i", &A1I, &Library::BUDGET, &mut scratch).unwrap();
    let user = Proposal {
        statement: "|- ( p -> ( q -> ( r -> q ) ) )",
        proof: b"wq wr wq wi wi wp wq wr a1 a1i",
        ..Proposal::default()
    };
    assert_eq!(code(&check(&base, &user)), "label_unknown");
    assert_eq!(code(&check(&first, &user)), "accepted");
    let second = first.extend("a1a1", &user, &Library::BUDGET, &mut scratch).unwrap();
    assert_eq!((base.depth(), first.depth(), second.depth()), (0, 1, 2));
    let refused = second.extend("a1a1", &user, &Library::BUDGET, &mut scratch).unwrap_err();
    assert_eq!(code(&refused), "label_reused");
    let refused = second.extend("z", &Proposal { proof: b"z", ..user }, &Library::BUDGET, &mut scratch).unwrap_err();
    assert_eq!(code(&refused), "label_unknown");
}

#[test]
fn a_lemma_keeps_its_disjoint_variables() {
    let apart =
        Proposal { statement: "|- ( p -> q )", proof: b"wp wq apart", disjoint: &["p q r"], ..Proposal::default() };
    let extended = environment().extend("l", &apart, &Library::BUDGET, &mut ProposalScratch::default()).unwrap();
    let user = Proposal { statement: "|- ( r -> p )", proof: b"wr wp l", ..Proposal::default() };
    assert_eq!(code(&check(&extended, &user)), "disjoint_missing");
    assert_eq!(code(&check(&extended, &Proposal { disjoint: &["p r"], ..user })), "accepted");
}

#[test]
fn theorems_rest_on_what_their_proofs_cite() {
    let environment = environment();
    let library = environment.library();
    let labels =
        |numbers: Vec<u32>| numbers.into_iter().map(|number| library.label(number).unwrap()).collect::<Vec<_>>();
    let used = library.axiom_use().unwrap();
    let of = |label| labels(used.of(library.find(label).unwrap()).collect());
    assert_eq!(of("inner"), ["wi", "mp", "a1"]);
    // `wi` and `df-x` are listed and not used.
    assert_eq!(of("last"), ["a1"]);
    assert_eq!(of("a1"), ["a1"]);
    assert_eq!(labels(library.citations(library.find("inner").unwrap())), ["wi", "mp", "a1"]);
}

#[test]
fn an_assertion_in_one_line_says_what_it_needs() {
    let text = b"$c |- A. wff $. $v x p q $. vx $f wff x $. wp $f wff p $. wq $f wff q $. \
                 ${ $d x q $. h.1 $e |- p $. h.2 $e |- q $. gen $a |- A. x q $. $} plain $a |- p $.";
    let library = Library::from_text(text.to_vec(), "scopes", &Reading::default()).unwrap();
    let sequent = |label: &str| library.sequent(library.find(label).unwrap());
    assert_eq!(sequent("gen").as_deref(), Some("|- p & |- q => |- A. x q $d x q"));
    assert_eq!(sequent("plain").as_deref(), Some("|- p"));
    assert_eq!(sequent("wp"), None);
    assert_eq!(library.signature(library.find("plain").unwrap()), None);
}

#[test]
fn what_a_proposal_cites_is_known_without_checking_it() {
    let environment = environment();
    let cited = |statement: &str, proof: &[u8]| -> Vec<String> {
        let proposal = Proposal { statement, proof, ..Proposal::default() };
        let numbers = environment.citations(&proposal, &mut ProposalScratch::default());
        numbers.iter().map(|&number| environment.library().label(number).unwrap().to_owned()).collect()
    };
    let statement = "|- ( r -> ( r -> r ) )";
    assert_eq!(cited(statement, b"wr wr a1"), ["a1"]);
    assert_eq!(cited(statement, b"( wi df-x a1 ) AAD"), ["a1"], "a label that is listed need not be used");
    assert_eq!(cited("|- ( r -> nothing )", b"a1"), [""; 0]);
    let uses = environment.library().axiom_use().unwrap();
    let number = |label: &str| environment.library().find(label).unwrap();
    assert_eq!(uses.of_any(&[number("inner"), number("df-x")]), ["wi", "mp", "a1", "df-x"].map(number));
}
