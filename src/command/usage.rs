//! What clap says, said as every other error is.

use clap::error::ErrorKind;
use clap::{CommandFactory, Error};

use super::context::wants_color;
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
            let failure = Failure::new(Code::Usage, what.trim_start_matches("error: "));
            let help: Vec<String> = paragraphs
                .filter(|line| line.starts_with("tip:") || line.starts_with("Usage:"))
                .map(|line| line.trim_start_matches("tip: ").to_owned())
                .collect();
            match help.is_empty() {
                true => failure,
                false => failure.with_help(Say::same(help.join("; "))),
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
    fn no_command_names_those_there_are() {
        let said = lines("station ledger");
        assert!(said.starts_with("error[E-USAGE]: no command was given\nhelp: name one of"));
        assert!(said.contains("verify, stats, check, backup, restore"), "{said}");
    }
}
