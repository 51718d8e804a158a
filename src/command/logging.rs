//! The log on standard error: for whoever looks into a fault, never for a program.

use std::io::{self, Write};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use crate::cli::Global;
use crate::report::printable;

/// The variable that chooses what is logged, in the way of `RUST_LOG`.
const VARIABLE: &str = "STATION_LOG";

/// Starts the log. A second start in one process changes nothing.
pub(super) fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, 2) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    let filter = EnvFilter::builder()
        .with_default_directive(level.into())
        .with_env_var(VARIABLE)
        .from_env_lossy();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    // Whether it was started before is nothing to tell anyone.
    let _ = match global.log_json {
        true => log.json().with_writer(io::stderr).try_init(),
        false => log.with_writer(|| Harmless(io::stderr())).try_init(),
    };
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
}
