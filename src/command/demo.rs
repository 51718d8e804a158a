//! `station demo`: a whole line in one process, and the cloud behind it.

mod register;

use crate::app::batch::{self, Talk};
use crate::app::demo::{self, Factory};
use crate::app::labels::Labels;
use crate::app::line::Session;
use crate::app::terminal::{self, Options};
use crate::cli::Demo;
use crate::config::Config;
use crate::domain::code::Code;
use crate::domain::say::Say;
use crate::say;
use crate::shell::{Exit, Failure};
use crate::tui;

use self::register::LastLine;
use super::context::Context;
use super::ledger;

/// Units and slots where nobody names a number: a screen is watched for a while.
const SMALL: (u32, u32) = (8, 2);
const ON_SCREEN: (u32, u32) = (64, 6);

/// Whether the demo is shown on the operator's screen.
pub(super) fn has_screen(demo: &Demo) -> bool {
    !demo.headless && tui::is_terminal()
}

pub(super) fn run(demo: &Demo, context: &mut Context) -> Result<Exit, Failure> {
    let screen = has_screen(demo) && !context.out.is_json();
    let (units, slots) = if screen { ON_SCREEN } else { SMALL };
    let (units, slots) = (demo.units.unwrap_or(units), demo.slots.unwrap_or(slots));
    let dir = demo.dir.as_deref();
    let factory = match screen {
        true => Factory::lay_out_to_watch(dir, units, slots)?,
        false => Factory::lay_out(dir, units, slots)?,
    };
    let config = Config::load(&factory.config(), None)?;
    let serials = demo::serials(units);
    let (mut exit, made) = match screen {
        true => (watch(&config, serials, &factory, context)?, Vec::new()),
        false => print(&config, serials, &factory, context)?,
    };
    let ran_to_its_end = matches!(exit, Exit::Done | Exit::NotAll);
    if ran_to_its_end && !demo.no_sync {
        exit = exit.and(register::run(&config, &made, context)?);
    }
    let verification = ledger::audit(&config, ledger::Extent::default(), context)?;
    if let Some(why) = verification.why {
        let code = verification.code.unwrap_or(Code::LedgerJournal);
        let chinese = verification.why_zh;
        return Err(Failure { chinese, ..Failure::new(code, why) });
    }
    if !context.out.is_json() {
        let entries = verification.entries;
        context.out.say(&say!("{entries} ledger entries hold", "账本 {entries} 条记录核对通过"))?;
        say_where(demo, &factory, context)?;
    }
    Ok(exit)
}

/// What the demo makes is for its own emulated cloud, where no first article is to be waited
/// for.
fn session(factory: &Factory) -> Session {
    Session { is_practice: true, eye: Some(factory.eye()), ..Session::default() }
}

/// The demo on the operator's screen, with a scanner that scans and hands that move devices
/// by themselves.
fn watch(
    config: &Config,
    serials: Vec<String>,
    factory: &Factory,
    context: &Context,
) -> Result<Exit, Failure> {
    let options = Options {
        colors: context.colors_on_screen(),
        log: context.log.clone(),
        demo: Some(terminal::Demo { labels: serials, hands: factory.hands()? }),
    };
    terminal::run(config, session(factory), options)
}

/// The demo as lines; the last one comes back.
fn print(
    config: &Config,
    serials: Vec<String>,
    factory: &Factory,
    context: &Context,
) -> Result<(Exit, Vec<u8>), Failure> {
    let (style, color) = (context.style(), context.color);
    let mut out = LastLine::of(std::io::stdout());
    let mut talk = Talk { style, out: &mut out, color };
    let exit = batch::run(config, Labels::of_list(serials), session(factory), &mut talk)?;
    Ok((exit, out.line().to_vec()))
}

/// Says where everything lies and what to do with it.
fn say_where(demo: &Demo, factory: &Factory, context: &mut Context) -> Result<(), Failure> {
    if demo.dir.is_none() {
        return context.out.say(&say!(
            "nothing was kept; --dir DIR keeps the factory to look at",
            "没有保留任何内容；用 --dir DIR 保留演示工厂以供查看"
        ));
    }
    let dir = factory.dir.display();
    let line = |name: &str, what: Say| Say::same(format!("{dir}/{name:<14} ")).with(&what);
    for line in [
        line(
            "station.toml",
            say!("the configuration; every command works on it:", "配置；每个命令都可使用它："),
        ),
        Say::same(format!("  station --config {dir}/station.toml unit list")),
        line("data", say!("the ledger", "账本")),
        line("devices", say!("what the simulated devices hold", "模拟设备中的内容")),
        line("labels", say!("the label of each unit that passed", "每个合格单元的标签")),
        line("ca.pem", say!("the demo CA", "演示 CA")),
        line(
            "cloud.state",
            say!("what the emulated cloud knows; it runs again with", "模拟云端的状态；再次运行："),
        ),
    ] {
        context.out.say(&line)?;
    }
    let (address, state) = (factory.cloud_address().unwrap_or_default(), factory.cloud_state());
    let state = state.display();
    context.out.line(format!("  station sim cloud --listen {address} --state {state}"))
}
