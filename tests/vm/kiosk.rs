//! The PC's console: the screen on it, what a scanner types there, and new versions under it.

use std::time::Duration;

use provisioning_station::sim::{Options, Timings};
use serde_json::json;

use super::bench::{Bench, DATA, Port, Slot};
use super::guest::LONG;
use super::places::wait_for;
use super::system::{install, journal, select, sql};

/// What a device says that it may take for a chunk: longer than an upgrade takes.
const PATIENT: Duration = Duration::from_secs(65);

/// How often a label is typed, seconds apart, until the line takes it.
const TURNS: usize = 20;

/// The screen has the console; a scanner types on it.
pub(crate) fn the_kiosk_provisions(bench: &mut Bench) {
    bench.configure(&[Slot::at(Port::Adapter)]);
    // kmscon is installed in this PC, and has the console from Debian.
    bench.shell.run("systemctl is-enabled kmsconvt@tty1.service").expect(0);
    let free = "systemctl disable --now getty@tty1.service kmsconvt@tty1.service";
    bench.shell.run(free).expect(0);
    bench.devices(Port::Adapter);
    bench.shell.run("systemctl enable --now station.service").expect(0);
    wait_for(bench, &shows("ftdi"));
    let serial = bench.serial();
    until_passed(bench, &serial);
    wait_for(bench, &shows("Take it out: done"));
    let screen = screen(bench);
    assert!(screen.contains("PASS") && screen.contains(&serial), "{screen}");
    println!("  {}", screen.replace('\n', "\n  "));
    picture(bench, "kiosk");
    bench.take_away(Port::Adapter.name());
    there_is_no_shell(bench);
    println!("  {}", journal(bench, "station").replace('\n', "\n  "));
}

/// Behind it: whoever leaves it gets it again.
fn there_is_no_shell(bench: &mut Bench) {
    let first = main_process(bench);
    bench.guest.qmp.keys(&["f10"]);
    wait_for(bench, &shows("Leave?"));
    // Not answered by an Enter that comes as soon as another key.
    while main_process(bench) == first {
        bench.guest.qmp.keys(&["ret"]);
    }
    wait_for(bench, "[ $(systemctl show -P MainPID station) != 0 ]");
    wait_for(bench, &shows("ftdi"));
    let on_it = bench.shell.run("ps -t tty1 -o comm=").output;
    assert_eq!(on_it.trim(), "station");
}

/// The screen in Chinese, in a terminal that draws it, as the page has it.
pub(crate) fn a_terminal_draws_chinese(bench: &mut Bench) {
    start_with(bench, &passage("**Chinese.**"));
    bench.devices(Port::Adapter);
    // Under the terminal, with the secrets.
    let tree = "ps -u station -o comm= | sort | xargs";
    wait_for(bench, &format!("[ \"$({tree})\" = 'kmscon station' ]"));
    wait_for(bench, "journalctl -u station | grep -q 'using tty /dev/tty1'");
    let serial = bench.serial();
    until_passed(bench, &serial);
    picture(bench, "kiosk-terminal");
    let judge = "systemd-analyze security --no-pager --threshold=20 station.service | tail -n 1";
    println!("  {}", bench.shell.run(judge).expect(0));
    as_packaged(bench);
}

/// Types a label until so many attempts of its unit are begun: a line that starts takes none yet.
fn until_begun(bench: &mut Bench, serial: &str, attempts: usize) {
    let begun = select(&format!("SELECT count(*) FROM attempts WHERE serial = '{serial}'"));
    let soon = format!(
        "for turn in $(seq 25); do {begun} | grep -qx {attempts} && exit; usleep 200000; done; false"
    );
    for _ in 0..TURNS {
        type_label(bench, serial);
        if bench.shell.run(&soon).status == 0 {
            return;
        }
    }
    panic!("not begun: {serial}\n{}\n{}", screen(bench), journal(bench, "station"));
}

/// Types a label and waits until its unit has passed.
fn until_passed(bench: &mut Bench, serial: &str) {
    until_begun(bench, serial, 1);
    wait_for(bench, &proven(serial));
}

const OVERRIDES: &str = "/etc/systemd/system/station.service.d";

/// Starts the service with what a person wrote by `systemctl edit`.
fn start_with(bench: &mut Bench, lines: &str) {
    bench.shell.run(&format!("mkdir -p {OVERRIDES}")).expect(0);
    bench.write_at(&format!("{OVERRIDES}/override.conf"), lines);
    bench.shell.run("systemctl daemon-reload && systemctl start station.service").expect(0);
}

fn as_packaged(bench: &mut Bench) {
    bench.shell.run(&format!("systemctl stop station && rm -r {OVERRIDES}")).expect(0);
    bench.shell.run("systemctl daemon-reload").expect(0);
}

/// Without a screen, as the page has it: a scanner at a port of its own begins the units.
pub(crate) fn a_scanner_starts_units(bench: &mut Bench) {
    bench.configure(&[Slot::at(Port::Adapter)]);
    start_with(bench, &passage("**Without a screen**").replace("usb:1-1.4", "/dev/ttyS1"));
    bench.devices(Port::Adapter);
    wait_for(bench, "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q ttyS1");
    let serial = bench.serial();
    bench.wire(Port::Uart).inject(format!("{serial}\r\n").as_bytes());
    wait_for(bench, &proven(&serial));
    wait_for(bench, &format!("journalctl -u station | grep '\"pass\"' | grep -q {serial}"));
    as_packaged(bench);
}

/// A new version while a unit is written: it is ended in good order, and passes with the new one.
pub(crate) fn an_upgrade_under_a_unit(bench: &mut Bench) {
    bench.shell.run("systemctl start station").expect(0);
    wait_for(bench, &shows("ftdi"));
    let declared = Timings { chunk: PATIENT, ..Timings::INSTANT };
    bench.devices_of(Port::Adapter, |options| Options {
        timings: Timings::INSTANT,
        declared: Some(declared),
        ..options
    });
    // Its device works on a chunk until after the upgrade.
    bench.wire(Port::Adapter).cut_on("CHUNK asked");
    let serial = bench.serial();
    until_begun(bench, &serial, 1);
    bench.wire(Port::Adapter).was_cut(LONG).unwrap();
    install(bench, "second");
    bench.shell.run("dpkg -s station | grep -q '^Version: 99'").expect(0);
    bench.shell.run("systemctl is-active station").expect(0);
    let first = sql(bench, &format!("SELECT count(*) FROM attempts WHERE serial = '{serial}'"));
    assert_eq!(first, "1");
    bench.wire(Port::Adapter).mend();
    bench.next_device(Port::Adapter.name());
    until_begun(bench, &serial, 2);
    wait_for(bench, &proven(&serial));
    let said = bench.station(&format!("unit show {serial}")).expect(0);
    println!("  {}", said.replace('\n', "\n  "));
    assert!(said.contains("attempt 2"), "{said}");
    bench.clear();
    bench.verify();
}

/// Back to the version before, over the same ledger; not over one that a newer has migrated.
pub(crate) fn a_rollback(bench: &mut Bench) {
    install(bench, "first");
    bench.shell.run("dpkg -s station | grep -q '^Version: 0'").expect(0);
    bench.clear();
    bench.verify();
    let version: u32 = sql(bench, "PRAGMA user_version").parse().unwrap();
    let set = |version: u32| {
        format!("runuser -u station -- sqlite3 {DATA}/ledger.db 'PRAGMA user_version = {version}'")
    };
    bench.shell.run(&set(version + 1)).expect(0);
    let said = bench.station("ledger verify");
    assert!(said.status == 4 && said.output.contains("E-LEDGER-NEWER"), "{said:?}");
    // And the service leaves it at that.
    bench.shell.run("systemctl start station").expect(0);
    wait_for(bench, "[ \"$(systemctl show -P ActiveState station)\" = failed ]");
    wait_for(bench, "journalctl -u station | grep -q E-LEDGER-NEWER");
    println!("  {}", journal(bench, "station").replace('\n', "\n  "));
    bench.shell.run(&set(version)).expect(0);
    bench.verify();
}

/// The block of the page behind these words.
pub(crate) fn passage(words: &str) -> String {
    let page = include_str!("../../docs/install.md");
    let from = page.split_once(words).unwrap_or_else(|| panic!("no {words} in the page")).1;
    let block = from.split_once("```ini\n").unwrap().1;
    block.split_once("```").unwrap().0.to_owned()
}

/// Whether the console shows a word, as a test of the shell.
fn shows(word: &str) -> String {
    format!("grep -q '{word}' /dev/vcs1")
}

/// Whether the ledger has the unit as proven, as a test of the shell.
fn proven(serial: &str) -> String {
    let found = format!("SELECT outcome FROM attempts WHERE serial = '{serial}'");
    format!("{} | grep -qx pass", select(&found))
}

fn main_process(bench: &mut Bench) -> String {
    bench.shell.run("systemctl show -P MainPID station").expect(0)
}

fn screen(bench: &mut Bench) -> String {
    let columns = "$(stty -F /dev/tty1 size | cut -d' ' -f2)";
    let lines = format!("tr -c '[:print:]' ' ' </dev/vcs1 | fold -w {columns} | grep '[^ ]'");
    bench.shell.run(&lines).output
}

/// What somebody sees who stands before it.
pub(crate) fn picture(bench: &mut Bench, name: &str) {
    let Some(folder) = std::env::var_os("STATION_VM") else { return };
    let file = std::path::Path::new(&folder).join(format!("{name}.png"));
    bench.guest.qmp.tell("screendump", json!({ "filename": file, "format": "png" }));
}

/// As a scanner types that is a keyboard.
pub(crate) fn type_label(bench: &mut Bench, text: &str) {
    for letter in text.chars() {
        let key = letter.to_ascii_lowercase().to_string();
        match letter {
            '-' => bench.guest.qmp.keys(&["minus"]),
            'A'..='Z' => bench.guest.qmp.keys(&["shift", &key]),
            _ => bench.guest.qmp.keys(&[&key]),
        }
    }
    bench.guest.qmp.keys(&["ret"]);
}
