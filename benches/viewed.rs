//! What a view costs the line beside it: the cycle of 32 slots alone, and while four browsers
//! follow it and a fifth asks for pages, reports and figures.
//!
//! `cargo bench --bench viewed` takes two minutes. `docs/performance.md` says what was reached.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't run has nothing to report")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

const STATION: &str = env!("CARGO_BIN_EXE_station");

const SLOTS: &str = "32";
const UNITS: &str = "640";
/// Both take turns, so that what else the machine does meets both.
const ROUNDS: usize = 3;
/// Browsers that follow the line.
const FOLLOWERS: usize = 4;
/// Between two pages of the one that asks.
const BETWEEN: Duration = Duration::from_millis(200);

fn main() {
    let (mut alone, mut viewed) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.extend(cycles(false));
        viewed.extend(cycles(true));
    }
    let (alone, viewed) = (spread(alone), spread(viewed));
    println!("alone:  median {:.1} ms, p95 {:.1} ms", alone.0, alone.1);
    println!("viewed: median {:.1} ms, p95 {:.1} ms", viewed.0, viewed.1);
    println!("cycle {:.3} of what it is alone", viewed.0 / alone.0);
}

/// The cycles of a whole run, in milliseconds.
fn cycles(is_viewed: bool) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("demo");
    let mut line = Command::new(STATION);
    line.args(["demo", "--headless", "--no-sync", "--json", "--slots", SLOTS, "--units", UNITS]);
    let mut line = line.arg("--dir").arg(&place).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(line.stdout.take().unwrap()).lines().map(Result::unwrap);
    // With its first unit there is a ledger to look at.
    let first = lines.find(|line| line.contains("cycle_us")).unwrap();
    let view = is_viewed.then(|| View::of(&place));
    let cycles = std::iter::once(first).chain(lines).filter_map(|line| cycle(&line)).collect();
    line.wait().unwrap();
    drop(view);
    cycles
}

fn cycle(line: &str) -> Option<f64> {
    let unit: Value = serde_json::from_str(line).ok()?;
    Some(unit.get("cycle_us")?.as_f64()? / 1_000.0)
}

fn spread(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() * 95 / 100])
}

/// A view with those who look at it.
struct View {
    view: Child,
    is_over: Arc<AtomicBool>,
}

impl View {
    fn of(place: &Path) -> View {
        let mut view = Command::new(STATION);
        view.arg("--config").arg(place.join("station.toml"));
        view.args(["view", "--listen", "127.0.0.1:0", "--json"]).stdout(Stdio::piped());
        let mut view = view.spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(view.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let ready: Value = serde_json::from_str(&ready).unwrap();
        let url = ready["url"].as_str().unwrap();
        let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let is_over = Arc::new(AtomicBool::new(false));
        for _ in 0..FOLLOWERS {
            let host = host.clone();
            thread::spawn(move || get(&host, "/events"));
        }
        let over = Arc::clone(&is_over);
        thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                ["/", "/report/day", "/metrics"].iter().for_each(|path| get(&host, path));
                thread::park_timeout(BETWEEN);
            }
        });
        View { view, is_over }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.view.kill();
        let _ = self.view.wait();
    }
}

/// Reads a page to its end, or events until the view is gone.
fn get(host: &str, path: &str) {
    let Ok(mut stream) = TcpStream::connect(host) else { return };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    if stream.write_all(request.as_bytes()).is_ok() {
        let _ = stream.read_to_end(&mut Vec::new());
    }
}
