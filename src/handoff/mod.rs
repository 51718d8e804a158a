//! Hand-offs for a cloud whose API can't be reached: certificates out for an administrator
//! who registers them in the console, and what he registered back in.
//!
//! What is written depends on the certificates alone, so that the same ones make the same
//! bytes. What comes back is a file from elsewhere: nothing in it is believed before its
//! fingerprint is the ledger's. Start with [`Export`] and [`read_claims`].

use station_domain::{self as domain, say};
use station_ledger as ledger;
use station_pki as pki;

mod bundle;
mod claim;
mod error;
mod export;
pub mod grant;
mod manifest;
mod read;
mod returned;
#[cfg(test)]
mod tests;

pub use bundle::{
    Bundle, BundleError, INSTRUCTIONS, UnitTable, Verified, certificate_file,
    verify as verify_bundle,
};
pub use claim::{Claim, Verdict, judge};
pub use error::HandoffError;
pub use export::{Export, Exported, Format};
pub use read::{Read, read_claims};
