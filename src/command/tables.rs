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
use crate::ledger::views::UnitFilter;
use crate::ledger::{LedgerError, Reader};
use crate::report::{Form, Row, Table};
use crate::say;
use crate::shell::{self, Exit, Failure, Progress};
use crate::text::said;

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
    let page = |last: Option<&HistoryKey>| reader.attempt_rows(filter, last, PAGE);
    let key = |row: AttemptRow| {
        let AttemptRow { time: started_at, serial, attempt, .. } = row;
        HistoryKey { started_at, serial, attempt }
    };
    page_by_page(Table::begin::<AttemptRow>(form, sink)?, page, key, |written| {
        progress.at(written, None, said(&say!("attempts", "次尝试"), shell::language()));
    })
}

fn units(
    reader: &Reader,
    filter: &UnitFilter,
    form: Form,
    sink: &mut dyn Write,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let page = |last: Option<&Serial>| reader.unit_rows(filter, last, PAGE);
    page_by_page(
        Table::begin::<UnitRow>(form, sink)?,
        page,
        |row| row.serial,
        |written| {
            progress.at(written, None, said(&say!("units", "个单元"), shell::language()));
        },
    )
}

/// Writes all rows, a page at a time; the next page begins behind the key of the last row.
fn page_by_page<R: Row, K>(
    mut table: Table<&mut dyn Write>,
    page_behind: impl Fn(Option<&K>) -> Result<Vec<R>, LedgerError>,
    key: impl Fn(R) -> K,
    mut tell: impl FnMut(u64),
) -> Result<(), Stop> {
    let (mut last, mut written) = (None, 0);
    loop {
        let page = page_behind(last.as_ref())?;
        page.iter().try_for_each(|row| table.add(row))?;
        written += page.len() as u64;
        tell(written);
        let Some(row) = page.into_iter().last() else { break };
        last = Some(key(row));
    }
    table.finish()?;
    Ok(())
}
