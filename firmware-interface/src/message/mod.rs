//! The messages: one struct for each, and the bytes of each body.
//!
//! A body is written field by field, little-endian, and read the same way; every field
//! has one encoding, nothing is optional, and what is left over is an error. Bytes of
//! variable length borrow from the frame. A body's type stands in the frame's header.
//!
//! Start with [`Request`] and [`Reply`]. No message is understood further than its
//! layout here: the rules of the conversation are [`crate::dispatch`]'s.

pub(crate) mod body;
pub(crate) mod fields;
mod reply;
mod request;
pub(crate) mod text;

pub use body::Message;
pub use fields::{BodyError, Fields, Sink};
pub use reply::{
    BeginReply, ChunkLimit, ChunkReply, CommitReply, CsrReply, ErrorReply, FinishReply,
    IdentifyReply, KeygenReply, ProveReply, ReadReply, Reply, SIGNATURE_LENGTH, Window,
};
pub use request::{
    Begin, Chunk, Commit, Csr, Finish, FinishResult, Identify, Keygen, NONCE_LENGTH, Prove, Read,
    Request, TypeError,
};
pub use text::{HardwareId, MAX_NAME, MAX_SERIAL, ShortText, TextError};
