//! The operator's screen end to end: the binary in a terminal of tmux, real keys in, what
//! stands on the screen out, devices from `station sim device`.

#![expect(clippy::unwrap_used, reason = "a test that fails here is right to")]

mod cycle;
mod demo;
mod labels;
mod orders;
#[path = "../quick_key/mod.rs"]
mod quick_key;
mod rows;
mod scanning;
mod sync;
mod talkative;
mod terminal;
mod tmux;
mod works;

use std::time::Duration;

/// Far beyond what any step here takes, on a machine that does other things too.
const LONG: Duration = Duration::from_secs(120);
