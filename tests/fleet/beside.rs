//! A line sends by itself, and works as well when the fleet is away; a sync registers nothing
//! that another station holds.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use provisioning_station::app::demo::Factory;
use serde_json::Value;

use crate::database::Database;
use crate::program::{at, program, run};
use crate::server::Server;
use crate::stations::{Station, Yard};

/// Longer than any machine takes to send a few entries.
const PATIENCE: Duration = Duration::from_secs(120);

/// Makes these units with the station's simulated devices.
fn batch(station: &Station, serials: &str) -> (i32, Vec<Value>, String) {
    batch_until(station, serials, |_| true)
}

/// The same by a line that goes on, without further labels, until this holds of what it has said
/// to people.
fn batch_until(
    station: &Station,
    serials: &str,
    holds: impl Fn(&str) -> bool,
) -> (i32, Vec<Value>, String) {
    let said = station.dir.join("batch.err");
    let said_so_far = || fs::read_to_string(&said).unwrap();
    let mut command = program();
    command.args(["--json", "--config"]).arg(station.dir.join("station.toml"));
    command.args(["batch", "--serials", "-"]).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(File::create(&said).unwrap());
    let mut child = command.spawn().unwrap();
    let mut hand = child.stdin.take().unwrap();
    hand.write_all(serials.as_bytes()).unwrap();
    let begun = Instant::now();
    while !holds(&said_so_far()) {
        assert!(begun.elapsed() < PATIENCE, "{}", said_so_far());
        thread::yield_now();
    }
    drop(hand);
    let out = child.wait_with_output().unwrap();
    let lines = out.stdout.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    (out.status.code().unwrap(), lines.collect(), said_so_far())
}

/// The emulated cloud that a station's settings name.
struct Cloud(Child);

impl Cloud {
    fn of(dir: &Path) -> Self {
        let text = fs::read_to_string(dir.join("station.toml")).unwrap();
        let endpoint = text.lines().find_map(|line| line.strip_prefix("endpoint = \"http://"));
        let mut cloud = program();
        cloud.args(["--json", "sim", "cloud", "--listen", endpoint.unwrap().trim_end_matches('"')]);
        cloud.arg("--state").arg(dir.join("cloud.state")).stdout(Stdio::piped());
        let mut cloud = cloud.spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(cloud.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        Self(cloud)
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

/// Has the database write down each share as it is given: the table itself holds only the last.
fn note_each_share(database: &Database) {
    database.sql(
        "CREATE TABLE noted (number serial, station text, want integer, rate integer);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO noted (station, want, rate) VALUES (NEW.station, NEW.want, NEW.rate);
            RETURN NULL;
        END $$;
        CREATE TRIGGER noting AFTER INSERT OR UPDATE ON shares
            FOR EACH ROW EXECUTE FUNCTION note();",
    );
}

#[test]
fn a_sync_asks_its_fleet_for_a_share_of_the_clouds_rate() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let dir = yard.path().join("line-1");
    let factory = Factory::lay_out_as("line-1", &dir, 4, 7).unwrap();
    let station = Station::open(dir, "line-1");
    station.enrol(&database, &server);
    assert_eq!(batch(&station, "TH200-00000001\nTH200-00000002\n").0, 0);
    drop(factory);
    let _cloud = Cloud::of(&station.dir);
    at(&station.dir, &["authority", "register"]).well();
    note_each_share(&database);
    let sum = at(&station.dir, &["sync"]).well().last();
    assert_eq!(sum["registered"], 2, "{sum}");
    let noted = "SELECT station, want, rate FROM noted WHERE station <> '' ORDER BY number";
    let noted = database.sql(noted);
    // A run that takes longer asks again in between.
    let ends = (noted.lines().next(), noted.lines().last());
    assert_eq!(ends, (Some("line-1|2|2"), Some("line-1|0|0")), "held, and let go at the end");
    // Without its fleet it keeps the rate of its own settings.
    drop(server);
    assert_eq!(at(&station.dir, &["sync"]).well().last()["registered"], 0);
}

#[test]
fn a_line_sends_by_itself_and_works_without_its_fleet() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let dir = yard.path().join("line-1");
    let _factory = Factory::lay_out_as("line-1", &dir, 4, 7).unwrap();
    let station = Station::open(dir, "line-1");
    station.enrol(&database, &server);
    let is_sent = |_: &str| {
        let heard = at(&station.dir, &["fleet", "status"]).well().last();
        heard["confirmed"].as_u64().unwrap() > 0
    };
    let (status, made, err) = batch_until(&station, "TH200-00000001\nTH200-00000002\n", is_sent);
    assert_eq!(status, 0, "{made:?} {err}");
    assert_eq!(
        at(&station.dir, &["doctor"])
            .json()
            .iter()
            .filter(|line| { line["check"] == "fleet" && line["status"] == "ok" })
            .count(),
        1
    );
    drop(server);
    let is_told = |err: &str| err.contains("E-FLEET-UNREACHABLE");
    let (status, made, err) = batch_until(&station, "TH200-00000003\nTH200-00000004\n", is_told);
    assert_eq!((status, made.last().unwrap()["passed"].as_u64()), (0, Some(2)), "{err}");
    let server = Server::start(&database, &[]);
    let config = station.dir.join("station.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n[fleet]\nurl = \"{}\"\n", server.url)).unwrap();
    station.push().well();
    let verified = run(&["fleet", "verify", "--database", &database.url()]).well().last();
    assert_eq!(verified["units"], 4, "{verified}");
}

#[test]
fn what_another_station_holds_is_not_registered() {
    let yard = Yard::new();
    let dir = yard.path().join("fleet");
    run(&["fleet", "demo", "--once", "--units", "6", "--dir", dir.to_str().unwrap()]).well();
    let last = dir.join("line-3");
    let cloud = Cloud::of(&last);
    at(&last, &["authority", "register"]).well();
    let synced = at(&last, &["sync"]);
    drop(cloud);
    assert_eq!(synced.status, 1, "{synced:?}");
    let lines = synced.json();
    let held = lines.iter().find(|line| line["serial"] == "TH200-00000001").unwrap();
    assert_eq!((&held["outcome"], &held["code"]), (&"deferred".into(), &"E-FLEET-CLAIMED".into()));
    let sum = lines.last().unwrap();
    assert_eq!((&sum["registered"], &sum["deferred"]), (&1.into(), &1.into()), "{sum}");
}
