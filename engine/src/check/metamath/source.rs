//! The files of a database: one text with the places where each file begins.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::super::{Code, Fault};
use super::codes::{self, Trouble, meaning};
use super::scan::{Chunk, find_bad_character, guess_boundary, narrow_one, scan};

/// How much of a database is read before the reader gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together; never more than 4 GiB.
    pub max_bytes: u64,
    /// How many files may be opened.
    pub max_files: usize,
    /// Hypotheses and disjoint variables of all frames together: they grow with the square of what a hostile text says.
    pub max_frame_items: usize,
    /// Symbols that are looked at while frames are built.
    pub max_frame_work: u64,
}

impl Default for Limits {
    /// A hundred times the largest database that there is, in every respect but its bytes.
    fn default() -> Self {
        Self { max_bytes: 1 << 30, max_files: 1000, max_frame_items: 1 << 25, max_frame_work: 1 << 30 }
    }
}

/// Texts above this size are scanned by several threads.
const LARGE_BYTES: usize = 1 << 20;
/// How many pieces a thread scans, so that none waits long for another.
const PIECES: usize = 4;

/// All text that was read so far.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub text: Vec<u8>,
    /// Where each file begins in `text`, and its path.
    pub files: Vec<(u32, String)>,
    seen: HashSet<PathBuf>,
    pub root: Option<PathBuf>,
}

impl Source {
    /// A text without a folder: it may not include anything.
    pub(super) fn from_text(text: Vec<u8>, label: &str, limits: &Limits) -> Result<Self, Trouble> {
        if text.len() as u64 > limits.max_bytes.min(u64::from(u32::MAX)) {
            return Err(Trouble::new(codes::LIMIT, 0..0).saying("the text is larger than the limit"));
        }
        Ok(Self { text, files: vec![(0, label.to_owned())], ..Self::default() })
    }

    /// The file at `path`, which may include files from `root` and the folders in it.
    pub(super) fn open(path: &Path, root: Option<&Path>, limits: &Limits) -> Result<Self, Trouble> {
        let unreadable = |error: &std::io::Error| {
            Trouble::new(codes::INCLUDE_UNREADABLE, 0..0).saying(format!("{} cannot be read: {error}", path.display()))
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let root = root.unwrap_or(folder).canonicalize().map_err(|error| unreadable(&error))?;
        let mut source = Self { root: Some(root), ..Self::default() };
        source.seen.insert(path.canonicalize().map_err(|error| unreadable(&error))?);
        source.append(path, limits, 0..0)?;
        Ok(source)
    }

    /// Reads the file that `name` means, unless it was read before; where its text stands.
    pub(super) fn include(&mut self, name: Range<usize>, limits: &Limits) -> Result<Option<Range<usize>>, Trouble> {
        let forbidden = || Trouble::new(codes::INCLUDE_FORBIDDEN, name.clone());
        let root = self.root.as_ref().ok_or_else(forbidden)?;
        let told = str::from_utf8(&self.text[name.clone()]).map_err(|_| forbidden())?;
        let path = root.join(told).canonicalize().map_err(|error| {
            Trouble::new(codes::INCLUDE_UNREADABLE, name.clone()).saying(format!("'{told}' cannot be read: {error}"))
        })?;
        // Links are resolved before, so that none leads out.
        if !path.starts_with(root) || !path.is_file() {
            return Err(forbidden());
        }
        if !self.seen.insert(path.clone()) {
            return Ok(None);
        }
        self.append(&path, limits, name).map(Some)
    }

    fn append(&mut self, path: &Path, limits: &Limits, place: Range<usize>) -> Result<Range<usize>, Trouble> {
        if self.files.len() >= limits.max_files {
            return Err(Trouble::new(codes::LIMIT, place).saying("there are more files than the limit allows"));
        }
        let start = self.text.len();
        let most = limits.max_bytes.min(u64::from(u32::MAX)) - start as u64;
        let read = File::open(path).and_then(|file| {
            let expected = file.metadata()?.len();
            if expected > most {
                return Ok(usize::MAX);
            }
            self.text.reserve_exact(usize::try_from(expected).unwrap_or(0));
            file.take(most + 1).read_to_end(&mut self.text)
        });
        match read {
            Ok(bytes) if bytes as u64 > most => {
                Err(Trouble::new(codes::LIMIT, place).saying("the files are larger than the limit"))
            }
            Ok(_) => {
                self.files.push((narrow_one(start), path.display().to_string()));
                Ok(start..self.text.len())
            }
            Err(error) => Err(Trouble::new(codes::INCLUDE_UNREADABLE, place)
                .saying(format!("{} cannot be read: {error}", path.display()))),
        }
    }

    /// The statements of the file that stands at `range`, on so many threads.
    pub(super) fn scan(&self, range: Range<usize>, threads: usize, seed: u64) -> Result<Vec<Chunk>, Trouble> {
        let text = &self.text[..range.end];
        let pieces = if threads > 1 && range.len() > LARGE_BYTES { threads * PIECES } else { 1 };
        let size = range.len() / pieces;
        let mut starts = vec![range.start];
        starts.extend((1..pieces).map(|piece| guess_boundary(text, range.start + piece * size)));
        starts.dedup();
        let scan_piece = |piece: usize| {
            let start = starts[piece];
            let limit = starts.get(piece + 1).copied().unwrap_or(range.end);
            if let Some(bad) = find_bad_character(&text[start..limit]) {
                return Err(Trouble::new(codes::BAD_CHARACTER, start + bad..start + bad + 1));
            }
            scan(text, start, limit, range.end, seed)
        };
        if starts.len() == 1 {
            return Ok(vec![scan_piece(0)?]);
        }
        let mut chunks = Vec::with_capacity(starts.len());
        for (piece, scanned) in on_threads(starts.len(), threads, scan_piece).into_iter().enumerate() {
            let expected = starts.get(piece + 1).copied().unwrap_or(range.end);
            match scanned {
                Ok(chunk) if chunk.end == expected => chunks.push(chunk),
                // The next piece began where no statement begins, or this one is wrong. One thread finds out which.
                _ => {
                    let start = starts[piece];
                    if let Some(bad) = find_bad_character(&text[start..]) {
                        return Err(Trouble::new(codes::BAD_CHARACTER, start + bad..start + bad + 1));
                    }
                    chunks.push(scan(text, start, range.end, range.end, seed)?);
                    break;
                }
            }
        }
        Ok(chunks)
    }

    /// The fault for people, with file, line and column.
    pub(super) fn explain(&self, trouble: &Trouble) -> Fault {
        place(&self.text, &self.files, trouble.code, trouble.message.clone(), trouble.span.clone())
    }
}

/// A fault at `span` of the `text` of these files.
pub(super) fn place(
    text: &[u8],
    files: &[(u32, String)],
    code: Code,
    message: Option<String>,
    span: Range<usize>,
) -> Fault {
    let mut fault = Fault::new(code, message.unwrap_or_else(|| meaning(code).to_owned()));
    let after = files.partition_point(|&(start, _)| start as usize <= span.start);
    if let Some((start, path)) = after.checked_sub(1).and_then(|file| files.get(file)) {
        let start = *start as usize;
        let end = files.get(after).map_or(text.len(), |(next, _)| *next as usize);
        fault = fault.at(text.get(start..end).unwrap_or_default(), span.start - start..span.end.max(start) - start);
        fault.file = Some(path.clone());
    }
    fault
}

/// What `work` makes of each piece, in order.
fn on_threads<T: Send>(pieces: usize, threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                return done;
            }
            done.push((piece, work(piece)));
        }
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(pieces)).map(|_| scope.spawn(take)).collect();
        let mut done = take();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|&(piece, _)| piece);
    done.into_iter().map(|(_, made)| made).collect()
}
