//! What `--fault list` prints.

use serde::Serialize;

use crate::command::context::Context;
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
            let (fault, example, meaning) = (fault.name, fault.example, fault.meaning);
            context.out.json(&FaultLine { fault, example, meaning })?;
        } else {
            context.out.line(format_args!("{:<width$} {}", fault.example, fault.meaning))?;
        }
    }
    Ok(Exit::Done)
}
