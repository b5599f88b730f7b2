//! What an acknowledged write survives.

use crate::words::words;

words! {
    /// What a write that has returned survives.
    Durability, "durability" {
        /// The death of the process at any moment. After a power cut the latest writes may be missing, or reported as damage.
        Process = "process",
        /// A power cut too: everything is synced to the disk before a write returns.
        Power = "power",
        /// The same, but syncing waits for `flush`, for the end, or until there is very much of it. For bulk loads.
        None = "none",
    }
}
