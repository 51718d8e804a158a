//! `station demo`: a whole line in one process.

use crate::app::batch::{self, Talk};
use crate::app::demo::{self, Factory};
use crate::app::labels::Labels;
use crate::app::line::Session;
use crate::cli::Demo;
use crate::config::Config;
use crate::report::{Exit, Failure};

use super::Context;

pub(super) fn run(demo: &Demo, context: &mut Context) -> Result<Exit, Failure> {
    let factory = Factory::lay_out(demo.dir.as_deref(), demo.units, demo.slots)?;
    let config = Config::load(&factory.config(), None)?;
    let labels = Labels::of_list(demo::serials(demo.units));
    let style = context.style();
    let color = context.color;
    let mut out = std::io::stdout();
    let mut talk = Talk { style, out: &mut out, color };
    let exit = batch::run(&config, labels, Session::default(), &mut talk)?;
    Ok(exit)
}
