//! The log on standard error and in a file: for whoever looks into a fault, never for a program.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{self, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::app::clock::SystemClock;
use crate::app::terminal;
use crate::cli::Global;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::log::LogBook;
use crate::domain::pages::LogLine;
use crate::domain::text::printable;
use crate::say;
use crate::shell::Failure;

/// The variable that chooses what is logged, in the way of `RUST_LOG`.
const VARIABLE: &str = "STATION_LOG";

/// Starts the log. A second start in one process changes nothing.
pub(super) fn start(global: &Global, book: Option<&LogBook>) -> Result<(), Failure> {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, 2) => LevelFilter::DEBUG,
        // Frames, by type and length.
        (false, _) => LevelFilter::TRACE,
    };
    let filter = EnvFilter::builder()
        .with_default_directive(level.into())
        .with_env_var(VARIABLE)
        .from_env_lossy();
    // A screen stands where the lines would go, unless standard error goes elsewhere.
    let printed = book.is_none() || !io::stderr().is_terminal();
    // A line that can't be written is no error to print where it can't be written.
    let lines = || fmt::layer().with_ansi(false).log_internal_errors(false);
    let lines: Option<Box<dyn Layer<_> + Send + Sync>> = match (printed, global.log_json) {
        (false, _) => None,
        (true, true) => Some(lines().json().with_writer(io::stderr).boxed()),
        (true, false) if to_the_journal() => {
            // The journal has the time and the program's name already.
            Some(lines().without_time().with_writer(Journal).boxed())
        }
        (true, false) => Some(lines().with_writer(|| Harmless(io::stderr())).boxed()),
    };
    let booked = book.cloned().map(Booked);
    let file = global.log_file.as_deref().map(to_the_end_of).transpose()?;
    let filed = file.map(|file| {
        let lines = fmt::layer().with_ansi(false).log_internal_errors(false);
        lines.with_writer(Mutex::new(Harmless(file)))
    });
    let registry = tracing_subscriber::registry().with(filter).with(lines).with(booked);
    // Whether it was started before is nothing to tell anyone.
    let _ = registry.with(filed).try_init();
    Ok(())
}

/// A file to write behind what it has. One that is made is its owner's alone.
fn to_the_end_of(path: &Path) -> Result<File, Failure> {
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    opened.map_err(|error| {
        let what = say!("the log file {} can't be opened", "日志文件 {} 无法打开", path.display());
        Failure::said(Code::Output, what).caused_by(&error)
    })
}

/// Writes into the book of a screen.
struct Booked(LogBook);

impl<S: Subscriber> Layer<S> for Booked {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        // The screen shows these by itself.
        if event.metadata().target() == terminal::LOG {
            return;
        }
        let mut text = Text(event.metadata().target().to_owned());
        event.record(&mut text);
        let at = SystemClock::start().now().wall;
        self.0.write(LogLine { at, level: event.metadata().level().as_str(), text: text.0 });
    }
}

/// An event's message and values in one line.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing into a text has no way to fail.
        let _ = match field.name() {
            "message" => write!(self.0, ": {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

/// Whether standard error goes to systemd's journal.
fn to_the_journal() -> bool {
    let stream = std::env::var("JOURNAL_STREAM").ok();
    let found = rustix::fs::fstat(io::stderr()).ok();
    let named = found.map(|stat| format!("{}:{}", stat.st_dev, stat.st_ino));
    stream.is_some() && stream == named
}

/// Standard error as the journal reads it: each line begins with its priority.
struct Journal;

impl<'a> MakeWriter<'a> for Journal {
    type Writer = Prioritised<Harmless<io::Stderr>>;

    fn make_writer(&'a self) -> Self::Writer {
        Prioritised { priority: PRIORITY_INFO, log: Harmless(io::stderr()) }
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> Self::Writer {
        Prioritised { priority: priority(*event.level()), ..self.make_writer() }
    }
}

/// The priority of most lines, in syslog's numbers.
const PRIORITY_INFO: u8 = 6;

/// A level as syslog numbers it.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => PRIORITY_INFO,
        _ => 7,
    }
}

/// Puts a priority before each line.
struct Prioritised<W> {
    priority: u8,
    log: W,
}

impl<W: Write> Write for Prioritised<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.log.write_all(&[format!("<{}>", self.priority).as_bytes(), line].concat())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.log.flush()
    }
}

/// Escapes what a label or a device could have put into a line. The log hands over one
/// line, its ending included, in one call; JSON escapes by itself.
struct Harmless<W>(W);

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let (body, ending) = match text.strip_suffix('\n') {
            Some(body) => (body, "\n"),
            None => (&*text, ""),
        };
        self.0.write_all(format!("{}{ending}", printable(body)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_stays_one_line() {
        let mut written = Vec::new();
        Harmless(&mut written).write_all(b"a\nb\x1b[2J\n").unwrap();
        assert_eq!(written, b"a\\nb\\u{1b}[2J\n");
    }

    #[test]
    fn a_line_for_the_journal_begins_with_its_priority() {
        let mut written = Vec::new();
        for level in [Level::ERROR, Level::WARN, Level::INFO, Level::TRACE] {
            let log = Harmless(&mut written);
            Prioritised { priority: priority(level), log }.write_all(b"a\nb\n").unwrap();
        }
        assert_eq!(written, b"<3>a\\nb\n<4>a\\nb\n<6>a\\nb\n<7>a\\nb\n");
    }
}
