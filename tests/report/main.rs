//! What a manager takes away, as its readers see it: the real binary over a ledger whose
//! history is known, its figures computed a second time, its pages opened in a real browser.
//!
//! Start with `history`, which says what happened.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on has failed, and says where"
)]

mod browser;
mod figures;
mod history;
mod hostile;
mod lot;
mod metrics;
mod one_number;
mod pages;
#[path = "../printed/picture.rs"]
mod picture;
mod rows;
mod view;
