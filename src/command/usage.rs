//! What clap says, said as every other error is.

use clap::error::ErrorKind;
use clap::{CommandFactory, Error};

use super::context::wants_color;
use super::usage_zh;
use crate::cli::{Cli, ColorWhen};
use crate::domain::code::Code;
use crate::domain::say::Say;
use crate::say;
use crate::shell::{Exit, Failure, Output};

/// Prints help where help was asked for, and otherwise what is wrong with the command line.
pub(super) fn tell(error: &Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            match Output::stdout(false).raw(error.render().to_string().as_bytes()) {
                Ok(()) => Exit::Done,
                Err(failure) => refuse(&failure),
            }
        }
        _ => refuse(&failure(error)),
    }
}

fn refuse(failure: &Failure) -> Exit {
    failure.print(wants_color(ColorWhen::Auto));
    failure.exit()
}

fn failure(error: &Error) -> Failure {
    match error.kind() {
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let names = commands_below(error);
            Failure::said(Code::Usage, say!("no command was given", "没有给出命令")).with_help(
                say!(
                    "name one of {names}; the same with --help explains them",
                    "可以是 {names}；加 --help 有说明"
                ),
            )
        }
        _ => {
            let text = error.render().to_string();
            let mut paragraphs = text.split("\n\n").map(on_one_line);
            let what = paragraphs.next().unwrap_or_default();
            let english = what.trim_start_matches("error: ").to_owned();
            let chinese = usage_zh::what(error).unwrap_or_else(|| english.clone());
            let failure = Failure::said(Code::Usage, Say { english, chinese });
            let help: Vec<String> = paragraphs
                .filter(|line| line.starts_with("tip:") || line.starts_with("Usage:"))
                .map(|line| line.trim_start_matches("tip: ").to_owned())
                .collect();
            match help.is_empty() {
                true => failure,
                false => {
                    let (english, chinese) = (help.join("; "), usage_zh::help(error));
                    failure.with_help(Say { english, chinese })
                }
            }
        }
    }
}

fn on_one_line(paragraph: &str) -> String {
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The commands that could have been named where none was. Clap does not say where it
/// stopped, but the usage line that it prints begins with the commands that were named.
fn commands_below(error: &Error) -> String {
    let text = error.render().to_string();
    let usage = text.split_once("Usage: station").map_or("", |(_, rest)| rest);
    let named = usage.split_whitespace().take_while(|word| !word.starts_with(['[', '<', '-']));
    let program = Cli::command();
    let last =
        named.fold(&program, |command, name| command.find_subcommand(name).unwrap_or(command));
    last.get_subcommands().map(clap::Command::get_name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn lines(line: &str) -> String {
        let error = Cli::try_parse_from(line.split_whitespace()).unwrap_err();
        failure(&error).to_lines(false)
    }

    #[test]
    fn a_misspelt_option_names_the_near_one() {
        assert_eq!(
            lines("station demo --unit 3"),
            "error[E-USAGE]: unexpected argument '--unit' found\n\
             help: a similar argument exists: '--units'; Usage: station demo --units <N>\n"
        );
    }

    #[test]
    fn a_value_that_is_none_says_why() {
        assert_eq!(
            lines("station work-order show a/b"),
            "error[E-USAGE]: invalid value 'a/b' for '<ID>': work order id: character 2 is '/', \
             allowed are A-Z a-z 0-9 . _ -\n\
             help: run the same command with --help\n"
        );
    }

    #[test]
    fn in_chinese_it_names_the_same() {
        let chinese = |line: &str| {
            let error = Cli::try_parse_from(line.split_whitespace()).unwrap_err();
            let failure = failure(&error);
            (failure.chinese.unwrap(), failure.help.map_or_else(String::new, |help| help.chinese))
        };
        let (what, help) = chinese("station demo --unit 3");
        assert_eq!(what, "没有选项 '--unit'");
        assert_eq!(help, "相近的有 '--units'；用法：station demo --units <N>");
        assert_eq!(
            chinese("station work-order show a/b").0,
            "'<ID>' 的值 'a/b' 无效：工单号的第 2 个字符是 '/'，允许的是 A-Z a-z 0-9 . _ -"
        );
        assert_eq!(
            chinese("station demo --units 0").0,
            "'--units <N>' 的值 '0' 无效：0 不在 1..=100000 之内"
        );
        assert_eq!(chinese("station nonsense").0, "没有命令 'nonsense'");
        assert_eq!(chinese("station work-order show").0, "缺少 <ID>");
        assert_eq!(chinese("station demo --units").0, "'--units <N>' 后面缺少值");
        let (what, _) = chinese("station export units --format nonsense --out x");
        assert!(what.starts_with("'--format <FORM>' 的值 'nonsense' 不是下列之一："), "{what}");
    }

    #[test]
    fn no_command_names_those_there_are() {
        let said = lines("station ledger");
        assert!(said.starts_with("error[E-USAGE]: no command was given\nhelp: name one of"));
        assert!(said.contains("verify, stats, check, backup, restore"), "{said}");
    }
}
