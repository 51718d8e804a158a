//! What a fleet costs the line of a station that sends to it: one beside another, a station of
//! no fleet, and of one that is there, away, or takes two seconds over each answer.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use provisioning_station::app::clock::SystemClock;
use provisioning_station::app::fleet::{Opened, code, wait};
use provisioning_station::app::fleet_demo::Demo;
use provisioning_station::domain::clock::Clock;

use crate::factory::{Devices, Factory};
use crate::numbers::Spread;
use crate::run;

/// How long a slow fleet takes over an answer.
const SLOW: Duration = Duration::from_secs(2);

/// How the fleet of a station is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    There,
    Away,
    Slow,
}

/// They take turns, so that what else the machine does meets all.
const KINDS: [Kind; 4] = [Kind::None, Kind::There, Kind::Away, Kind::Slow];

/// Measures so many rounds of lines of these devices.
pub(crate) fn measure(rounds: u32, devices: Devices) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let demo = Demo::start(None, Arc::clone(&clock)).unwrap();
    let slow = slow(demo.url().trim_start_matches("http://").to_owned());
    let mut cycles: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds {
        for (kind, cycles) in KINDS.into_iter().zip(&mut cycles) {
            let factory = Factory::lay_out(devices);
            match kind {
                Kind::None => {}
                Kind::There => enrol(&factory, &demo, &*clock, None),
                // Nobody listens at a port whose listener is gone.
                Kind::Away => enrol(&factory, &demo, &*clock, Some(listener().1)),
                Kind::Slow => enrol(&factory, &demo, &*clock, Some(slow.clone())),
            }
            cycles.extend(run::to_the_end(&factory).cycles);
        }
    }
    let spreads = cycles.map(Spread::of);
    for (kind, spread) in KINDS.into_iter().zip(&spreads) {
        println!("fleet {kind:?}, {} slots, {} units:", devices.slots, spread.count);
        println!("  cycle {}", spread.milliseconds());
        println!("  median {:.3} of that without a fleet", spread.median / spreads[0].median);
    }
}

/// Makes the station a member, and has its line send each second, to another address where one
/// is named.
fn enrol(factory: &Factory, demo: &Demo, clock: &dyn Clock, address: Option<String>) {
    let station = "benchmark".parse().unwrap();
    let new = code(&station, None, Duration::from_secs(600), clock).unwrap();
    wait(async {
        let store = Opened { url: &demo.database(), ca: None }.open().await.unwrap();
        store.add_code(&new).await.unwrap();
    })
    .unwrap();
    let mut enrol = factory.station();
    let done = enrol.args(["fleet", "enrol", &demo.url(), "--code", &new.code]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let path = factory.link(0).with_file_name("station.toml");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("[fleet]\npush_every = \"1s\"\n");
    if let Some(address) = address {
        text.push_str(&format!("url = \"http://{address}\"\n"));
    }
    fs::write(path, text).unwrap();
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// An address that leads to a fleet whose answers are late.
fn slow(to: String) -> String {
    let (listener, address) = listener();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (asking, fleet) = (stream.unwrap(), TcpStream::connect(&to).unwrap());
            let (from, into) = (asking.try_clone().unwrap(), fleet.try_clone().unwrap());
            thread::spawn(move || carry(from, into, Duration::ZERO));
            thread::spawn(move || carry(fleet, asking, SLOW));
        }
    });
    address
}

fn carry(mut from: TcpStream, mut to: TcpStream, late: Duration) {
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        thread::park_timeout(late);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // One that is closed already is what is wanted.
    let _ = to.shutdown(Shutdown::Both);
}
