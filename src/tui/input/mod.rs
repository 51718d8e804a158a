//! The thread that reads the terminal: what is pressed, when, and when nothing is.
//!
//! It reads bytes itself, since two things count that a library does not tell: every byte of a
//! scan as it came, and that for a while nothing came. Why: `docs/decisions/0018-keys.md`.
//! `decode` and `sequence` are pure; start with [`listen`].

mod decode;
mod sequence;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use crossterm::terminal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::domain::clock::Clock;

use super::msg::Msg;
pub(super) use decode::{Decoded, Decoder};

/// How long nothing must come until what was pressed is over. Scanners that are set for slow
/// hosts send a character every 10 to 40 ms; no person presses a key that means a command so
/// soon before or after another one.
pub(super) const SILENCE: Duration = Duration::from_millis(50);

/// How long the end of pasted text is waited for: over a network it comes in pieces.
const PASTE_PATIENCE: Duration = Duration::from_secs(1);

/// Bytes that are read at once.
const ROOM: usize = 1024;

/// Starts the thread; it ends with the terminal, or when nobody hears it any more.
pub(super) fn listen(clock: Arc<dyn Clock>, to: SyncSender<Msg>) -> io::Result<()> {
    let keyboard = Keyboard { clock, to, decoder: Decoder::default(), until: None };
    thread::Builder::new().name("keys".to_owned()).spawn(move || keyboard.run())?;
    Ok(())
}

struct Keyboard {
    clock: Arc<dyn Clock>,
    to: SyncSender<Msg>,
    decoder: Decoder,
    /// When what was pressed is over, unless more comes.
    until: Option<Duration>,
}

impl Keyboard {
    fn run(mut self) {
        while self.turn() == Some(()) {}
    }

    fn now(&self) -> Duration {
        self.clock.now().monotonic
    }

    /// Waits for bytes or for silence; none where it is over.
    fn turn(&mut self) -> Option<()> {
        let patience = self.until.map(|until| until.saturating_sub(self.now()));
        // The system looks at the terminal once more before it says that nothing came, so that
        // a thread that was held up takes no pause of its own for a scanner's.
        match is_readable(patience) {
            Ok(true) => self.read(),
            Ok(false) => self.silence(),
            Err(Errno::INTR) => Some(()),
            Err(_) => None,
        }
    }

    fn read(&mut self) -> Option<()> {
        let mut bytes = Zeroizing::new([0; ROOM]);
        let count = match rustix::io::read(rustix::stdio::stdin(), &mut *bytes) {
            Ok(0) => return None,
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => return Some(()),
            Err(_) => return None,
        };
        let now = self.now();
        let decoded = self.decoder.feed(&bytes[..count]);
        let patience = if self.decoder.is_in_paste() { PASTE_PATIENCE } else { SILENCE };
        self.until = Some(now + patience);
        self.say(decoded, now)
    }

    fn silence(&mut self) -> Option<()> {
        let now = self.now();
        self.until = None;
        let decoded = self.decoder.silence();
        self.say(decoded, now)?;
        self.to.send(Msg::Silence).ok()
    }

    fn say(&self, decoded: Vec<Decoded>, at: Duration) -> Option<()> {
        for one in decoded {
            let msg = match one {
                Decoded::Key(key) => Msg::Key(key, at),
                Decoded::Mouse(mouse) => Msg::Mouse(mouse, at),
                Decoded::Paste(text) => Msg::Paste(text, at),
            };
            self.to.send(msg).ok()?;
        }
        Some(())
    }
}

/// Waits until something can be read, or for so long; without a time for ever.
fn is_readable(patience: Option<Duration>) -> Result<bool, Errno> {
    let time = patience.map(|time| Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(time.subsec_nanos()),
    });
    let stdin = rustix::stdio::stdin();
    let mut waited = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut waited, time.as_ref()).map(|count| count > 0)
}

/// Turns the mouse's reports on or off: presses and the wheel, not each move.
pub(super) const fn mouse_reports(on: bool) -> &'static str {
    if on { "\x1b[?1000h\x1b[?1006h" } else { "\x1b[?1006l\x1b[?1000l" }
}

/// What was typed and not read yet is nobody's any more.
pub(super) fn forget_unread() {
    // A terminal that is gone has nothing to forget.
    let _ =
        rustix::termios::tcflush(rustix::stdio::stdin(), rustix::termios::QueueSelector::IFlush);
}

/// The terminal's columns and lines.
pub fn size() -> Option<(u16, u16)> {
    terminal::size().ok()
}
