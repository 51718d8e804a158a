//! Whether a ledger is what was written: the chain, its heads, and a replay of it.

pub(super) mod replay;
pub(super) mod verify;
