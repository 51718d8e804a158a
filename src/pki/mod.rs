//! Certificates: the profile, the authority that issues them, and every check of a signature.
//!
//! Start with [`Authority`]: [`init()`] makes one, [`Authority::load`] opens it, and
//! [`Authority::issue`] signs a device's certificate, reads its own result back and
//! verifies it before anyone sees it. [`check_possession`] judges a device's proof and
//! [`JournalKey`] signs the ledger's head.
//!
//! It must not know the ledger, the wire or the cloud. The CA's key never leaves
//! `signer`, or the token behind it; a device's private key is seen only by [`make_key`] and [`public_key_of`], in the
//! vault's memory.

use station_domain as domain;
use station_domain::say;

mod algorithm;
mod authority;
mod ca_certificate;
mod certificate_file;
mod check;
mod crl;
mod csr;
mod device_key;
mod error;
mod file;
mod fingerprint;
mod init;
mod issue;
mod issued_here;
mod journal_certificate;
mod journal_key;
mod key_file;
mod order_certificate;
mod order_key;
mod passphrase;
mod profile;
mod sample;
mod server_key;
mod signature;
mod signer;
mod subordinate;
#[cfg(test)]
mod tests;
mod token;
mod verification;

pub use authority::{Authority, AuthorityInfo, AuthorityPlace, KeyPlace};
pub use certificate_file::{certificate_pem, certificates_in, read_certificates, server_roots};
pub use crl::{CrlNumbering, RevokedCertificate, is_list_of};
pub use csr::{VerifiedCsr, has_utf8_subject, verify_csr};
pub use device_key::{make_key, public_key_of};
pub use error::PkiError;
pub use fingerprint::fingerprint_of;
pub use init::{AuthorityRequest, CA_BACKDATE, init, init_with_existing_key, throw_away};
pub use issue::{IssueRequest, random_sn};
pub use issued_here::{IssuedHere, verify_issued_here};
pub use journal_certificate::{JournalCertificate, is_valid_at, journal_key_of, p256_key_in};
pub use journal_key::JournalKey;
pub use order_certificate::check_grant;
pub use order_key::{
    OrderKey, OrderPlace, import_order_certificate, make_order_key, order_signer, request_order_key,
};
pub use passphrase::Passphrase;
pub use profile::{Profile, ValidFor};
pub use sample::{SampleClient, SampleServer, pkcs8_of, sample_server};
pub use server_key::read_server_key;
pub use signature::{Verifier, check_possession};
pub use subordinate::{AuthorityCsr, import, request};
pub use token::{TOKEN_PATIENCE, TokenError, TokenKey, leave_token};
