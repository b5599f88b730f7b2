//! How a process is started, read from `porism.provers.Launch`.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use porism_engine::pool::{Dialect, Framing, MarkerLine};
use porism_native::process::{ChildLimits, Env, Launch};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::raise;

const MIB: u64 = 1 << 20;

/// The launch, how answers end, and how many bytes one may have.
pub struct Plan {
    pub launch: Launch,
    pub framing: Framing,
    pub max_frame_bytes: usize,
}

impl Plan {
    pub fn read(launch: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = launch.py();
        let env: HashMap<OsString, Option<OsString>> = launch.getattr("env")?.extract()?;
        let memory_mb: Option<u64> = launch.getattr("memory_mb")?.extract()?;
        let framing: String = launch.getattr("framing")?.extract()?;
        let max_frame_mb: u64 = launch.getattr("max_frame_mb")?.extract()?;
        Ok(Self {
            launch: Launch {
                program: launch.getattr("program")?.extract::<PathBuf>()?,
                args: launch.getattr("args")?.extract()?,
                env: environment(env),
                dir: launch.getattr("dir")?.extract()?,
                limits: ChildLimits {
                    cpu_s: launch.getattr("cpu_s")?.extract()?,
                    memory_bytes: memory_mb.map(|mb| mb.saturating_mul(MIB)),
                    ..ChildLimits::default()
                },
            },
            framing: framing_named(&framing).ok_or_else(|| {
                raise(py, "InputError", &format!("framing={framing:?}: there is no such framing"), &PyDict::new(py))
            })?,
            max_frame_bytes: usize::try_from(max_frame_mb.saturating_mul(MIB)).unwrap_or(usize::MAX),
        })
    }
}

/// The caller's environment with changes; a variable without a value is taken away.
fn environment(changes: HashMap<OsString, Option<OsString>>) -> Env {
    if changes.values().all(Option::is_some) {
        return Env::InheritedWith(changes.into_iter().filter_map(|(name, value)| Some((name, value?))).collect());
    }
    let mut all: HashMap<OsString, OsString> = std::env::vars_os().collect();
    for (name, value) in changes {
        match value {
            Some(value) => all.insert(name, value),
            None => all.remove(&name),
        };
    }
    Env::Only(all.into_iter().collect())
}

fn framing_named(name: &str) -> Option<Framing> {
    Some(match name {
        "lines" => Framing::Lines,
        "content-length" => Framing::ContentLength,
        "blank-line" => Framing::BlankLine,
        "s-expression" => Framing::SExpression(Dialect::Sexplib),
        "smt-lib" => Framing::SExpression(Dialect::SmtLib),
        "lisp" => Framing::SExpression(Dialect::Lisp),
        "xml-element" => Framing::XmlElement,
        "marker" => Framing::Nonce(MarkerLine::Alone),
        "marker-within" => Framing::Nonce(MarkerLine::Containing),
        "end-of-file" => Framing::EndOfFile,
        _ => return None,
    })
}
