//! Models of what several threads touch at once: loom runs each under every interleaving, up to a number of preemptions.
//!
//! The modules are the very files that ship, compiled against loom's primitives; a model stands in a file named after its subject.
//! `LOOM_MAX_PREEMPTIONS` says how deep to search.

#![allow(dead_code, reason = "a model uses a part of what its subject offers")]

// What the engine calls by its name is this crate.
extern crate self as porism_native;

#[path = "../../../native/src/event/mod.rs"]
pub mod event;
#[path = "../../../native/src/sync.rs"]
pub mod sync;

pub mod queue;

mod descriptor;
#[cfg(test)]
mod event_count;
#[cfg(test)]
mod ring;

/// Runs a model; without `LOOM_MAX_PREEMPTIONS` to the depth that fits a test run.
#[cfg(test)]
fn model(body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(body);
}
