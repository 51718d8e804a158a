//! What a device holds when it is plugged in.

/// An identity that a device holds before the station sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Preloaded {
    /// The private key: a P-256 scalar.
    pub key: [u8; 32],
    /// The client certificate, DER.
    pub certificate: Vec<u8>,
    /// The CA certificates above it, DER, the issuer first; may be empty.
    pub chain: Vec<u8>,
}
