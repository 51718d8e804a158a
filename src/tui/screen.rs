//! The terminal: raw mode and back, keys in, frames out, at most thirty a second.
//!
//! Whatever way out the program takes, [`restore`] gives the terminal back: at the end, on
//! an error, in a panic, before an exit because of a signal. A terminal that stops reading
//! blocks the thread that draws, and nothing else.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste, KeyCode};
use crossterm::style::Print;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, queue, terminal};
use ratatui::backend::CrosstermBackend;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::domain::clock::Clock;
use crate::domain::event::ProgressCell;
use crate::domain::log::LogBook;

use super::input;
use super::model::Model;
use super::msg::{Action, Extent, Msg};
use super::update::update;
use super::view;

/// The shortest time between two frames: thirty a second.
const FRAME: Duration = Duration::from_millis(33);

/// The same behind a key: whoever pressed it waits for its answer.
const ANSWER: Duration = Duration::from_millis(4);

/// How often the screen looks at progress while units are worked on.
const BUSY_TICK: Duration = Duration::from_millis(100);

/// How often it looks at the time while nothing happens.
const IDLE_TICK: Duration = Duration::from_secs(1);

/// How long a terminal that does not read is waited for when it is given back.
const LAST_WORD: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Room for a whole frame, so that it is one write.
const FRAME_BYTES: usize = 64 * 1024;

/// Whether the terminal is ours.
static OPEN: AtomicBool = AtomicBool::new(false);

/// Whether a person sits before standard input and output.
pub fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Gives the terminal back, as it was. Once is enough, more often harms nothing.
pub fn restore() {
    if !OPEN.swap(false, Ordering::AcqRel) {
        return;
    }
    // What is still typed behind a screen that is gone is for nobody.
    input::forget_unread();
    // Nothing more can be done for a terminal that takes neither.
    let _ = terminal::disable_raw_mode();
    let mut last = Vec::new();
    let _ = queue!(
        last,
        Print(input::mouse_reports(false)),
        DisableBracketedPaste,
        cursor::Show,
        LeaveAlternateScreen
    );
    let stdout = rustix::stdio::stdout();
    let mut ready = [PollFd::new(&stdout, PollFlags::OUT)];
    if poll(&mut ready, Some(&LAST_WORD)).is_ok_and(|count| count > 0) {
        let _ = rustix::io::write(stdout, &last);
    }
}

/// What the screen draws to.
pub type Terminal = ratatui::Terminal<CrosstermBackend<BufWriter<Glass>>>;

/// The terminal's file. One that takes nothing any more is no error but gone: whoever
/// draws looks at that, and ratatui, which prints to standard error what it can't undo in
/// the end, finds nothing to print where that may be gone as well.
pub struct Glass {
    out: File,
    gone: Arc<AtomicBool>,
}

impl Write for Glass {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.out.write(bytes) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.gone.store(true, Ordering::Release);
                Ok(bytes.len())
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// How the screen was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The line has ended, or never began.
    Over,
    /// The terminal is gone; the line still runs.
    TerminalGone,
}

/// The terminal while the screen is on it. Dropping it gives it back.
pub struct Screen {
    terminal: Terminal,
    gone: Arc<AtomicBool>,
    clock: Arc<dyn Clock>,
    cells: Vec<Arc<ProgressCell>>,
    log: LogBook,
    drawn: Option<Duration>,
    /// A person waits for what is to be drawn.
    is_awaited: bool,
    ticked: Duration,
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

impl Screen {
    /// Takes the terminal.
    pub fn open(clock: Arc<dyn Clock>, log: LogBook) -> io::Result<Screen> {
        let mut out = File::from(rustix::io::dup(rustix::stdio::stdout())?);
        terminal::enable_raw_mode()?;
        OPEN.store(true, Ordering::Release);
        let mut begin = Vec::new();
        queue!(
            begin,
            EnterAlternateScreen,
            EnableBracketedPaste,
            Print(input::mouse_reports(true)),
            cursor::Hide
        )?;
        let gone = Arc::new(AtomicBool::new(false));
        let opened = out.write_all(&begin).and_then(|()| {
            let glass = Glass { out, gone: Arc::clone(&gone) };
            let out = BufWriter::with_capacity(FRAME_BYTES, glass);
            Terminal::new(CrosstermBackend::new(out))
        });
        let terminal = opened.inspect_err(|_| restore())?;
        let ticked = clock.now().monotonic;
        Ok(Screen {
            terminal,
            gone,
            clock,
            cells: Vec::new(),
            log,
            drawn: None,
            is_awaited: false,
            ticked,
        })
    }

    /// Its columns and lines.
    pub fn size(&self) -> (u16, u16) {
        self.terminal.size().map_or((80, 24), |size| (size.width, size.height))
    }

    /// Starts the thread that reads the terminal.
    pub fn listen(&self, to: SyncSender<Msg>) -> io::Result<()> {
        input::listen(Arc::clone(&self.clock), to)
    }

    /// Shows the model and takes what is heard, until the line has ended.
    pub fn run(
        &mut self,
        model: &mut Model,
        heard: &Receiver<Msg>,
        act: &mut dyn FnMut(Action),
    ) -> Ending {
        while !model.is_over() {
            if self.draw_if_due(model, act).is_err() {
                return Ending::TerminalGone;
            }
            match heard.recv_timeout(self.patience(model)) {
                Ok(msg) => self.take_all(model, msg, heard, act),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ending::Over,
            }
            self.tick_if_due(model, act);
        }
        Ending::Over
    }

    fn now(&self) -> Duration {
        self.clock.now().monotonic
    }

    /// The shortest time to the next frame.
    const fn pause(&self) -> Duration {
        if self.is_awaited { ANSWER } else { FRAME }
    }

    fn draw_if_due(&mut self, model: &mut Model, act: &mut dyn FnMut(Action)) -> io::Result<()> {
        let due = self.drawn.is_none_or(|drawn| self.now() >= drawn + self.pause());
        if !model.changed || !due {
            return Ok(());
        }
        model.size = self.size();
        let mut extent = Extent::default();
        self.terminal.draw(|frame| extent = view::draw(frame, model))?;
        if self.gone.load(Ordering::Acquire) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        (self.drawn, self.is_awaited) = (Some(self.now()), false);
        self.take(model, Msg::Drawn(extent), act);
        Ok(())
    }

    /// How long to wait for the next message: until a frame or a look at the time is due.
    fn patience(&self, model: &Model) -> Duration {
        let next_frame = self.drawn.filter(|_| model.changed).map(|drawn| drawn + self.pause());
        let next_tick = self.ticked + tick(model);
        let next = next_frame.map_or(next_tick, |frame| frame.min(next_tick));
        next.saturating_sub(self.now())
    }

    /// Takes a message and those that have come meanwhile, so that one frame shows them all.
    fn take_all(
        &mut self,
        model: &mut Model,
        first: Msg,
        heard: &Receiver<Msg>,
        act: &mut dyn FnMut(Action),
    ) {
        self.take(model, first, act);
        let until = self.now() + FRAME;
        while !self.is_awaited && self.now() < until {
            let Ok(msg) = heard.try_recv() else { return };
            self.take(model, msg, act);
        }
    }

    fn take(&mut self, model: &mut Model, msg: Msg, act: &mut dyn FnMut(Action)) {
        panic_on_purpose(&msg);
        self.is_awaited |= matches!(msg, Msg::Key(..) | Msg::Mouse(..) | Msg::Silence);
        if let Msg::Started(cells) = &msg {
            self.cells.clone_from(cells);
        }
        for action in update(model, msg, self.clock.now()) {
            match action {
                Action::Bell => self.ring(),
                // What could not be cleared will be drawn over.
                Action::Redraw => drop(self.terminal.clear()),
                action => act(action),
            }
        }
    }

    fn tick_if_due(&mut self, model: &mut Model, act: &mut dyn FnMut(Action)) {
        if self.now() < self.ticked + tick(model) {
            return;
        }
        self.ticked = self.now();
        if model.running() > 0 {
            let progress = self.cells.iter().map(|cell| cell.read()).collect();
            self.take(model, Msg::Progress(progress), act);
        }
        let lines = self.log.take();
        if !lines.is_empty() {
            self.take(model, Msg::Log(lines), act);
        }
        self.take(model, Msg::Tick, act);
    }

    fn ring(&mut self) {
        // A bell that nobody hears is no reason to stop; the next frame flushes it.
        let _ = self.terminal.backend_mut().write_all(b"\x07");
    }
}

fn tick(model: &Model) -> Duration {
    if model.is_busy() { BUSY_TICK } else { IDLE_TICK }
}

/// In a build for tests, F12 breaks the screen where this variable asks for it.
fn panic_on_purpose(msg: &Msg) {
    if !cfg!(debug_assertions) {
        return;
    }
    if let Msg::Key(key, _) = msg
        && key.code == KeyCode::F(12)
        && std::env::var_os("STATION_TEST_PANIC").is_some()
    {
        panic!("broken on purpose");
    }
}
