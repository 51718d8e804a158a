//! Why the vault can't do what was asked, and the limits that the errors name.

use crate::domain::cause::{Told, system_in_chinese};
use crate::domain::code::Code;

/// Bytes of a P-256 scalar.
pub(super) const SCALAR: usize = 32;
/// Low bits of a key's number that name its cell; the rest counts up and is never reused.
pub(super) const CELL_BITS: u32 = 16;
/// The most cells of one vault.
pub(super) const MAX_CELLS: usize = 1 << CELL_BITS;
/// Random scalars are out of range once in 2^32; so many in a row is no chance any more.
pub(super) const TRIES: usize = 16;

/// Why the vault can't do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The memory was there, but can't be kept out of swap.
    #[error(
        "can't lock {needed} bytes of memory for keys; the limit is {}: raise it with \
         `ulimit -l {}` or, for a service, `LimitMEMLOCK={needed}`",
        limit_text(*limit), needed.div_ceil(1024)
    )]
    Lock {
        /// Bytes that must be locked.
        needed: usize,
        /// The limit in force (RLIMIT_MEMLOCK), none where there is no limit.
        limit: Option<u64>,
        /// What the system said.
        source: std::io::Error,
    },
    /// The memory can't be had or can't be kept out of core dumps and child processes.
    #[error("can't set up {needed} bytes of memory for keys ({step})")]
    Memory {
        /// Bytes asked for.
        needed: usize,
        /// The call that failed.
        step: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The process can't be kept from leaving a core dump.
    #[error("can't keep this process from leaving a core dump ({step})")]
    CoreDump {
        /// The call that failed.
        step: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A vault was asked for with no cells, or with more than a key's number can name.
    #[error("a vault has 1 to {MAX_CELLS} cells, not {cells}")]
    Cells {
        /// Cells asked for.
        cells: usize,
    },
    /// Every cell holds a key that nobody has forgotten.
    #[error("all {cells} cells of the vault are taken")]
    Full {
        /// Cells of this vault.
        cells: usize,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// No random bytes were taken as a key.
    #[error("random bytes were refused as a key {TRIES} times, or none could be made")]
    NotAKey,
}

impl VaultError {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            VaultError::Lock { .. } | VaultError::Memory { .. } | VaultError::CoreDump { .. } => {
                Code::VaultLock
            }
            VaultError::Cells { .. }
            | VaultError::Full { .. }
            | VaultError::Random(_)
            | VaultError::NotAKey => Code::Bug,
        }
    }
}

impl Told for VaultError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Lock { needed, limit, .. } => format!(
                "无法为密钥锁定 {needed} 字节内存；上限是 {}：用 `ulimit -l {}` 提高，服务则用 \
                 `LimitMEMLOCK={needed}`",
                limit.map_or_else(|| "无".to_owned(), |bytes| format!("{bytes} 字节")),
                needed.div_ceil(1024)
            ),
            Self::Memory { needed, step, source } => {
                format!("无法为密钥准备 {needed} 字节内存（{step}）：{}", system_in_chinese(source))
            }
            Self::CoreDump { step, source } => {
                format!("无法让本进程不留下内存转储（{step}）：{}", system_in_chinese(source))
            }
            Self::Full { cells } => format!("保管区的 {cells} 个格子都被占用"),
            Self::Cells { .. } | Self::Random(_) | Self::NotAKey => return None,
        })
    }
}

fn limit_text(limit: Option<u64>) -> String {
    limit.map_or_else(|| "unlimited".to_owned(), |bytes| format!("{bytes} bytes"))
}
