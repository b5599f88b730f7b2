//! Databases and proofs that were made to hurt: each must get a verdict from bounded work, and none may end the program.

use std::fmt::Write;

use super::super::{Budget, Checker, Verdict};
use super::{Library, Limits, Reading};

fn read(text: impl Into<Vec<u8>>) -> Result<Library, Verdict> {
    Library::from_text(text.into(), "hostile.mm", &Reading::default())
}

fn verdict_of(text: impl Into<Vec<u8>>, label: &str) -> Verdict {
    let library = read(text).unwrap();
    library.check(&library.find(label).unwrap(), &Library::BUDGET, &mut library.scratch())
}

fn code(verdict: &Verdict) -> &'static str {
    verdict.fault().map_or("accepted", |fault| fault.code.0)
}

const SYNTAX: &str = "$c ( ) -> wff |- $. $v p q $. wp $f wff p $. wq $f wff q $. wi $a wff ( p -> q ) $.\n";

/// A saved step that is cited twice by the next, again and again: four letters double the length of the expression. A peer took
/// eight seconds for 18 doublings, another doubled its memory with each.
#[test]
fn a_million_doublings_end_with_the_budget() {
    // Numbers: A is `wp`, B is `wi`, and saved steps follow from C on.
    let mut proof = String::from("AABZ");
    for saved in 2..1_000_002_usize {
        let letters = number(saved);
        proof.extend([letters.as_str(), &letters, "BZ"]);
    }
    let verdict = verdict_of(format!("{SYNTAX}t $p wff p $= ( wi ) {proof} $."), "t");
    assert_eq!((verdict.name(), code(&verdict)), ("undecided", "budget"));
}

/// The letters of a compressed proof for a number that counts from 0.
fn number(mut number: usize) -> String {
    let mut letters = vec![b'A' + u8::try_from(number % 20).unwrap()];
    number /= 20;
    while number > 0 {
        letters.push(b'U' + u8::try_from((number - 1) % 5).unwrap());
        number = (number - 1) / 5;
    }
    letters.reverse();
    String::from_utf8(letters).unwrap()
}

#[test]
fn a_proof_within_the_budget_may_be_long() {
    let text = format!("{SYNTAX}t $p wff p $= ( wi ) {}A $.", "A".repeat(200_000));
    assert_eq!(code(&verdict_of(text, "t")), "stack_leftover");
}

#[test]
fn steps_are_counted() {
    let library = read(format!("{SYNTAX}t $p wff ( p -> p ) $= ( wi ) AAB $.")).unwrap();
    let job = library.find("t").unwrap();
    let with = |steps| library.check(&job, &Budget { steps, ..Library::BUDGET }, &mut library.scratch());
    assert!(with(3).is_accepted());
    assert_eq!(code(&with(2)), "budget");
}

#[test]
fn a_smaller_budget_holds_in_memory_that_grew_before() {
    let text = format!(
        "{SYNTAX}t $p wff ( ( p -> p ) -> ( p -> p ) ) $= ( wi ) AABZCB $. long $p wff p $= ( wi ) AABZCBZDBZEBZFBZGB $."
    );
    let library = read(text).unwrap();
    let mut scratch = library.scratch();
    library.check(&library.find("long").unwrap(), &Library::BUDGET, &mut scratch);
    let small = Budget { memory_bytes: 64, ..Library::BUDGET };
    let job = library.find("t").unwrap();
    assert_eq!(
        code(&library.check(&job, &small, &mut scratch)),
        code(&library.check(&job, &small, &mut library.scratch()))
    );
}

/// A peer let such a number overflow, so that it meant another step, and accepted `|- ph`.
#[test]
fn a_number_of_a_million_letters_is_no_number() {
    let text = format!("{SYNTAX}t $p wff p $= ( wi ) {}A $.", "Y".repeat(1_000_000));
    assert_eq!(code(&verdict_of(text, "t")), "number_overflow");
}

#[test]
fn a_million_scopes_in_each_other() {
    let text = format!("{}{}", "${ ".repeat(1_000_000), "$} ".repeat(1_000_000));
    assert!(read(text).unwrap().is_empty());
    assert_eq!(code(&read("${ ".repeat(1_000_000)).unwrap_err()), "scope_unclosed");
}

#[test]
fn frames_that_grow_with_the_square_of_the_text_are_refused() {
    let mut text = String::from("$c w $.\n${\n");
    for number in 0..3000 {
        writeln!(text, "e{number} $e w $. a{number} $a w $.").unwrap();
    }
    text.push_str("$}\n");
    let limits = Limits { max_frame_items: 100_000, ..Limits::default() };
    let reading = Reading { limits, ..Reading::default() };
    let verdict = Library::from_text(text.into_bytes(), "hostile.mm", &reading).unwrap_err();
    assert_eq!((verdict.name(), code(&verdict)), ("undecided", "limit"));
}

#[test]
fn a_group_of_very_many_disjoint_variables_is_bounded() {
    let names: Vec<String> = (0..60_000).map(|number| format!("v{number}")).collect();
    let types: Vec<String> = names.iter().map(|name| format!("f{name} $f w {name} $.")).collect();
    let types = types.join(" ");
    let all = names.join(" ");
    let text = format!(
        "$c w $. $v {all} $. {types} ${{ $d v0 v1 $. a $a w v0 v1 $. $}} ${{ $d {all} $. t $p w v0 v1 $= fv0 fv1 a $. $}}"
    );
    let verdict = verdict_of(text, "t");
    assert_eq!((verdict.name(), code(&verdict)), ("undecided", "budget"));
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.mm");
    std::fs::File::create(&path).unwrap().set_len(2 << 30).unwrap();
    let verdict = Library::open(&path, &Reading::default()).unwrap_err();
    assert_eq!((verdict.name(), code(&verdict)), ("undecided", "limit"));
}

#[cfg(unix)]
#[test]
fn a_link_does_not_lead_out_of_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(folder.path().join("secret.mm"), "$c a $.").unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret.mm"), root.join("link.mm")).unwrap();
    std::fs::write(root.join("main.mm"), "$[ link.mm $]").unwrap();
    assert_eq!(code(&Library::open(&root.join("main.mm"), &Reading::default()).unwrap_err()), "include_forbidden");
}

#[test]
fn a_text_cannot_include_anything() {
    assert_eq!(code(&read("$[ x.mm $]").unwrap_err()), "include_forbidden");
}

#[test]
fn what_is_no_theorem_has_no_proof() {
    let library = read(SYNTAX).unwrap();
    for job in [0, library.len() - 1, library.len(), u32::MAX] {
        assert_eq!(code(&library.check(&job, &Library::BUDGET, &mut library.scratch())), "proof_missing");
    }
}
