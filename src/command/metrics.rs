//! `station metrics`

use std::path::Path;

use super::context::Context;
use super::destination::{readable_by_all, write_to};
use super::story::reader;
use crate::app::metrics;
use crate::shell::{Exit, Failure};

/// Writes the station's figures.
pub(super) fn run(textfile: Option<&Path>, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let reading = metrics::read(&config, &reader(&config)?, context.now())?;
    write_to(textfile, context, |sink| Ok(sink.write_all(reading.to_text().as_bytes())?))?;
    // The exporter is another user; there is nothing in it but counts.
    textfile.map_or(Ok(()), readable_by_all)?;
    Ok(Exit::Done)
}
