//! Why a token gives no signature, and its code.

use std::path::PathBuf;

use cryptoki::error::{Error, RvError};

use crate::domain::cause::Told;
use crate::domain::code::Code;
use crate::domain::say::Say;

/// Why a token gives no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The module is no PKCS#11 library, or does not start.
    #[error("the PKCS#11 module {} can't be used: {problem}", module.display())]
    Module {
        /// The library.
        module: PathBuf,
        /// What the loader or the module said.
        problem: String,
    },
    /// No token has this label now.
    #[error("no token is labelled {token:?}; {others}")]
    Absent {
        /// The label that was looked for.
        token: String,
        /// Which tokens there are, in words.
        others: String,
    },
    /// Several tokens have this label.
    #[error("several tokens fit, name one by `token_serial`: {serials}")]
    Several {
        /// The label that was looked for.
        token: String,
        /// Which have it, in words.
        serials: String,
    },
    /// The token, or what leads to it, can't be reached now.
    #[error("the token {token:?} can't be reached: {problem}")]
    Away {
        /// The token's label.
        token: String,
        /// What the module said.
        problem: String,
    },
    /// The token takes no PIN at all for now.
    #[error("the token {token:?} is locked and takes no PIN for now")]
    Locked {
        /// The token's label.
        token: String,
    },
    /// The token does not take the PIN.
    #[error("the token {token:?} does not take the PIN: {}", problem.english)]
    Pin {
        /// The token's label.
        token: String,
        /// What it said, and how many tries there may be.
        problem: Say,
    },
    /// The token has no such key, or none that can be told from others.
    #[error("the token {token:?} {}", problem.english)]
    Key {
        /// The token's label.
        token: String,
        /// What is wrong.
        problem: Say,
    },
    /// The token failed at something that it should be able to do.
    #[error("the token {token:?} failed: {problem}")]
    Failed {
        /// The token's label.
        token: String,
        /// What the module said.
        problem: String,
    },
}

impl TokenError {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            TokenError::Module { .. } => Code::HsmModule,
            TokenError::Absent { .. } | TokenError::Several { .. } | TokenError::Away { .. } => {
                Code::HsmToken
            }
            TokenError::Pin { .. } | TokenError::Locked { .. } => Code::HsmPin,
            TokenError::Key { .. } => Code::HsmKey,
            TokenError::Failed { .. } => Code::HsmFailed,
        }
    }
}

impl Told for TokenError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Module { module, problem } => {
                format!("PKCS#11 模块 {} 无法使用：{problem}", module.display())
            }
            Self::Absent { token, others } => format!("没有标签为 {token:?} 的令牌；{others}"),
            Self::Several { serials, .. } => {
                format!("有几个令牌符合，用 `token_serial` 指定一个：{serials}")
            }
            Self::Away { token, problem } => format!("令牌 {token:?} 连不上：{problem}"),
            Self::Locked { token } => format!("令牌 {token:?} 已锁定，此刻不接受任何 PIN"),
            Self::Pin { token, problem } => {
                format!("令牌 {token:?} 不接受 PIN：{}", problem.chinese)
            }
            Self::Key { token, problem } => format!("令牌 {token:?} {}", problem.chinese),
            Self::Failed { token, problem } => format!("令牌 {token:?} 出错：{problem}"),
        })
    }
}

/// What went wrong inside a session, before the token's name is put to it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{}", .0.english)]
    Key(Say),
    #[error("{0}")]
    Gone(String),
    #[error("{0}")]
    Failed(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let said = said(&error);
        match error {
            Error::Pkcs11(
                RvError::DeviceRemoved
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::SlotIdInvalid,
                _,
            ) => Trouble::Gone(said),
            _ => Trouble::Failed(said),
        }
    }
}

impl Trouble {
    /// With the token's name.
    pub(super) fn of(self, token: &str) -> TokenError {
        let token = token.to_owned();
        match self {
            Trouble::Key(problem) => TokenError::Key { token, problem },
            Trouble::Gone(said) => TokenError::Absent { token, others: format!("it left: {said}") },
            Trouble::Failed(problem) => TokenError::Failed { token, problem },
        }
    }
}

/// An error in the words of the standard: its own text explains each value at length.
pub(super) fn said(error: &Error) -> String {
    match error {
        Error::Pkcs11(value, function) => format!("C_{function:?} gave {value:?}"),
        other => other.to_string(),
    }
}
