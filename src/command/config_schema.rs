//! `station config schema`: what may stand in station.toml, for editors.

use super::context::Context;
use crate::config;
use crate::domain::code::Code;
use crate::say;
use crate::shell::{Exit, Failure};

/// Prints the JSON Schema, on one line where JSON was asked for. Needs no station.toml.
pub(super) fn run(context: &mut Context) -> Result<Exit, Failure> {
    let schema = config::schema();
    if context.out.is_json() {
        context.out.json(&schema)?;
        return Ok(Exit::Done);
    }
    let mut text = serde_json::to_vec_pretty(&schema).map_err(|error| {
        Failure::said(
            Code::Bug,
            say!("the schema can't be written as JSON", "结构说明无法写成 JSON"),
        )
        .caused_by(&error)
    })?;
    text.push(b'\n');
    context.out.raw(&text)?;
    Ok(Exit::Done)
}
