//! The certificate profile: what every device certificate of a product has in common.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use time::{Date, Month, OffsetDateTime};

use super::error::PkiError;
use crate::domain::clock::Timestamp;
use crate::domain::say::Phrase;

/// RFC 5280's upper bound for an organisation's and an organisational unit's name.
const NAME_LIMIT: usize = 64;
/// A year's worth of back-dating is a mistake, not a device clock.
const LONGEST_BACKDATE: Duration = Duration::from_secs(366 * 86_400);
/// Years beyond a profile's own that a CA made for it lasts, so that it can issue meanwhile.
const ISSUING_YEARS: u32 = 10;
const SECONDS_A_DAY: i64 = 86_400;

/// How long a certificate is valid from the moment it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValidFor {
    /// Calendar years.
    Years(u32),
    /// Days of 24 hours.
    Days(u32),
    /// To `9999-12-31T23:59:59Z`, which means that it does not expire.
    NoExpiry,
}

impl ValidFor {
    /// The end of validity of what is made at `now`; none where no calendar reaches.
    pub fn end(self, now: Timestamp) -> Option<Timestamp> {
        let seconds = match self {
            ValidFor::NoExpiry => Some(Timestamp::NO_EXPIRY.seconds()),
            ValidFor::Days(days) => now.seconds().checked_add(i64::from(days) * SECONDS_A_DAY),
            ValidFor::Years(years) => years_later(now, years),
        };
        let seconds = seconds.filter(|seconds| *seconds <= Timestamp::NO_EXPIRY.seconds())?;
        seconds.checked_mul(1_000_000).map(Timestamp)
    }

    /// How long a CA made for such certificates should be valid.
    pub fn of_its_authority(self) -> ValidFor {
        match self {
            ValidFor::Years(years) => ValidFor::Years(years.saturating_add(ISSUING_YEARS)),
            ValidFor::Days(days) => ValidFor::Days(days.saturating_add(ISSUING_YEARS * 366)),
            ValidFor::NoExpiry => ValidFor::NoExpiry,
        }
    }

    fn is_allowed(self) -> bool {
        match self {
            ValidFor::Years(years) => (1..=1000).contains(&years),
            ValidFor::Days(days) => (1..=366_000).contains(&days),
            ValidFor::NoExpiry => true,
        }
    }
}

/// The same day and time of day so many years later; 29 February becomes 28 February.
fn years_later(now: Timestamp, years: u32) -> Option<i64> {
    let from = OffsetDateTime::from_unix_timestamp(now.seconds()).ok()?;
    let year = from.year().checked_add(i32::try_from(years).ok()?)?;
    let day = match (from.month(), from.day()) {
        (Month::February, 29) if !time::util::is_leap_year(year) => 28,
        (_, day) => day,
    };
    let date = Date::from_calendar_date(year, from.month(), day).ok()?;
    Some(from.replace_date(date).unix_timestamp())
}

impl fmt::Display for ValidFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValidFor::Years(years) => write!(f, "{years}y"),
            ValidFor::Days(days) => write!(f, "{days}d"),
            ValidFor::NoExpiry => f.write_str("no-expiry"),
        }
    }
}

impl FromStr for ValidFor {
    type Err = PkiError;

    /// Reads `20y`, `825d` or `no-expiry`.
    fn from_str(text: &str) -> Result<Self, PkiError> {
        let years = count_before('y', text).map(ValidFor::Years);
        let days = count_before('d', text).map(ValidFor::Days);
        let none = (text == "no-expiry").then_some(ValidFor::NoExpiry);
        let parsed = years.or(days).or(none).filter(|span| span.is_allowed());
        parsed.ok_or_else(|| PkiError::Profile {
            field: "valid_for",
            value: text.to_owned(),
            problem: Phrase {
                english: "write years (\"20y\", at most 1000), days (\"825d\", at most 366000) or \
                          \"no-expiry\"",
                chinese: "写年数（\"20y\"，最多 1000）、天数（\"825d\"，最多 366000）或 \"no-expiry\"",
            },
        })
    }
}

/// The number in front of a unit; digits alone, so no sign.
fn count_before(unit: char, text: &str) -> Option<u32> {
    let digits = text.strip_suffix(unit)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// What every device certificate of a product has in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    organization: Option<String>,
    organizational_unit: Option<String>,
    valid_for: ValidFor,
    backdate: Duration,
}

impl Profile {
    /// How far the start of validity is set back unless station.toml says otherwise: for
    /// devices whose clock is slow.
    pub const BACKDATE: Duration = Duration::from_secs(24 * 3600);

    /// Checks the parts: names of 1 to 64 characters that can be printed, a term within the
    /// calendar, and at most a year of back-dating.
    pub fn new(
        organization: Option<String>,
        organizational_unit: Option<String>,
        valid_for: ValidFor,
        backdate: Duration,
    ) -> Result<Self, PkiError> {
        check_name("organization", organization.as_deref())?;
        check_name("organizational_unit", organizational_unit.as_deref())?;
        if !valid_for.is_allowed() {
            return Err(wrong(
                "valid_for",
                &valid_for.to_string(),
                Phrase { english: "is zero or too long", chinese: "为零或过长" },
            ));
        }
        if backdate > LONGEST_BACKDATE {
            let text = format!("{}s", backdate.as_secs());
            return Err(wrong(
                "backdate",
                &text,
                Phrase { english: "at most 366 days are allowed", chinese: "最多 366 天" },
            ));
        }
        Ok(Self { organization, organizational_unit, valid_for, backdate })
    }

    /// The subject's O.
    pub fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }

    /// The subject's OU.
    pub fn organizational_unit(&self) -> Option<&str> {
        self.organizational_unit.as_deref()
    }

    /// How long a certificate is valid from the moment it is made.
    pub fn valid_for(&self) -> ValidFor {
        self.valid_for
    }

    /// How far the start of validity is set back.
    pub fn backdate(&self) -> Duration {
        self.backdate
    }
}

fn check_name(field: &'static str, name: Option<&str>) -> Result<(), PkiError> {
    let Some(name) = name else { return Ok(()) };
    if name.is_empty() || name.trim() != name {
        return Err(wrong(
            field,
            name,
            Phrase {
                english: "is empty, or begins or ends with a space",
                chinese: "是空的，或首尾有空格",
            },
        ));
    }
    if name.chars().count() > NAME_LIMIT {
        return Err(wrong(
            field,
            name,
            Phrase { english: "at most 64 characters are allowed", chinese: "最多 64 个字符" },
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(wrong(
            field,
            name,
            Phrase {
                english: "control characters are not allowed", chinese: "不能有控制字符"
            },
        ));
    }
    Ok(())
}

pub(super) fn wrong(field: &'static str, value: &str, problem: Phrase) -> PkiError {
    PkiError::Profile { field, value: value.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24T02:28:09.5Z
    const NOW: Timestamp = Timestamp(1_795_487_289_500_000);

    fn profile(organization: &str, valid_for: ValidFor) -> Result<Profile, PkiError> {
        Profile::new(Some(organization.to_owned()), None, valid_for, Profile::BACKDATE)
    }

    #[test]
    fn terms_read_back_as_written() {
        for text in ["20y", "825d", "no-expiry"] {
            assert_eq!(text.parse::<ValidFor>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_terms_are_refused() {
        for text in ["", "20", "y", "0y", "-1d", "1001y", "20 y", "20Y", "+20y", "never", "１d"] {
            let error = text.parse::<ValidFor>().unwrap_err();
            assert_eq!(error.code().as_str(), "E-CONFIG-VALUE", "{text}");
        }
    }

    #[test]
    fn years_are_calendar_years() {
        let end = ValidFor::Years(20).end(NOW).unwrap();
        assert_eq!(end.to_string(), "2046-11-24T02:28:09.000Z");
    }

    #[test]
    fn a_leap_day_becomes_the_28th() {
        let leap_day = Timestamp(1_835_438_400_000_000);
        assert_eq!(leap_day.to_string(), "2028-02-29T12:00:00.000Z");
        let end = ValidFor::Years(1).end(leap_day).unwrap();
        assert_eq!(end.to_string(), "2029-02-28T12:00:00.000Z");
        let end = ValidFor::Years(4).end(leap_day).unwrap();
        assert_eq!(end.to_string(), "2032-02-29T12:00:00.000Z");
    }

    #[test]
    fn no_expiry_is_the_last_second_of_9999() {
        let end = time::macros::datetime!(9999-12-31 23:59:59 UTC).unix_timestamp();
        assert_eq!(ValidFor::NoExpiry.end(NOW), Some(Timestamp(end * 1_000_000)));
    }

    #[test]
    fn a_term_beyond_the_calendar_has_no_end() {
        assert_eq!(ValidFor::Years(8000).end(NOW), None);
        assert_eq!(ValidFor::Days(u32::MAX).end(NOW), None);
    }

    #[test]
    fn names_have_at_most_64_characters() {
        assert!(profile(&"器".repeat(64), ValidFor::NoExpiry).is_ok());
        assert!(profile(&"器".repeat(65), ValidFor::NoExpiry).is_err());
        assert!(profile("", ValidFor::NoExpiry).is_err());
        assert!(profile("a\nb", ValidFor::NoExpiry).is_err());
        assert!(profile(" a", ValidFor::NoExpiry).is_err());
    }

    #[test]
    fn a_profile_of_no_time_is_refused() {
        assert!(profile("Acme", ValidFor::Days(0)).is_err());
        assert!(profile("Acme", ValidFor::Days(1)).is_ok());
    }

    #[test]
    fn an_authority_outlives_what_it_issues() {
        assert_eq!(ValidFor::Years(20).of_its_authority(), ValidFor::Years(30));
        assert_eq!(ValidFor::Days(10).of_its_authority(), ValidFor::Days(3670));
        assert_eq!(ValidFor::NoExpiry.of_its_authority(), ValidFor::NoExpiry);
    }
}
