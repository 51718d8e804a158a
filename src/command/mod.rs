//! The commands of the command line: one file for each, and no policy in them.
//!
//! A command asks the parts of the program, prints what they say and gives back an
//! [`Exit`]. Every error becomes a [`Failure`] here, is printed once and decides the exit
//! status. Start with [`main`], then `dispatch`.

mod authority;
mod batch;
mod clock;
mod config_check;
mod config_schema;
mod context;
mod demo;
mod destination;
mod doctor;
mod failure;
mod filter;
mod find;
mod fleet;
mod grants;
mod handoff;
mod label;
mod ledger;
mod logging;
mod lot;
mod manual;
mod metrics;
mod operator;
mod order_key;
mod page;
mod partition;
mod person;
mod ports;
mod report;
mod run;
mod scan;
mod segments;
mod selftest;
mod ship;
mod sim;
mod stats;
mod story;
mod sync;
mod tables;
mod unit;
mod usage;
mod usage_zh;
mod view;
mod work_order;

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::Parser;
pub use context::Context;

use crate::app::signals;
use crate::cli::{Cli, ClockCommand, Command, ConfigCommand, Run};
use crate::pki;
use crate::shell::{self, Exit, Failure};
use crate::tui;
use crate::vault;

/// Reads the command line, does what it says, gives the exit status.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    // Whatever the command will hold, nobody reads it. Who takes a secret insists on this; a
    // command that takes none is none the worse where the system refuses it.
    let _ = vault::harden_process();
    // Where that is refused a signal ends the process as the system does it.
    let _ = signals::end_where_nobody_watches();
    match Cli::try_parse_from(args) {
        Ok(cli) => run(cli).into(),
        Err(error) => usage::tell(&error).into(),
    }
}

/// Does what a command line says.
pub fn run(cli: Cli) -> Exit {
    let mut context = Context::new(cli.global);
    shell::install_panic_hook(context.color);
    shell::color_remarks(context.color);
    if context.global.quiet {
        shell::leave_warnings_out();
    }
    let command = cli.command.unwrap_or_else(|| Command::Run(Run::default()));
    let book = context.log.clone();
    let color = context.color;
    let book = takes_the_terminal(&command).then_some(&book);
    if let Err(failure) = logging::start(&context.global, book) {
        failure.print(color);
        return failure.exit();
    }
    shell::watch(book.is_none() && !context.global.quiet && !context.global.json);
    let command = AssertUnwindSafe(|| dispatch(command, &mut context));
    let ended = panic::catch_unwind(command);
    pki::leave_token();
    match ended {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            failure.print(color);
            failure.exit()
        }
        // The hook has told it already.
        Err(_) => Exit::Bug,
    }
}

/// Whether a command shows the operator's screen.
fn takes_the_terminal(command: &Command) -> bool {
    match command {
        Command::Run(_) => tui::is_terminal(),
        Command::Demo(demo) => demo::has_screen(demo),
        _ => false,
    }
}

fn dispatch(command: Command, context: &mut Context) -> Result<Exit, Failure> {
    match command {
        Command::Authority(command) => authority::run(command, context),
        Command::WorkOrder(command) => work_order::run(command, context),
        Command::Unit(command) => unit::run(command, context),
        Command::Label(command) => label::run(command, context),
        Command::Ledger(command) => ledger::run(command, context),
        Command::Operator(command) => operator::run(command, context),
        Command::Ports => ports::run(context),
        Command::Selftest(selftest) => selftest::run(&selftest, context),
        Command::Doctor => doctor::run(context),
        Command::Clock(ClockCommand::Accept(act)) => clock::accept(act, context),
        Command::Scan(scan) => scan::run(&scan, context),
        Command::Config(ConfigCommand::Check(check)) => config_check::run(&check, context),
        Command::Config(ConfigCommand::Schema) => config_schema::run(context),
        Command::Completions { shell } => manual::completions(shell, context),
        Command::Man { chinese: true, .. } => manual::chinese(context),
        Command::Man { out: Some(folder), .. } => manual::all(&folder, context),
        Command::Man { command, out: None, .. } => manual::page(&command, context),
        Command::Run(run) => run::run(&run, context),
        Command::Batch(batch) => batch::run(&batch, context),
        Command::Demo(demo) => demo::run(&demo, context),
        Command::Sync(sync) => sync::run(&sync, context),
        Command::Export(export) => handoff::export(export, context),
        Command::Report(command) => report::run(command, context),
        Command::View(view) => view::run(&view, context),
        Command::Fleet(command) => fleet::run(command, context),
        Command::Metrics { textfile } => metrics::run(textfile.as_deref(), context),
        Command::ImportRegistered(import) => handoff::import(&import, context),
        Command::Sim(command) => sim::run(&command, context),
    }
}
