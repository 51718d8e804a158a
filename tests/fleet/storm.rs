//! Servers and the database end at random while stations send, and connections are cut: in the
//! end each segment is there once, heads are equal, and the store holds.
//!
//! `FLEET_KILLS` says how many times something is killed; `tests/soak` has 200.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::database::Database;
use crate::program::run;
use crate::proxy::{Proxy, dice};
use crate::server::Server;
use crate::stations::{Station, Yard};

const KILLS: u64 = 8;
const STATIONS: u64 = 3;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A station that records and sends until it is told to end.
fn work(station: &Station, done: &AtomicBool, sent: &AtomicU64) {
    let mut made = 0;
    while !done.load(Ordering::SeqCst) {
        made += 1;
        let serial = format!(
            "TH200-{:02}{made:06}",
            station.name.len() + usize::from(station.name.as_bytes()[station.name.len() - 1]) % 80
        );
        station.make(&[&serial]);
        let run = station.push();
        assert!(
            run.status == 0
                || run.err.contains("E-FLEET-UNREACHABLE")
                || run.err.contains("E-FLEET-DATABASE"),
            "{run:?}"
        );
        sent.fetch_add(u64::from(run.status == 0), Ordering::SeqCst);
    }
}

fn storm(kills: u64, stations: usize, more: &[&str]) {
    let seed = number("FLEET_SEED", u64::from(std::process::id()));
    eprintln!("FLEET_SEED={seed}");
    let (mut database, yard) = (Database::start(), Yard::new());
    let mut servers: Vec<Server> = (0..2).map(|_| Server::start(&database, more)).collect();
    let proxies: Vec<Proxy> = servers.iter().map(|server| Proxy::start(server.address())).collect();
    let all: Vec<Station> =
        (0..stations).map(|number| yard.station(&format!("line-{number}"))).collect();
    for (number, station) in all.iter().enumerate() {
        station.make(&[&format!("TH200-9{number:07}")]);
        station.enrol_by(&database, &proxies[number % proxies.len()].url);
    }
    let (done, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for station in &all {
            scope.spawn(|| work(station, &done, &sent));
        }
        let mut chance = seed;
        for kill in 0..kills {
            chance = dice(chance);
            proxies.iter().for_each(|proxy| proxy.break_by(dice(chance) | 1));
            // Until something came through again: each kill meets work.
            let before = sent.load(Ordering::SeqCst);
            while sent.load(Ordering::SeqCst) == before {
                thread::yield_now();
            }
            if kill % 4 == 3 {
                database.kill();
                database.serve();
            }
            let which = usize::try_from(chance % 2).unwrap();
            drop(servers.remove(which));
            let server = Server::start(&database, more);
            proxies[which].lead_to(server.address());
            servers.insert(which, server);
        }
        done.store(true, Ordering::SeqCst);
    });
    proxies.iter().for_each(|proxy| proxy.break_by(0));
    for station in &all {
        let pushed = station.push().well().last();
        assert_eq!(pushed["confirmed"].as_u64(), Some(station.entries()), "{pushed}");
        assert_eq!(pushed["lost"], 0, "{pushed}");
    }
    let overlaps = "SELECT count(*) FROM segments a JOIN segments b ON a.station = b.station
        AND a.first <> b.first AND a.first <= b.last AND b.first <= a.last";
    assert_eq!(database.sql(overlaps), "0");
    assert_eq!(database.sql("SELECT count(*) FROM conflicts"), "0");
    run(&["fleet", "verify", "--database", &database.url()]).well();
}

#[test]
fn what_is_killed_at_random_loses_and_doubles_nothing() {
    let stations = number("FLEET_STATIONS", STATIONS);
    storm(number("FLEET_KILLS", KILLS), usize::try_from(stations).unwrap(), &[]);
}

#[test]
fn the_same_holds_over_hash_partitions() {
    storm(number("FLEET_KILLS", KILLS) / 4, 2, &["--partitions", "16"]);
}
