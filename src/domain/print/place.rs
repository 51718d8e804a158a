//! Where a printer is.

use crate::cause::Told;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where labels are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterPlace {
    /// A printer on the network that takes bytes as they come.
    Tcp {
        /// Its name or address.
        host: String,
        /// Its port; 9100 on most.
        port: u16,
    },
    /// A queue of this machine's CUPS.
    Cups(String),
    /// A device, or a directory that gets a file for each label.
    Path(PathBuf),
}

/// A text that names no printer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Nothing.
    #[error("the printer is empty")]
    Empty,
    /// Host and port are not both there.
    #[error("{0:?} is no HOST:PORT, such as tcp:192.168.1.20:9100")]
    Address(String),
    /// No queue can have this name.
    #[error("{0:?} is no name of a CUPS queue")]
    Queue(String),
}

impl Told for PlaceError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Empty => "打印机是空的".to_owned(),
            Self::Address(text) => {
                format!("{text:?} 不是 主机:端口，例如 tcp:192.168.1.20:9100")
            }
            Self::Queue(text) => format!("{text:?} 不能是 CUPS 队列的名字"),
        })
    }
}

impl PrinterPlace {
    /// Reads `tcp:HOST:PORT`, `cups:NAME`, or a path, which begins at `dir`.
    pub fn parse(text: &str, dir: &Path) -> Result<Self, PlaceError> {
        if text.is_empty() {
            return Err(PlaceError::Empty);
        }
        if let Some(address) = text.strip_prefix("tcp:") {
            return tcp(address).ok_or_else(|| PlaceError::Address(address.to_owned()));
        }
        match text.strip_prefix("cups:") {
            Some(name) if is_queue(name) => Ok(Self::Cups(name.to_owned())),
            Some(name) => Err(PlaceError::Queue(name.to_owned())),
            None => Ok(Self::Path(dir.join(text))),
        }
    }
}

fn tcp(address: &str) -> Option<PrinterPlace> {
    let (host, port) = address.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
    let is_host = !host.is_empty() && host.chars().all(fits);
    let port = port.parse().ok().filter(|port| *port != 0)?;
    is_host.then(|| PrinterPlace::Tcp { host: host.to_owned(), port })
}

/// One that `lp` does not take for an option.
fn is_queue(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | '#' | '\'' | '"');
    !name.is_empty() && !name.starts_with('-') && name.chars().all(fits)
}

impl fmt::Display for PrinterPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrinterPlace::Tcp { host, port } if host.contains(':') => {
                write!(f, "tcp:[{host}]:{port}")
            }
            PrinterPlace::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
            PrinterPlace::Cups(name) => write!(f, "cups:{name}"),
            PrinterPlace::Path(path) => write!(f, "{}", path.display()),
        }
    }
}
