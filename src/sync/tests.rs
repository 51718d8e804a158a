//! Runs against a cloud in memory, whose calls fail as each test says.

mod cloud;
mod ledger;
mod runs;
mod shares;
