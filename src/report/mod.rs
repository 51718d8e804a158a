//! What those take away who answer for the line: tables for a spreadsheet or another program.
//!
//! Nothing here asks more of the ledger than a screen does, and nothing changes anything.
//! What labels and devices said is shown and never carried out: neither as a formula nor as
//! markup.

mod cell;
mod tables;

pub use tables::{Form, Table};
