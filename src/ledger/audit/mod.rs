//! Whether a ledger is what was written: the chain, its heads, and a replay of it.

mod chain;
mod heads;
pub(super) mod replay;
mod replayer;
mod signatures;
pub(super) mod threads;
pub(super) mod verify;
