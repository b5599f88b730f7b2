//! Waking those who wait: threads through an event count, event loops through a descriptor.

#[cfg(not(loom))]
mod descriptor;
mod event_count;

#[cfg(loom)]
pub use crate::descriptor::Descriptor;
#[cfg(not(loom))]
pub use descriptor::Descriptor;
pub use event_count::{EventCount, Prepared};
