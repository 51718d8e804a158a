//! Labels of finished units: made, recorded, sent, and read back.
//!
//! One [`Desk`] does it for the line's own thread ([`LabelLine`]) and for `station label`. A
//! printer is opened before anything is recorded, so that one that is off leaves no trace;
//! "sent" is recorded before the first byte leaves.

mod desk;
mod thread;

pub use crate::domain::print::Card;
pub use desk::{Desk, Job, ReadBack, Told, choice, send_card, settings};
pub use thread::{Eye, LabelLine, Surroundings};
