//! Plain data and policy: what every layer may know and nothing that does I/O.
//!
//! Start with [`record`] (what is made durable), [`device`] (what a device can be
//! asked and what it says) and [`event`] (what the front ends see). Nothing here
//! opens a file, reads a clock or holds a private key.

pub mod baud;
pub mod bounds;
pub mod cause;
pub mod certificate;
pub mod clock;
pub mod code;
pub mod columns;
pub mod device;
pub mod esp;
pub mod event;
pub mod evidence;
pub mod family;
pub mod figures;
pub mod grant;
pub mod identity;
pub mod ids;
pub mod keeping;
pub mod label;
pub mod labelling;
pub mod lender;
pub mod library;
pub mod list;
pub mod local;
pub mod log;
pub mod long_work;
pub mod lot;
pub mod modem;
pub mod operators;
pub mod outbox;
pub mod pages;
pub mod person;
pub mod places;
pub mod print;
pub mod record;
pub mod registration;
pub mod rows;
pub mod say;
pub mod scan;
pub mod share;
pub mod slot;
#[cfg(feature = "sql")]
mod sql;
pub mod state;
pub mod story;
pub mod supervised;
pub mod text;
pub mod work_order;
