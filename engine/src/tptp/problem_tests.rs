use std::fs;

use tempfile::TempDir;

use super::super::Language;
use super::*;

/// Formulas in the style of the Mizar translations.
const MIZAR: &str = "% articles
fof(antisymmetry_r2_hidden, axiom,  (! [A, B] :  (r2_hidden(A, B) =>  ~ (r2_hidden(B, A)) ) ) ).
fof(cc1_funct_1, axiom,  (! [A] :  (v1_xboole_0(A) => v1_funct_1(A)) ) ).
fof(commutativity_k2_xboole_0, axiom,  (! [A, B] : k2_xboole_0(A, B)=k2_xboole_0(B, A)) ).
fof(existence_m1_subset_1, axiom,  (! [A] :  (? [B] : m1_subset_1(B, A)) ) ).
fof(d3_tarski, axiom, ( ! [A, B] : ( r1_tarski(A, B) <=> ( ! [C] : ( r2_hidden(C, A) => r2_hidden(C, B)))) ),
    file(tarski, d3_tarski), [interesting(0.9)]).
fof(t1_xboole_1, conjecture, ( ! [A, B, C] : ( ( r1_tarski(A, B) & r1_tarski(B, C)) => r1_tarski(A, C)))).
cnf(extra, plain, ( ~ p(X) | k1_xboole_0 != X )).
";

fn parse(text: &str) -> Result<Problem, ParseError> {
    Problem::parse(text, "t.p", &Limits::default())
}

fn failure(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn read(folder: &TempDir, name: &str) -> Result<Problem, ParseError> {
    Problem::read_with_library(&folder.path().join(name), &Limits::default(), Some(folder.path().join("library")))
}

fn names(problem: &Problem) -> Vec<&str> {
    problem.formulas.iter().map(|annotated| &*annotated.name).collect()
}

#[test]
fn reads_statements_with_their_surroundings() {
    let problem = parse(MIZAR).unwrap();
    assert_eq!(problem.files, [PathBuf::from("t.p")]);
    assert_eq!(problem.formulas.len(), 7);
    let definition = &problem.formulas[4];
    assert_eq!((&*definition.name, definition.line, definition.file), ("d3_tarski", 6, 0));
    assert_eq!(definition.annotations.as_deref(), Some("file(tarski, d3_tarski), [interesting(0.9)]"));
    assert!(definition.text.starts_with("( ! [A, B] : (") && definition.text.ends_with(')'));
    assert_eq!(problem.formulas[6].language, Language::Cnf);
    assert_eq!(problem.formulas[6].line, 9);
}

#[test]
fn comments_and_line_ends_of_all_kinds() {
    let problem = parse("# a\r\n% b\r\n/* c\n * d **/fof(1,axiom,\r\n p/*x*/&%y\n q).").unwrap();
    assert_eq!(&*problem.formulas[0].text, "p & q");
    assert_eq!((&*problem.formulas[0].name, problem.formulas[0].line), ("1", 4));
}

#[test]
fn bad_statements_say_what_and_where() {
    let roles = "a role (axiom, hypothesis, definition, assumption, lemma, theorem, corollary, conjecture, \
                 negated_conjecture or plain)";
    for (text, message) in [
        ("fof(a,axiom,p)", "1:15: expected '.', found end of file"),
        ("fof(a,axiom,p) fof", "1:16: expected '.', found 'fof'"),
        ("fof a", "1:5: expected '(', found 'a'"),
        ("fof(A,axiom,p).", "1:5: expected the name of a formula, found 'A'"),
        ("fof(1.5,axiom,p).", "1:5: expected the name of a formula, found '1.5'"),
        ("fof(a axiom", "1:7: expected ',', found 'axiom'"),
        ("fof(a,type,p).", &format!("1:7: expected {roles}, found 'type'")),
        ("fof(a,axiom).", "1:12: expected ',', found ')'"),
        ("fof(a,axiom,).", "1:13: expected a formula, found ')'"),
        ("fof(a,axiom,p q).", "1:15: expected a connective, ',' or ')', found 'q'"),
        ("fof(a,axiom,p,).", "1:15: expected the source of the formula, found ')'"),
        ("fof(a,axiom,p,f(x]).", "1:18: expected a matching bracket, found ']'"),
        ("fof(a,axiom,p,[x).", "1:17: expected a matching bracket, found ')'"),
        ("fof(a,axiom,p,x.", "1:16: expected an annotation or ')', found '.'"),
        ("fof(a,axiom,p,[", "1:16: expected an annotation or ')', found end of file"),
        ("tff(a,axiom,p).", "1:1: only fof and cnf are supported, found 'tff'"),
        ("fof(a,axiom,p).\nthf(b,axiom,p).", "2:1: only fof and cnf are supported, found 'thf'"),
        ("tcf", "1:1: only fof and cnf are supported, found 'tcf'"),
        ("hello", "1:1: expected fof, cnf or include, found 'hello'"),
        ("include(x).", "1:9: expected a file name in single quotes, found 'x'"),
        ("include('x',y).", "1:13: expected '[' and names, or '*', found 'y'"),
        ("include('x',[]).", "1:14: expected the name of a formula, found ']'"),
        ("include('x'", "1:12: expected ',' or ')', found end of file"),
    ] {
        assert_eq!(failure(text), format!("t.p:{message}"), "{text}");
    }
}

#[test]
fn a_problem_says_something() {
    assert_eq!(failure(""), "t.p: expected at least one formula");
    assert_eq!(failure(" % nothing\n"), "t.p: expected at least one formula");
    assert_eq!(parse("").unwrap_err().expected(), Some("at least one formula"));
}

#[test]
fn names_are_unique() {
    assert_eq!(
        failure("fof(a,axiom,p).\n\n fof('a',axiom,q)."),
        "t.p:3:2: duplicate formula name 'a', first used in t.p at line 1"
    );
}

#[test]
fn annotations_nest_to_a_bound() {
    let text = format!("fof(a,axiom,p,{}", "[(".repeat(1_000_000));
    assert_eq!(failure(&text), "t.p:1:515: too deep: annotations nest to at most 500 levels");
}

#[test]
fn formulas_are_counted() {
    let limits = Limits { max_formulas: 1, ..Limits::default() };
    let error = Problem::parse("fof(a,axiom,p). fof(b,axiom,p).", "t.p", &limits).unwrap_err();
    assert_eq!(error.to_string(), "t.p:1:17: too many formulas: the limit is 1");
}

#[test]
fn includes_are_found_beside_the_file_and_in_the_library() {
    let folder = folder(&[
        ("a/top.p", "include('beside.ax'). fof(goal,conjecture,p). include('Axioms/far.ax')."),
        ("a/beside.ax", "fof(beside,axiom,p)."),
        ("library/Axioms/far.ax", "fof(far,axiom,p). include('near.ax')."),
        ("library/Axioms/near.ax", "% nothing here"),
    ]);
    let problem = read(&folder, "a/top.p").unwrap();
    assert_eq!(names(&problem), ["beside", "goal", "far"]);
    assert_eq!(problem.files.len(), 4);
    assert!(problem.files[problem.formulas[2].file as usize].ends_with("Axioms/far.ax"));
}

#[test]
fn a_missing_include_names_the_places() {
    let folder = folder(&[("top.p", "\n include('x.ax').")]);
    let message = read(&folder, "top.p").unwrap_err().to_string();
    let root = folder.path().display();
    assert_eq!(
        message,
        format!("{root}/top.p:2:10: included file 'x.ax' not found, tried {root}/x.ax, {root}/library/x.ax")
    );
}

#[test]
fn a_cycle_is_named() {
    let folder =
        folder(&[("top.p", "include('a.ax')."), ("a.ax", "include('sub/b.ax')."), ("sub/b.ax", "include('../a.ax').")]);
    let error = read(&folder, "top.p").unwrap_err();
    let ParseErrorKind::IncludeCycle { cycle } = error.kind() else { panic!("{error}") };
    assert_eq!(cycle.len(), 3);
    assert_eq!(cycle[0], cycle[2]);
    assert!(cycle[1].ends_with("b.ax"));
}

#[test]
fn selections_pick_formulas() {
    let folder = folder(&[
        ("top.p", "include('a.ax',[b, 'inner one'])."),
        ("a.ax", "fof(a,axiom,p). fof(b,axiom,p). include('c.ax',['inner one',other])."),
        ("c.ax", "fof('inner one',axiom,p). fof(other,axiom,p). fof(rest,axiom,p)."),
        ("missing.p", "include('c.ax',[rest,nope,'not this'])."),
        ("hidden.p", "include('a.ax',[rest])."),
        ("all.p", "include('c.ax',*)."),
    ]);
    assert_eq!(names(&read(&folder, "top.p").unwrap()), ["b", "inner one"]);
    assert_eq!(names(&read(&folder, "all.p").unwrap()).len(), 3);
    let message = read(&folder, "missing.p").unwrap_err().to_string();
    assert!(message.ends_with("missing.p:1:9: 'c.ax' has no formula named nope, not this"), "{message}");
    assert!(read(&folder, "hidden.p").unwrap_err().to_string().ends_with("no formula named rest"));
}

#[test]
fn a_file_included_twice_counts_once() {
    let folder = folder(&[
        ("top.p", "include('a.ax'). include('b.ax')."),
        ("a.ax", "include('c.ax'). fof(a,axiom,p)."),
        ("b.ax", "include('./c.ax'). fof(b,axiom,p)."),
        ("c.ax", "fof(c,axiom,p)."),
        ("clash.p", "include('c.ax'). fof(c,axiom,q)."),
    ]);
    let problem = read(&folder, "top.p").unwrap();
    assert_eq!(names(&problem), ["c", "a", "b"]);
    assert_eq!(problem.files.len(), 4);
    assert!(read(&folder, "clash.p").unwrap_err().to_string().contains("duplicate formula name 'c', first used in"));
}

#[test]
fn including_in_masses_is_bounded() {
    let mut files: Vec<(String, String)> =
        (0..40).map(|at| (format!("{at}.p"), format!("include('{}.p'). fof(f{at},axiom,p).", at + 1))).collect();
    files.push(("wide.p".to_owned(), "include('leaf.p').".repeat(1001)));
    files.push(("leaf.p".to_owned(), "fof(leaf,axiom,p).".to_owned()));
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = folder(&borrowed);
    let error = read(&folder, "0.p").unwrap_err();
    assert!(error.to_string().ends_with("too deep: includes nest to at most 32 levels"), "{error}");
    let error = read(&folder, "wide.p").unwrap_err();
    assert!(error.to_string().ends_with("too many files: the limit is 1000"), "{error}");
}

#[test]
fn sizes_are_bounded_together() {
    let folder = folder(&[("top.p", "include('a.ax')."), ("a.ax", "fof(a,axiom,p).")]);
    let limits = Limits { max_bytes: 20, ..Limits::default() };
    let error = Problem::read(&folder.path().join("top.p"), &limits).unwrap_err();
    assert_eq!(error.kind(), &ParseErrorKind::TooLarge { size_bytes: 31, limit_bytes: 20 });
    let error = Problem::parse("fof(a,axiom,p & q & r).", "t.p", &limits).unwrap_err();
    assert_eq!(error.to_string(), "t.p: too large: at least 23 bytes in all, the limit is 20");
}

#[test]
fn unreadable_files_keep_the_reason() {
    let folder = folder(&[]);
    let error = read(&folder, "absent.p").unwrap_err();
    assert!(matches!(error.kind(), ParseErrorKind::Io { kind: std::io::ErrorKind::NotFound, .. }), "{error}");
    assert!(error.to_string().contains("absent.p: cannot be read: "), "{error}");
    let error = read(&folder, "").unwrap_err();
    assert!(matches!(error.kind(), ParseErrorKind::Io { .. }), "{error}");
}

#[test]
fn binary_files_are_refused_at_the_byte() {
    let folder = folder(&[]);
    fs::write(folder.path().join("b.p"), b"fof(a,axiom,p).\n\x7fELF\xff\xfe").unwrap();
    let message = read(&folder, "b.p").unwrap_err().to_string();
    assert!(message.ends_with("b.p:2:5: not UTF-8 at byte 20"), "{message}");
}
