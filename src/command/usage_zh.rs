//! What clap says of a command line, in Chinese: by its kind, with the names that it names.

use std::error::Error as _;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::domain::cause::{Told, cause};
use crate::domain::grant::NotAGrantNumber;
use crate::domain::ids::IdError;
use crate::domain::label::{PatternError, RangeError};
use crate::domain::state::UnknownWord;

/// What is wrong; none of a kind that no command line here gives.
pub(super) fn what(error: &Error) -> Option<String> {
    let argument = || named(error, ContextKind::InvalidArg);
    let value = named(error, ContextKind::InvalidValue).unwrap_or_default();
    Some(match error.kind() {
        ErrorKind::UnknownArgument => format!("没有选项 '{}'", argument()?),
        ErrorKind::InvalidSubcommand => {
            format!("没有命令 '{}'", named(error, ContextKind::InvalidSubcommand)?)
        }
        ErrorKind::MissingRequiredArgument => format!("缺少 {}", argument()?),
        ErrorKind::ArgumentConflict => match named(error, ContextKind::PriorArg) {
            Some(prior) if prior != argument()? => {
                format!("'{}' 不能和 '{prior}' 一起用", argument()?)
            }
            _ => format!("'{}' 只能写一次", argument()?),
        },
        ErrorKind::InvalidValue if value.is_empty() => format!("'{}' 后面缺少值", argument()?),
        ErrorKind::InvalidValue => {
            let valid = named(error, ContextKind::ValidValue).unwrap_or_default();
            format!("'{}' 的值 '{value}' 不是下列之一：{valid}", argument()?)
        }
        ErrorKind::ValueValidation => {
            let why = error.source().map_or_else(String::new, why);
            format!("'{}' 的值 '{value}' 无效：{why}", argument()?)
        }
        ErrorKind::TooManyValues => format!("'{}' 的值 '{value}' 是多余的", argument()?),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("'{}' 的值的个数不对", argument()?)
        }
        ErrorKind::NoEquals => format!("'{}' 和值之间要有等号", argument()?),
        ErrorKind::InvalidUtf8 => "命令行里有的内容不是 UTF-8 文本".to_owned(),
        _ => return None,
    })
}

/// What could have been meant, and how the command is written.
pub(super) fn help(error: &Error) -> String {
    let near =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let near = near.into_iter().find_map(|kind| named(error, kind));
    let near = near.map(|near| format!("相近的有 '{near}'"));
    let usage = error.get(ContextKind::Usage).map(|usage| {
        let line = usage.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        format!("用法：{}", line.trim_start_matches("Usage: "))
    });
    near.into_iter().chain(usage).collect::<Vec<_>>().join("；")
}

fn named(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join("、")),
        ContextValue::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Why a value is none. What clap itself says of a number out of its range is told by its words.
fn why(error: &(dyn std::error::Error + 'static)) -> String {
    macro_rules! told {
        ($($kind:ty),+) => {
            $(if let Some(own) = error.downcast_ref::<$kind>() {
                return own.sentence().chinese;
            })+
        };
    }
    told!(IdError, PatternError, RangeError, NotAGrantNumber, UnknownWord);
    let said = cause(error).chinese;
    match said.split_once(" is not in ") {
        Some((value, range)) => format!("{value} 不在 {range} 之内"),
        None => said,
    }
}
