//! A run with the operator's screen: joins the line, the terminal, the scanner and the
//! signals.
//!
//! The screen is drawn before the line is opened, which takes longer. Whatever way out is
//! taken, the terminal is given back and the line lands: what is durable stays true.

use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::checks;
use crate::config::{self, Config, PrintVerify};
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{Binding, CommandSink, Event, UnitReport};
use crate::domain::ids::SlotName;
use crate::domain::log::LogBook;
use crate::domain::pages::AskSink;
use crate::link::Stop;
use crate::link::scanner::Scanner;
use crate::say;
use crate::secret::Process;
use crate::shell::{self, Exit, Failure, warn, warn_with_help};
use crate::text::Language;
use crate::tui::{self, Action, AutoScan, Ending, Model, Msg, Screen, Setup, ThemeName};

use super::answers::{self, Sources};
use super::aside;
use super::clock::SystemClock;
use super::demo::Hands;
use super::from_config;
use super::line::{self, RunningLine, Session};
use super::signals::{Sizes, Stopping, Watch, no_handler};
use super::spoken;

/// Messages that may wait for the screen. Beyond that whoever sends them waits; slots finish
/// their units all the same.
const HEARD: usize = 256;

/// How the screen is to be.
pub struct Options {
    /// Whether there are colours.
    pub colors: bool,
    /// What the log writes to while the screen is on the terminal.
    pub log: LogBook,
    /// What a demo has that a line has not.
    pub demo: Option<Demo>,
}

/// A demo scans and moves its devices by itself.
pub struct Demo {
    /// The labels of its scanner.
    pub labels: Vec<String>,
    /// What moves its devices.
    pub hands: Hands,
}

/// A line that is running, and the ways to it.
struct Doors {
    running: RunningLine,
    commands: CommandSink,
    ask: AskSink,
}

type Begun = Result<Doors, Failure>;

/// Runs a line under the operator's screen until it is left.
pub fn run(config: &Config, session: Session, options: Options) -> Result<Exit, Failure> {
    if !tui::is_terminal() {
        return Err(Failure::said(
            Code::Usage,
            say!("the screen needs a terminal", "屏幕界面需要终端"),
        )
        .with_help(say!(
            "run it at a terminal, or use `station batch` without one",
            "在终端上运行；没有终端时用 `station batch`"
        )));
    }
    let term = std::env::var("TERM").unwrap_or_default();
    if !can_be_drawn_on(&term) {
        let what = say!(
            "this terminal can't be drawn on (TERM={term:?})",
            "这个终端不能绘图（TERM={term:?}）"
        );
        return Err(Failure::said(Code::Usage, what).with_help(say!(
            "use another terminal, or `station batch`, which needs none",
            "换一个终端，或用不需要终端的 `station batch`"
        )));
    }
    let (_, unreadable) = language(config.station.language, &term);
    let colors = options.colors;
    let hands = options.demo.as_ref().map(|demo| demo.hands.clone());
    let (to_screen, heard) = mpsc::sync_channel(HEARD);
    let stopping = Arc::new(Mutex::new(Stopping::default()));
    let watch = watch_signals(&stopping, to_screen.clone())?;
    if let Some(fault) = unreadable {
        // The first of all messages: there is room.
        let _ = to_screen.try_send(Msg::Line(Event::Warning(fault)));
    }
    // Whoever must type a passphrase types it before the screen is there.
    let ears = Ears { screen: to_screen.clone(), hands: hands.clone() };
    let early = match gives_secrets(config)? {
        true => None,
        false => Some(open_line(config, session.clone(), &ears, &stopping)),
    };
    if let Some(hands) = &hands {
        let screen = to_screen.clone();
        // A word for whoever just pressed a key: a screen that is behind has others to show.
        hands.tell(Box::new(move |trouble| drop(screen.try_send(Msg::Hand(trouble)))));
    }
    let reader = ears.clone();
    shell::tell_remarks_to(Some(Box::new(move |fault| reader.hear(Event::Warning(fault)))));
    let (begin, begun) = mpsc::sync_channel(1);
    let mut stage = Stage { begun, doors: None, failure: None, hands };
    match early {
        Some(opened) => begin_with(opened?, &begin, &to_screen),
        None => begin_later(config.clone(), session, begin, ears, &stopping)?,
    }
    let _sizes = watch_sizes(to_screen.clone())?;
    let scanner = start_scanner(config, &to_screen)?;
    let told = panics_aside(to_screen.clone());
    let shown = show(config, options, &heard, to_screen, &mut stage);
    shell::tell_panics_to(None);
    shell::tell_remarks_to(None);
    scanner.set();
    for failure in told.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        failure.print(colors);
    }
    let landed = land(stage, &shown, heard, &stopping, colors)?;
    let exit = match (landed.stopped, shown) {
        (Some(fault), _) => {
            let now = SystemClock::start().now().wall;
            aside::told(&config.station.data_dir, Failure::from(&fault), now).print(colors);
            Exit::of(fault.code)
        }
        (None, Shown::Left(_)) if landed.is_any_uncertain => Exit::NotAll,
        (None, Shown::Left(_)) => Exit::Done,
        (None, Shown::TerminalGone) => Exit::Stopped,
        (None, Shown::Broken) => Exit::Bug,
    };
    Ok(if watch.was_asked() { exit.and(Exit::Stopped) } else { exit })
}

/// What the thread of the screen holds while it runs.
struct Stage {
    begun: Receiver<Begun>,
    doors: Option<Doors>,
    failure: Option<Failure>,
    hands: Option<Hands>,
}

/// Who hears what the line says.
#[derive(Clone)]
struct Ears {
    screen: SyncSender<Msg>,
    hands: Option<Hands>,
}

impl Ears {
    fn hear(&self, event: Event) {
        if let Some(hands) = &self.hands {
            hands.see(&event);
        }
        log(&event);
        // A screen that is gone has ended the run.
        let _ = self.screen.send(Msg::Line(event));
    }
}

/// The log's name for what the screen shows by itself.
pub const LOG: &str = "station::line";

/// Writes every refusal, failure, HOLD and warning to the log, which may go to a file.
fn log(event: &Event) {
    match event {
        Event::Unit(report) | Event::Denied(report) if !report.is_good() => {
            let UnitReport { serial, slot, fault, uncertain, .. } = &**report;
            let slot = slot.as_ref().map_or("-", SlotName::as_str);
            let word = if *uncertain { "uncertain" } else { report.outcome.as_str() };
            let Some(Fault { code, detail, .. }) = fault else { return };
            tracing::warn!(target: LOG, "{word} {serial} slot {slot}: {code}: {detail}");
        }
        Event::Warning(Fault { code, detail, .. })
        | Event::Stopping(Some(Fault { code, detail, .. })) => {
            tracing::warn!(target: LOG, "{code}: {detail}");
        }
        _ => {}
    }
}

impl Stage {
    /// The line, once it has been opened.
    fn doors(&mut self) -> Option<&Doors> {
        if self.doors.is_none() {
            match self.begun.try_recv() {
                Ok(Ok(doors)) => self.doors = Some(doors),
                Ok(Err(failure)) => self.failure = Some(failure),
                Err(_) => {}
            }
        }
        self.doors.as_ref()
    }

    fn act(&mut self, action: Action) {
        if let (Action::Hand(key, slot), Some(hands)) = (&action, &self.hands) {
            return hands.press(*key, slot.clone());
        }
        // A line that has ended takes nothing more and says so itself.
        let Some(doors) = self.doors() else { return };
        match action {
            Action::Command(command) => drop((doors.commands)(command)),
            Action::Ask(asked) => drop((doors.ask)(asked)),
            Action::Hand(..) | Action::Bell | Action::Redraw => {}
        }
    }
}

fn watch_signals(
    stopping: &Arc<Mutex<Stopping>>,
    to_screen: SyncSender<Msg>,
) -> Result<Watch, Failure> {
    let asked = Arc::clone(stopping);
    let stop = move || {
        Stopping::ask(&asked);
        // A screen that takes nothing any more is told by the end of the line.
        let _ = to_screen.try_send(Msg::Stop);
    };
    Watch::start_for_screen(stop, give_terminal_back)
}

/// The screen goes, and standard error is the terminal again.
fn give_terminal_back() {
    tui::restore();
    spoken::give_back();
}

/// Tells the screen of the terminal's sizes until what is given back is dropped.
fn watch_sizes(to_screen: SyncSender<Msg>) -> Result<Sizes, Failure> {
    Sizes::watch(move || {
        if let Some((columns, lines)) = tui::size() {
            // A screen that is behind asks for the size itself, before each frame.
            let _ = to_screen.try_send(Msg::Resize(columns, lines));
        }
    })
    .map_err(|error| no_handler(&error))
}

/// Whether nobody need type a passphrase for the line to start.
fn gives_secrets(config: &Config) -> Result<bool, Failure> {
    let authority = from_config::authority_secret(&config.authority).read_if_given(&Process)?;
    let broker = match &config.connect {
        Some(connect) => from_config::broker_secret(connect).read_if_given(&Process)?.is_some(),
        None => true,
    };
    Ok(authority.is_some() && broker)
}

fn open_line(config: &Config, session: Session, ears: &Ears, stopping: &Mutex<Stopping>) -> Begun {
    let hearing = ears.clone();
    let say = Box::new(move |event| hearing.hear(event));
    let running = {
        let session = Session { binding: Some(binding(config)), may_choose: true, ..session };
        line::start(config, session, say)?
    };
    Stopping::hand_over(stopping, running.line.stopper());
    let commands = running.commands();
    let to_screen = ears.screen.clone();
    let sources = Sources {
        config,
        ledger: running.ledger(),
        lot: Arc::clone(&running.lot),
        chooser: running.line.lot_chooser(),
        signed_in: Arc::clone(&running.signed_in),
        clock: Arc::new(SystemClock::start()),
    };
    let answered = Box::new(move |answered| {
        // As with events.
        let _ = to_screen.send(Msg::Answered(answered));
    });
    let ask = answers::start(sources, answered)?;
    Ok(Doors { running, commands, ask })
}

fn begin_with(doors: Doors, begin: &SyncSender<Begun>, to_screen: &SyncSender<Msg>) {
    let cells = doors.running.line.progress.clone();
    // Both channels have room: nothing was sent yet that could fill them.
    let _ = begin.send(Ok(doors));
    let _ = to_screen.send(Msg::Started(cells));
}

/// Opens the line in a thread of its own, while the screen says that it does.
fn begin_later(
    config: Config,
    session: Session,
    begin: SyncSender<Begun>,
    ears: Ears,
    stopping: &Arc<Mutex<Stopping>>,
) -> Result<(), Failure> {
    let stopping = Arc::clone(stopping);
    let body = move || match open_line(&config, session, &ears, &stopping) {
        Ok(doors) => begin_with(doors, &begin, &ears.screen),
        Err(failure) => {
            // As above.
            let _ = begin.send(Err(failure));
            let _ = ears.screen.send(Msg::NotStarted);
        }
    };
    let started = thread::Builder::new().name("start".to_owned()).spawn(body);
    started.map(drop).map_err(|error| {
        Failure::said(Code::Shortage, say!("no thread", "得不到线程")).caused_by(&error)
    })
}

/// A scanner at a port of its own, where there is one.
fn start_scanner(config: &Config, to_screen: &SyncSender<Msg>) -> Result<Stop, Failure> {
    let stop = Stop::new();
    let Some(port) = &config.scanner.port else { return Ok(stop) };
    let settings = from_config::scanner_port(&config.scanner, &port.to_string());
    let scanner = Scanner::open(settings, &config.scanner.ends, stop.clone())?;
    let to_screen = to_screen.clone();
    let body = move || {
        for line in scanner {
            let msg = match line {
                Ok(framed) => Msg::Scanned(framed.text()),
                Err(error) => Msg::Warning(error.into()),
            };
            if to_screen.send(msg).is_err() {
                return;
            }
        }
    };
    let started = thread::Builder::new().name("scanner".to_owned()).spawn(body);
    started.map_err(|error| {
        Failure::said(Code::Shortage, say!("no thread", "得不到线程")).caused_by(&error)
    })?;
    Ok(stop)
}

/// Panics of other threads are kept and shown as warnings; one of the screen itself gives
/// the terminal back first.
fn panics_aside(to_screen: SyncSender<Msg>) -> Arc<Mutex<Vec<Failure>>> {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let (keeper, screen) = (Arc::clone(&kept), thread::current().id());
    shell::tell_panics_to(Some(Box::new(move |failure| {
        if thread::current().id() == screen {
            give_terminal_back();
            return Some(failure);
        }
        let fault = crate::domain::device::Fault::from(failure.clone());
        // It is printed at the end in any case.
        let _ = to_screen.try_send(Msg::Warning(fault));
        keeper.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
        None
    })));
    kept
}

/// How the screen came to its end.
enum Shown {
    Left(Box<Model>),
    TerminalGone,
    Broken,
}

fn show(
    config: &Config,
    options: Options,
    heard: &Receiver<Msg>,
    to_screen: SyncSender<Msg>,
    stage: &mut Stage,
) -> Shown {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let log = options.log.clone();
    let Ok(mut screen) = Screen::open(Arc::clone(&clock), log) else { return Shown::TerminalGone };
    // A pipe that can't be had leaves standard error where it is.
    let _aside = spoken::aside();
    let mut model = Model::new(setup(config, options), screen.size(), clock.now());
    if screen.listen(to_screen).is_err() {
        return Shown::TerminalGone;
    }
    let body = AssertUnwindSafe(|| screen.run(&mut model, heard, &mut |action| stage.act(action)));
    let ending = panic::catch_unwind(body);
    drop(screen);
    match ending {
        Ok(Ending::Over) => Shown::Left(Box::new(model)),
        Ok(Ending::TerminalGone) => Shown::TerminalGone,
        Err(_) => Shown::Broken,
    }
}

/// How a line ended under the screen.
struct Landed {
    /// Why it stopped by itself.
    stopped: Option<Fault>,
    /// Whether units are left that must be kept; they were named.
    is_any_uncertain: bool,
}

/// Waits for the line's end, whatever became of the screen, and names what must be kept.
fn land(
    mut stage: Stage,
    shown: &Shown,
    heard: Receiver<Msg>,
    stopping: &Mutex<Stopping>,
    colors: bool,
) -> Result<Landed, Failure> {
    let mut is_any_uncertain = false;
    if !matches!(shown, Shown::Left(_)) {
        Stopping::ask(stopping);
        wait_for_end(&mut stage, &heard);
    }
    stage.doors();
    // Whoever still sends must not wait for a screen that is gone.
    drop(heard);
    if let Some(failure) = stage.failure {
        return Err(failure);
    }
    if let Some(Doors { running, commands, ask }) = stage.doors {
        drop((commands, ask));
        if let Some(fault) = running.ledger().writer().anchor_fault() {
            warn(&fault, colors);
        }
        if let Some(fault) = checks::uncertain_fault(&running.left_uncertain()) {
            warn_with_help(&fault, colors);
            is_any_uncertain = true;
        }
        // A unit that left without its label is found again by nothing else.
        if let Shown::Left(model) = shown
            && let Some(open) = model.open_labels()
        {
            warn(&checks::open_labels(open), colors);
        }
        running.join()?;
    }
    let stopped = match shown {
        Shown::Left(model) => model.stopped_by().cloned(),
        Shown::TerminalGone | Shown::Broken => None,
    };
    Ok(Landed { stopped, is_any_uncertain })
}

/// Takes what is still said, so that nobody waits for a screen that is gone.
fn wait_for_end(stage: &mut Stage, heard: &Receiver<Msg>) {
    while let Ok(msg) = heard.recv() {
        stage.doors();
        if matches!(msg, Msg::Line(Event::Ended) | Msg::NotStarted) {
            return;
        }
    }
}

/// Whether the cursor can be moved there at all.
fn can_be_drawn_on(term: &str) -> bool {
    term != "dumb"
}

/// The language of the screen. The kernel's own console has no Chinese letters: there it is
/// English, and a message says so.
fn language(wanted: config::Language, term: &str) -> (Language, Option<Fault>) {
    match wanted {
        config::Language::English => (Language::English, None),
        config::Language::Chinese if term == "linux" => {
            let what = say!(
                "this console can't draw Chinese, so the screen is in English; use a \
                        terminal that has such letters",
                "这个控制台不能显示中文，所以屏幕用英文；请换一个有中文字形的终端"
            );
            (Language::English, Some(Fault::said(Code::ConfigValue, what)))
        }
        config::Language::Chinese => (Language::Chinese, None),
    }
}

fn binding(config: &Config) -> Binding {
    match config.scanner.binding {
        Some(config::Binding::Slot) => Binding::Slot,
        Some(config::Binding::Any) => Binding::Any,
        Some(config::Binding::Insert) | None => Binding::Insert,
    }
}

fn setup(config: &Config, options: Options) -> Setup {
    let colorterm = std::env::var("COLORTERM").ok();
    Setup {
        station: config.station.id.to_string(),
        product: config.product.name.clone(),
        slots: config.slots.iter().map(|slot| slot.name.clone()).collect(),
        binding: binding(config),
        settings: settings(config),
        language: language(config.station.language, &std::env::var("TERM").unwrap_or_default()).0,
        theme: ThemeName::of(options.colors, colorterm.as_deref()),
        zone: config.station.zone.clone(),
        badge_prefix: config.station.badge_prefix.clone(),
        scans_back: config.label.as_ref().is_some_and(|label| label.verify == PrintVerify::Scan),
        idle_lock: config.station.idle_lock,
        auto_scan: options.demo.map(|demo| AutoScan::new(demo.labels)),
    }
}

/// station.toml as the settings page shows it.
fn settings(config: &Config) -> Vec<(String, String)> {
    let mut all = vec![
        ("station.toml", config.path.display().to_string()),
        ("station.id", config.station.id.to_string()),
        ("station.data_dir", config.station.data_dir.display().to_string()),
        ("product.name", config.product.name.clone()),
        ("product.key_origin", config.product.key_origin.to_string()),
        ("broker.host", format!("{}:{}", config.broker.host, config.broker.port)),
        ("authority.certificate", config.authority.certificate.display().to_string()),
    ];
    all.extend(config.slots.iter().map(|slot| {
        ("slots", format!("{} {} {} {}", slot.name, slot.port, slot.baud, slot.presence))
    }));
    all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_can_not_draw_is_not_drawn_on_it() {
        assert!(can_be_drawn_on("xterm-256color") && can_be_drawn_on("linux"));
        assert!(!can_be_drawn_on("dumb"));
        let (shown, said) = language(config::Language::Chinese, "linux");
        assert!(shown == Language::English && said.is_some());
        let (shown, said) = language(config::Language::Chinese, "xterm");
        assert!(shown == Language::Chinese && said.is_none());
        assert!(language(config::Language::English, "linux").1.is_none());
    }
}
