//! `station clock accept`: a supervisor says that the clock is right.

use serde_json::json;

use super::context::Context;
use super::person::{person, reason, record};
use crate::cli::ClockAct;
use crate::domain::record::{ClockAccepted, Record};
use crate::say;
use crate::shell::{Exit, Failure};

/// Records that the clock is right although it disagrees with the journal.
pub(super) fn accept(act: ClockAct, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let accepted = ClockAccepted { reason: reason(&act.reason)?, by: person(act.by) };
    record(&config, context, Record::ClockAccepted(accepted))?;
    let now = context.now().to_string();
    match context.out.is_json() {
        true => context.out.json(&json!({ "accepted": now }))?,
        false => context.out.say(&say!("recorded: {now} is right", "已记录：{now} 是正确的"))?,
    }
    Ok(Exit::Done)
}
