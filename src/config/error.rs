//! What can be wrong with station.toml, and where.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::domain::cause::{Told, system_in_chinese};
use crate::domain::code::Code;
use crate::domain::say::Say;
use crate::say;

/// A place in station.toml, counted from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named.
    pub file: PathBuf,
    /// The line and the column; none where something is missing altogether.
    pub at: Option<(usize, usize)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some((line, column)) => write!(f, "{}:{line}:{column}", self.file.display()),
            None => write!(f, "{}", self.file.display()),
        }
    }
}

/// Why station.toml is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It can't be read.
    #[error("{} can't be read", path.display())]
    Missing {
        /// The path that was tried.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not TOML.
    #[error("{place}: {what}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser said.
        what: Say,
    },
    /// A key that the station does not know.
    #[error("{place}: {key}: unknown key, did you mean {nearest:?}?")]
    Key {
        /// Where.
        place: Place,
        /// The key with its section.
        key: String,
        /// The known key that looks most like it.
        nearest: String,
        /// All keys known in that section.
        known: String,
    },
    /// A value of another type than its key wants.
    #[error("{place}: {key}: expected {expected}, found {found}")]
    Type {
        /// Where.
        place: Place,
        /// The key with its section.
        key: String,
        /// The type that the key wants.
        expected: Box<Say>,
        /// The type that stands there.
        found: &'static str,
    },
    /// A key without which the station can't work.
    #[error("{place}: {key} is missing; write for example {example}")]
    Absent {
        /// The section that should hold it.
        place: Place,
        /// The key with its section.
        key: String,
        /// A line that would do.
        example: String,
    },
    /// A value that is not allowed.
    #[error("{place}: {key}: {why}")]
    Value {
        /// Where.
        place: Place,
        /// The key with its section.
        key: String,
        /// What is wrong with it.
        why: Say,
    },
    /// A pattern that does not compile.
    #[error("{place}: {key}")]
    Pattern {
        /// Where.
        place: Place,
        /// The key with its section.
        key: String,
        /// Why it does not.
        source: Say,
    },
    /// A port or a slot's name that stands there twice.
    #[error("{place}: {key} is {what}, which {first} has already")]
    Twice {
        /// Where it stands the second time.
        place: Place,
        /// The second key with its section.
        key: String,
        /// The port or name.
        what: String,
        /// The first key with its section.
        first: String,
    },
    /// A file that station.toml points to and that is part of the product's profile.
    #[error("{key}: {} can't be read", path.display())]
    File {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ConfigError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            ConfigError::Missing { .. } => Code::ConfigMissing,
            ConfigError::Syntax { .. } | ConfigError::Type { .. } => Code::ConfigSyntax,
            ConfigError::Key { .. } => Code::ConfigKey,
            ConfigError::Absent { .. } | ConfigError::Value { .. } | ConfigError::File { .. } => {
                Code::ConfigValue
            }
            ConfigError::Pattern { .. } => Code::ConfigPattern,
            ConfigError::Twice { .. } => Code::ConfigPortTwice,
        }
    }

    /// What to do now, where this error knows more than its code.
    pub fn help(&self) -> Option<Say> {
        match self {
            ConfigError::Missing { path, .. } => Some(say!(
                "looked for {}; name another file with --config FILE or STATION_CONFIG, or try \
                 `station demo`, which needs none",
                "找的是 {}；用 --config FILE 或 STATION_CONFIG 指定另一个文件，或试试不需要它的 \
                 `station demo`",
                std::path::absolute(path).unwrap_or_else(|_| path.clone()).display()
            )),
            ConfigError::Key { known, .. } => {
                Some(say!("known here are: {known}", "这里已知的有：{known}"))
            }
            ConfigError::File { path, .. } => Some(say!(
                "put the broker's root certificates there: {}",
                "把代理服务器的根证书放到那里：{}",
                path.display()
            )),
            _ => None,
        }
    }
}

impl Told for ConfigError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Missing { path, .. } => format!("{} 无法读取", path.display()),
            Self::Syntax { place, what } => {
                format!("{place}：{}", what.chinese)
            }
            Self::Key { place, key, nearest, .. } => {
                format!("{place}：{key}：未知的键，是不是 {nearest:?}？")
            }
            Self::Type { place, key, expected, found } => {
                let found = type_in_chinese(found);
                format!("{place}：{key}：应为{}，实际是{found}", expected.chinese)
            }
            Self::Absent { place, key, example } => {
                format!("{place}：缺少 {key}；例如写 {example}")
            }
            Self::Value { place, key, why } => format!("{place}：{key}：{}", why.chinese),
            Self::Pattern { place, key, .. } => format!("{place}：{key}"),
            Self::Twice { place, key, what, first } => {
                format!("{place}：{key} 是 {what}，{first} 已经用了")
            }
            Self::File { key, path, source } => {
                format!("{key}：{} 无法读取：{}", path.display(), system_in_chinese(source))
            }
        })
    }
}

fn type_in_chinese(found: &str) -> &str {
    match found {
        "a text" => "一段文本",
        "a whole number" => "一个整数",
        "a number with a fraction" => "一个小数",
        "true or false" => "true 或 false",
        "a date" => "一个日期",
        "a list" => "一列值",
        "a table" => "一个表",
        other => other,
    }
}
