//! `station batch`: a run without a screen.

use crate::app::batch::{self, Talk};
use crate::app::labels::Labels;
use crate::app::line::Session;
use crate::cli::Batch;
use crate::domain::code::Code;
use crate::link::Stop;
use crate::say;
use crate::shell::{Exit, Failure};

use super::context::Context;

pub(super) fn run(batch: &Batch, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let labels = match (&batch.serials, &batch.scanner) {
        (Some(file), _) => Labels::of_file(file)?,
        (None, Some(port)) => Labels::of_scanner(&config.scanner, port, Stop::new())?,
        (None, None) => {
            return Err(Failure::said(Code::Usage, say!("no labels were named", "没有指定标签")));
        }
    };
    let session = Session {
        work_order: batch.work_order.clone(),
        operator: batch.operator.clone(),
        labels_are_ready: batch.serials.is_some(),
        ..Session::default()
    };
    let style = context.style();
    let color = context.color;
    let mut out = std::io::stdout();
    let mut talk = Talk { style, out: &mut out, color };
    batch::run(&config, labels, session, &mut talk)
}
