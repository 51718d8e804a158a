//! Five stations register at once in one cloud, which takes fifteen a second: what they are given
//! is in sum never more, also when one of them is killed with a share in its hands.
//!
//! With `FLEET_SHARES`, which says how many units each has, the cloud's own clock is looked at
//! too, and how near they come to the limit: `tests/soak` has 500, which is minutes. Where other
//! tests run beside it, calls come later than they were sent, and closer together.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::database::Database;
use crate::program::{at, program};
use crate::server::Server;
use crate::stations::{Station, Yard};

const STATIONS: usize = 5;
const UNITS: usize = 4;

/// Registrations a second that the cloud takes.
const LIMIT: usize = 15;

/// What an emulated cloud calls a registration.
const REGISTER: &str = "RegisterDeviceCertificate";

/// An emulated cloud, and the file in which it notes what was asked.
struct Cloud {
    child: Child,
    endpoint: String,
    log: std::path::PathBuf,
}

impl Cloud {
    fn start(dir: &Path) -> Self {
        let log = dir.join("cloud.log");
        let mut cloud = program();
        cloud.args(["--json", "sim", "cloud", "--log"]).arg(&log).stdout(Stdio::piped());
        let mut child = cloud.spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let ready: Value = serde_json::from_str(&ready).unwrap();
        let endpoint = ready["url"].as_str().unwrap_or_else(|| panic!("{ready}")).to_owned();
        Self { child, endpoint, log }
    }

    /// When registrations came, in microseconds, and with what code they were refused.
    fn registrations(&self) -> Vec<(u64, Option<String>)> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let own = lines.filter(|line| line["action"] == REGISTER);
        own.map(|line| (line["at_us"].as_u64().unwrap(), line["code"].as_str().map(str::to_owned)))
            .collect()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

/// The same cloud for every station.
fn lead_to(station: &Station, endpoint: &str) {
    let config = station.dir.join("station.toml");
    let text = fs::read_to_string(&config).unwrap();
    let changed = text.lines().map(|line| match line.starts_with("endpoint = ") {
        true => format!("endpoint = \"{endpoint}\"\n"),
        false => format!("{line}\n"),
    });
    fs::write(config, changed.collect::<String>()).unwrap();
}

fn sync(station: &Station) -> Command {
    let mut sync = program();
    sync.arg("--json").arg("--config").arg(station.dir.join("station.toml")).arg("sync");
    sync.stdout(Stdio::piped()).stderr(Stdio::piped());
    sync
}

/// Has the database write down, whenever a share is given, what all stations may have in use.
fn note_the_sums(database: &Database) {
    database.sql(
        "CREATE TABLE noted (sum bigint);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE us bigint := extract(epoch FROM clock_timestamp()) * 1000000;
        BEGIN
            INSERT INTO noted SELECT sum(most) FROM (
                SELECT max(one) AS most FROM (
                    SELECT station, CASE WHEN until_us > us THEN rate ELSE 0 END AS one FROM shares
                    UNION ALL SELECT station, earlier.rate FROM shares,
                        unnest(earlier_rates, earlier_until_us) AS earlier (rate, until)
                        WHERE earlier.until > us
                ) given GROUP BY station
            ) stations;
            RETURN NULL;
        END $$;
        CREATE TRIGGER noting AFTER INSERT OR UPDATE ON shares
            FOR EACH ROW EXECUTE FUNCTION note();",
    );
}

/// The most of these within any second.
fn most_in_a_second(times: &[u64]) -> usize {
    let behind = |at: u64| times.iter().filter(|time| (at..at + 1_000_000).contains(time)).count();
    times.iter().map(|at| behind(*at)).max().unwrap_or(0)
}

#[test]
fn five_stations_at_once_keep_to_the_clouds_rate_also_when_one_is_killed() {
    let many = std::env::var("FLEET_SHARES").ok().and_then(|text| text.parse().ok());
    let units: usize = many.unwrap_or(UNITS);
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    note_the_sums(&database);
    let cloud = Cloud::start(yard.path());
    let all: Vec<Station> =
        (0..STATIONS).map(|number| yard.station(&format!("line-{number}"))).collect();
    for (number, station) in all.iter().enumerate() {
        lead_to(station, &cloud.endpoint);
        let serials: Vec<String> =
            (0..units).map(|unit| format!("TH200-{number:02}{unit:06}")).collect();
        station.make(&serials.iter().map(String::as_str).collect::<Vec<_>>());
        station.enrol(&database, &server);
        at(&station.dir, &["authority", "register"]).well();
    }
    let mut running: Vec<Child> =
        all.iter().map(|station| sync(station).spawn().unwrap()).collect();
    // One is killed with its share, as soon as it told of a unit.
    let last = all.last().unwrap();
    let mut killed = running.pop().unwrap();
    let mut line = String::new();
    BufReader::new(killed.stdout.take().unwrap()).read_line(&mut line).unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    // All are read at once: one whose pipe is full does nothing further.
    let read = |child: Child| thread::spawn(move || child.wait_with_output().unwrap());
    let running: Vec<_> = running.into_iter().map(read).collect();
    for (station, child) in all.iter().zip(running) {
        let out = child.join().unwrap();
        assert!(out.status.success(), "{}: {out:?}", station.name);
    }
    let together = cloud.registrations();
    // What the killed one began is found out, not done twice.
    let rest = sync(last).output().unwrap();
    assert!(rest.status.success(), "{rest:?}");
    let asked = cloud.registrations();
    let registered = asked.iter().filter(|(_, code)| code.is_none()).count();
    assert_eq!(registered, STATIONS * units, "each was registered once");
    let most: usize = database.sql("SELECT max(sum) FROM noted").parse().unwrap();
    assert!(most <= LIMIT, "{most} a second were given");
    if many.is_some() {
        measure(&asked, together.len());
    }
}

/// What the cloud saw: all, and of them so many of those that registered at once.
fn measure(asked: &[(u64, Option<String>)], together: usize) {
    let all: Vec<u64> = asked.iter().map(|(at, _)| *at).collect();
    let times = &all[..together];
    let first = times[0];
    let took = (times.last().unwrap() - first) as f64 / 1e6;
    let tens = (0..=took as u64 / 10).map(|ten| {
        let within = |at: &&u64| (**at - first) / 10_000_000 == ten;
        times.iter().filter(within).count()
    });
    let refused: Vec<u64> = asked
        .iter()
        .filter(|(_, code)| code.is_some())
        .map(|(at, _)| (at - first) / 1_000)
        .collect();
    eprintln!(
        "{} registrations in {took:.1} s, {:.3} of the limit, at most {} in any second, refused \
         at ms {refused:?}; in each ten seconds: {:?}",
        times.len(),
        times.len() as f64 / took.max(1.0) / LIMIT as f64,
        most_in_a_second(times),
        tens.collect::<Vec<_>>()
    );
    assert!(refused.is_empty());
    assert!(most_in_a_second(&all) <= LIMIT, "{}", most_in_a_second(&all));
}
