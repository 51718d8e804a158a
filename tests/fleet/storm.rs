//! Servers, the database and what sends end at random while stations send, and connections are
//! dropped, doubled, delayed and cut: in the end each segment is there once, heads are equal,
//! claims are right, and the store holds.
//!
//! `FLEET_KILLS` says how many times something is killed; `tests/soak` has 200.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::database::Database;
use crate::program::{Run, program, run};
use crate::proxy::{Proxy, dice};
use crate::server::Server;
use crate::stations::{Station, Yard};

const KILLS: u64 = 8;
const STATIONS: u64 = 3;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A station's sending process, while there is one.
#[derive(Default)]
struct Sending(Mutex<Option<Pid>>);

impl Sending {
    /// Sends what is new; none where it was killed meanwhile.
    fn push(&self, station: &Station) -> Option<Run> {
        let config = station.dir.join("station.toml");
        let mut push = program();
        push.arg("--json").arg("--config").arg(config).args(["fleet", "push"]);
        let child = push.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        *self.0.lock().unwrap() = Some(pid);
        // It is not reaped before nobody may kill it any more, so that its number is its own.
        let end = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(pid), end).unwrap();
        *self.0.lock().unwrap() = None;
        let out = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out_text, err) = (text(&out.stdout), text(&out.stderr));
        out.status.code().map(|status| Run { status, out: out_text, err })
    }

    fn kill(&self) -> bool {
        let sending = self.0.lock().unwrap();
        sending.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
    }
}

/// How often something came through whole.
#[derive(Default)]
struct Through {
    times: Mutex<u64>,
    again: Condvar,
}

impl Through {
    fn one_more(&self) {
        *self.times.lock().unwrap() += 1;
        self.again.notify_all();
    }

    fn wait_for_one(&self) {
        let times = self.times.lock().unwrap();
        let before = *times;
        drop(self.again.wait_while(times, |times| *times == before).unwrap());
    }
}

/// A station that records and sends until it is told to end.
fn work(station: &Station, sending: &Sending, done: &AtomicBool, through: &Through) {
    let mut made = 0;
    while !done.load(Ordering::SeqCst) {
        made += 1;
        let number: usize = station.name.trim_start_matches("line-").parse().unwrap();
        station.make(&[&format!("TH200-{number:02}{made:06}")]);
        let Some(run) = sending.push(station) else { continue };
        assert!(
            run.status == 0
                || run.err.contains("E-FLEET-UNREACHABLE")
                || run.err.contains("E-FLEET-DATABASE"),
            "{run:?}"
        );
        if run.status == 0 {
            through.one_more();
        }
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
        station.make(&[&format!("TH200-99{number:06}")]);
        station.enrol_by(&database, &proxies[number % proxies.len()].url);
    }
    let (done, through) = (AtomicBool::new(false), Through::default());
    let sending: Vec<Sending> = all.iter().map(|_| Sending::default()).collect();
    let mut killed = [0_u64; 3];
    thread::scope(|scope| {
        for (station, sending) in all.iter().zip(&sending) {
            scope.spawn(|| work(station, sending, &done, &through));
        }
        let mut chance = seed;
        for _ in 0..kills {
            chance = dice(chance);
            proxies.iter().for_each(|proxy| proxy.break_by(dice(chance) | 1));
            // Each kill meets work.
            through.wait_for_one();
            let what = usize::try_from(chance % 3).unwrap();
            killed[what] += 1;
            let which = usize::try_from(chance >> 8).unwrap_or(0);
            match what {
                // Servers live on without it.
                0 => {
                    database.kill();
                    database.serve();
                }
                1 => {
                    while !sending[which % sending.len()].kill() {
                        thread::yield_now();
                    }
                }
                _ => {
                    let which = which % servers.len();
                    drop(servers.remove(which));
                    let server = Server::start(&database, more);
                    proxies[which].lead_to(server.address());
                    servers.insert(which, server);
                }
            }
        }
        done.store(true, Ordering::SeqCst);
        proxies.iter().for_each(|proxy| proxy.break_by(0));
    });
    let faults: Vec<[u64; 4]> = proxies.iter().map(Proxy::done).collect();
    eprintln!(
        "killed: {} databases, {} sending stations, {} servers; {} times something came through; \
         dropped, doubled, delayed, cut: {faults:?}",
        killed[0],
        killed[1],
        killed[2],
        through.times.lock().unwrap()
    );
    for station in &all {
        let pushed = station.push().well().last();
        assert_eq!(pushed["confirmed"].as_u64(), Some(station.entries()), "{pushed}");
        assert_eq!(pushed["lost"], 0, "{pushed}");
    }
    // Each entry is there once: segments begin with the first, follow each other and end with
    // the head.
    let overlaps = "SELECT count(*) FROM segments a JOIN segments b ON a.station = b.station
        AND a.first <> b.first AND a.first <= b.last AND b.first <= a.last";
    assert_eq!(database.sql(overlaps), "0");
    let holes = "SELECT count(*) FROM stations s WHERE s.head_seq <>
        (SELECT coalesce(sum(g.last - g.first + 1), 0) FROM segments g
            WHERE g.station = s.station AND g.instance = s.instance)";
    assert_eq!(database.sql(holes), "0");
    // Every unit was proven by one station: each has its four claims, and nobody another's.
    let claims = "SELECT count(*) FROM units u WHERE NOT EXISTS
        (SELECT 1 FROM claims_client_id c WHERE c.value = u.client_id AND c.others = '{}'
            AND c.holder = u.station || '/' || u.instance || '/' || u.serial)";
    assert_eq!(database.sql(claims), "0");
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
