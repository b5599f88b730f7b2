//! Premise selection.
