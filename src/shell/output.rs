//! Standard output: lines for people or one JSON object a line, never both.

use std::fmt;
use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use super::failure::Failure;
use super::language::language;
use crate::domain::code::Code;
use crate::domain::say::Say;
use crate::domain::text::printable;
use crate::say;
use crate::text::said;

/// Where a command writes what was asked for.
///
/// A reader that went away (`station unit list | head`) is a normal end of the output, not
/// of the work: from then on lines are dropped.
pub struct Output {
    json: bool,
    gone: bool,
    sink: Box<dyn Write + Send>,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { json, gone, .. } = self;
        f.debug_struct("Output").field("json", json).field("gone", gone).finish_non_exhaustive()
    }
}

impl Output {
    /// Standard output.
    pub fn stdout(json: bool) -> Self {
        Self::new(json, Box::new(io::stdout()))
    }

    /// Any other place.
    pub fn new(json: bool, sink: Box<dyn Write + Send>) -> Self {
        Self { json, gone: false, sink }
    }

    /// Whether JSON lines were asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether the reader went away.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// Writes one JSON object on a line of its own.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(value).map_err(|error| {
            Failure::said(Code::Bug, say!("a line can't be written as JSON", "一行无法写成 JSON"))
                .caused_by(&error)
        })?;
        line.push(b'\n');
        self.write(&line)
    }

    /// Writes one line for people, in the language that the program speaks.
    pub fn say(&mut self, what: &Say) -> Result<(), Failure> {
        self.line(said(what, language()))
    }

    /// Writes one line of values alone, the same in every language; what is harmful in it is
    /// escaped. Words that people read go through [`Output::say`].
    pub fn line(&mut self, text: impl fmt::Display) -> Result<(), Failure> {
        let text = text.to_string();
        self.write(format!("{}\n", printable(&text)).as_bytes())
    }

    /// Writes bytes as they are: PEM, a completion script, a manual page.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.write(bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.gone {
            return Ok(());
        }
        match self.sink.write_all(bytes).and_then(|()| self.sink.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(())
            }
            Err(error) => Err(Failure::said(
                Code::Output,
                say!("standard output can't be written", "标准输出无法写入"),
            )
            .caused_by(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_a_normal_end() {
        let mut output = Output::new(false, Box::new(Broken(ErrorKind::BrokenPipe)));
        assert_eq!(output.line("x"), Ok(()));
        assert!(output.is_gone());
        assert_eq!(output.line("y"), Ok(()));
    }

    #[test]
    fn a_full_disk_is_a_failure() {
        let mut output = Output::new(false, Box::new(Broken(ErrorKind::StorageFull)));
        assert_eq!(output.line("x").unwrap_err().code, Code::Output);
    }
}
