//! The journal: the bytes of an entry and its hash, the signed head, and the notes of it
//! outside the ledger that bear witness.

pub(super) mod certificate;
pub(super) mod entry;
pub(super) mod head;
pub(super) mod note;
pub(super) mod payload;
pub(super) mod witness;
