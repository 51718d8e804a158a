//! A list of certificates that are not to be used any more: from the ledger, signed by the CA.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use super::from_config;
use crate::config::Config;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::code::Code;
use crate::domain::outbox::CrlIssued;
use crate::domain::person::Person;
use crate::domain::record::Record;
use crate::pki::{CrlNumbering, RevokedCertificate};
use crate::say;
use crate::shell::Failure;

/// A signed list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    /// The list.
    pub pem: String,
    /// Its number.
    pub number: u64,
    /// How many certificates it names.
    pub certificates: usize,
    /// Until when verifiers take it.
    pub next: Timestamp,
}

/// Signs a list of what the CA of station.toml issued and is not to be used any more. Its
/// number is that of the journal's entry about it, so it grows and is never given twice.
pub fn make(
    config: &Config,
    clock: &Arc<dyn Clock>,
    next_days: u16,
    by: Person,
) -> Result<Crl, Failure> {
    let authority = from_config::authority(config)?;
    let ledger = from_config::open_existing_ledger(config, clock)?;
    let fingerprint = authority.fingerprint();
    let retired = ledger.reader()?.retired(&fingerprint)?;
    let revoked: Vec<RevokedCertificate> = retired
        .iter()
        .map(|one| RevokedCertificate { sn: one.sn, superseded: one.superseded, since: one.at })
        .collect();
    let certificates = revoked.len();
    let now = clock.now().wall;
    let next = Timestamp(now.0.saturating_add(i64::from(next_days) * 86_400_000_000));
    let issued = CrlIssued {
        authority: fingerprint,
        certificates: u64::try_from(certificates).unwrap_or(u64::MAX),
        next: Some(next),
        by,
    };
    let recorded = ledger.writer().record(Record::CrlIssued(issued));
    let number = recorded.map_err(|refusal| Failure::from(refusal.fault()))?.seq;
    let pem = authority.revocation_list(&revoked, CrlNumbering { number, now, next })?;
    Ok(Crl { pem, number, certificates, next })
}

/// Everybody may read the list, and its owner alone replace it.
const PUBLIC: u32 = 0o644;

/// Puts the list where verifiers read it: the old one or the new one is there, never half.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let aside = path.with_extension("new");
    let written = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(PUBLIC);
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        options.open(&aside)?.write_all(bytes)?;
        fs::rename(&aside, path)
    };
    let done = written();
    done.map_err(|error| {
        let what = say!("{} can't be written", "{} 无法写入", path.display());
        Failure::said(Code::Output, what).caused_by(&error)
    })
}
