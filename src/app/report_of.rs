//! Which attempts a report is of: the day, the week, the shift or the work order that is meant.

use crate::config::{self, Config};
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::figures::Scope;
use crate::domain::ids::WorkOrderId;
use crate::domain::local::{Shift, Span, Zone, day_from_text};
use crate::ledger::Reader;
use crate::report::{Asked, Factory, Subject};
use crate::say;
use crate::shell::Failure;
use crate::text::Language;

/// The language of the station's pages.
pub fn language(config: &Config) -> Language {
    match config.station.language {
        config::Language::English => Language::English,
        config::Language::Chinese => Language::Chinese,
    }
}

/// A day of the factory's by its date, or `today` or `yesterday`.
pub fn day_of(text: &str, today: i64) -> Result<i64, Failure> {
    let day = match text {
        "today" => Some(today),
        "yesterday" => Some(today - 1),
        text => day_from_text(text),
    };
    day.ok_or_else(|| {
        let what = say!("{text:?} is no day", "{text:?} 不是日期");
        Failure::said(Code::Usage, what).with_help(say!(
            "write 2026-01-05, today or yesterday",
            "写成 2026-01-05、today 或 yesterday"
        ))
    })
}

/// A work order that the ledger knows.
pub fn of_order(reader: &Reader, id: WorkOrderId) -> Result<Asked, Failure> {
    match reader.work_order(&id)? {
        Some(_) => Ok(Asked { subject: Subject::Order(id.clone()), scope: Scope::Order(id) }),
        None => Err(no_order(id.as_str())),
    }
}

/// Why there is no such work order.
pub fn no_order(id: &str) -> Failure {
    Failure::said(Code::WorkOrderUnknown, say!("there is no work order {id}", "没有工单 {id}"))
}

/// A day of the factory's.
pub fn of_day(day: i64, zone: &Zone) -> Asked {
    Asked { subject: Subject::Day(day), scope: Scope::Within(zone.day(day)) }
}

/// The week in which a day lies.
pub fn of_week(day: i64, zone: &Zone) -> Asked {
    let monday = Zone::week_of(day);
    let span = Span { from: zone.day(monday).from, until: zone.day(monday + 6).until };
    Asked { subject: Subject::Week(monday), scope: Scope::Within(span) }
}

/// The shift of this name, or the last of all that has begun: on this day, or by now.
pub fn shift(
    shifts: &[Shift],
    zone: &Zone,
    name: Option<&str>,
    day: Option<i64>,
    now: Timestamp,
) -> Result<Asked, Failure> {
    if shifts.is_empty() && name.is_none() {
        return Ok(of_day(day.unwrap_or_else(|| zone.day_of(now)), zone));
    }
    let meant: Vec<&Shift> =
        shifts.iter().filter(|shift| name.is_none_or(|name| shift.name == name)).collect();
    if meant.is_empty() {
        return Err(no_shift(shifts, name.unwrap_or_default()));
    }
    let today = zone.day_of(now);
    let days = day.map_or(today - 1..=today, |day| day..=day);
    let all =
        days.flat_map(|day| meant.iter().map(move |shift| (*shift, day, shift.on(day, zone))));
    let mut all: Vec<(&Shift, i64, Span)> = all.collect();
    all.sort_by_key(|(_, _, span)| span.from);
    let begun = all.iter().rev().find(|(_, _, span)| span.from <= now);
    let Some((shift, day, span)) = begun.or(all.first()) else {
        return Err(no_shift(shifts, name.unwrap_or_default()));
    };
    Ok(Asked { subject: Subject::Shift(shift.name.clone(), *day), scope: Scope::Within(*span) })
}

/// Why there is no such shift.
pub fn no_shift(shifts: &[Shift], name: &str) -> Failure {
    let known: Vec<&str> = shifts.iter().map(|shift| shift.name.as_str()).collect();
    let help = match known.is_empty() {
        true => say!(
            "add it as [[shifts]] with its name, from and to",
            "用 [[shifts]] 加上它，写明 name、from 和 to"
        ),
        false => say!("known are: {}", "已知的有：{}", known.join(", ")),
    };
    Failure::said(
        Code::Usage,
        say!("there is no shift {name:?} in station.toml", "station.toml 中没有班次 {name:?}"),
    )
    .with_help(help)
}

/// Whose reports these are.
pub fn factory(config: &Config) -> Factory {
    Factory {
        station: config.station.id.as_str().to_owned(),
        product: config.product.name.clone(),
        zone: config.station.zone.clone(),
        shifts: config.shifts.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::local::day_from_text;

    fn shifts() -> Vec<Shift> {
        let shift = |name: &str, from: &str, to: &str| Shift {
            name: name.to_owned(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            plan: None,
        };
        vec![shift("night", "22:00", "06:00"), shift("early", "06:00", "14:00")]
    }

    fn subject(name: Option<&str>, date: Option<&str>, now: &str) -> Subject {
        let zone: Zone = "Asia/Shanghai".parse().unwrap();
        let now = Timestamp::from_rfc3339(now).unwrap();
        let day = date.map(|text| day_from_text(text).unwrap());
        shift(&shifts(), &zone, name, day, now).unwrap().subject
    }

    fn of(name: &str, date: &str) -> Subject {
        Subject::Shift(name.to_owned(), day_from_text(date).unwrap())
    }

    #[test]
    fn the_shift_that_is_meant_is_the_last_that_has_begun() {
        // Three at night, nine in the morning and six in the evening there.
        let (night, morning, evening) =
            ("2026-01-05T19:00:00Z", "2026-01-06T01:00:00Z", "2026-01-06T10:00:00Z");
        assert_eq!(subject(None, None, night), of("night", "2026-01-05"));
        assert_eq!(subject(None, None, morning), of("early", "2026-01-06"));
        assert_eq!(subject(None, None, evening), of("early", "2026-01-06"));
        assert_eq!(subject(Some("night"), None, evening), of("night", "2026-01-05"));
        assert_eq!(subject(None, Some("2026-01-02"), evening), of("night", "2026-01-02"));
        assert_eq!(subject(Some("early"), Some("2026-01-02"), evening), of("early", "2026-01-02"));
    }
}
