//! `station demo`: a whole line in one process, and the cloud behind it.

mod register;

use crate::app::batch::{self, Talk};
use crate::app::demo::{self, Factory};
use crate::app::labels::Labels;
use crate::app::line::Session;
use crate::cli::Demo;
use crate::config::Config;
use crate::domain::code::Code;
use crate::report::{Exit, Failure};

use self::register::LastLine;
use super::{Context, ledger};

pub(super) fn run(demo: &Demo, context: &mut Context) -> Result<Exit, Failure> {
    let factory = Factory::lay_out(demo.dir.as_deref(), demo.units, demo.slots)?;
    let config = Config::load(&factory.config(), None)?;
    let labels = Labels::of_list(demo::serials(demo.units));
    let style = context.style();
    let color = context.color;
    let mut out = LastLine::of(std::io::stdout());
    let mut talk = Talk { style, out: &mut out, color };
    let mut exit = batch::run(&config, labels, Session::default(), &mut talk)?;
    let ran_to_its_end = matches!(exit, Exit::Done | Exit::NotAll);
    if ran_to_its_end && !demo.no_sync {
        exit = exit.and(register::run(&config, out.line(), context)?);
    }
    let verification = ledger::audit(&config, context)?;
    if let Some(why) = verification.why {
        let code = verification.code.unwrap_or(Code::LedgerJournal);
        return Err(Failure::new(code, why));
    }
    if !context.out.is_json() {
        context.out.line(format!("{} ledger entries hold", verification.entries))?;
        say_where(demo, &factory, context)?;
    }
    Ok(exit)
}

/// Says where everything lies and what to do with it.
fn say_where(demo: &Demo, factory: &Factory, context: &mut Context) -> Result<(), Failure> {
    if demo.dir.is_none() {
        return context.out.line("nothing was kept; --dir DIR keeps the factory to look at");
    }
    let dir = factory.dir.display();
    for line in [
        format!("{dir}/station.toml   the configuration; every command works on it:"),
        format!("  station --config {dir}/station.toml unit list"),
        format!("{dir}/data           the ledger"),
        format!("{dir}/devices        what the simulated devices hold"),
        format!("{dir}/ca.pem         the demo CA"),
        format!("{dir}/cloud.state    what the emulated cloud knows; it runs again with"),
    ] {
        context.out.line(line)?;
    }
    let (address, state) = (factory.cloud_address().unwrap_or_default(), factory.cloud_state());
    let state = state.display();
    context.out.line(format!("  station sim cloud --listen {address} --state {state}"))
}
