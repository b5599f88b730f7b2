use proptest::collection::vec;
use proptest::prelude::*;

use super::{Dialect, Frames, Framing, FramingError, MarkerLine};

const MARKER: &[u8] = b"porism-0123";
const MAX: usize = 1 << 20;

fn new(framing: Framing, max_frame_bytes: usize) -> Frames {
    let mut frames = Frames::new(framing, max_frame_bytes);
    frames.set_marker(MARKER).unwrap();
    frames
}

/// All frames, and the error after them if there is one, with `bytes` coming in such pieces.
fn frames_of<'a>(
    framing: Framing,
    max_frame_bytes: usize,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Vec<u8>>, Option<FramingError>) {
    let mut frames = new(framing, max_frame_bytes);
    let mut found = Vec::new();
    for piece in pieces {
        frames.buffer().extend_from_slice(piece);
        loop {
            match frames.take() {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(error) => return (found, Some(error)),
            }
        }
    }
    match frames.finish() {
        Ok(frame) => found.extend(frame),
        Err(error) => return (found, Some(error)),
    }
    (found, None)
}

fn whole(framing: Framing, bytes: &[u8]) -> (Vec<Vec<u8>>, Option<FramingError>) {
    frames_of(framing, MAX, [bytes])
}

fn assert_frames(framing: Framing, bytes: &str, expected: &[&str]) {
    let (found, error) = whole(framing, bytes.as_bytes());
    let found: Vec<_> = found.iter().map(|frame| String::from_utf8_lossy(frame)).collect();
    assert_eq!(
        (&found[..], error),
        (&expected.iter().map(|&text| text.into()).collect::<Vec<_>>()[..], None),
        "{bytes:?}"
    );
}

#[track_caller]
fn assert_garbage(framing: Framing, bytes: &str, expected_at: usize) {
    match whole(framing, bytes.as_bytes()).1 {
        Some(FramingError::Garbage { at, found, .. }) => {
            assert_eq!(at, expected_at, "{bytes:?}");
            assert!(found.starts_with('"'));
        }
        other => panic!("{bytes:?}: {other:?}"),
    }
}

#[track_caller]
fn assert_too_large(framing: Framing, bytes: &[u8], max_bytes: usize) {
    assert_eq!(frames_of(framing, max_bytes, [bytes]), (vec![], Some(FramingError::TooLarge { max_bytes })));
}

#[test]
fn each_framing_has_one_name() {
    for (name, framing) in Framing::ALL {
        assert_eq!(Framing::named(name), Some(framing));
        assert_eq!(Framing::ALL.iter().filter(|(_, other)| *other == framing).count(), 1);
    }
    assert_eq!(Framing::named("jsonl"), None);
}

#[test]
fn lines_end_with_a_feed_and_perhaps_a_return() {
    assert_frames(Framing::Lines, "one\ntwo\r\n\n\r\nlone\rreturn\nrest", &["one", "two", "", "", "lone\rreturn"]);
}

#[test]
fn content_length_counts_bytes_after_an_empty_line() {
    let text = "Content-Length: 3\r\n\r\n\r\n\u{0}content-type: x\r\nCONTENT-LENGTH:0\r\n\r\nContent-Length: 2\n\né";
    assert_frames(Framing::ContentLength, text, &["\r\n\u{0}", "", "é"]);
}

#[test]
fn an_absurd_header_is_refused() {
    for (header, at) in [
        ("Content-Length: -1\r\n", 0),
        ("Content-Length: +1\r\n", 0),
        ("Content-Length: 0x10\r\n", 0),
        ("Content-Length: \r\n", 0),
        ("Content-Length: 1 1\r\n", 0),
        ("Content-Length: 1\r\nContent-Length: 2\r\n", 19),
        ("Content-Type: x\r\n\r\n", 17),
        ("\r\n", 0),
        ("info: ok\nwords without a colon\n", 9),
    ] {
        assert_garbage(Framing::ContentLength, header, at);
    }
    assert_garbage(Framing::ContentLength, &"x".repeat(9000), 0);
    assert_too_large(Framing::ContentLength, b"Content-Length: 99999999999999999999999999\r\n\r\n", MAX);
    // It is known before the body has come.
    assert_too_large(Framing::ContentLength, b"Content-Length: 100\r\n\r\n", 100);
}

#[test]
fn a_blank_line_ends_a_paragraph() {
    let text = "\n\n{\"a\":\n 1}\n\n\r\n{}\r\n\r\nx\n \n\nunfinished\n";
    assert_frames(Framing::BlankLine, text, &["{\"a\":\n 1}", "{}", "x\n "]);
}

#[test]
fn an_expression_is_a_list_a_string_or_an_atom() {
    let smt = Framing::SExpression(Dialect::SmtLib);
    assert_frames(smt, "sat\nunsat (a (b) c)x\n", &["sat", "unsat", "(a (b) c)", "x"]);
    assert_frames(
        smt,
        "(a \")\" |)| ; )\n) \"a\"\"b\" \"\\\" |x y| ;)\n\n:k ",
        &["(a \")\" |)| ; )\n)", "\"a\"\"b\"", "\"\\\"", "|x y|", ":k"],
    );
    // An atom may go on, and so may a string.
    assert_frames(smt, "sat", &[]);
    assert_frames(smt, "\"a\"", &[]);
    assert_frames(smt, "((", &[]);
    assert_garbage(smt, "sat )", 1);
    assert_garbage(smt, "(a))", 0);
}

#[test]
fn dialects_differ_in_strings_bars_and_comments() {
    let lisp = Framing::SExpression(Dialect::Lisp);
    let text = r#"(a "\")" |)\||) #| ( #|#| nested |#|# |# (#\( #\" \;) foo|b )r|z "x" #t "#;
    assert_frames(lisp, text, &[r#"(a "\")" |)\||)"#, r#"(#\( #\" \;)"#, "foo|b )r|z", "\"x\"", "#t"]);
    let sexplib = Framing::SExpression(Dialect::Sexplib);
    assert_frames(
        sexplib,
        "(Feedback(\"a\\\")\" a|b) #|)|# \\ ())x|y ",
        &["(Feedback(\"a\\\")\" a|b) #|)|# \\ ())", "x|y"],
    );
}

#[test]
fn an_element_ends_with_its_own_end() {
    let text = "<?xml version='1.0'?>\n<!-- <a> --><feedback object=\"a>b\" x='/>'><b/>&nbsp;&lt;</feedback>\n\
                <value val=\"good\"/><v><![CDATA[</v>]]]]><!--></v>--><?p </v>?></v ><a></a><!---->";
    assert_frames(
        Framing::XmlElement,
        text,
        &[
            "<feedback object=\"a>b\" x='/>'><b/>&nbsp;&lt;</feedback>",
            "<value val=\"good\"/>",
            "<v><![CDATA[</v>]]]]><!--></v>--><?p </v>?></v >",
            "<a></a>",
        ],
    );
    for unfinished in ["<a", "<a>", "<a><b></b>", "<a x='", "<a><!--></a>", "<a><![CDATA[</a>", "<!--", "<?", "<!-"] {
        assert_frames(Framing::XmlElement, unfinished, &[]);
    }
}

#[test]
fn what_is_no_element_is_refused() {
    for (text, at) in [
        ("words", 0),
        ("<a/>\n*** Error", 1),
        ("</a>", 0),
        ("<a/></a>", 0),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]>", 0),
        ("<a><!ELEMENT></a>", 3),
        ("<![CDATA[x]]>", 0),
        ("< a>", 1),
        ("<a <b>", 3),
        ("<a></a<", 6),
        ("\u{0}", 0),
    ] {
        assert_garbage(Framing::XmlElement, text, at);
    }
}

#[test]
fn only_the_marker_ends_a_marked_answer() {
    let text = "sat\nporism-01234\n porism-0123\nporism-0123\n\"porism-0123\"\r\nx porism-0123\n";
    assert_frames(Framing::Nonce(MarkerLine::Alone), text, &["sat\nporism-01234\n porism-0123\n", ""]);
    let text = "MM> ?No label porism-012\nMM> ?No label \"porism-0123\".\nrest";
    assert_frames(Framing::Nonce(MarkerLine::Containing), text, &["MM> ?No label porism-012\n"]);
}

#[test]
fn a_marker_is_one_line_and_must_be_there() {
    let mut frames = Frames::new(Framing::Nonce(MarkerLine::Alone), MAX);
    for marker in [&b""[..], b"a\nb", b"a\r"] {
        assert_eq!(frames.set_marker(marker), Err(FramingError::NoMarker));
    }
    frames.buffer().extend_from_slice(b"a\nb\nc\n");
    assert_eq!(frames.take(), Err(FramingError::NoMarker));
    frames.set_marker(b"b").unwrap();
    assert_eq!(frames.take(), Ok(Some(b"a\n".to_vec())));
    assert_eq!(frames.take(), Ok(None));
    // A marker may be set after what it ends has come.
    frames.set_marker(b"c").unwrap();
    assert_eq!(frames.take(), Ok(Some(vec![])));
}

#[test]
fn the_end_of_file_ends_one_answer() {
    assert_frames(Framing::EndOfFile, "all\n\n of it", &["all\n\n of it"]);
    assert_frames(Framing::EndOfFile, "", &[""]);
    let mut frames = new(Framing::EndOfFile, MAX);
    assert_eq!(frames.finish(), Ok(Some(vec![])));
    assert_eq!(frames.finish(), Err(FramingError::Finished));
    assert_too_large(Framing::EndOfFile, b"1234", 3);
}

#[test]
fn an_answer_without_end_is_too_large() {
    let long = |head: &str, more: &str| [head, &more.repeat(1000)].concat();
    for (framing, text) in [
        (Framing::Lines, long("", "x")),
        (Framing::BlankLine, long("", "x\n")),
        (Framing::BlankLine, long("", "\n")),
        (Framing::ContentLength, long("Content-Length: 900\r\n\r\n", "x")),
        (Framing::SExpression(Dialect::SmtLib), long("", "(")),
        (Framing::SExpression(Dialect::SmtLib), long("(\"", ")")),
        (Framing::SExpression(Dialect::SmtLib), long("", " ")),
        (Framing::SExpression(Dialect::Lisp), long("", "#|")),
        (Framing::XmlElement, long("", "<a>")),
        (Framing::XmlElement, long("<!--", "x")),
        (Framing::XmlElement, long("<a><![CDATA[", "</a>")),
        (Framing::Nonce(MarkerLine::Alone), long("", "x\n")),
        (Framing::EndOfFile, long("", "x")),
    ] {
        assert_too_large(framing, text.as_bytes(), 500);
    }
}

#[test]
fn the_cap_is_exact() {
    assert_eq!(frames_of(Framing::Lines, 4, [&b"abc\nab\n"[..]]).0, [b"abc".to_vec(), b"ab".to_vec()]);
    assert_too_large(Framing::Lines, b"abcd\n", 4);
    assert_eq!(frames_of(Framing::XmlElement, 4, [&b"<a/>"[..]]).0, [b"<a/>".to_vec()]);
    assert_too_large(Framing::XmlElement, b" <a/>", 4);
}

#[test]
fn an_error_stays_until_everything_is_forgotten() {
    let mut frames = new(Framing::XmlElement, MAX);
    frames.buffer().extend_from_slice(b"oops <a/>");
    let error = frames.take().unwrap_err();
    assert_eq!(error.to_string(), "expected an XML element at byte 0 of the answer, found \"oops <a/>\"");
    frames.buffer().extend_from_slice(b"<b/>");
    assert_eq!(frames.take(), Err(error));
    frames.clear();
    frames.buffer().extend_from_slice(b"<c/>");
    assert_eq!(frames.take(), Ok(Some(b"<c/>".to_vec())));
}

/// Many small frames in one buffer, one large frame in many pieces: what would be quadratic would not come back.
#[test]
fn small_pieces_and_small_frames_cost_no_more() {
    let lines = b"x\n".repeat(500_000);
    assert_eq!(whole(Framing::Lines, &lines).0.len(), 500_000);
    let deep = [b"<a>".repeat(100_000), b"</a>".repeat(100_000)].concat();
    assert_eq!(frames_of(Framing::XmlElement, deep.len(), deep.chunks(1)).0.len(), 1);
    let deep = [b"(".repeat(200_000), b")".repeat(200_000)].concat();
    assert_eq!(frames_of(Framing::SExpression(Dialect::Lisp), deep.len(), deep.chunks(1)).0.len(), 1);
}

/// A frame of its framing as the wire has it, and what should come out.
fn wired(framing: Framing) -> BoxedStrategy<(Vec<u8>, Vec<u8>)> {
    let bytes = || vec(any::<u8>(), 0..60);
    let text = |letters: &'static str| proptest::string::bytes_regex(letters).unwrap();
    match framing {
        Framing::Lines => text(r"(?s-u:[^\r\n]{0,60})").prop_map(|body| (ended(&body, b"\r\n"), body)).boxed(),
        Framing::ContentLength => bytes()
            .prop_map(|body| ([format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), &body[..]].concat(), body))
            .boxed(),
        Framing::BlankLine => {
            text(r"(?s-u:[^\r\n]{1,20}(\n[^\r\n]{1,20}){0,4})").prop_map(|body| (ended(&body, b"\n\n"), body)).boxed()
        }
        Framing::SExpression(_) => expression().prop_map(|body| (ended(&body, b" ;)\"\n"), body)).boxed(),
        Framing::XmlElement => element().prop_map(|body| (ended(&body, b"\n<!-- </a> -->"), body)).boxed(),
        Framing::Nonce(_) => vec(text(r"(?s-u:[^\n]{0,10})"), 0..5)
            .prop_map(|lines| {
                let body: Vec<u8> = lines.iter().flat_map(|line| ended(line, b"\n")).collect();
                (ended(&ended(&body, MARKER), b"\r\n"), body)
            })
            .boxed(),
        Framing::EndOfFile => bytes().prop_map(|body| (body.clone(), body)).boxed(),
    }
}

fn ended(body: &[u8], end: &[u8]) -> Vec<u8> {
    [body, end].concat()
}

/// In the words that all dialects read alike.
fn expression() -> impl Strategy<Value = Vec<u8>> {
    let leaf = proptest::string::bytes_regex(r#"(?s-u:[a-z\xff\x00]{1,5}|"[a-z();|\n]{0,9}")"#).unwrap();
    leaf.prop_recursive(5, 30, 4, |inner| {
        vec(inner, 0..4).prop_map(|parts| [b"(", &parts.join(&b" ;)\"(\n"[..])[..], b")"].concat())
    })
}

fn element() -> impl Strategy<Value = Vec<u8>> {
    let leaf = proptest::string::bytes_regex(
        r#"(?s-u:[a-z&;\xff\x00]{0,5}|<e x="[<>/']{0,4}"/>|<!--[<>/a-z]{0,4}-->|<!\[CDATA\[[<>/a-z]{0,4}\]\]>|<\?[<>/a-z]{0,3}\?>)"#,
    )
    .unwrap();
    let inner = leaf.prop_recursive(5, 30, 4, |inner| {
        vec(inner, 0..4).prop_map(|parts| [b"<a b='>'>", &parts.concat()[..], b"</a>"].concat())
    });
    vec(inner, 0..4).prop_map(|parts| [b"<top>", &parts.concat()[..], b"</top>"].concat())
}

fn split<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// Positions and kinds; what is quoted depends on how much had come.
fn told(error: Option<FramingError>) -> Option<(usize, &'static str)> {
    error.map(|error| match error {
        FramingError::Garbage { expected, at, .. } => (at, expected),
        FramingError::TooLarge { max_bytes } => (max_bytes, "less"),
        FramingError::NoMarker | FramingError::Finished => unreachable!("a marker is set, and finish is called once"),
    })
}

fn all() -> impl Strategy<Value = Framing> {
    prop::sample::select(Framing::ALL.map(|(_, framing)| framing).to_vec())
}

/// Bytes that mean something to some framing, and others.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let words: &[&[u8]] = &[
        b"(",
        b")",
        b"\"",
        b"|",
        b"#|",
        b"|#",
        b"\\",
        b";",
        b"\n",
        b"\r\n",
        b"<",
        b">",
        b"<a>",
        b"</a>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<?",
        b"?>",
        b"/>",
        b"<!",
        b"Content-Length: 3\r\n\r\n",
        b"Content-Length: ",
        b"9",
        MARKER,
        b"x",
        b"'",
        b" ",
        b"\0",
        b"\xff",
        b"\n\n",
    ];
    vec(prop::sample::select(words.to_vec()), 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_split(
        (framing, sent) in all().prop_flat_map(|framing| {
            let count = if framing == Framing::EndOfFile { 1..2 } else { 0..6 };
            (Just(framing), vec(wired(framing), count))
        }),
        cuts in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let wire: Vec<u8> = sent.iter().flat_map(|(wire, _)| wire.clone()).collect();
        let bodies: Vec<Vec<u8>> = sent.into_iter().map(|(_, body)| body).collect();
        for pieces in [split(&wire, &cuts), wire.chunks(1).collect()] {
            prop_assert_eq!(frames_of(framing, MAX, pieces), (bodies.clone(), None));
        }
    }

    #[test]
    fn whatever_comes_is_told_alike_however_it_is_split(
        framing in all(),
        bytes in hostile(),
        cuts in vec(any::<prop::sample::Index>(), 0..20),
        max_frame_bytes in 1..60_usize,
    ) {
        let (found, error) = frames_of(framing, max_frame_bytes, [&bytes[..]]);
        prop_assert!(found.iter().map(Vec::len).sum::<usize>() <= bytes.len());
        prop_assert!(found.iter().all(|frame| frame.len() <= max_frame_bytes));
        let error = told(error);
        for pieces in [split(&bytes, &cuts), bytes.chunks(1).collect()] {
            let (found_again, error_again) = frames_of(framing, max_frame_bytes, pieces);
            prop_assert_eq!((&found_again, told(error_again)), (&found, error));
        }
    }
}
