//! Own mounts: everything read-only but what was listed, own temporary files, own `/proc`.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::files::{Files, Right};
use super::{SandboxError, sys};

/// Where programs put files without being told to.
const TEMPORARY: [&str; 2] = ["/tmp", "/dev/shm"];

/// The size of each temporary file system, and how many files it may hold.
const TEMPORARY_OPTIONS: &CStr = c"size=268435456,nr_inodes=65536,mode=1777";
const SCRATCH_OPTIONS: &CStr = c"size=268435456,nr_inodes=65536,mode=0700";

/// How many paths can be listed: their mounts have to be held on a stack.
const MOST_PATHS: usize = 64;

/// What the child mounts. Every name is ready before the fork.
#[derive(Debug)]
pub(super) struct Mounts {
    temporary: Vec<CString>,
    scratch: Option<Kept>,
    kept: Vec<Kept>,
    proc: bool,
}

/// A path that stays what it was.
#[derive(Debug)]
struct Kept {
    path: CString,
    /// The folders to make for it, if it lies beneath a temporary file system.
    parents: Vec<CString>,
    is_folder: bool,
    right: Right,
}

impl Mounts {
    /// All paths are absolute and without links.
    pub(super) fn new(
        read: &[impl AsRef<Path>],
        write: &[impl AsRef<Path>],
        scratch: Option<&Path>,
        proc: bool,
    ) -> Result<Self, SandboxError> {
        let listed = || read.iter().map(AsRef::as_ref).chain(write.iter().map(AsRef::as_ref));
        let mut temporary = Vec::new();
        for path in TEMPORARY.map(Path::new) {
            // Whoever lists one of them wants the real one.
            let is_wanted = listed().any(|listed| listed == path) || write.iter().any(|up| path.starts_with(up));
            let is_real = path.symlink_metadata().is_ok_and(|about| about.is_dir());
            if is_real && !is_wanted {
                temporary.push(path);
            }
        }
        let is_hidden = |path: &&Path| temporary.iter().any(|over| path.starts_with(over));
        let mut kept: Vec<(&Path, Right)> = write.iter().map(|path| (path.as_ref(), Right::Write)).collect();
        kept.extend(read.iter().map(AsRef::as_ref).filter(is_hidden).map(|path| (path, Right::Read)));
        // The outer before the inner.
        kept.sort_by_key(|(path, _)| path.components().count());
        if kept.len() > MOST_PATHS {
            return Err(SandboxError::TooManyPaths { listed: kept.len(), most: MOST_PATHS });
        }
        Ok(Self {
            kept: kept.into_iter().map(|(path, right)| Kept::new(path, right, &temporary)).collect::<Result<_, _>>()?,
            scratch: scratch.map(|path| Kept::new(path, Right::Write, &temporary)).transpose()?,
            temporary: temporary.into_iter().map(c_path).collect::<Result<_, _>>()?,
            proc,
        })
    }

    /// Mounts it all, and allows it in `files`; for the child's side of the fork, in a mount namespace of its own.
    pub(super) fn apply(&self, files: Option<&Files>) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let directory = sys::working_directory(&mut buffer)?;
        sys::make_mounts_private()?;
        let mut trees = [const { None::<OwnedFd> }; MOST_PATHS];
        for (tree, kept) in trees.iter_mut().zip(&self.kept) {
            *tree = Some(sys::open_tree(&kept.path)?);
        }
        sys::make_mounts_read_only(c"/")?;
        let safe = libc::MS_NOSUID | libc::MS_NODEV;
        for path in &self.temporary {
            sys::mount(c"tmpfs", path, safe, TEMPORARY_OPTIONS)?;
            allow(files, path, Right::Write)?;
        }
        for (tree, kept) in trees.iter().zip(&self.kept) {
            kept.make_place()?;
            if let Some(tree) = tree {
                sys::move_mount(tree, &kept.path)?;
            }
            if kept.right == Right::Read {
                sys::make_mounts_read_only(&kept.path)?;
            }
        }
        if let Some(scratch) = &self.scratch {
            scratch.make_place()?;
            sys::mount(c"tmpfs", &scratch.path, safe, SCRATCH_OPTIONS)?;
            allow(files, &scratch.path, Right::Write)?;
        }
        if self.proc {
            sys::mount(c"proc", c"/proc", safe | libc::MS_NOEXEC | libc::MS_RDONLY, c"")?;
            allow(files, c"/proc", Right::Read)?;
        }
        // The old working directory is that of the old mounts; one that is out of sight now is left for the root.
        sys::chdir(directory).or_else(|_| sys::chdir(c"/"))
    }
}

fn allow(files: Option<&Files>, path: &CStr, right: Right) -> io::Result<()> {
    files.map_or(Ok(()), |files| files.allow_later(path, right))
}

impl Kept {
    fn new(path: &Path, right: Right, temporary: &[&Path]) -> Result<Self, SandboxError> {
        let over = temporary.iter().find(|over| path.starts_with(over));
        let parents = over.map_or_else(Vec::new, |over| {
            let mut up: Vec<&Path> = path.ancestors().skip(1).take_while(|parent| parent != over).collect();
            up.reverse();
            up
        });
        Ok(Self {
            path: c_path(path)?,
            parents: parents.into_iter().map(c_path).collect::<Result<_, _>>()?,
            is_folder: path.is_dir(),
            right,
        })
    }

    /// Makes what the mount will cover. Where nothing is hidden it is there.
    fn make_place(&self) -> io::Result<()> {
        let made = self
            .parents
            .iter()
            .try_for_each(|parent| sys::mkdir(parent))
            .and_then(|()| if self.is_folder { sys::mkdir(&self.path) } else { sys::touch(&self.path) });
        match made {
            // Beneath a read-only mount; and then it exists.
            Err(error) if error.raw_os_error() == Some(libc::EROFS) => Ok(()),
            made => made,
        }
    }
}

fn c_path(path: &Path) -> Result<CString, SandboxError> {
    CString::new(path.as_os_str().as_bytes())
        .map_err(|error| SandboxError::Path { path: path.to_owned(), reason: error.to_string() })
}
