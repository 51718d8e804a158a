//! Where labels come from, and how one line of them is read.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use crate::domain::cause::{Told, cause};
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{Scan, ScanSource};
use crate::domain::ids::SlotName;
use crate::domain::list;
use crate::say;

/// The longest line that is read; more than any label.
const LINE_LIMIT: u64 = 1024;

/// What a source gives when it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// A label.
    Scan(Scan),
    /// There are no more.
    End,
    /// The source can't be read any further.
    Failed(Fault),
}

/// A source that is read only when a label is wanted.
pub trait LabelSource: Send {
    /// The next label.
    fn next_label(&mut self) -> Label;
}

/// Reads one line: `SERIAL`, or `SLOT<tab>SERIAL`. Empty lines and lines that begin with
/// `#` are no labels.
fn parse_label(line: &str) -> Result<Option<Scan>, Fault> {
    let line = line.trim_end_matches(['\r', '\n']);
    if list::is_empty_row(line) || line.starts_with('#') {
        return Ok(None);
    }
    let Some((slot, text)) = line.split_once('\t') else {
        return Ok(Some(Scan::listed(line.trim(), None)));
    };
    let text = text.trim().to_owned();
    match slot.trim().parse::<SlotName>() {
        Ok(slot) => Ok(Some(Scan::listed(text, Some(slot)))),
        Err(error) => Err(Fault::told(Code::ScanSlot, &error)),
    }
}

/// Labels from a file or standard input, one a line.
pub struct LinesSource<R> {
    input: R,
    /// The file, where there is one.
    file: Option<PathBuf>,
    /// The line that was read last was too long, and its rest is still to come.
    in_long_line: bool,
    /// Nothing was read yet.
    at_start: bool,
    /// What a line is.
    from: ScanSource,
}

impl<R: BufRead + Send> LinesSource<R> {
    /// Reads from `input` as labels are wanted.
    pub const fn new(input: R) -> Self {
        Self { input, file: None, in_long_line: false, at_start: true, from: ScanSource::List }
    }

    /// The same, of a file.
    pub fn of_file(file: &Path, input: R) -> Self {
        Self { file: Some(file.to_owned()), ..Self::new(input) }
    }

    /// The same, where what stands on a line, behind the slot if there is one, is what a
    /// scanner read.
    pub fn scanned(input: R) -> Self {
        Self { from: ScanSource::Scanner, ..Self::new(input) }
    }

    fn read_line(&mut self) -> io::Result<Option<String>> {
        if std::mem::take(&mut self.in_long_line) {
            self.input.skip_until(b'\n')?;
        }
        let mut line = Vec::new();
        let mut limited = std::io::Read::take(&mut self.input, LINE_LIMIT);
        if limited.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        // What follows is no label of its own.
        self.in_long_line = limited.limit() == 0 && !line.ends_with(b"\n");
        let text = match std::mem::take(&mut self.at_start) {
            true => list::first_line(&line).map_err(|error| io::Error::other(error.sentence()))?,
            false => &line,
        };
        Ok(Some(String::from_utf8_lossy(text).into_owned()))
    }
}

impl<R: BufRead + Send> LabelSource for LinesSource<R> {
    fn next_label(&mut self) -> Label {
        loop {
            match self.read_line() {
                Ok(None) => return Label::End,
                Err(error) => {
                    let what = match &self.file {
                        Some(file) => {
                            let file = file.display();
                            say!("the labels can't be read from {file}", "无法从 {file} 读取标签")
                        }
                        None => say!("the labels can't be read", "标签无法读取"),
                    };
                    return Label::Failed(Fault::said(Code::Input, what.then(&cause(&error))));
                }
                Ok(Some(line)) => {
                    let label = match self.from {
                        ScanSource::List => list::without_empty_cells(&line),
                        _ => &line,
                    };
                    match parse_label(label) {
                        Ok(None) => {}
                        Ok(Some(scan)) => return Label::Scan(Scan { from: self.from, ..scan }),
                        // Not a slot: refused by the line as a whole, with its code.
                        Err(_) => return Label::Scan(Scan::listed(line.trim_end(), None)),
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str, slot: Option<&str>) -> Scan {
        Scan::listed(text, slot.map(|slot| slot.parse().unwrap()))
    }

    #[test]
    fn a_line_is_a_serial_or_a_slot_and_a_serial() {
        assert_eq!(parse_label("U-1\r\n"), Ok(Some(scan("U-1", None))));
        assert_eq!(parse_label("A\tU-1\n"), Ok(Some(scan("U-1", Some("A")))));
        assert_eq!(parse_label("\n"), Ok(None));
        assert_eq!(parse_label("# lot 7\n"), Ok(None));
        assert_eq!(parse_label("a slot\tU-1").unwrap_err().code, Code::ScanSlot);
    }

    #[test]
    fn a_list_from_a_spreadsheet_loses_no_label_and_has_none_too_many() {
        let text = "\u{feff}TH200-1,,\r\nA\tTH200-2\t\r\n,,\r\n\t\r\n";
        let mut source = LinesSource::new(text.as_bytes());
        assert_eq!(source.next_label(), Label::Scan(scan("TH200-1", None)));
        assert_eq!(source.next_label(), Label::Scan(scan("TH200-2", Some("A"))));
        assert_eq!(source.next_label(), Label::End);
    }

    #[test]
    fn a_list_in_utf_16_is_told_once_as_what_it_is() {
        let bytes = [0xff, 0xfe, b'U', 0, b'-', 0, b'1', 0, b'\n', 0];
        let Label::Failed(fault) = LinesSource::new(&bytes[..]).next_label() else { panic!() };
        assert_eq!(fault.code, Code::Input);
        assert!(fault.detail.contains("it is UTF-16 text; save it as UTF-8"), "{fault}");
    }

    #[test]
    fn a_file_ends_and_an_endless_line_does_not_fill_memory() {
        let mut source = LinesSource::new(&b"U-1\n\nU-2"[..]);
        assert_eq!(source.next_label(), Label::Scan(scan("U-1", None)));
        assert_eq!(source.next_label(), Label::Scan(scan("U-2", None)));
        assert_eq!(source.next_label(), Label::End);
        let endless = std::io::BufReader::new(std::io::repeat(b'x'));
        let Label::Scan(scan) = LinesSource::new(endless).next_label() else { panic!() };
        assert_eq!(scan.text.len(), 1024);
    }

    #[test]
    fn the_rest_of_a_line_that_is_too_long_is_no_label() {
        let text = format!("{}U-1\nU-2\n", "x".repeat(1024));
        let mut source = LinesSource::new(text.as_bytes());
        let Label::Scan(long) = source.next_label() else { panic!() };
        assert_eq!(long.text, "x".repeat(1024));
        assert_eq!(source.next_label(), Label::Scan(scan("U-2", None)));
        assert_eq!(source.next_label(), Label::End);
    }
}
