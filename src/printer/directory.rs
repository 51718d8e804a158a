//! A directory that gets a file for each label: for tests, and for programs that print.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::domain::print::Language;

use super::error::PrinterError;
use super::label::{Outgoing, Sent};

/// Whether there is one, or could be.
pub(super) fn look(path: &Path) -> Result<(), PrinterError> {
    let can_be = !path.exists() && path.parent().is_some_and(Path::is_dir);
    match path.is_dir() || can_be {
        true => Ok(()),
        false => Err(PrinterError::Kind { path: path.to_owned() }),
    }
}

/// A directory that is there.
#[derive(Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    /// Makes it where its parent is there.
    pub(super) fn open(path: &Path) -> Result<Self, PrinterError> {
        let path = path.to_owned();
        if path.is_file() {
            return Err(PrinterError::Kind { path });
        }
        match path.is_dir() {
            true => Ok(Self(path)),
            false => match fs::create_dir(&path) {
                Ok(()) => Ok(Self(path)),
                Err(source) => Err(PrinterError::Path { path, source }),
            },
        }
    }

    /// Nobody who looks sees half a label: the file has its name when it is whole.
    pub(super) fn send(self, label: Outgoing<'_>) -> Sent {
        let name = file_name(label.name, label.language);
        let (unnamed, path) = (self.0.join(format!(".{name}.part")), self.0.join(name));
        match write(&unnamed, label.bytes).and_then(|()| fs::rename(&unnamed, &path)) {
            Ok(()) => Sent::all(),
            Err(source) => Sent::none(PrinterError::Path { path, source }),
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A name that is one on every system, and tells two labels apart.
fn file_name(name: &str, language: Language) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') => {
                text.push(char::from(byte));
            }
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    let ending = if language == Language::Text { "txt" } else { language.as_str() };
    format!("{text}.{ending}")
}
