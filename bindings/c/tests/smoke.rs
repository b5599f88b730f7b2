//! A C program includes the header, links the library and runs: `tests/ffi/smoke.c`.

use std::env;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that holds the shared library which cargo built for this test.
fn library_folder() -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    test.parent().expect("a test lies in a folder").to_owned()
}

#[test]
fn a_c_program_compiles_links_and_runs() {
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    match Command::new(&compiler).arg("--version").output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("skipped: no C compiler `{compiler}`; set CC to one");
            return;
        }
        other => other.expect("the C compiler runs"),
    };

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = root.join("../../tests/ffi/smoke.c");
    let library = library_folder();
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let program = scratch.path().join("smoke");
    let build = Command::new(&compiler)
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"])
        .arg(root.join("include"))
        .arg(&source)
        .arg("-o")
        .arg(&program)
        .arg("-L")
        .arg(&library)
        .arg("-lporism_capi")
        .arg(format!("-Wl,-rpath,{}", library.display()))
        .output()
        .expect("the C compiler runs");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));

    // cargo's own search path may name a folder with the library of an older build.
    let ran = Command::new(&program)
        .arg(env!("CARGO_PKG_VERSION"))
        .env("LD_LIBRARY_PATH", &library)
        .output()
        .expect("the program starts");
    assert!(
        ran.status.success(),
        "{:?}\n{}{}",
        ran.status,
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
}
