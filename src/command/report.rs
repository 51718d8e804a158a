//! `station report …`

use std::io::Write;

use serde_json::{Value, json};

use super::context::Context;
use super::destination::{Stop, write_to};
use super::filter::instant;
use super::find;
use super::lot;
use super::page::language;
use super::story::{reader, unknown};
use crate::app::report_of::{day_of, factory, of_day, of_order, of_week, shift};
use crate::cli::{ReportCommand, ReportForm, ReportFormat, ReportOfTime};
use crate::config::Config;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::figures::Scope;
use crate::domain::local::{Span, Zone};
use crate::domain::rows::AttemptRow;
use crate::domain::state::{AttemptOutcome, UnitState};
use crate::domain::story::UnitStory;
use crate::report::{self, Asked, Form, Look, Place, Report, Subject, Table};
use crate::say;
use crate::shell::{Exit, Failure};

/// Does what `station report …` says.
pub(super) fn run(command: ReportCommand, context: &mut Context) -> Result<Exit, Failure> {
    if let ReportCommand::Verify(asked) = &command {
        return lot::verify(asked, context);
    }
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
        ReportCommand::WorkOrder { id, certificate_of_conformity: true, bundle, form } => {
            lot::write(&config, &id, bundle.as_deref(), form, context)?;
        }
        ReportCommand::WorkOrder { id, form, .. } => {
            let asked = of_order(&reader(&config)?, id)?;
            write(&config, asked, form, context)?;
        }
        // Done above.
        ReportCommand::Verify(_) => {}
        ReportCommand::Unit { any, form } => unit(&config, any.as_str(), form, context)?,
    }
    Ok(Exit::Done)
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
        let what = say!("{from} is not before {to}", "{from} 不早于 {to}");
        return Err(Failure::said(Code::Usage, what)
            .with_help(say!("name the earlier time with --from", "用 --from 指定较早的时间")));
    }
    Ok(Some(Asked { subject: Subject::Time, scope: Scope::Within(span) }))
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
            let by = Some(found.by).filter(|by| *by != crate::ledger::views::NamedBy::Serial);
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
