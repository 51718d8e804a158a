//! Why a fault specification is not understood.

use crate::domain::cause::Told;

/// Why a fault specification is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// There is no fault of that name.
    #[error("there is no fault {name:?}; --fault list prints their names")]
    Unknown {
        /// The name given.
        name: String,
    },
    /// The value is missing, not wanted or not understood.
    #[error("{name}={value:?}: {expected} is expected")]
    Value {
        /// The fault's name.
        name: String,
        /// The value given, empty if none was.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// What stands after `@` is neither a number nor a percentage.
    #[error(
        "@{text}: the number of a unit or request from 1, or a percentage such as 5%, is expected"
    )]
    Selection {
        /// What was given.
        text: String,
    },
}

impl Told for FaultError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { name } => format!("没有故障 {name:?}；--fault list 列出名字"),
            Self::Value { name, value, expected } => {
                format!("{name}={value:?}：应为{}", in_chinese(expected))
            }
            Self::Selection { text } => {
                format!("@{text}：应为从 1 起的单元或请求序号，或百分比，例如 5%")
            }
        })
    }
}

fn in_chinese(expected: &str) -> &str {
    match expected {
        "no value" => "没有值",
        "a number" => "一个数字",
        "a number from 1" => "从 1 起的数字",
        "a percentage" => "一个百分比",
        "a percentage from 0 to 100" => "0 到 100 的百分比",
        "a short text in ASCII" => "一段简短的 ASCII 文本",
        "a request such as identify, chunk, commit or prove" => {
            "一个请求，例如 identify、chunk、commit 或 prove"
        }
        "a request such as commit or chunk:2" => "一个请求，例如 commit 或 chunk:2",
        "rx:K or tx:K with K from 1" => " rx:K 或 tx:K，K 从 1 起",
        "rx:K or tx:K, or with milliseconds rx:K:MS" => " rx:K 或 tx:K，带毫秒时 rx:K:MS",
        "REQUEST:OFFSET:HEX, or with :AFTER:COUNT behind it, such as finish:0:00" => {
            " REQUEST:OFFSET:HEX，后面可带 :AFTER:COUNT，例如 finish:0:00"
        }
        "a number for slow and skew, and none for others," => "数字（slow 和 skew），其他的没有值",
        "an action of the API" => " API 的一个接口名",
        other => other,
    }
}
