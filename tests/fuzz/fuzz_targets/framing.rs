//! Whatever a prover prints: where the pipe cuts it makes no difference, and no frame is longer than it may be.

#![no_main]

use libfuzzer_sys::fuzz_target;
use porism_engine::pool::{Frames, Framing, FramingError};

/// The frames, and where and of which kind the error after them is; what it quotes depends on how much had come.
fn frames<'a>(
    framing: Framing,
    max_frame_bytes: usize,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Vec<u8>>, Option<(usize, &'static str)>) {
    let mut frames = Frames::new(framing, max_frame_bytes);
    frames.set_marker(b"m").expect("it is one line");
    let mut found = Vec::new();
    for piece in pieces {
        frames.buffer().extend_from_slice(piece);
        loop {
            match frames.take() {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(FramingError::Garbage { expected, at, .. }) => return (found, Some((at, expected))),
                Err(error) => {
                    assert_eq!(error, FramingError::TooLarge { max_bytes: max_frame_bytes });
                    return (found, Some((max_frame_bytes, "less")));
                }
            }
        }
    }
    found.extend(frames.finish().expect("it is asked once"));
    (found, None)
}

fuzz_target!(|input: (u8, u16, u8, &[u8])| {
    let (which, max_frame_bytes, piece, bytes) = input;
    let (_, framing) = Framing::ALL[usize::from(which) % Framing::ALL.len()];
    let max_frame_bytes = usize::from(max_frame_bytes);
    let whole = frames(framing, max_frame_bytes, std::iter::once(bytes));
    assert!(whole.0.iter().all(|frame| frame.len() <= max_frame_bytes));
    assert_eq!(frames(framing, max_frame_bytes, bytes.chunks(usize::from(piece) + 1)), whole);
    assert_eq!(frames(framing, max_frame_bytes, bytes.chunks(1)), whole);
});
