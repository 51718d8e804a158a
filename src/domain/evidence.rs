//! What others testify: signatures of the journal's head, and a broker that devices meet.

use std::time::{Duration, Instant};

use super::device::Fault;
use super::ids::{ClientId, Fingerprint, PublicKey};

/// Signs heads of the journal with the station's journal key.
pub trait HeadSigner: Send + Sync {
    /// The P-256 public key under which the signatures verify.
    fn public_key(&self) -> PublicKey;

    /// ECDSA-P256-SHA256 over `message`, raw `r ‖ s`.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Fault>;
}

/// What a broker saw of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    /// A client with this certificate's key connected under its own client id.
    Connected,
    /// One connected with it under another client id.
    OtherClientId(String),
    /// Nobody came with it in time.
    Nobody,
}

/// A broker of the station's own, which sees devices connect with their certificates.
pub trait Witness: Send + Sync {
    /// Waits for a connection that was made after `since`.
    fn wait_for(&self, certificate: &Fingerprint, client_id: &ClientId, since: Instant)
    -> Sighting;

    /// How long it waits.
    fn patience(&self) -> Duration;
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
