//! `station run`: the operator's screen.

use crate::app::line::Session;
use crate::app::terminal::{self, Options};
use crate::cli::Run;
use crate::shell::{Exit, Failure};

use super::context::Context;

pub(super) fn run(run: &Run, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let session = Session {
        work_order: run.work_order.clone(),
        operator: run.operator.clone(),
        ..Session::default()
    };
    let options =
        Options { colors: context.colors_on_screen(), log: context.log.clone(), demo: None };
    terminal::run(&config, session, options)
}
