//! Where a batch's labels come from: a file, standard input or a serial scanner, each read
//! in a thread of its own, so that units that end meanwhile are printed all the same.

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use crate::batch::{Heard, Label, LabelSource, LinesSource, Source};
use crate::config;
use crate::domain::code::Code;
use crate::domain::event::{Event, Scan};
use crate::link::Stop;
use crate::link::scanner::Scanner;
use crate::say;
use crate::shell::Failure;

use super::from_config;

/// A list of labels. A pipe, by which another program may feed a line, is opened when it is read:
/// only the thread that waits for labels may wait for who writes there.
enum Listed {
    Open(File),
    Later(PathBuf),
}

impl Listed {
    fn of(path: &Path) -> io::Result<Listed> {
        let kind = fs::metadata(path)?.file_type();
        if kind.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        match kind.is_fifo() {
            true => Ok(Listed::Later(path.to_owned())),
            false => File::open(path).map(Listed::Open),
        }
    }
}

impl Read for Listed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if let Listed::Later(path) = self {
            *self = Listed::Open(File::open(path)?);
        }
        match self {
            Listed::Open(file) => file.read(bytes),
            Listed::Later(_) => Ok(0),
        }
    }
}

/// A source of labels that has been opened and not yet been started.
pub enum Labels {
    /// Read as labels are wanted.
    Pulled(Box<dyn LabelSource>),
    /// Lines that come by themselves on standard input.
    StandardInput,
    /// A serial scanner.
    Scanner(Box<Scanner>),
}

impl Labels {
    /// Lines of a file; `-` is standard input.
    pub fn of_file(path: &Path) -> Result<Labels, Failure> {
        if path == Path::new("-") {
            let input = BufReader::new(io::stdin());
            return Ok(Labels::Pulled(Box::new(LinesSource::new(input))));
        }
        let listed = Listed::of(path).map_err(|error| {
            let what =
                say!("the serials can't be read from {}", "无法从 {} 读取序列号", path.display());
            Failure::said(Code::Input, what).caused_by(&error)
        })?;
        Ok(Labels::Pulled(Box::new(LinesSource::of_file(path, BufReader::new(listed)))))
    }

    /// Labels that are known beforehand.
    pub fn of_list(serials: Vec<String>) -> Labels {
        let lines = serials.join("\n");
        Labels::Pulled(Box::new(LinesSource::new(Cursor::new(lines))))
    }

    /// A serial scanner at a port; `-` is standard input.
    pub fn of_scanner(
        settings: &config::Scanner,
        port: &str,
        stop: Stop,
    ) -> Result<Labels, Failure> {
        if port == "-" {
            return Ok(Labels::StandardInput);
        }
        let scanner =
            Scanner::open(from_config::scanner_port(settings, port), &settings.ends, stop)?;
        Ok(Labels::Scanner(Box::new(scanner)))
    }

    /// Starts the thread that reads; labels go to `heard`. `ahead` is how many labels a
    /// scanner may be ahead of the slots.
    pub(super) fn start(self, heard: SyncSender<Heard>, ahead: usize) -> Result<Source, Failure> {
        let no_thread = |error: io::Error| {
            Failure::said(Code::Shortage, say!("no thread for labels", "读取标签得不到线程"))
                .caused_by(&error)
        };
        let builder = thread::Builder::new().name("labels".to_owned());
        match self {
            Labels::Pulled(mut source) => {
                let (ask, asked) = mpsc::channel::<()>();
                builder
                    .spawn(move || {
                        while asked.recv().is_ok() {
                            if heard.send(Heard::Label(source.next_label())).is_err() {
                                return;
                            }
                        }
                    })
                    .map_err(no_thread)?;
                Ok(Source::Pulled(Box::new(move || {
                    // A source that is gone has said that it ended.
                    let _ = ask.send(());
                })))
            }
            Labels::StandardInput => {
                let mut source = LinesSource::scanned(BufReader::new(io::stdin()));
                builder
                    .spawn(move || push_all(&heard, || Some(source.next_label())))
                    .map_err(no_thread)?;
                Ok(Source::Pushed { ahead })
            }
            Labels::Scanner(scanner) => {
                builder.spawn(move || push_scans(&heard, *scanner)).map_err(no_thread)?;
                Ok(Source::Pushed { ahead })
            }
        }
    }
}

fn push_all(heard: &SyncSender<Heard>, mut next: impl FnMut() -> Option<Label>) {
    while let Some(label) = next() {
        let last = !matches!(label, Label::Scan(_));
        if heard.send(Heard::Label(label)).is_err() || last {
            return;
        }
    }
}

/// A scanner that is pulled out is a warning: it is looked for until it is back.
fn push_scans(heard: &SyncSender<Heard>, scanner: Scanner) {
    for line in scanner {
        let message = match line {
            Ok(framed) => Heard::Label(Label::Scan(Scan::scanned(framed.text()))),
            Err(error) => Heard::Line(Event::Warning(error.into())),
        };
        if heard.send(message).is_err() {
            return;
        }
    }
}
