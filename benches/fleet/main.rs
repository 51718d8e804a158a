//! How fast a fleet takes in journals, and finds a unit; everything on one machine.
//!
//! `cargo bench --bench fleet` starts a PostgreSQL, a server and four stations whose ledgers are
//! filled without devices, has them send, asks for units, and audits the store; then it fills a
//! store of 50,000 units and a large one, and asks both. After `--` another number of units a
//! station, and another number of units of the large store (0 for none).

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't run has nothing to report")]

mod large;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use provisioning_station::app::clock::SystemClock;
use provisioning_station::app::demo::Factory;
use provisioning_station::app::fleet::{Opened, code, enrol, push, wait};
use provisioning_station::app::fleet_demo::Demo;
use provisioning_station::app::from_config;
use provisioning_station::config::Config;
use provisioning_station::domain::certificate::Proof;
use provisioning_station::domain::clock::Clock;
use provisioning_station::domain::ids::{HardwareId, ImageDigest, Serial, to_hex};
use provisioning_station::domain::record::{
    AttemptRef, AuthoritySeen, Begun, End, Ended, Issued, ProvenRecord, Record,
};
use provisioning_station::ledger::Writer;
use provisioning_station::pki::{Authority, Profile, Verifier};

/// Units a station, where nobody names a number.
const UNITS: u32 = 4_000;

/// Units of the large store, where nobody names a number.
const LARGE: u32 = 5_000_000;

const STATIONS: u32 = 4;

/// Threads that fill a ledger: their records are committed in groups.
const FILLING: u32 = 16;

/// Units that are asked for.
const ASKED: u32 = 200;

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::start())
}

fn serial(station: u32, number: u32) -> String {
    format!("TH200-{station:02}{number:06}")
}

fn main() {
    let mut named = std::env::args().skip(1).filter_map(|word| word.parse().ok());
    let (units, many) = (named.next().unwrap_or(UNITS), named.next().unwrap_or(LARGE));
    let demo = Demo::start(None, clock()).unwrap();
    let configs: Vec<Config> =
        (0..STATIONS).map(|station| fill(&demo.dir, station, units)).collect();
    let database = demo.database();
    for config in &configs {
        let valid_for = Duration::from_secs(600);
        let new = code(&config.station.id, None, valid_for, &*clock()).unwrap();
        wait(async {
            let store = Opened { url: &database, ca: None }.open().await.unwrap();
            store.add_code(&new).await.unwrap();
        })
        .unwrap();
        enrol(config, &clock(), &demo.url(), &new.code, None).unwrap();
    }
    let started = Instant::now();
    let entries: u64 = thread::scope(|scope| {
        let send = |config| move || push(config, &clock()).unwrap().entries;
        let sent: Vec<_> = configs.iter().map(|config| scope.spawn(send(config))).collect();
        sent.into_iter().map(|sent| sent.join().unwrap()).sum()
    });
    let took = started.elapsed();
    let rate = entries as f64 / took.as_secs_f64();
    println!("{entries} entries of {STATIONS} stations in {took:.2?}: {rate:.0} a second");
    ask(&database, units);
    let started = Instant::now();
    let report = wait(async {
        let store = Opened { url: &database, ca: None }.open().await.unwrap();
        store.audit(None, &Verifier).await.unwrap()
    });
    let report = report.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    println!("{} entries audited in {:.2?}", report.entries, started.elapsed());
    if many > 0 {
        large::measure(&database, many.into());
    }
}

/// Each by another of its ids, over one connection.
fn ask(database: &str, units: u32) {
    wait(async {
        let store = Opened { url: database, ca: None }.open().await.unwrap();
        store.find("nothing").await.unwrap();
        let (mut longest, started) = (Duration::ZERO, Instant::now());
        for number in 0..ASKED {
            let one = Instant::now();
            let wanted = serial(number % STATIONS, number * 7_919 % units);
            let found = store.find(&wanted).await.unwrap();
            assert_eq!(found.len(), 1, "{wanted}");
            longest = longest.max(one.elapsed());
        }
        let mean = started.elapsed() / ASKED;
        println!("a unit of {} found in {mean:.2?}, at most {longest:.2?}", units * STATIONS);
        let started = Instant::now();
        store.stations().await.unwrap();
        store.conflicts(true, 500).await.unwrap();
        store.orders().await.unwrap();
        println!("what the wall shows read in {:.2?}", started.elapsed());
    })
    .unwrap();
}

/// A station whose ledger tells of so many units.
fn fill(dir: &Path, station: u32, units: u32) -> Config {
    let name = format!("bench-{station}");
    let dir = dir.join(&name);
    drop(Factory::lay_out_as(&name, &dir, 0, 0).unwrap());
    let config = Config::load(&dir.join("station.toml"), None).unwrap();
    let (ledger, _) = from_config::open_ledger(&config, &clock()).unwrap();
    let authority = from_config::authority(&config).unwrap();
    let profile = from_config::profile(&config).unwrap();
    let der = to_hex(&authority.certificate_der());
    let seen = AuthoritySeen { fingerprint: authority.fingerprint(), der };
    ledger.writer().record(Record::AuthoritySeen(seen)).unwrap();
    thread::scope(|scope| {
        for part in 0..FILLING {
            let (writer, authority, profile) = (ledger.writer(), &authority, &profile);
            scope.spawn(move || {
                for number in (part..units).step_by(usize::try_from(FILLING).unwrap()) {
                    unit(&writer, authority, profile, &serial(station, number));
                }
            });
        }
    });
    drop(ledger);
    config
}

fn unit(writer: &Writer, authority: &Authority, profile: &Profile, serial: &str) {
    let client_id = serial.parse().unwrap();
    let made = authority.sample_client(&client_id, profile, clock().now().wall).unwrap();
    let certificate = Arc::new(made.certificate);
    let hardware: HardwareId = HardwareId::from_bytes(serial.as_bytes()).unwrap();
    let serial: Serial = serial.parse().unwrap();
    let record = |record| writer.record(record).unwrap();
    let done = record(Record::Begun(Begun {
        grant: None,
        serial: serial.clone(),
        client_id,
        hardware,
        model: "SIM-1".to_owned(),
        firmware: "1".to_owned(),
        certificate_sn: certificate.sn,
        slot: "A".parse().unwrap(),
        product: Some("TH200".to_owned()),
        label: None,
        work_order: None,
        operator: None,
    }));
    let attempt = AttemptRef { serial, attempt: done.attempt };
    let image = ImageDigest::new([7; 32]);
    record(Record::Issued(Issued { attempt: attempt.clone(), certificate, image }));
    record(Record::CommitAsked(attempt.clone()));
    let (proof, restart) = (Proof::Possession, "command".to_owned());
    record(Record::Proven(ProvenRecord { attempt: attempt.clone(), proof, restart }));
    record(Record::Ended(Ended { attempt, end: End::Passed, void: false }));
}
