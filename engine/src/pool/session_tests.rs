use std::thread;
use std::time::{Duration, Instant};

use porism_native::process::{Cancel, Ending, Launch, Until};

use super::{Framing, FramingError, MarkerLine, Session, SessionError, nonce};

const MAX: usize = 1 << 20;

fn shell(script: &str, framing: Framing) -> Session {
    let launch = Launch { args: vec!["-c".into(), script.into()], ..Launch::new("/bin/sh") };
    Session::start(&launch, framing, MAX).unwrap()
}

fn python(script: &str, framing: Framing) -> Session {
    let launch = Launch { args: vec!["-u".into(), "-c".into(), script.into()], ..Launch::new("python3") };
    Session::start(&launch, framing, MAX).unwrap()
}

fn soon(cancel: &Cancel) -> Until<'_> {
    Until { deadline: Some(Instant::now() + Duration::from_secs(20)), cancel }
}

fn at_once(cancel: &Cancel) -> Until<'_> {
    Until { deadline: Some(Instant::now() + Duration::from_millis(50)), cancel }
}

#[test]
fn a_session_moves_between_threads() {
    let cancel = Cancel::new().unwrap();
    let mut session = shell("exec cat", Framing::Lines);
    let asked = thread::scope(|scope| scope.spawn(|| session.ask(b"one\n", &soon(&cancel)).unwrap()).join().unwrap());
    assert_eq!(asked, b"one");
    assert!(session.memory_bytes().unwrap() > 0);
    assert!(!session.has_ended());
}

#[test]
fn answers_come_one_by_one() {
    let cancel = Cancel::new().unwrap();
    let mut session = shell("exec cat", Framing::XmlElement);
    session.send(b"<feedback/>\n<feedback>&amp;</feedback><value val='good'>", &soon(&cancel)).unwrap();
    assert_eq!(session.receive(&soon(&cancel)).unwrap(), b"<feedback/>");
    assert_eq!(session.receive(&soon(&cancel)).unwrap(), b"<feedback>&amp;</feedback>");
    assert!(matches!(session.receive(&at_once(&cancel)), Err(SessionError::TimedOut)));
    assert_eq!(session.ask(b"</value>", &soon(&cancel)).unwrap(), b"<value val='good'></value>");
}

#[test]
fn an_answer_that_is_split_anywhere_is_whole() {
    const SCRIPT: &str = "
import sys, time
body = 'é' * 20
for byte in f'Content-Length: {len(body.encode())}\\r\\n\\r\\n{body}'.encode():
    sys.stdout.buffer.write(bytes([byte]))
    sys.stdout.flush()
    time.sleep(0.001)
";
    let cancel = Cancel::new().unwrap();
    let answer = python(SCRIPT, Framing::ContentLength).receive(&soon(&cancel)).unwrap();
    assert_eq!(String::from_utf8(answer).unwrap(), "é".repeat(20));
}

#[test]
fn each_request_has_a_marker_of_its_own() {
    let cancel = Cancel::new().unwrap();
    let mut session = shell(r#"while read -r command; do eval "$command"; done"#, Framing::Nonce(MarkerLine::Alone));
    assert!(matches!(session.receive(&soon(&cancel)), Err(SessionError::Framing(FramingError::NoMarker))));
    for turn in 0..3 {
        let marker = nonce();
        session.set_marker(marker.as_bytes()).unwrap();
        let request = format!("echo sat; echo {turn}\necho '\"{marker}\"'\n");
        let answer = session.ask(request.as_bytes(), &soon(&cancel)).unwrap();
        assert_eq!(answer, format!("sat\n{turn}\n").as_bytes());
    }
    assert_ne!(nonce(), nonce());
    assert_eq!(nonce().len(), "porism-".len() + 32);
}

#[test]
fn late_words_do_not_reach_the_next_request() {
    let cancel = Cancel::new().unwrap();
    let mut session = shell(r"printf 'stale\nstaler\n'; exec cat", Framing::Lines);
    assert_eq!(session.receive(&soon(&cancel)).unwrap(), b"stale");
    // The second line came with the first.
    session.discard();
    assert_eq!(session.ask(b"fresh\n", &soon(&cancel)).unwrap(), b"fresh");
}

#[test]
fn the_end_is_told_after_the_last_answer() {
    let cancel = Cancel::new().unwrap();
    let mut session = shell("echo last; printf unfinished; echo 'line 1: bad' >&2; exit 7", Framing::Lines);
    assert_eq!(session.receive(&soon(&cancel)).unwrap(), b"last");
    for _ in 0..2 {
        let error = session.receive(&soon(&cancel)).unwrap_err();
        assert_eq!(error.to_string(), "the process exited with code 7: line 1: bad");
        let SessionError::Ended { stderr_tail, ending } = error else { panic!("{error}") };
        assert_eq!((&stderr_tail[..], ending), (&b"line 1: bad\n"[..], Some(Ending::Exited(7))));
    }
}

#[test]
fn a_closed_input_and_the_end_of_file_make_one_answer() {
    let cancel = Cancel::new().unwrap();
    let mut session = shell("exec cat", Framing::EndOfFile);
    session.send(b"all\nof it", &soon(&cancel)).unwrap();
    session.close_input();
    assert!(matches!(session.send(b"more", &soon(&cancel)), Err(SessionError::System(_))));
    assert_eq!(session.receive(&soon(&cancel)).unwrap(), b"all\nof it");
    assert!(matches!(session.receive(&soon(&cancel)), Err(SessionError::Framing(FramingError::Finished))));
    assert_eq!(session.end().unwrap().ending, Ending::Exited(0));
}

#[test]
fn a_flood_is_bounded_and_garbage_is_named() {
    let cancel = Cancel::new().unwrap();
    let mut flood = shell("tr '\\0' x </dev/zero", Framing::Lines);
    assert!(matches!(
        flood.receive(&soon(&cancel)),
        Err(SessionError::Framing(FramingError::TooLarge { max_bytes: MAX }))
    ));
    let mut garbage = shell("echo 'Segmentation fault'; exec cat", Framing::XmlElement);
    let error = garbage.receive(&soon(&cancel)).unwrap_err();
    assert!(error.to_string().starts_with("expected an XML element at byte 0 of the answer, found \"Segmentation"));
}

#[test]
fn an_interrupt_and_a_cancel_reach_a_busy_session() {
    const SCRIPT: &str = "
while True:
    line = input()
    try:
        print(line)
        while line == 'loop':
            pass
    except KeyboardInterrupt:
        print('interrupted')
";
    let cancel = Cancel::new().unwrap();
    let mut session = python(SCRIPT, Framing::Lines);
    assert_eq!(session.ask(b"ready\n", &soon(&cancel)).unwrap(), b"ready");
    assert_eq!(session.ask(b"loop\n", &soon(&cancel)).unwrap(), b"loop");
    assert!(matches!(session.receive(&at_once(&cancel)), Err(SessionError::TimedOut)));
    session.interrupt();
    assert_eq!(session.receive(&soon(&cancel)).unwrap(), b"interrupted");
    assert_eq!(session.ask(b"well\n", &soon(&cancel)).unwrap(), b"well");
    cancel.cancel();
    assert!(matches!(session.ask(b"loop\n", &soon(&cancel)), Err(SessionError::Cancelled)));
}
