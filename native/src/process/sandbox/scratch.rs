//! A folder for one program, which goes when the program went.

use std::ffi::{CString, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A new folder that only this user may enter; removed when dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(super) fn new() -> io::Result<Self> {
        let pattern = std::env::temp_dir().canonicalize()?.join("porism-scratch-XXXXXX");
        let mut name = CString::new(pattern.as_os_str().as_bytes())?.into_bytes_with_nul();
        // SAFETY: the name ends with a zero, and the call changes only the six letters before it.
        if unsafe { libc::mkdtemp(name.as_mut_ptr().cast()) }.is_null() {
            return Err(io::Error::last_os_error());
        }
        name.pop();
        Ok(Self { path: OsString::from_vec(name).into() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    /// What a hostile program left may be nested so deep that no recursion reaches its floor.
    fn drop(&mut self) {
        let _ = remove_flat(&self.path);
    }
}

/// Removes a folder and all in it, with one level of depth: inner folders are moved up and taken in turn.
fn remove_flat(root: &Path) -> io::Result<()> {
    let mut moved: u64 = 0;
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        // A folder that its owner shut cannot be emptied.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                fs::remove_file(entry.path())?;
                continue;
            }
            let up = root.with_file_name(format!("{}-{moved}", name_of(root)));
            moved += 1;
            // Moving a folder writes to its entry for the parent.
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700))?;
            fs::rename(entry.path(), &up)?;
            waiting.push(up);
        }
        fs::remove_dir(&folder)?;
    }
    Ok(())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_and_shut_folder_goes_too() {
        let scratch = Scratch::new().unwrap();
        let root = scratch.path().to_owned();
        // Deeper than any path is long: each level is made from within the one above.
        let deep = "import os, sys\nos.chdir(sys.argv[1])\nfor _ in range(3000):\n os.mkdir('d'); os.chdir('d')";
        let made = std::process::Command::new("python3").args(["-c", deep]).arg(&root).status();
        if made.is_ok_and(|made| made.success()) {
            assert!(root.join("d/d/d").exists());
        }
        fs::create_dir(root.join("shut")).unwrap();
        fs::write(root.join("shut/file"), "").unwrap();
        fs::set_permissions(root.join("shut"), fs::Permissions::from_mode(0o000)).unwrap();
        std::os::unix::fs::symlink("/etc", root.join("link")).unwrap();
        drop(scratch);
        assert!(!root.exists());
        assert!(Path::new("/etc").exists());
        let prefix = name_of(&root);
        let left = fs::read_dir(root.parent().unwrap()).unwrap().flatten();
        assert_eq!(left.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix)).count(), 0);
    }
}
