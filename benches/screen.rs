//! How quickly the operator's screen answers, and what it costs when nothing happens: the
//! program itself on a pseudo-terminal that `script` has.
//!
//! `cargo bench --bench screen` takes a minute. `docs/performance.md` says what was reached.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't run has nothing to report")]

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use provisioning_station::app::demo::Factory;

const STATION: &str = env!("CARGO_BIN_EXE_station");

/// Key presses whose answers are timed.
const PRESSES: usize = 400;
/// Between two of them: about as fast as a person can.
const BETWEEN: Duration = Duration::from_millis(60);
/// How long an idle screen is watched.
const IDLE: Duration = Duration::from_secs(10);
const STARTS: usize = 9;

const KEYS: [(&[u8], &str); 2] = [(b"\x1b[19~", "Setup"), (b"\x1bOQ", "Line")];

fn main() {
    let factory = Factory::lay_out(None, 0, 2).unwrap();
    let run = format!("{STATION} --config {} run", factory.config().display());
    starts(&run);
    idle(&run);
    answers("nothing at work, 2 slots", &run);
    answers("32 slots at work", &format!("{STATION} demo --slots 32 --units 100000"));
}

/// The program on a terminal of its own.
struct Terminal {
    script: Child,
    keys: ChildStdin,
    shown: Receiver<Vec<u8>>,
}

impl Terminal {
    fn open(command: &str) -> Terminal {
        let sized = format!("stty cols 160 rows 50; exec {command}");
        let mut script = Command::new("script");
        script.args(["-qfec", &sized, "/dev/null"]).env("TERM", "xterm-256color");
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut script = script.spawn().unwrap();
        let (keys, mut output) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let (sender, shown) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 65536];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal { script, keys, shown }
    }

    fn press(&mut self, key: &[u8]) {
        self.keys.write_all(key).and_then(|()| self.keys.flush()).unwrap();
    }

    /// Until this is drawn; letters that stay are not drawn again.
    fn wait_for(&self, what: &str) {
        let mut text = Vec::new();
        while !String::from_utf8_lossy(&text).contains(what) {
            text.extend(self.shown.recv_timeout(Duration::from_secs(20)).unwrap());
        }
    }

    /// Lets time go by; how many bytes are drawn meanwhile.
    fn watch(&self, time: Duration) -> usize {
        let (until, mut drawn) = (Instant::now() + time, 0);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.shown.recv_timeout(left) {
                Ok(bytes) => drawn += bytes.len(),
                Err(_) => return drawn,
            }
        }
    }

    /// The station's own process.
    fn station(&self) -> Option<u32> {
        let tasks = format!("/proc/{0}/task/{0}/children", self.script.id());
        fs::read_to_string(tasks).ok()?.trim().parse().ok()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let station = self.station();
        // The terminal is gone with it, and the station lands: the next one waits for the ledger.
        let _ = self.script.kill();
        let _ = self.script.wait();
        while station.is_some_and(|id| fs::exists(format!("/proc/{id}")).unwrap_or(false)) {
            thread::park_timeout(Duration::from_millis(5));
        }
    }
}

fn starts(command: &str) {
    let mut times: Vec<f64> = (0..STARTS)
        .map(|_| {
            let begun = Instant::now();
            let terminal = Terminal::open(command);
            terminal.wait_for("F10");
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    println!("start to first screen: {}", spread(&mut times));
}

fn idle(command: &str) {
    let terminal = Terminal::open(command);
    terminal.wait_for("F10");
    terminal.watch(Duration::from_secs(2));
    let station = terminal.station().unwrap();
    let before = on_core(station);
    let drawn = terminal.watch(IDLE);
    let used = on_core(station) - before;
    println!(
        "idle for {} s: {:.2} % of a core, {drawn} bytes drawn",
        IDLE.as_secs(),
        used / IDLE.as_secs_f64() * 100.0
    );
}

fn answers(name: &str, command: &str) {
    let mut terminal = Terminal::open(command);
    terminal.wait_for("F10");
    // Until every slot is at work.
    terminal.watch(Duration::from_secs(5));
    let mut times = Vec::with_capacity(PRESSES);
    for press in 0..PRESSES {
        terminal.watch(BETWEEN);
        let (key, answer) = KEYS[press % KEYS.len()];
        let begun = Instant::now();
        terminal.press(key);
        terminal.wait_for(answer);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    println!("{name}, key to drawn answer: {}", spread(&mut times));
}

/// Seconds that a process was on a core, with all its threads.
fn on_core(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: Vec<f64> = fields.split(' ').skip(11).take(2).map(|n| n.parse().unwrap()).collect();
    (ticks[0] + ticks[1]) / rustix::param::clock_ticks_per_second() as f64
}

fn spread(times: &mut [f64]) -> String {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    format!("median {:.1} ms, p99 {:.1} ms, most {:.1} ms", at(0.5), at(0.99), at(1.0))
}
