//! The C face of Porism.
