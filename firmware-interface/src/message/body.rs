//! What every message is: a type and the bytes of a body.

use super::fields::Sink;

/// Something that can stand in a frame's body.
pub trait Message {
    /// The type in the frame's header.
    fn message_type(&self) -> u8;

    /// How many bytes the body has.
    fn body_length(&self) -> usize;

    /// Writes the body, each byte once.
    fn write_body(&self, sink: &mut impl Sink);
}
