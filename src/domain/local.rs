//! Local time: what the people of a factory call a day, an hour and a shift.
//!
//! Records, the journal and JSON know UTC alone. Whatever a person reads, or counts by, is in
//! the factory's [`Zone`]; its days have 23 or 25 hours where the clock is changed.

use crate::cause::Told;
use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::clock::Timestamp;

/// The calendar's first day here, from which days are counted.
const FIRST: Date = Date::constant(1970, 1, 1);

/// A name that is no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time zone: write a name such as \"Asia/Shanghai\" or \"Europe/Berlin\"")]
pub struct UnknownZone(pub String);

impl Told for UnknownZone {
    fn chinese(&self) -> Option<String> {
        Some(format!("{:?} 不是时区：写 \"Asia/Shanghai\" 或 \"Europe/Berlin\" 这样的名字", self.0))
    }
}

/// A time zone with its rules for daylight saving time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone(TimeZone::UTC);

    /// The one that this machine is set to; UTC where it is set to none.
    pub fn of_system() -> Self {
        Self(TimeZone::try_system().unwrap_or(TimeZone::UTC))
    }

    /// Its name in the time zone database; a zone of the system's own may have none.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("local time")
    }

    /// The day on which a time lies, counted from 1970-01-01.
    pub fn day_of(&self, at: Timestamp) -> i64 {
        self.civil(at).map_or_else(|| at.seconds().div_euclid(86_400), |(date, _)| number(date))
    }

    /// From the midnight with which a day begins to the next one.
    pub fn day(&self, day: i64) -> Span {
        let midnight = |day| self.instant(day, Time::midnight());
        Span { from: midnight(day), until: midnight(day.saturating_add(1)) }
    }

    /// The week, from Monday on, in which a day lies: its first day.
    pub const fn week_of(day: i64) -> i64 {
        // 1970-01-01 was a Thursday.
        day - (day + 3).rem_euclid(7)
    }

    /// When the hour of the clock on the wall began in which a time lies.
    pub fn hour_of(&self, at: Timestamp) -> Timestamp {
        let seconds = at.seconds();
        let into = (seconds + self.offset_seconds(at)).rem_euclid(3600);
        Timestamp((seconds - into) * 1_000_000)
    }

    /// What its clock is ahead of UTC by at a time: `UTC+8`, `UTC+5:30`, `UTC`.
    pub fn offset(&self, at: Timestamp) -> String {
        let seconds = self.offset_seconds(at);
        let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
        match (minutes / 60, minutes % 60) {
            (0, 0) => "UTC".to_owned(),
            (hours, 0) => format!("UTC{sign}{hours}"),
            (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
        }
    }

    /// Whether the clock on the wall shows this time once more, before or after it.
    pub fn comes_twice(&self, at: Timestamp) -> bool {
        let Ok(time) = jiff::Timestamp::from_microsecond(at.0) else { return false };
        let offset = self.0.to_ambiguous_timestamp(self.0.to_datetime(time)).offset();
        matches!(offset, AmbiguousOffset::Fold { .. })
    }

    fn offset_seconds(&self, at: Timestamp) -> i64 {
        let time = jiff::Timestamp::from_microsecond(at.0);
        time.map_or(0, |time| i64::from(self.0.to_offset(time).seconds()))
    }

    /// Date, time to the second and offset: `2026-01-05 14:03:07+08:00`.
    pub fn show(&self, at: Timestamp) -> String {
        match jiff::Timestamp::from_microsecond(at.0) {
            Ok(time) => time.to_zoned_datetime(self.0.clone()).strftime("%F %T%:z").to_string(),
            // Beyond what the library can hold, such as a certificate without an end.
            Err(_) => at.to_string(),
        }
    }

    /// Month, day and second, for a list in which the zone is said elsewhere.
    pub fn show_short(&self, at: Timestamp) -> String {
        let text = self.show(at);
        text.get(5..19).unwrap_or(&text).to_owned()
    }

    /// Reads an instant: a date, which is its first one or, at the `end` of a range, the first
    /// behind it; a local date and time; or RFC 3339 with its offset.
    pub fn instant_of(&self, text: &str, end: bool) -> Option<Timestamp> {
        if let Some(day) = day_from_text(text).filter(|_| text.len() == 10) {
            let span = self.day(day);
            return Some(if end { span.until } else { span.from });
        }
        if let Some(at) = Timestamp::from_rfc3339(text) {
            return Some(at);
        }
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        let at = self.0.to_timestamp(civil).ok()?;
        Some(Timestamp(at.as_microsecond()))
    }

    /// The first instant at which the clock on the wall shows this, or would.
    fn instant(&self, day: i64, time: Time) -> Timestamp {
        let civil = date(day).and_then(|date| self.0.to_timestamp(date.to_datetime(time)).ok());
        let micros = civil.map_or(day.saturating_mul(86_400_000_000), |at| at.as_microsecond());
        Timestamp(micros)
    }

    fn civil(&self, at: Timestamp) -> Option<(Date, Time)> {
        let time = jiff::Timestamp::from_microsecond(at.0).ok()?;
        let civil = self.0.to_datetime(time);
        Some((civil.date(), civil.time()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        TimeZone::get(name).map(Self).map_err(|_| UnknownZone(name.to_owned()))
    }
}

/// From one instant, which belongs to it, to another, which does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first instant.
    pub from: Timestamp,
    /// The first behind it.
    pub until: Timestamp,
}

impl Span {
    /// How long it lasts, in microseconds.
    pub const fn micros(self) -> i64 {
        self.until.0.saturating_sub(self.from.0)
    }

    /// What lies in both; empty where nothing does.
    pub fn and(self, other: Span) -> Span {
        let from = self.from.max(other.from);
        Span { from, until: self.until.min(other.until).max(from) }
    }
}

/// A day as people write it, `2026-01-05`, counted from 1970-01-01.
pub fn day_from_text(text: &str) -> Option<i64> {
    text.parse().ok().map(number)
}

/// A day as people write it.
pub fn day_to_text(day: i64) -> String {
    date(day).map_or_else(|| day.to_string(), |date| date.to_string())
}

fn number(date: Date) -> i64 {
    i64::from((date - FIRST).get_days())
}

fn date(day: i64) -> Option<Date> {
    let span = jiff::Span::new().try_days(day).ok()?;
    FIRST.checked_add(span).ok()
}

/// A time of the day to the minute: `06:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(Time);

/// A text that is no time of the day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time of the day: write for example \"06:00\" or \"22:30\"")]
pub struct NoTimeOfDay(pub String);

impl Told for NoTimeOfDay {
    fn chinese(&self) -> Option<String> {
        Some(format!("{:?} 不是一天中的时间：例如写 \"06:00\" 或 \"22:30\"", self.0))
    }
}

impl FromStr for TimeOfDay {
    type Err = NoTimeOfDay;

    fn from_str(text: &str) -> Result<Self, NoTimeOfDay> {
        let two = |text: &str| {
            let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i8>().ok().filter(|_| plain)
        };
        let parts = text.split_once(':').and_then(|(hour, minute)| two(hour).zip(two(minute)));
        let time = parts.and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok());
        time.map(Self).ok_or_else(|| NoTimeOfDay(text.to_owned()))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

/// A shift; where it ends no later in the day than it begins, it ends on the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// What people call it.
    pub name: String,
    /// When it begins.
    pub from: TimeOfDay,
    /// When the next one may begin.
    pub to: TimeOfDay,
    /// How many units it is to make, where somebody planned it.
    pub plan: Option<u32>,
}

impl Shift {
    /// Whether some time of the day lies in both.
    pub fn overlaps(&self, other: &Shift) -> bool {
        self.holds(other.from) || other.holds(self.from)
    }

    /// The shift that begins on this day.
    pub fn on(&self, day: i64, zone: &Zone) -> Span {
        let end = if self.is_over_midnight() { day.saturating_add(1) } else { day };
        Span { from: zone.instant(day, self.from.0), until: zone.instant(end, self.to.0) }
    }

    /// The one of these in which a time lies, and from when to when it lasts.
    pub fn at<'s>(shifts: &'s [Shift], now: Timestamp, zone: &Zone) -> Option<(&'s Shift, Span)> {
        let today = zone.day_of(now);
        let begun = [today, today.saturating_sub(1)].into_iter();
        let begun = begun.flat_map(|day| shifts.iter().map(move |shift| (shift, day)));
        begun
            .map(|(shift, day)| (shift, shift.on(day, zone)))
            .find(|(_, span)| span.from <= now && now < span.until)
    }

    fn holds(&self, time: TimeOfDay) -> bool {
        match self.is_over_midnight() {
            true => time >= self.from || time < self.to,
            false => (self.from..self.to).contains(&time),
        }
    }

    fn is_over_midnight(&self) -> bool {
        self.to <= self.from
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    fn shift(from: &str, to: &str) -> Shift {
        let (name, plan) = (from.to_owned(), None);
        Shift { name, from: from.parse().unwrap(), to: to.parse().unwrap(), plan }
    }

    fn hours(span: Span) -> i64 {
        (span.until.0 - span.from.0) / 3_600_000_000
    }

    #[test]
    fn a_day_begins_at_the_factory_s_midnight() {
        let shanghai = zone("Asia/Shanghai");
        let evening = at("2026-01-05T16:30:00Z");
        assert_eq!(day_to_text(shanghai.day_of(evening)), "2026-01-06");
        assert_eq!(day_to_text(Zone::UTC.day_of(evening)), "2026-01-05");
        let day = shanghai.day(shanghai.day_of(evening));
        assert_eq!((day.from, day.until), (at("2026-01-05T16:00:00Z"), at("2026-01-06T16:00:00Z")));
        assert_eq!(shanghai.show(evening), "2026-01-06 00:30:00+08:00");
        assert_eq!(shanghai.show_short(evening), "01-06 00:30:00");
        let offsets = ["Asia/Shanghai", "Asia/Kolkata", "America/St_Johns", "Etc/UTC"];
        let offsets = offsets.map(|name| zone(name).offset(evening));
        assert_eq!(offsets, ["UTC+8", "UTC+5:30", "UTC-3:30", "UTC"]);
        assert_eq!(shanghai.show(Timestamp::NO_EXPIRY), "9999-12-31T23:59:59.000Z");
    }

    #[test]
    fn a_day_on_which_the_clock_is_changed_has_23_or_25_hours() {
        let berlin = zone("Europe/Berlin");
        let length = |text| hours(berlin.day(day_from_text(text).unwrap()));
        assert_eq!(
            [length("2026-03-28"), length("2026-03-29"), length("2026-03-30")],
            [24, 23, 24]
        );
        assert_eq!(
            [length("2026-10-24"), length("2026-10-25"), length("2026-10-26")],
            [24, 25, 24]
        );
    }

    #[test]
    fn a_night_shift_belongs_to_the_day_on_which_it_begins() {
        let (berlin, night) = (zone("Europe/Berlin"), shift("22:00", "06:00"));
        let on = |text| night.on(day_from_text(text).unwrap(), &berlin);
        let plain = on("2026-01-05");
        assert_eq!(
            (plain.from, plain.until),
            (at("2026-01-05T21:00:00Z"), at("2026-01-06T05:00:00Z"))
        );
        assert_eq!([hours(on("2026-03-28")), hours(on("2026-10-24"))], [7, 9]);
        let early = shift("06:00", "14:00");
        assert_eq!(early.on(day_from_text("2026-01-06").unwrap(), &berlin).from, plain.until);
    }

    #[test]
    fn a_week_begins_on_monday() {
        let monday_of = |text| day_to_text(Zone::week_of(day_from_text(text).unwrap()));
        let days = ["2026-01-05", "2026-01-11", "2026-01-12", "1969-12-30"];
        assert_eq!(days.map(monday_of), ["2026-01-05", "2026-01-05", "2026-01-12", "1969-12-29"]);
    }

    #[test]
    fn an_hour_is_the_one_of_the_clock_on_the_wall() {
        let kolkata = zone("Asia/Kolkata");
        assert_eq!(kolkata.hour_of(at("2026-01-05T10:40:00Z")), at("2026-01-05T10:30:00Z"));
        // The hour that comes twice when summer time ends is two hours.
        let berlin = zone("Europe/Berlin");
        let [first, second] = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"].map(at);
        assert_ne!(berlin.hour_of(first), berlin.hour_of(second));
        assert_eq!(berlin.show(first), "2026-10-25 02:30:00+02:00");
        assert_eq!(berlin.show(second), "2026-10-25 02:30:00+01:00");
        assert!(berlin.comes_twice(first) && berlin.comes_twice(second));
        let around = ["2026-10-24T23:59:59Z", "2026-10-25T02:00:00Z", "2026-03-29T01:30:00Z"];
        assert!(around.map(at).into_iter().all(|at| !berlin.comes_twice(at)));
    }

    #[test]
    fn an_instant_is_a_date_a_local_time_or_one_with_its_offset() {
        let shanghai = zone("Asia/Shanghai");
        let read = |text, end| shanghai.instant_of(text, end);
        assert_eq!(read("2026-01-05", false), Some(at("2026-01-04T16:00:00Z")));
        assert_eq!(read("2026-01-05", true), Some(at("2026-01-05T16:00:00Z")));
        assert_eq!(read("2026-01-05T08:30", false), Some(at("2026-01-05T00:30:00Z")));
        assert_eq!(read("2026-01-05T08:30:00Z", true), Some(at("2026-01-05T08:30:00Z")));
        assert_eq!(read("2026-02-30", false), None);
        assert_eq!(read("yesterday", false), None);
    }

    #[test]
    fn shifts_that_share_a_time_overlap() {
        let night = shift("22:00", "06:00");
        assert!(night.overlaps(&shift("05:00", "13:00")));
        assert!(night.overlaps(&shift("23:00", "23:30")));
        assert!(shift("21:00", "22:30").overlaps(&night));
        assert!(!night.overlaps(&shift("06:00", "22:00")));
    }

    #[test]
    fn what_is_no_time_or_zone_is_refused() {
        for wrong in ["6:00", "24:00", "06:60", "0600", "06:00:00", "+6:00", ""] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
        assert_eq!("06:05".parse::<TimeOfDay>().unwrap().to_string(), "06:05");
        assert!("Mars/Olympus".parse::<Zone>().is_err());
        assert!("../../etc/passwd".parse::<Zone>().is_err());
    }
}
