//! Signing and checking the head of the journal. The ledger asks; the pki does it.

use super::device::Fault;
use super::ids::PublicKey;

/// Signs heads of the journal with the station's journal key.
pub trait HeadSigner: Send + Sync {
    /// The P-256 public key under which the signatures verify.
    fn public_key(&self) -> PublicKey;

    /// ECDSA-P256-SHA256 over `message`, raw `r ‖ s`.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Fault>;
}

/// A signature that was found to be a head signer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureHolds;

/// Checks signatures of heads.
pub trait HeadVerifier: Send + Sync {
    /// Whether `signature` over `message` verifies under `public_key`.
    fn verify(
        &self,
        public_key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Option<SignatureHolds>;
}
