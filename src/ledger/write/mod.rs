//! How records become durable: the writer thread, one transaction for all that wait.

pub(super) mod append;
pub(super) mod persons;
pub(super) mod writer;
