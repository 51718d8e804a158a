//! What is known: everything that a [`Reader`](reader::Reader) answers. Nothing here writes.

pub(super) mod backlog;
mod conditions;
pub(super) mod figures;
mod find;
mod grants;
pub(super) mod history;
pub(super) mod inquiries;
pub(super) mod labels;
mod lists;
mod lot;
pub(super) mod operators;
pub mod outbox;
pub(super) mod reader;
mod report;
mod rows;
pub(super) mod story;
mod uncertain;
pub mod views;
mod wall;
