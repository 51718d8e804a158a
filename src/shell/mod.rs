//! How an error reaches a person, and what the process says to its caller.
//!
//! Modules return their own errors; at the rim each becomes a [`Failure`]: a stable code,
//! what happened, what caused it and what to do now. Here stands the exit status that hangs
//! on a code ([`Exit::of`]); its remedy is in `text`. Both are exhaustive.
//! Start with [`Failure`]. Nothing here decides anything about a unit.

mod error_page;
mod exit;
mod failure;
mod language;
mod output;
mod progress;
mod remark;

pub use error_page::{error_page, group_beginnings};
pub use exit::Exit;
pub use failure::{
    Aside, Failure, for_warnings, install_panic_hook, leave_warnings_out, tell_panics_to, warn,
    warn_with_help,
};
pub use language::{language, speak};
pub use output::Output;
pub use progress::{Progress, is_watched, watch};
pub use remark::{color_remarks, remark, tell_remarks_to};
