//! What `--fault list` prints.

use serde::Serialize;

use crate::command::context::Context;
use crate::domain::say::Say;
use crate::shell::{Exit, Failure};
use crate::sim::FaultName;

#[derive(Serialize)]
struct FaultLine {
    fault: &'static str,
    example: &'static str,
    meaning: &'static str,
}

/// Every fault, one a line.
pub(super) fn list_faults(faults: &[FaultName], context: &mut Context) -> Result<Exit, Failure> {
    let width = faults.iter().map(|fault| fault.example.len()).max().unwrap_or_default();
    for fault in faults {
        if context.out.is_json() {
            let (fault, example, meaning) = (fault.name, fault.example, fault.meaning.english);
            context.out.json(&FaultLine { fault, example, meaning })?;
        } else {
            let example = Say::same(format!("{:<width$} ", fault.example));
            context.out.say(&example.with(&fault.meaning.into()))?;
        }
    }
    Ok(Exit::Done)
}
