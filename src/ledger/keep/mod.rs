//! The ledger's file on the disk: where it lies, how it is opened, who may work on it, and
//! how one that can't be used any more is set aside.

pub(super) mod aside;
pub(super) mod files;
pub(super) mod filesystem;
pub(super) mod lock;
pub(super) mod structure;
