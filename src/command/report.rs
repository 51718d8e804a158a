//! `station report …`

use std::io::Write;

use serde_json::{Value, json};

use super::context::Context;
use super::destination::{Stop, write_to};
use super::filter::instant;
use super::find;
use super::stats::day_of;
use super::story::{reader, unknown};
use crate::cli::{ReportCommand, ReportForm, ReportFormat, ReportLanguage, ReportOfTime};
use crate::config::{self, Config};
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::figures::Scope;
use crate::domain::ids::WorkOrderId;
use crate::domain::local::{Shift, Span, Zone};
use crate::domain::rows::AttemptRow;
use crate::domain::state::{AttemptOutcome, UnitState};
use crate::domain::story::UnitStory;
use crate::ledger::Reader;
use crate::report::{self, Asked, Factory, Form, Look, Place, Report, Subject, Table};
use crate::shell::{Exit, Failure};
use crate::text::Language;

/// Does what `station report …` says.
pub(super) fn run(command: ReportCommand, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let (zone, now) = (&config.station.zone, context.now());
    match command {
        ReportCommand::Shift { name, of } => {
            let asked = match exact(&of, &config)? {
                Some(asked) => asked,
                None => shift(&config.shifts, zone, name.as_deref(), day(&of, zone, now)?, now)?,
            };
            write(&config, asked, of.form, context)?;
        }
        ReportCommand::Day(of) => {
            let asked = match exact(&of, &config)? {
                Some(asked) => asked,
                None => of_day(day(&of, zone, now)?.unwrap_or_else(|| zone.day_of(now)), zone),
            };
            write(&config, asked, of.form, context)?;
        }
        ReportCommand::Week(of) => {
            let asked = match exact(&of, &config)? {
                Some(asked) => asked,
                None => of_week(day(&of, zone, now)?.unwrap_or_else(|| zone.day_of(now)), zone),
            };
            write(&config, asked, of.form, context)?;
        }
        ReportCommand::WorkOrder { id, form } => {
            known(&reader(&config)?, &id)?;
            let asked = Asked { subject: Subject::Order(id.clone()), scope: Scope::Order(id) };
            write(&config, asked, form, context)?;
        }
        ReportCommand::Unit { any, form } => unit(&config, any.as_str(), form, context)?,
    }
    Ok(Exit::Done)
}

fn known(reader: &Reader, id: &WorkOrderId) -> Result<(), Failure> {
    match reader.work_order(id)? {
        Some(_) => Ok(()),
        None => Err(Failure::new(Code::WorkOrderUnknown, format!("there is no work order {id}"))),
    }
}

fn day(of: &ReportOfTime, zone: &Zone, now: Timestamp) -> Result<Option<i64>, Failure> {
    of.date.as_deref().map(|text| day_of(text, zone.day_of(now))).transpose()
}

/// The time between two that were named.
fn exact(of: &ReportOfTime, config: &Config) -> Result<Option<Asked>, Failure> {
    let (Some(from), Some(to)) = (&of.from, &of.to) else { return Ok(None) };
    let zone = &config.station.zone;
    let span = Span { from: instant(zone, from, false)?, until: instant(zone, to, true)? };
    if span.from >= span.until {
        let what = format!("{from} is not before {to}");
        return Err(Failure::new(Code::Usage, what).with_help("name the earlier time with --from"));
    }
    Ok(Some(Asked { subject: Subject::Time, scope: Scope::Within(span) }))
}

/// A day of the factory's.
pub(super) fn of_day(day: i64, zone: &Zone) -> Asked {
    Asked { subject: Subject::Day(day), scope: Scope::Within(zone.day(day)) }
}

/// The week in which a day lies.
pub(super) fn of_week(day: i64, zone: &Zone) -> Asked {
    let monday = Zone::week_of(day);
    let span = Span { from: zone.day(monday).from, until: zone.day(monday + 6).until };
    Asked { subject: Subject::Week(monday), scope: Scope::Within(span) }
}

/// The shift of this name, or the last of all that has begun: on this day, or by now.
pub(super) fn shift(
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

fn no_shift(shifts: &[Shift], name: &str) -> Failure {
    let known: Vec<&str> = shifts.iter().map(|shift| shift.name.as_str()).collect();
    let help = match known.is_empty() {
        true => "add it as [[shifts]] with its name, from and to".to_owned(),
        false => format!("known are: {}", known.join(", ")),
    };
    Failure::new(Code::Usage, format!("there is no shift {name:?} in station.toml")).with_help(help)
}

/// Whose reports these are.
pub(super) fn factory(config: &Config) -> Factory {
    Factory {
        station: config.station.id.as_str().to_owned(),
        product: config.product.name.clone(),
        zone: config.station.zone.clone(),
        shifts: config.shifts.clone(),
    }
}

/// The language of a page.
pub(super) fn language(config: &Config, asked: Option<ReportLanguage>) -> Language {
    match (asked, config.station.language) {
        (Some(ReportLanguage::En), _) | (None, config::Language::English) => Language::English,
        (Some(ReportLanguage::ZhCn), _) | (None, config::Language::Chinese) => Language::Chinese,
    }
}

fn write(
    config: &Config,
    asked: Asked,
    form: ReportForm,
    context: &mut Context,
) -> Result<(), Failure> {
    let (factory, reader, now) = (factory(config), reader(config)?, context.now());
    let report = Report::make(asked, &factory, &reader, now)?;
    let language = language(config, form.language);
    let format = format(form.format, context);
    write_to(form.out.as_deref(), context, |sink| match format {
        ReportFormat::Html => {
            let look = Look { language, factory: &factory, place: Place::File };
            Ok(sink.write_all(report::html(&report, look).as_bytes())?)
        }
        ReportFormat::Csv => Ok(report::csv(&report, &factory.zone, sink)?),
        ReportFormat::Json => write_json(&report::json(&report, &factory), sink),
    })
}

/// `--json` asks every command for JSON.
fn format(asked: ReportFormat, context: &Context) -> ReportFormat {
    if context.out.is_json() { ReportFormat::Json } else { asked }
}

fn write_json(value: &Value, sink: &mut dyn Write) -> Result<(), Stop> {
    Ok(writeln!(sink, "{value}")?)
}

fn unit(
    config: &Config,
    text: &str,
    form: ReportForm,
    context: &mut Context,
) -> Result<(), Failure> {
    let (factory, reader, now) = (factory(config), reader(config)?, context.now());
    let found = find::one(&reader, text)?;
    let story = reader.unit_story(&found.serial)?.ok_or_else(|| unknown(text))?;
    let language = language(config, form.language);
    let format = format(form.format, context);
    write_to(form.out.as_deref(), context, |sink| match format {
        ReportFormat::Html => {
            let look = Look { language, factory: &factory, place: Place::File };
            let by =
                (found.by != crate::ledger::views::NamedBy::Serial).then(|| found.by.in_words());
            Ok(sink.write_all(report::unit_html(&story, by, look, now).as_bytes())?)
        }
        ReportFormat::Csv => {
            let form = Form::Csv { zone: factory.zone.clone(), mark: false };
            let mut table = Table::begin::<AttemptRow>(form, sink)?;
            let rows = reader.attempt_rows_of(&found.serial)?;
            rows.iter().try_for_each(|row| table.add(row))?;
            table.finish()?;
            Ok(())
        }
        ReportFormat::Json => write_json(&unit_json(&story), sink),
    })
}

/// The unit's story with the counts that every report has.
fn unit_json(story: &UnitStory) -> Value {
    let count =
        |outcome| story.attempts.iter().filter(|attempt| attempt.outcome == outcome).count();
    let mut value = json!(story);
    value["report"] = json!("unit");
    value["passed"] = json!(count(AttemptOutcome::Pass));
    value["failed"] = json!(count(AttemptOutcome::Fail));
    value["interrupted"] = json!(count(AttemptOutcome::Interrupted));
    value["uncertain"] = json!(u8::from(story.state == UnitState::Uncertain));
    value
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
