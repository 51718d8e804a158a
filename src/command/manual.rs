//! `station completions` and `station man`, generated from the command line's definitions.

use std::path::Path;

use clap::CommandFactory;

use super::context::Context;
use crate::cli::Cli;
use crate::domain::code::Code;
use crate::say;
use crate::shell::{Exit, Failure};
use crate::text;

/// Prints a completion script.
pub(super) fn completions(
    shell: clap_complete::Shell,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "station", &mut script);
    context.out.raw(&script)?;
    Ok(Exit::Done)
}

/// Prints the manual page of the program, or of the command that `path` names.
pub(super) fn page(path: &[String], context: &mut Context) -> Result<Exit, Failure> {
    let mut program = Cli::command();
    program.build();
    let mut command = &program;
    for name in path {
        command = command.find_subcommand(name).ok_or_else(|| {
            Failure::said(
                Code::Usage,
                say!(
                    "there is no command {name:?} to print a page of",
                    "没有命令 {name:?}，无法输出它的手册页"
                ),
            )
        })?;
    }
    let name = command.get_display_name().unwrap_or("station").to_owned();
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone().display_name(name)).render(&mut text).map_err(
        |error| {
            Failure::said(Code::Bug, say!("the page can't be made", "页面无法生成"))
                .caused_by(&error)
        },
    )?;
    context.out.raw(&text)?;
    Ok(Exit::Done)
}

/// Prints the summary in Chinese.
pub(super) fn chinese(context: &mut Context) -> Result<Exit, Failure> {
    context.out.raw(text::manual().as_bytes())?;
    Ok(Exit::Done)
}

/// Writes the pages of the program and all its commands into `folder`, which is there.
pub(super) fn all(folder: &Path, context: &mut Context) -> Result<Exit, Failure> {
    clap_mangen::generate_to(Cli::command(), folder).map_err(|error| {
        let place = folder.display();
        Failure::said(
            Code::Output,
            say!("the pages can't be written to {place}", "手册页无法写入 {place}"),
        )
        .caused_by(&error)
    })?;
    context.out.say(&say!("the pages are in {}", "手册页已写入 {}", folder.display()))?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of every command that does something.
    fn commands(of: &clap::Command, before: &str, all: &mut Vec<String>) {
        for command in of.get_subcommands() {
            let words = format!("{before}{}", command.get_name());
            commands(command, &format!("{words} "), all);
            if !command.is_subcommand_required_set() {
                all.push(words);
            }
        }
    }

    #[test]
    fn every_command_is_in_the_chinese_summary() {
        let mut all = Vec::new();
        commands(&Cli::command(), "", &mut all);
        all.sort();
        let mut known: Vec<_> = text::COMMANDS.iter().map(|(words, _)| *words).collect();
        known.sort_unstable();
        assert_eq!(known, all, "src/text/commands_zh.rs has a row for each command");
    }
}
