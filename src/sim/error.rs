//! What can go wrong with a simulated slot.

use crate::domain::cause::Told;
use std::path::PathBuf;

use firmware_interface::message::TextError;
use rustix::io::Errno;

/// Why a simulated slot can't be started or had to end.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A pseudo-terminal could not be made or used.
    #[error("the pseudo-terminal can't be used")]
    Port(#[source] Errno),
    /// Openings of a port can't be watched; each slot needs one inotify instance.
    #[error("openings of the port can't be watched (see fs.inotify.max_user_instances)")]
    Watch(#[source] Errno),
    /// The link to the pseudo-terminal could not be made.
    #[error("the link {link} can't be made")]
    Link {
        /// Where it should be.
        link: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Something that is no link stands where the link should be.
    #[error("{link} is there already and is no link")]
    LinkTaken {
        /// Where.
        link: PathBuf,
    },
    /// The flash contents of a device can't be read or written.
    #[error("the flash contents {file} can't be used")]
    Flash {
        /// Where they are.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The flash contents belong to a device with another capacity.
    #[error("{file} has {length} bytes, which is no flash of this capacity")]
    OtherFlash {
        /// Where they are.
        file: PathBuf,
        /// Its length.
        length: usize,
    },
    /// What the slot has come to can't be kept.
    #[error("the slot's progress in {file} can't be kept")]
    Progress {
        /// Where it is kept.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// What is kept of the slot is not understood.
    #[error("the slot's progress in {file} is not understood")]
    OtherProgress {
        /// Where it is kept.
        file: PathBuf,
    },
    /// The socket that takes orders could not be made.
    #[error("the socket {socket} can't be made")]
    Control {
        /// Where it should be.
        socket: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The program that is a device could not be started.
    #[error("{program} can't be started")]
    Program {
        /// Which.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The program that is a device ended by itself.
    #[error("the program ended: {status}")]
    ProgramEnded {
        /// How, in the system's words.
        status: String,
    },
    /// The window is out of range.
    #[error("a window of {chunks} chunks is not one of 1 to 8")]
    Window {
        /// The window given.
        chunks: u8,
    },
    /// The largest chunk is out of range.
    #[error("chunks of {bytes} bytes are too small or do not fit in a frame")]
    MaxChunk {
        /// The size given.
        bytes: u16,
    },
    /// What a device should say about itself can't be said.
    #[error("the {what} can't be said by a device")]
    Text {
        /// Which text.
        what: &'static str,
        /// Why not.
        source: TextError,
    },
    /// The identity that devices should hold already was refused by one.
    #[error("the device refused the identity that it should hold already")]
    Preload,
    /// The thread of the slot could not be made, or ended with a panic.
    #[error("the thread of the simulated slot failed")]
    Thread(#[source] Option<std::io::Error>),
}

impl Told for SimError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Port(_) => "伪终端无法使用".to_owned(),
            Self::Watch(_) => "无法监视端口的打开（见 fs.inotify.max_user_instances）".to_owned(),
            Self::Link { link, .. } => format!("链接 {} 无法建立", link.display()),
            Self::LinkTaken { link } => format!("{} 已经存在，而且不是链接", link.display()),
            Self::Flash { file, .. } => format!("闪存内容 {} 无法使用", file.display()),
            Self::OtherFlash { file, length } => {
                format!("{} 有 {length} 字节，不是这个容量的闪存", file.display())
            }
            Self::Progress { file, .. } => format!("工位的进度无法保存到 {}", file.display()),
            Self::OtherProgress { file } => format!("{} 中的进度看不懂", file.display()),
            Self::Control { socket, .. } => format!("套接字 {} 无法建立", socket.display()),
            Self::Program { program, .. } => format!("{program} 无法启动"),
            Self::ProgramEnded { status } => format!("程序已结束：{status}"),
            Self::Window { chunks } => format!("窗口 {chunks} 不在 1 到 8 之内"),
            Self::MaxChunk { bytes } => format!("{bytes} 字节的块过小，或放不进一帧"),
            Self::Text { what, .. } => format!("设备说不出 {what}"),
            Self::Preload => "设备拒绝了它应已持有的身份".to_owned(),
            Self::Thread(_) => "模拟工位的线程失败".to_owned(),
        })
    }
}
