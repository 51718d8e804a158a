//! What is wrong with a printer.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::cause::{Told, system_in_chinese};
use crate::domain::code::Code;
use crate::domain::device::Fault;

/// Why a label was not sent, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum PrinterError {
    /// It does not answer on the network.
    #[error("the printer at {address} takes no connection: {source}")]
    Connect {
        /// Its address.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its device, or the directory for its labels, can't be used.
    #[error("{} can't be printed to: {source}", path.display())]
    Path {
        /// The device or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is a file like any other.
    #[error("{} is neither a device nor a directory", path.display())]
    Kind {
        /// The path.
        path: PathBuf,
    },
    /// It stopped taking bytes.
    #[error("the printer took {taken} of {length} bytes: {source}")]
    Write {
        /// How many.
        taken: usize,
        /// How many there were.
        length: usize,
        /// Why no more.
        #[source]
        source: io::Error,
    },
    /// It took all bytes and broke the connection off.
    #[error("the printer broke the connection off: {0}")]
    Broken(#[source] io::Error),
    /// It said something, and printers do so where something is wrong.
    #[error("the printer answered \"{0}\"")]
    Answered(String),
    /// The program that hands labels to CUPS did not take this one.
    #[error("`lp` did not take the label: {0}")]
    Queue(String),
    /// The same program did not end, and may have handed on what it has.
    #[error("`lp` came to no end in {} s", .0.as_secs())]
    QueueLate(Duration),
}

impl Told for PrinterError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Connect { address, source } => {
                format!("打印机 {address} 连不上：{}", system_in_chinese(source))
            }
            Self::Path { path, source } => {
                format!("{} 不能用来打印：{}", path.display(), system_in_chinese(source))
            }
            Self::Kind { path } => format!("{} 既不是设备也不是目录", path.display()),
            Self::Write { taken, length, source } => format!(
                "打印机只收下了 {length} 个字节中的 {taken} 个：{}",
                system_in_chinese(source)
            ),
            Self::Broken(source) => {
                format!("打印机断开了连接：{}", system_in_chinese(source))
            }
            Self::Answered(said) => format!("打印机回答“{said}”"),
            Self::Queue(said) => format!("`lp` 没有收下标签：{said}"),
            Self::QueueLate(time) => format!("`lp` 在 {} 秒内没有结束", time.as_secs()),
        })
    }
}

impl From<&PrinterError> for Fault {
    fn from(error: &PrinterError) -> Fault {
        let code = match error {
            PrinterError::Broken(_) | PrinterError::Answered(_) | PrinterError::QueueLate(_) => {
                Code::LabelUnclear
            }
            PrinterError::Write { taken, .. } if *taken > 0 => Code::LabelUnclear,
            _ => Code::LabelPrinter,
        };
        Fault::told(code, error)
    }
}
