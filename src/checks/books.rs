//! The ledger and the clock that it is held against.

use super::{Finding, Status};
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::evidence::HeadVerifier;
use crate::ledger::{self, Audit, LedgerError, Reader, Settings};

/// 2024-01-01T00:00:00Z: this program is younger, so an earlier clock was never set.
const OLDEST: Timestamp = Timestamp(1_704_067_200_000_000);

/// Checks that the ledger can be used and that its journal verifies.
///
/// The newest head and samples of the older ones are checked; `station ledger verify`
/// checks all of them, and the tables too.
pub fn ledger(settings: &Settings, verifier: &dyn HeadVerifier) -> Finding {
    const NAME: &str = "ledger";
    let audit = Audit { anchor: settings.anchor.clone(), skip_tables: true, ..Audit::default() };
    let whose = Reader::open(&settings.data_dir, Some(&settings.station)).map(|_| ());
    match whose.and_then(|()| ledger::verify(&settings.data_dir, verifier, &audit)) {
        Ok(found) if found.valid => Finding::ok(NAME, format!("{} entries hold", found.entries)),
        Ok(found) => {
            let code = found.code.unwrap_or(Code::LedgerJournal);
            Finding::fail(NAME, Fault::new(code, found.why.unwrap_or_default()))
        }
        Err(LedgerError::Missing(_)) => {
            Finding::ok(NAME, "there is none yet; the first run of the line makes it")
        }
        Err(error) => Finding::fail(NAME, error.into()),
    }
}

/// Checks the clock against the journal, or at least against the past.
pub fn clock(settings: &Settings, now: Timestamp) -> Finding {
    const NAME: &str = "clock";
    if now < OLDEST {
        let detail = format!("the clock says {now}; it was never set");
        return Finding::fail(NAME, Fault::new(Code::ClockGap, detail));
    }
    let ok = Finding { check: NAME, status: Status::Ok, detail: now.to_string(), code: None };
    let Ok(reader) = Reader::open(&settings.data_dir, Some(&settings.station)) else { return ok };
    match reader.clock_check(now, settings.max_clock_gap) {
        Ok(()) => ok,
        Err(error @ LedgerError::ClockGap { .. }) => Finding::fail(NAME, error.into()),
        // The ledger's own check tells it.
        Err(_) => ok,
    }
}
