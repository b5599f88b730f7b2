//! Of the engine's queue, what threads share.

#[path = "../../../engine/src/queue/job.rs"]
pub mod job;
#[path = "../../../engine/src/queue/outcome.rs"]
pub mod outcome;
#[path = "../../../engine/src/queue/places.rs"]
pub mod places;
#[path = "../../../engine/src/queue/port.rs"]
pub mod port;

// The models stand below, so that they see what the modules show to each other.
#[cfg(test)]
#[path = "places.rs"]
mod places_model;
#[cfg(test)]
#[path = "ticket.rs"]
mod ticket_model;
