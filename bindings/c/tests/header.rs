//! The committed header says what the code exports.

use std::fs;
use std::path::Path;

#[test]
fn the_header_is_what_cbindgen_writes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("include/porism/porism.h");
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is readable");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in ["boundary", "error", "tptp", "version"] {
        builder = builder.with_src(root.join("src").join(source).with_extension("rs"));
    }
    let mut fresh = Vec::new();
    builder.generate().expect("the sources are readable").write(&mut fresh);
    let fresh = String::from_utf8(fresh).expect("a header is text");

    if std::env::var_os("PORISM_WRITE_HEADER").is_some() {
        fs::write(&path, &fresh).expect("the header is writable");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == fresh,
        "{} is out of date; renew it with\n    PORISM_WRITE_HEADER=1 cargo test -p porism-capi --test header\nA fresh one is:\n{fresh}",
        path.display()
    );
}

/// `guard` cannot be forced on a function by its type, so its presence is read from the source.
#[test]
fn every_exported_function_stops_panics() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut exported = 0;
    for entry in fs::read_dir(sources).expect("src is readable") {
        let path = entry.expect("src is readable").path();
        let source = fs::read_to_string(&path).expect("a source is text");
        for function in source.split("#[unsafe(no_mangle)]").skip(1) {
            let body = function.split("\n}").next().unwrap_or_default();
            let name = body.split("fn ").nth(1).and_then(|rest| rest.split('(').next()).unwrap_or_default();
            assert!(body.contains("guard(") || body.contains("guard_or("), "{name} in {} has no guard", path.display());
            exported += 1;
        }
    }
    assert!(exported >= 5, "only {exported} exported functions were found: this test reads the sources wrongly");
}
