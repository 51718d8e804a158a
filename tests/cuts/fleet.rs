//! A station that enrols and sends, cut off at each of its steps: killed, and with its power.
//! Nothing is lost, nothing is there twice, and the next try goes on.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;

use super::database::Database;
use super::power;
use super::program::{at, program, run};
use super::server::{Server, code};
use super::stations::{Station, Yard};

/// Runs it over a station; true where it was cut off.
fn is_cut(station: &Station, args: &[&str], point: &str, list: &Path, shadow: &Path) -> bool {
    let mut command = program();
    command.arg("--json").arg("--config").arg(station.dir.join("station.toml")).args(args);
    command.env("STATION_CUT", point).env("STATION_CUT_LIST", list);
    power::watch_at(&mut command, &station.dir.join("data"), shadow);
    let out = command.stdin(Stdio::null()).output().unwrap();
    let killed = out.status.signal() == Some(9);
    assert!(killed || out.status.success(), "{point}: {out:?}");
    killed
}

/// The station as it was when its power went.
fn without_power(station: &Station, shadow: &Path, to: &Path) -> Station {
    let back = station.copied(to.to_owned());
    fs::remove_dir_all(to.join("data")).unwrap();
    power::restore_at(&station.dir.join("data"), shadow, &to.join("data"));
    back
}

/// What the act passes, each cut, and what is left of each: killed, and without power.
fn cut_everywhere(name: &str, act: impl Fn(&Server, &str) -> Vec<String>, is_enrolled: bool) {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let fresh = |number: usize| {
        let station = yard.station(&format!("line-{number}"));
        station.make(&[&format!("TH200-{number:08}")]);
        if is_enrolled {
            station.enrol(&database, &server);
            station.note(1);
        }
        station
    };
    let list = yard.path().join("points");
    let first = fresh(0);
    let args = act(&server, &code(&database, &first.name));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    assert!(!is_cut(&first, &args, "list", &list, &yard.path().join("shadow")));
    let points = fs::read_to_string(&list).unwrap();
    let points: Vec<&str> = points.lines().filter(|point| point.starts_with("fleet/")).collect();
    assert!(points.len() >= 6, "{name}: {points:?}");
    println!("{name}: {} points", points.len());
    for (number, point) in points.iter().enumerate() {
        let station = fresh(number + 1);
        let given = code(&database, &station.name);
        let args = act(&server, &given);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let shadow = yard.path().join(format!("shadow-{number}"));
        assert!(is_cut(&station, &args, point, &list, &shadow), "{point} was not met");
        let powerless = yard.path().join(format!("powerless-{number}"));
        let powerless = without_power(&station, &shadow, &powerless);
        for left in [&station, &powerless] {
            let entries = left.entries();
            // The same once more, by whoever is there when it goes on.
            at(&left.dir, &args).well();
            let told = left.push().well().last();
            assert_eq!(told["confirmed"].as_u64(), Some(entries), "{point}: {told}");
            assert_eq!(told["lost"], 0, "{point}: {told}");
        }
    }
    let doubled = "SELECT count(*) FROM segments a JOIN segments b ON a.station = b.station
        AND a.first <> b.first AND a.first <= b.last AND b.first <= a.last";
    assert_eq!(database.sql(doubled), "0");
    assert_eq!(database.sql("SELECT count(*) FROM conflicts"), "0");
    run(&["fleet", "verify", "--database", &database.url()]).well();
}

#[test]
fn a_push_that_is_cut_off_anywhere_loses_and_doubles_nothing() {
    cut_everywhere("push", |_, _| vec!["fleet".to_owned(), "push".to_owned()], true);
}

#[test]
fn enrolling_that_is_cut_off_anywhere_can_be_done_again() {
    let enrol = |server: &Server, code: &str| {
        ["fleet", "enrol", &server.url, "--code", code].map(str::to_owned).to_vec()
    };
    cut_everywhere("enrol", enrol, false);
}
