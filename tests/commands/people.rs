//! Persons on the command line: who is known, who must approve, and PINs.

use crate::station::{PASSPHRASE, Run, Station};

/// A station with a CA and one supervisor, s1, whose PIN is 2468.
fn supervised() -> Station {
    let station = Station::new();
    station.make_authority();
    std::fs::copy(station.path("ca.pem"), station.path("server-root.pem")).unwrap();
    station.write("pin", "2468\n");
    station.ok("operator add s1 --role supervisor --name 'Li Wei' --pin-file pin");
    station
}

/// Runs a line with the PIN of whoever approves.
fn with_pin(station: &Station, line: &str, pin: &str) -> Run {
    let mut command = station.command(line);
    command.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE).env("STATION_OPERATOR_PIN", pin);
    Run::of(&mut command)
}

fn acts(station: &Station) -> Vec<(String, String)> {
    let database = rusqlite::Connection::open(station.path("data/ledger.db")).unwrap();
    let sql = "SELECT act, coalesce(operator, '-') FROM acts ORDER BY seq";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn everything_works_as_before_until_a_supervisor_exists() {
    let station = Station::new();
    station.make_authority();
    std::fs::copy(station.path("ca.pem"), station.path("server-root.pem")).unwrap();
    station.ok("work-order create A --quantity 1");
    station.ok("work-order close A --by anybody");
    station.ok("operator add p1 --role operator");
    station.ok("clock accept --reason holidays --by p1");
    let listed = station.ok("operator list --json").json_line();
    assert_eq!(listed["role"], "operator");
    assert_eq!(listed["has_pin"], false);
    station.ok("ledger verify");
}

#[test]
fn from_then_on_an_act_needs_a_supervisor_and_the_right_pin() {
    let station = supervised();
    let line = "work-order create A --quantity 1";
    station.fails(line, "E-SUPERVISOR-NEEDED", 1);
    with_pin(&station, line, "2468").failed("E-SUPERVISOR-NEEDED", 1);
    let line = "work-order create A --quantity 1 --by s1";
    station.fails(line, "E-SECRET-MISSING", 7).says("STATION_OPERATOR_PIN");
    with_pin(&station, line, "2469").failed("E-PIN-WRONG", 1);
    with_pin(&station, "clock accept --reason r --by s9", "2468").failed("E-OPERATOR-UNKNOWN", 1);
    assert_eq!(with_pin(&station, line, "2468").status, 0);
    let add = "operator add p1 --role operator --by s1";
    assert_eq!(with_pin(&station, add, "2468").status, 0);
    with_pin(&station, "work-order close A --by p1", "2468").failed("E-SUPERVISOR-NEEDED", 1);
    assert_eq!(with_pin(&station, "work-order close A --by s1", "2468").status, 0);
    for (line, code) in [
        ("unit void TH200-00000001 --reason r", "E-SUPERVISOR-NEEDED"),
        ("unit rework TH200-00000001 --reason r", "E-SUPERVISOR-NEEDED"),
        ("unit scrap TH200-00000001 --reason r", "E-SUPERVISOR-NEEDED"),
        ("clock accept --reason r", "E-SUPERVISOR-NEEDED"),
        ("operator add p2 --role operator", "E-SUPERVISOR-NEEDED"),
        ("operator reset-pin s1 --pin-file pin", "E-SUPERVISOR-NEEDED"),
    ] {
        station.fails(line, code, 1);
    }
    let told = acts(&station);
    let told: Vec<(&str, &str)> =
        told.iter().map(|(act, by)| (act.as_str(), by.as_str())).collect();
    let wanted = [
        ("operator-added", "-"),
        ("pin-wrong", "-"),
        ("pin-right", "-"),
        ("work-order-created", "s1"),
        ("operator-added", "s1"),
        ("work-order-closed", "s1"),
    ];
    assert_eq!(told, wanted);
    station.ok("ledger verify");
}

#[test]
fn a_pin_may_stand_in_a_private_file_that_station_toml_names() {
    let station = supervised();
    station.change("data_dir = \"data\"", "data_dir = \"data\"\noperator_pin_file = \"pin\"");
    station.ok("clock accept --reason r --by s1");
}

#[test]
fn five_wrong_pins_lock_it_and_another_process_knows() {
    let station = supervised();
    let line = "clock accept --reason r --by s1";
    for _ in 0..5 {
        with_pin(&station, line, "0000").failed("E-PIN-WRONG", 1);
    }
    with_pin(&station, line, "2468").failed("E-PIN-LOCKED", 1);
    let listed = station.ok("operator list --json").json_line();
    assert!(listed["locked_until"].is_string(), "{listed}");
    // The way out where no supervisor is left: whoever has the CA sets another PIN.
    station.write("new-pin", "135790");
    let reset = "operator reset-pin s1 --with-authority --pin-file new-pin";
    Run::of(station.command(reset).env("STATION_AUTHORITY_PASSPHRASE", "wrong"))
        .failed("E-CA-PASSPHRASE", 7);
    station.ok(reset);
    assert_eq!(with_pin(&station, line, "135790").status, 0);
    station.ok("ledger verify");
}

#[test]
fn wrong_pins_are_counted_in_the_journal_until_a_right_one() {
    let station = supervised();
    let line = "clock accept --reason r --by s1";
    for _ in 0..2 {
        with_pin(&station, line, "0000").failed("E-PIN-WRONG", 1);
    }
    assert_eq!(with_pin(&station, line, "2468").status, 0);
    assert_eq!(with_pin(&station, line, "2468").status, 0);
    let told: Vec<String> = acts(&station).into_iter().map(|(act, _)| act).collect();
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    let right = ["pin-right", "clock-accepted", "clock-accepted"];
    assert_eq!(told, [&["operator-added", "pin-wrong", "pin-wrong"], &right[..]].concat());
    station.ok("ledger verify");
    // Four digits are allowed, and the doctor says what they are worth.
    let doctor = station.run("doctor --json");
    let pins = doctor.json().into_iter().find(|line| line["check"] == "pins").unwrap();
    assert_eq!((&pins["status"], &pins["code"]), (&"warn".into(), &"E-PIN-WEAK".into()));
}

#[test]
fn a_person_is_known_once_and_disabled_for_good() {
    let station = supervised();
    let run = |line: &str| with_pin(&station, line, "2468");
    run("operator add s1 --role operator --by s1").failed("E-OPERATOR-EXISTS", 1);
    run("operator disable s1 --by s1").failed("E-OPERATOR-LAST", 1);
    run("operator disable x --by s1").failed("E-OPERATOR-UNKNOWN", 1);
    assert_eq!(run("operator add p1 --role operator --name 'Wang Fang' --by s1").status, 0);
    let shown = run("operator disable p1 --erase-name --by s1 --json").json_line();
    assert_eq!((shown["disabled"].as_bool(), shown["name"].is_null()), (Some(true), true));
    run("operator disable p1 --by s1").failed("E-OPERATOR-DISABLED", 1);
    run("operator reset-pin p1 --pin-file pin --by s1").failed("E-OPERATOR-DISABLED", 1);
    station.change("slot-a", "/dev/null");
    station.fails("batch --serials - --operator p1", "E-OPERATOR-DISABLED", 1);
}

#[test]
fn a_pin_is_never_too_short_on_the_command_line_or_in_a_readable_file() {
    let station = Station::new();
    station.write("pin", "123\n");
    let line = "operator add s1 --role supervisor --pin-file pin";
    station.fails(line, "E-PIN-WEAK", 1);
    station.write("pin", "1234\n");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(station.path("pin"), open).unwrap();
    station.fails(line, "E-SECRET-MODE", 7);
    station.fails("operator add s1 --role supervisor", "E-SECRET-MISSING", 7);
    station.fails("operator add s1 --role supervisor --pin 1234", "E-USAGE", 2);
    // For the first supervisor, whom nobody approves, one variable is enough.
    assert_eq!(with_pin(&station, "operator add s1 --role supervisor", "1234").status, 0);
    assert_eq!(with_pin(&station, "clock accept --reason r --by s1", "1234").status, 0);
    let database = std::fs::read(station.path("data/ledger.db")).unwrap();
    assert!(!database.windows(9).any(|bytes| bytes == b"\"pin\":\"12"), "a PIN in the ledger");
}

#[test]
fn a_changed_profile_is_refused_until_a_supervisor_accepts_it() {
    let station = supervised();
    station.change("slot-a", "/dev/null");
    let run = |line: &str| with_pin(&station, line, "2468");
    assert_eq!(run("work-order create A --quantity 1 --by s1").status, 0);
    station.change("\"20y\"", "\"19y\"");
    station.fails("batch --serials -", "E-WORK-ORDER-PROFILE", 1);
    let accept = "work-order accept-profile A --reason 'shorter life'";
    station.fails(accept, "E-SUPERVISOR-NEEDED", 1);
    let shown = run(&format!("{accept} --by s1 --json")).json_line();
    assert_eq!(shown["profile"], station.ok("config check --json").json_line()["profile"]);
    let line = station.run("batch --serials -");
    assert!(!line.stderr.contains("E-WORK-ORDER-PROFILE"), "{}", line.stderr);
    station.ok("ledger verify");
}

#[test]
fn a_backup_with_a_supervisor_is_restored_by_one() {
    let station = supervised();
    station.ok("ledger backup saved.db");
    std::fs::rename(station.path("data"), station.path("old")).unwrap();
    std::fs::create_dir(station.path("data")).unwrap();
    for file in ["journal.key", "journal.secret"] {
        std::fs::copy(station.path("old").join(file), station.path("data").join(file)).unwrap();
    }
    station.fails("ledger restore saved.db", "E-SUPERVISOR-NEEDED", 1);
    with_pin(&station, "ledger restore saved.db --by s1", "0000").failed("E-PIN-WRONG", 1);
    let run = with_pin(&station, "ledger restore saved.db --by s1", "2468");
    assert_eq!(run.status, 0, "{}", run.stderr);
    station.ok("ledger verify");
}
