//! The issuing authority: does it open, may it issue, and for how long?

use super::finding::Finding;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::pki::{Authority, PkiError, Profile};
use crate::say;

/// Days before the end of a CA, or of what it can issue, from which on it is a warning: a
/// successor needs people who are seldom in one room.
const WARN_DAYS: i64 = 90;

const NAME: &str = "authority";

const DAY_MICROSECONDS: i64 = 86_400_000_000;

/// Checks an authority that was opened, or says why it could not be.
pub fn authority(opened: Result<Authority, Fault>, profile: &Profile, now: Timestamp) -> Finding {
    let authority = match opened {
        Ok(authority) => authority,
        Err(fault) => return Finding::fail(NAME, fault),
    };
    if let Err(error) = authority.check_profile(profile, now) {
        return Finding::fail(NAME, error.into());
    }
    let days = authority.days_left(now);
    let soon = Timestamp(now.0.saturating_add(WARN_DAYS * DAY_MICROSECONDS));
    match authority.check_profile(profile, soon) {
        Ok(()) => Finding::ok(
            NAME,
            say!("opens, may issue, ends in {days} days", "可打开、可签发，{days} 天后到期"),
        ),
        Err(PkiError::TooShort { not_after, .. }) => {
            let detail = say!(
                "in less than {WARN_DAYS} days certificates of {} will reach beyond the CA's end, \
                 {not_after}",
                "不到 {WARN_DAYS} 天后，有效期 {} 的证书将晚于 CA 到期（{not_after}）",
                profile.valid_for()
            );
            Finding::warn(NAME, Fault::said(Code::CaTooShort, detail))
        }
        Err(error) => Finding::warn(NAME, error.into()),
    }
}
