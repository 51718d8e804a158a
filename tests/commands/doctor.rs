//! `station doctor`: green where all is well, and each check red once.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use provisioning_station::text;
use serde_json::Value;

use crate::station::{PASSPHRASE, Run, Station};

/// A station on which everything is green.
fn station() -> Station {
    let station = Station::new();
    station.make_authority();
    fs::copy(station.path("ca.pem"), station.path("server-root.pem")).unwrap();
    station.ok("work-order create A --quantity 1");
    station
}

/// The named check's line of a doctor that exits with this status.
fn finding(run: &Run, check: &str, exit: i32) -> Value {
    assert_eq!(run.status, exit, "{run:?}");
    let lines = run.json();
    let found = lines.iter().find(|line| line["check"] == check);
    found.unwrap_or_else(|| panic!("no {check} in {run:?}")).clone()
}

/// Demands that a check is red with this code and says what to do; and that it is one of
/// all checks, none of which kept another from being run.
fn red(station: &Station, check: &str, code: &str) {
    let run = station.run("doctor --json");
    let line = finding(&run, check, 1);
    assert_eq!((&line["status"], &line["code"]), (&"fail".into(), &code.into()), "{line}");
    assert!(line["help"].as_str().is_some_and(|help| help.len() > 20), "{line}");
    assert_eq!(run.json().len(), 14, "{run:?}");
}

#[test]
fn what_a_ledger_that_can_not_be_read_would_tell_is_not_green() {
    let station = station();
    fs::write(station.path("data/ledger.db"), "no database").unwrap();
    let run = station.run("doctor --json");
    assert_eq!(finding(&run, "ledger", 1)["status"], "fail");
    for check in ["uncertain", "backups", "work-order"] {
        let line = finding(&run, check, 1);
        assert_eq!(line["status"], "warn", "{line}");
        assert!(line["detail"].as_str().unwrap().starts_with("not known"), "{line}");
    }
}

#[test]
fn a_station_that_is_ready_is_green() {
    let station = station();
    let run = station.ok("doctor --json");
    let names: Vec<_> = run.json().iter().map(|line| line["check"].to_string()).collect();
    let wanted = [
        "clock",
        "ledger",
        "files",
        "backups",
        "disk",
        "memory",
        "authority",
        "broker",
        "journal-key",
        "work-order",
        "uncertain",
        "ports",
        "scanner",
        "cloud",
    ];
    assert_eq!(names, wanted.map(|name| format!("\"{name}\"")));
    assert!(run.json().iter().all(|line| line["status"] == "ok"), "{run:?}");
    let in_chinese = |name: &str| text::CHECKS.iter().any(|(known, _)| *known == name);
    for line in run.json() {
        let name = line["check"].as_str().unwrap();
        assert!(in_chinese(name), "{name} has no Chinese name in src/text/check_names.rs");
    }
    assert_eq!(station.ok("doctor").stdout.lines().count(), 14);
}

#[test]
fn the_doctor_makes_nothing() {
    let station = Station::new();
    station.run("doctor");
    assert!(!station.path("data").exists());
}

#[test]
fn the_clock_is_red_where_it_disagrees_with_the_journal() {
    let station = station();
    station.change("data_dir = \"data\"", "data_dir = \"data\"\nmax_clock_gap = \"1s\"");
    let until = Instant::now() + Duration::from_secs(30);
    // The clock runs ahead of a journal to which nobody writes.
    while station.run("doctor --json").status == 0 {
        assert!(Instant::now() < until, "the clock never became red");
    }
    red(&station, "clock", "E-CLOCK-GAP");
    station.change("slot-a", "/dev/null");
    station.fails("batch --serials -", "E-CLOCK-GAP", 7).says("station clock accept");
}

#[test]
fn the_ledger_is_red_where_its_journal_does_not_hold() {
    let station = station();
    let connection = rusqlite::Connection::open(station.path("data/ledger.db")).unwrap();
    connection.execute_batch("UPDATE journal SET entry = x'00' WHERE seq = 2").unwrap();
    drop(connection);
    red(&station, "ledger", "E-LEDGER-JOURNAL");
}

#[test]
fn the_ledger_is_red_where_it_is_another_station_s() {
    let station = station();
    station.change("id = \"line-1\"", "id = \"line-2\"");
    red(&station, "ledger", "E-LEDGER-STATION");
}

#[test]
fn the_disk_is_red_below_the_reserve() {
    let station = station();
    station.change("[[slots]]", "[ledger]\nreserve = \"8000000GiB\"\n\n[[slots]]");
    red(&station, "disk", "E-LEDGER-DISK-FULL");
}

#[test]
fn the_authority_is_red_where_it_is_missing_or_does_not_open() {
    let station = station();
    fs::rename(station.path("ca.pem"), station.path("away")).unwrap();
    red(&station, "authority", "E-CA-MISSING");
    fs::rename(station.path("away"), station.path("ca.pem")).unwrap();
    let run = Run::of(&mut station.command("doctor --json"));
    assert_eq!(finding(&run, "authority", 1)["code"], "E-SECRET-MISSING");
    station.change("\"20y\"", "\"999y\"");
    red(&station, "authority", "E-CA-TOO-SHORT");
}

#[test]
fn a_ca_that_was_never_made_is_told_before_its_passphrase_is_asked_for() {
    let station = Station::new();
    let run = Run::of(&mut station.command("doctor --json"));
    let line = finding(&run, "authority", 1);
    assert_eq!(line["code"], "E-CA-MISSING");
    assert!(line["help"].as_str().unwrap().contains("station authority init"), "{line}");
    station.ok("authority init");
    fs::rename(station.path("ca.key"), station.path("away")).unwrap();
    red(&station, "authority", "E-CA-MISSING");
}

#[test]
fn what_keeps_a_line_from_starting_is_red_before() {
    let station = station();
    // Each time with what a batch says to the same: the two may not differ.
    let both = |check: &str, code: &str, exit: i32| {
        red(&station, check, code);
        station.fails("batch --serials -", code, exit);
    };
    fs::rename(station.path("server-root.pem"), station.path("away")).unwrap();
    both("broker", "E-CONFIG-VALUE", 3);
    fs::rename(station.path("away"), station.path("server-root.pem")).unwrap();
    fs::rename(station.path("data/journal.key"), station.path("away")).unwrap();
    both("journal-key", "E-LEDGER-KEY", 4);
    fs::rename(station.path("away"), station.path("data/journal.key")).unwrap();
    station.change("\"20y\"", "\"19y\"");
    both("work-order", "E-WORK-ORDER-PROFILE", 1);
    station.change("\"19y\"", "\"20y\"");
    station.ok("doctor");
}

#[test]
fn several_open_work_orders_are_amber() {
    let station = station();
    station.ok("work-order create B --quantity 1");
    let line = finding(&station.run("doctor --json"), "work-order", 0);
    assert_eq!(
        (&line["status"], &line["code"]),
        (&"warn".into(), &"E-WORK-ORDER-AMBIGUOUS".into())
    );
}

#[test]
fn the_ports_are_red_where_none_can_be_used() {
    let station = station();
    station.change("port = \"slot-a\"", "port = \"slot-a\"\npresence = \"poll\"");
    red(&station, "ports", "E-PORT-MISSING");
    station.change("slot-a", "/dev/null");
    red(&station, "ports", "E-PORT-OPEN");
}

#[test]
fn the_ports_are_red_where_another_program_has_them() {
    let station = station();
    let _device = crate::line::plug(&station, "slot-a", "");
    assert_eq!(finding(&station.run("doctor --json"), "ports", 0)["status"], "ok");
    let path = station.path("slot-a").to_string_lossy().into_owned();
    let _other = serialport::new(path, 9_600).open_native().unwrap();
    red(&station, "ports", "E-PORT-BUSY");
}

#[test]
fn the_scanner_is_red_where_it_is_missing() {
    let station = station();
    station.change("[[slots]]", "[scanner]\nkind = \"serial\"\nport = \"scanner\"\n\n[[slots]]");
    red(&station, "scanner", "E-SCANNER-OPEN");
}

#[test]
fn a_view_that_could_not_be_opened_is_red_and_one_that_could_is_green() {
    let station = station();
    station.change("[[slots]]", "[view]\nlisten = \"0.0.0.0:8090\"\n\n[[slots]]");
    let line = finding(&station.run("doctor --json"), "view", 1);
    assert_eq!((&line["status"], &line["code"]), (&"fail".into(), &"E-CONFIG-VALUE".into()));
    assert!(line["detail"].as_str().unwrap().contains("without a token and TLS"), "{line}");
    station.change("0.0.0.0:8090", "127.0.0.1:8090");
    assert_eq!(finding(&station.run("doctor --json"), "view", 0)["status"], "ok");
}

#[test]
fn chinese_on_a_console_without_its_letters_is_amber() {
    const SECRET: &str = "STATION_AUTHORITY_PASSPHRASE";
    let station = station();
    station.change("id = \"", "language = \"zh-CN\"\nid = \"");
    let mut on_console = station.command("doctor --json");
    let line =
        finding(&Run::of(on_console.env("TERM", "linux").env(SECRET, PASSPHRASE)), "letters", 0);
    assert_eq!((&line["status"], &line["code"]), (&"warn".into(), &"E-CONSOLE-LETTERS".into()));
    let mut elsewhere = station.command("doctor --json");
    let run = Run::of(elsewhere.env("TERM", "xterm-256color").env(SECRET, PASSPHRASE));
    assert!(run.json().iter().all(|line| line["check"] != "letters"), "{run:?}");
}

#[test]
fn the_memory_is_red_where_it_can_t_be_locked() {
    let station = station();
    // Root may lock what it likes, so that right is given away first.
    let script = "ulimit -l 0 && exec setpriv --inh-caps=-all --bounding-set=-all \"$0\" \"$@\"";
    let inner = station.command("doctor --json");
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(inner.get_program()).args(inner.get_args());
    shell.current_dir(station.path(".")).env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE);
    let line = finding(&Run::of(&mut shell), "memory", 1);
    assert_eq!((&line["status"], &line["code"]), (&"fail".into(), &"E-VAULT-LOCK".into()));
}

#[test]
fn the_ports_are_listed_with_what_answers_there() {
    let station = station();
    let rows = station.ok("ports --json").json();
    let slot = rows.iter().find(|row| row["slot"] == "A").unwrap();
    assert_eq!(slot["code"], "E-PORT-MISSING");
    fs::remove_file(station.path("station.toml")).unwrap();
    station.ok("ports");
}

#[test]
fn a_line_without_any_port_or_without_its_scanner_does_not_start() {
    let station = station();
    fs::write(station.path("labels.txt"), "TH200-00000001\n").unwrap();
    station.change("port = \"slot-a\"", "port = \"slot-a\"\npresence = \"poll\"");
    let run = station.fails("batch --serials labels.txt", "E-PORT-MISSING", 5);
    assert!(run.stdout.contains("REFUSED"), "{run:?}");
    station.change("slot-a", "/dev/null");
    station.fails("batch --scanner nowhere", "E-SCANNER-OPEN", 5);
    station.fails("batch --serials nowhere", "E-INPUT", 2);
}

#[test]
fn a_clock_that_was_accepted_is_in_the_journal() {
    let station = station();
    station.ok("clock accept --reason 'battery replaced' --by s1");
    let json = station.ok("clock accept --reason again --json").json_line();
    assert!(json["accepted"].as_str().unwrap().ends_with('Z'));
    assert_eq!(station.ok("ledger verify --json").json_line()["entries"], 4);
}

/// The time so long ago as file names have it.
fn ago(time: &str) -> String {
    let line = ["-u", "-d", &format!("{time} ago"), "+%Y%m%dT%H%M%SZ"];
    let output = Command::new("date").args(line).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_backups_are_amber_and_then_red_where_the_newest_is_old_and_something_came_after_it() {
    let station = station();
    fs::create_dir(station.path("data/backups")).unwrap();
    let backup = |age: &str, seq: u32| {
        let name = format!("data/backups/line-1-{}-{seq:010}.db", ago(age));
        fs::write(station.path(&name), "only its name counts here").unwrap();
    };
    let status = |exit| {
        let run = station.run("doctor --json");
        let line = finding(&run, "backups", exit);
        (line["status"].as_str().unwrap().to_owned(), line["detail"].to_string())
    };
    backup("30 days", 2);
    let (word, detail) = status(0);
    assert_eq!(word, "ok", "nothing came after it: {detail}");
    assert!(detail.contains("on the ledger's own disk"), "{detail}");
    station.ok("work-order create B --quantity 1");
    red(&station, "backups", "E-LEDGER-BACKUP");
    backup("3 hours", 2);
    assert_eq!(status(0).0, "warn");
    backup("10 minutes", 2);
    assert_eq!(status(0).0, "ok");
    station.change("[[slots]]", "[ledger]\nbackup_dir = \"stick\"\n\n[[slots]]");
    red(&station, "backups", "E-LEDGER-BACKUP");
}

#[test]
fn the_doctor_speaks_the_language_of_station_toml() {
    let station = station();
    station.change("id = \"line-1\"", "id = \"line-1\"\nlanguage = \"zh-CN\"");
    fs::rename(station.path("server-root.pem"), station.path("away")).unwrap();
    let run = station.run("doctor");
    assert_eq!(run.status, 1, "{run:?}");
    for said in
        ["正常  时钟", "故障  Broker 根证书", "E-CONFIG-VALUE: ", "处理: ", "条记录校验通过"]
    {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
    // Programs read the same in every language.
    let line = finding(&station.run("doctor --json"), "clock", 1);
    assert_eq!(line["status"], "ok");
    let failed = station.fails("batch --serials -", "E-CONFIG-VALUE", 3);
    assert!(failed.stderr.contains("help: 改正该值"), "{failed:?}");
}
