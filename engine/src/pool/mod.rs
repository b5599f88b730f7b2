//! Provers that stay: what is known about their answers.

pub mod cache;
