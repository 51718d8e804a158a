//! The station over Linux's own serial drivers: ftdi_sio, 8250 and cdc-acm, in a guest of QEMU.
//!
//! `tests/vm/run` fetches the guest's kernel, makes its first file system and calls this with
//! `STATION_VM`; without that it says so and is done, since it needs packages of Debian. All
//! trials share one guest, one after another. The station runs in the guest; the devices are
//! simulated here, and what comes out of the guest's ports is carried to them by [`wire`], which
//! knows frames and can stop at any of them.
//!
//! Start with [`guest`], then [`bench`], which joins ports, wires and devices.

#![expect(clippy::unwrap_used, reason = "a trial that fails here is right to")]
#![expect(clippy::print_stdout, reason = "it prints what cargo's own tests print")]
#![expect(clippy::print_stderr, reason = "a trial that is left out says so")]

mod bench;
mod chips;
mod cycles;
mod drivers;
mod guest;
mod kiosk;
mod lines;
mod places;
mod pulls;
mod qmp;
mod system;
mod wire;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use bench::Bench;

/// One trial: its name, whether it belongs to the quick part, and what it does.
struct Trial(&'static str, Part, fn(&mut Bench));

#[derive(PartialEq, Eq)]
enum Part {
    /// Each driver once.
    Quick,
    /// What takes minutes.
    Whole,
}

const TRIALS: &[Trial] = &[
    Trial("a_batch_over_three_drivers", Part::Quick, drivers::a_batch_over_three_drivers),
    Trial("a_line_of_an_ordinary_user", Part::Quick, drivers::an_ordinary_user),
    Trial("a_16550a_that_stays_slow_is_told", Part::Quick, drivers::a_16550a_that_stays_slow),
    Trial("an_adapter_is_pulled_at_few_frames", Part::Quick, pulls::an_adapter_at_few_frames),
    Trial("a_board_is_pulled_at_few_frames", Part::Quick, pulls::a_board_at_few_frames),
    Trial("an_adapter_that_comes_back_as_another", Part::Quick, places::another_name),
    Trial("eight_adapters_are_found_by_place", Part::Whole, places::eight_on_a_hub),
    Trial("dtr_and_rts_as_the_device_sees_them", Part::Whole, lines::dtr_and_rts),
    Trial("a_line_shows_who_is_there", Part::Whole, lines::presence_by_dsr),
    Trial("a_break_in_the_middle_of_a_unit", Part::Whole, lines::a_break),
    Trial("what_came_while_the_port_was_closed", Part::Whole, lines::stale_bytes),
    Trial("a_device_that_does_not_read", Part::Whole, lines::a_device_that_does_not_read),
    Trial("a_port_that_another_program_holds", Part::Whole, lines::a_held_port),
    Trial("each_maker_s_chip_behind_its_driver", Part::Whole, chips::each_maker_s_chip),
    Trial("bytes_that_arrive_broken", Part::Whole, chips::broken_bytes),
    Trial("an_adapter_is_pulled_at_each_frame", Part::Whole, pulls::an_adapter_at_each_frame),
    Trial("a_board_is_pulled_at_each_frame", Part::Whole, pulls::a_board_at_each_frame),
    Trial("a_16550a_loses_its_device", Part::Whole, pulls::a_uart_s_device_at_each_frame),
];

/// Those of `tests/vm/system`, each where the one before it ended.
const SYSTEM: &[Trial] = &[
    Trial("the_pc_comes_up", Part::Whole, system::the_pc_comes_up),
    Trial("modem_manager_looks_at_a_board", Part::Whole, system::modem_manager_looks),
    Trial("the_package_installs", Part::Whole, system::the_package_installs),
    Trial("the_rules_of_udev_are_in_effect", Part::Whole, system::the_rules_are_in_effect),
    Trial("secrets_are_made", Part::Whole, system::secrets_are_made),
    Trial("the_doctor_leads_to_green", Part::Whole, system::the_doctor_leads_to_green),
    Trial("a_batch_over_three_drivers", Part::Whole, system::a_batch_passes),
    Trial("the_timer_registers", Part::Whole, system::the_timer_registers),
    Trial("the_view_answers", Part::Whole, system::the_view_answers),
    Trial("a_scanner_starts_units", Part::Whole, kiosk::a_scanner_starts_units),
    Trial("the_kiosk_provisions", Part::Whole, kiosk::the_kiosk_provisions),
    Trial("a_terminal_draws_chinese", Part::Whole, kiosk::a_terminal_draws_chinese),
    Trial("the_services_are_closed", Part::Whole, system::the_services_are_closed),
    Trial("an_upgrade_under_a_unit", Part::Whole, kiosk::an_upgrade_under_a_unit),
    Trial("a_rollback_keeps_the_ledger", Part::Whole, kiosk::a_rollback),
    Trial("a_purge_keeps_the_ledger", Part::Whole, system::a_purge_keeps_the_ledger),
];

fn main() -> ExitCode {
    let Some(cache) = std::env::var_os("STATION_VM") else {
        eprintln!("left out: tests/vm/run makes the guest that these trials need");
        return ExitCode::SUCCESS;
    };
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        TRIALS.iter().for_each(|trial| println!("{}", trial.0));
        return ExitCode::SUCCESS;
    }
    if words.iter().any(|word| word == "--measure") {
        cycles::measure(&mut Bench::start(cache.as_ref()));
        return ExitCode::SUCCESS;
    }
    let disk = std::env::var_os("STATION_VM_DISK").map(PathBuf::from);
    let known = if disk.is_some() { SYSTEM } else { TRIALS };
    let trials: Vec<&Trial> = known.iter().filter(|trial| is_wanted(trial, &words)).collect();
    println!("\nrunning {} trials", trials.len());
    let started = Instant::now();
    let mut bench = match &disk {
        Some(disk) => Bench::boot(cache.as_ref(), Some(disk)),
        None => Bench::start(cache.as_ref()),
    };
    println!("guest up after {:.1} s", started.elapsed().as_secs_f32());
    if words.iter().any(|word| word == "--shell") {
        return by_hand(&trials, &mut bench);
    }
    let failed: Vec<&str> =
        trials.iter().filter(|trial| !passes(trial, &mut bench)).map(|trial| trial.0).collect();
    let (passed, failures) = (trials.len() - failed.len(), failed.len());
    for name in &failed {
        println!("FAILED {name}");
    }
    let verdict = if failed.is_empty() { "ok" } else { "FAILED" };
    let seconds = started.elapsed().as_secs_f32();
    println!(
        "test result: {verdict}. {passed} passed; {failures} failed; 0 ignored; 0 measured; \
         0 filtered out; finished in {seconds:.2}s"
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn is_wanted(trial: &Trial, words: &[String]) -> bool {
    let names: Vec<&String> = words.iter().filter(|word| !word.starts_with("--")).collect();
    match (names.is_empty(), words.iter().any(|word| word == "--quick")) {
        (false, _) => names.iter().any(|name| trial.0.contains(name.as_str())),
        (true, true) => trial.1 == Part::Quick,
        (true, false) => true,
    }
}

/// For a person who looks why: the trials up to one that fails, then commands from standard input,
/// a line each, in the guest as it is then; `type WORD` and `key NAME` are for its keyboard.
fn by_hand(trials: &[&Trial], bench: &mut Bench) -> ExitCode {
    for trial in trials {
        println!("test {} ...", trial.0);
        if catch_unwind(AssertUnwindSafe(|| trial.2(bench))).is_err() {
            break;
        }
        bench.clear();
    }
    println!("the guest is yours");
    for line in std::io::stdin().lines().map_while(Result::ok) {
        match line.split_once(' ') {
            Some(("type", word)) => kiosk::type_label(bench, word),
            Some(("key", name)) => bench.guest.qmp.keys(&[name]),
            _ => {
                let ended = bench.shell.run(&line);
                println!("{}\n@@ {}", ended.output, ended.status);
            }
        }
    }
    ExitCode::SUCCESS
}

/// One that fails leaves the guest to those behind it.
fn passes(trial: &Trial, bench: &mut Bench) -> bool {
    let started = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| trial.2(bench)));
    if outcome.is_err() {
        eprintln!("{}", bench.story());
    }
    bench.clear();
    let word = if outcome.is_ok() { "ok" } else { "FAILED" };
    println!("test {} ... {word} ({:.1} s)", trial.0, started.elapsed().as_secs_f32());
    outcome.is_ok()
}
