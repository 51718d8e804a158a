//! What persons do to a ledger as a whole: the records.

use serde::{Deserialize, Serialize};

use super::ids::Fingerprint;
use super::person::Person;

/// Indices that were lost or odd were made anew, from what the tables hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndicesRebuilt {
    /// Each that was missing, odd or did not belong there, by its name.
    pub indices: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Person,
}

/// A person says that a ledger is this station's own, and the CA certifies its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// SHA-256 of the CA certificate.
    pub authority: Fingerprint,
    /// DER of its certificate for the journal key, lowercase hex.
    pub journal_certificate: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Person,
}
