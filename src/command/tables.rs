//! `station export attempts` and `station export units`.

use std::io::Write;

use super::context::Context;
use super::destination::{Stop, write_to};
use super::filter;
use super::story::reader;
use crate::cli::{ExportTable, TableFormat, TableOf};
use crate::config::Config;
use crate::domain::ids::Serial;
use crate::domain::pages::HistoryKey;
use crate::domain::rows::{AttemptRow, UnitRow};
use crate::ledger::Reader;
use crate::ledger::views::UnitFilter;
use crate::report::{Form, Table};
use crate::shell::{Exit, Failure, Progress};

/// Rows that are read at a time: nobody holds the ledger's file back for long, and no table
/// is ever whole in memory.
const PAGE: u32 = 1_000;

/// Does what `station export attempts` or `units` says.
pub(super) fn export(table: ExportTable, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let reader = reader(&config)?;
    let mut progress = context.progress();
    match table {
        ExportTable::Attempts(asked) => {
            let (form, out) = (form(&asked, &config), asked.out);
            let filter = filter::of(&config, asked.filters)?;
            write_to(out.as_deref(), context, |sink| {
                attempts(&reader, &filter, form, sink, &mut progress)
            })?;
        }
        ExportTable::Units(asked) => {
            let (form, out) = (form(&asked, &config), asked.out);
            let filter = filter::of(&config, asked.filters)?;
            write_to(out.as_deref(), context, |sink| {
                units(&reader, &filter, form, sink, &mut progress)
            })?;
        }
    }
    progress.clear();
    Ok(Exit::Done)
}

fn form(asked: &TableOf, config: &Config) -> Form {
    match asked.format {
        TableFormat::Csv => Form::Csv { zone: config.station.zone.clone(), mark: asked.bom },
        TableFormat::Ndjson => Form::Ndjson,
    }
}

fn attempts(
    reader: &Reader,
    filter: &UnitFilter,
    form: Form,
    sink: &mut dyn Write,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let mut table = Table::begin::<AttemptRow>(form, sink)?;
    let (mut last, mut written) = (None, 0);
    loop {
        let page = reader.attempt_rows(filter, last.as_ref(), PAGE)?;
        page.iter().try_for_each(|row| table.add(row))?;
        written += page.len() as u64;
        progress.at(written, None, "attempts");
        let Some(row) = page.into_iter().last() else { break };
        let AttemptRow { time: started_at, serial, attempt, .. } = row;
        last = Some(HistoryKey { started_at, serial, attempt });
    }
    table.finish()?;
    Ok(())
}

fn units(
    reader: &Reader,
    filter: &UnitFilter,
    form: Form,
    sink: &mut dyn Write,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let mut table = Table::begin::<UnitRow>(form, sink)?;
    let (mut last, mut written): (Option<Serial>, u64) = (None, 0);
    loop {
        let page = reader.unit_rows(filter, last.as_ref(), PAGE)?;
        page.iter().try_for_each(|row| table.add(row))?;
        written += page.len() as u64;
        progress.at(written, None, "units");
        let Some(row) = page.into_iter().last() else { break };
        last = Some(row.serial);
    }
    table.finish()?;
    Ok(())
}
