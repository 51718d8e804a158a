//! How a driver reaches a private key: it is lent one, in locked memory, for one closure.

use super::device::Fault;
use super::ids::KeyId;

/// The room for frames that a lent key comes with, in bytes: one plain and one encoded.
pub const LENT_SCRATCH: usize = 2048;

/// Lends private keys out of locked memory.
///
/// A lender wipes the scratch, and the stack below the call, before it returns.
pub trait KeyLender {
    /// Runs `work` with the 32-byte big-endian P-256 scalar and [`LENT_SCRATCH`] bytes of
    /// locked scratch. `work` must not copy the scalar, or anything made of it that would
    /// reveal it, to any other memory.
    fn lend(&self, key: KeyId, work: &mut dyn FnMut(&[u8; 32], &mut [u8])) -> Result<(), Fault>;
}
