//! The memory of what was proved.
