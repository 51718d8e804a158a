//! Wrong usage, help, and output that can't be written.

use std::fs::File;
use std::process::Stdio;

use crate::station::{Run, Station};

#[test]
fn a_command_without_its_second_word_is_wrong_usage_and_names_those_there_are() {
    let run = Station::new().fails("ledger", "E-USAGE", 2);
    assert!(run.stdout.is_empty());
    run.says("verify, stats, check");
}

#[test]
fn a_misspelt_option_names_the_near_one() {
    Station::new().fails("demo --unit 3", "E-USAGE", 2).says("'--units'");
}

#[test]
fn without_a_command_the_screen_is_meant_and_needs_a_terminal() {
    let run = Station::new().fails("", "E-USAGE", 2);
    assert!(run.stdout.is_empty());
    run.says("station batch");
}

#[test]
fn a_command_that_is_none_is_wrong_usage() {
    Station::new().fails("provision", "E-USAGE", 2);
}

#[test]
fn help_and_version_go_to_standard_output() {
    let station = Station::new();
    for line in ["--help", "batch --help", "--version"] {
        let run = station.ok(line);
        assert!(run.stdout.contains("station") && run.stderr.is_empty(), "{run:?}");
    }
}

#[test]
fn output_that_can_t_be_written_is_told() {
    let station = Station::new();
    let full = File::create("/dev/full").unwrap();
    let mut command = station.command("config check");
    let output = command.stdout(Stdio::from(full)).stderr(Stdio::piped()).spawn().unwrap();
    let output = output.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let run = Run { status: output.status.code().unwrap(), stdout: String::new(), stderr };
    run.failed("E-OUTPUT", 1);
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let station = Station::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = station.command("completions bash").stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn completions_and_manual_pages_come_from_the_same_definitions() {
    let station = Station::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = station.ok(&format!("completions {shell}"));
        assert!(run.stdout.contains("work-order"), "{shell}");
    }
    assert!(station.ok("man").stdout.contains(".TH station 1"));
    let page = station.ok("man work-order create").stdout;
    assert!(page.contains("quantity"), "{page}");
    station.fails("man nothing", "E-USAGE", 2);
}

#[test]
fn colour_is_only_where_it_is_wanted() {
    let station = Station::new();
    assert!(!station.fails("ledger", "E-USAGE", 2).stderr.contains('\u{1b}'));
    let run = station.run("config check --config nowhere --color always");
    assert!(run.stderr.starts_with("\u{1b}[1;31merror[E-CONFIG-MISSING]\u{1b}[0m: "), "{run:?}");
    let run = station.run("config check --config nowhere --color never");
    assert!(!run.stderr.contains('\u{1b}'));
}
