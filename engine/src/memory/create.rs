//! Making a memory, and telling whether a path is one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::catalog::{self, State};
use super::error::{CATALOG, MemoryError, Result};
use super::segment::Segment;

/// Makes an empty memory at `path` if nothing is there.
///
/// It is built beside its place and then renamed, so that nobody ever sees half of one.
pub(super) fn if_missing(path: &Path, embedder: &str, dimension: u32) -> Result<()> {
    match path.symlink_metadata() {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(MemoryError::io(path, "look at the path", &error)),
    }
    if dimension == 0 {
        return Err(MemoryError::input("rows of no dimensions cannot be told apart"));
    }
    let draft = draft_path(path)?;
    let made = build(&draft, embedder, dimension).and_then(|()| place(&draft, path));
    if made.is_err() {
        // What failed is reported; that its remains could not be removed adds nothing.
        let _ = fs::remove_dir_all(&draft);
    }
    made
}

fn build(draft: &Path, embedder: &str, dimension: u32) -> Result<()> {
    fs::create_dir(draft).map_err(|error| MemoryError::io(draft, "make the directory", &error))?;
    let state = catalog::create(draft, embedder, dimension).map_err(|error| error.within(draft, Duration::ZERO))?;
    Segment::create(draft, state.segment, dimension, &state.identity)
        .and_then(|file| file.sync_all())
        .and_then(|()| sync_file(&draft.join(CATALOG)))
        .and_then(|()| sync_directory(draft))
        .map_err(|error| MemoryError::io(draft, "write the rows", &error))
}

/// Waits until what was written to `path` is on the disk, by whomever.
pub(crate) fn sync_file(path: &Path) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(path)?.sync_all()
}

/// Waits until the names in `directory` are on the disk.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

/// Moves the draft to its place, unless another process was faster: then that memory is as good.
fn place(draft: &Path, path: &Path) -> Result<()> {
    match fs::rename(draft, path) {
        Err(_) if path.join(CATALOG).exists() => {
            fs::remove_dir_all(draft).map_err(|error| MemoryError::io(draft, "remove the directory", &error))
        }
        outcome => outcome
            .and_then(|()| sync_directory(parent(path)))
            .map_err(|error| MemoryError::io(path, "make the memory", &error)),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A hidden sibling of `path` that no other process or thread uses.
fn draft_path(path: &Path) -> Result<PathBuf> {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let Some(name) = path.file_name() else {
        return Err(MemoryError::Input(format!("{} does not name a memory", path.display())));
    };
    let unique = format!("{}-{}", std::process::id(), DRAFTS.fetch_add(1, Ordering::Relaxed));
    let mut draft = std::ffi::OsString::from(".");
    draft.push(name);
    draft.push(format!(".{unique}"));
    Ok(path.with_file_name(draft))
}

/// An error that says what is at `path` if that is no memory.
pub(super) fn check_directory(path: &Path) -> Result<()> {
    let not_a_memory = |reason: &str| MemoryError::NotAMemory { path: path.into(), reason: reason.to_owned() };
    let directory = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(not_a_memory("nothing is there")),
        Err(error) => return Err(MemoryError::io(path, "look at the path", &error)),
    };
    if !directory.is_dir() {
        return Err(not_a_memory("it is a file, a memory is a directory"));
    }
    if !path.join(CATALOG).is_file() {
        return Err(not_a_memory(&format!("it has no {CATALOG}")));
    }
    Ok(())
}

/// An error if the memory's vectors cannot be compared with the caller's.
pub(super) fn check_embedder(path: &Path, state: &State, embedder: &str, dimension: u32) -> Result<()> {
    let mismatch =
        |what, stored: String, asked: String| Err(MemoryError::Mismatch { path: path.into(), what, stored, asked });
    if state.embedder != embedder {
        return mismatch("embedder", state.embedder.clone(), embedder.to_owned());
    }
    if state.dimension != dimension {
        return mismatch("dimension", state.dimension.to_string(), dimension.to_string());
    }
    Ok(())
}
