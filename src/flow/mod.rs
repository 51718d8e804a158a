//! One unit as a pure machine: no I/O, no clock, no key.
//!
//! [`step`] takes a state and one input and gives the next state and exactly *one*
//! effect. The effect is performed and its result is the next input, before anything
//! else is decided: that, and no ordering rule, makes a record durable before the deed.
//! [`resolve`] is the recovery table; it is used whenever a device appears, in mid-flow
//! too. [`settle`] ends at start-up what no device can hold.
//!
//! Start reading at [`resolve`], then at [`State`].

use station_domain::{self as domain, say};

mod finish;
mod landing;
mod machine;
#[cfg(test)]
mod model;
mod moves;
mod resolve;
mod state;
mod steady;

pub use machine::step;
pub use resolve::{Next, Why, resolve, settle};
pub use state::{
    Effect, Entry, Input, Policy, Position, Presented, State, Unexpected, Unit, Verdict,
    VerdictKind,
};
pub use steady::denial_of_a_pass;
