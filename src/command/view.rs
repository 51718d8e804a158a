//! `station view`

use std::sync::Arc;

use serde::Serialize;

use super::context::Context;
use crate::app::signals::Until;
use crate::app::view::{Shown, settings};
use crate::cli;
use crate::domain::code::Code;
use crate::say;
use crate::shell::{Exit, Failure};
use crate::view::{self, ViewError};

#[derive(Serialize)]
struct Ready<'a> {
    event: &'static str,
    url: &'a str,
}

/// Opens the view until the process is told to stop.
pub(super) fn run(asked: &cli::View, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let settings = settings(&config, asked.listen)?;
    let shown = Shown::new(config, context.clock())?;
    let until = Until::told_to_stop()?;
    let open = view::start(settings, Arc::new(shown)).map_err(|error| unusable(&error))?;
    let url = open.url();
    match context.out.is_json() {
        true => context.out.json(&Ready { event: "ready", url: &url })?,
        false => context.out.say(&say!("the view is at {url}", "网页视图在 {url}"))?,
    }
    until.wait();
    Ok(Exit::Done)
}

fn unusable(error: &ViewError) -> Failure {
    match error {
        ViewError::Listen { .. } => Failure::told(Code::Usage, error).with_help(say!(
            "name a free address, or port 0 for any free one",
            "指定一个空闲地址，或用端口 0 任选一个"
        )),
        ViewError::Thread(_) => Failure::told(Code::Shortage, error),
    }
}
