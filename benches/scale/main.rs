//! What a large ledger costs: the same questions to one of a thousand units and to one of a
//! million, with their journals.
//!
//! `cargo bench --bench scale` makes both by the ledger's own writer, two records a signed head
//! as on a line, which takes a quarter of an hour with `TMPDIR=/dev/shm`; another number of
//! units after `--`. `--against PATH` lets an older build of the program verify the same
//! journal, taking turns. `docs/performance.md` says what was reached.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't run has nothing to report")]

#[allow(dead_code, reason = "the sync's benchmark makes ledgers by it too, and needs more of it")]
#[path = "../sync/books.rs"]
mod books;
mod line;
#[allow(dead_code, reason = "tests make ledgers of other schemas by it")]
#[path = "../../tests/line/support/older.rs"]
mod older;
mod turns;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use books::{Books, serial};
use provisioning_station::app::clock::SystemClock;
use provisioning_station::app::from_config;
use provisioning_station::domain::clock::Clock;
use provisioning_station::domain::local::Zone;
use provisioning_station::domain::pages::HistoryQuery;
use provisioning_station::ledger::{self, Audit, BackupRule, Backups, Reader, Restoring, Settings};
use provisioning_station::pki::Verifier;
use provisioning_station::sim::cloud::{Options, SimulatedCloud, start};

/// Units of the large ledger, where nobody names a number.
const UNITS: u32 = 1_000_000;
const SMALL: u32 = 1_000;

/// How often each thing is done; the median is told.
const ROUNDS: usize = 15;

/// Units that a line makes for its memory to be looked at.
const ON_THE_LINE: u32 = 40;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let large: u32 = words.iter().find_map(|word| word.parse().ok()).unwrap_or(UNITS);
    let against = words.iter().position(|word| word == "--against").map(|at| &words[at + 1]);
    let cloud = start(Options { rate: Some(0), ..Options::default() }).unwrap();
    if let Some(other) = against {
        let books = Books::with_devices(&cloud, 10, 0);
        books.grown(1..=large);
        return turns::take(&books.config().1, &data_dir(&books), other.as_ref());
    }
    let (small, large) = (Measured::of(&cloud, SMALL), Measured::of(&cloud, large));
    println!("{:<44} {:>12} {:>12} {:>7}", "", small.units, large.units, "ratio");
    for ((name, small), (_, large)) in small.times.iter().zip(&large.times) {
        println!("{name:<44} {small:>12.3} {large:>12.3} {:>7.2}", large / small);
    }
}

/// What was measured, each with its name and unit.
struct Measured {
    units: u32,
    times: Vec<(&'static str, f64)>,
    /// Bytes in the segments so far.
    saved: u64,
}

impl Measured {
    fn of(cloud: &SimulatedCloud, units: u32) -> Self {
        let books = Books::with_devices(cloud, 10, ON_THE_LINE);
        let begun = Instant::now();
        books.grown(1..=units);
        println!("{units} units made in {:.0} s", begun.elapsed().as_secs_f64());
        let mut measured = Measured { units, times: Vec::new(), saved: 0 };
        measured.opening(&books);
        measured.asking(&books);
        measured.attempts(&books);
        measured.audits(&books);
        measured.backup(&books);
        measured.line(&books);
        measured.export(&books);
        measured
    }

    fn note(&mut self, name: &'static str, value: f64) {
        println!("  {name}: {value:.3}");
        self.times.push((name, value));
    }

    fn time(&mut self, name: &'static str, mut work: impl FnMut()) {
        let mut times: Vec<f64> = (0..ROUNDS).map(|_| milliseconds(&mut work)).collect();
        times.sort_by(f64::total_cmp);
        self.note(name, times[ROUNDS / 2]);
    }

    fn opening(&mut self, books: &Books) {
        self.time("opening to write, ms", || drop(books.ledger()));
        let dir = data_dir(books);
        self.time("opening to read, ms", || drop(Reader::open(&dir, None).unwrap()));
    }

    /// What a scan and the screen ask.
    fn asking(&mut self, books: &Books) {
        let reader = Reader::open(&data_dir(books), None).unwrap();
        let mut number = 0;
        let mut scans = || {
            for _ in 0..100 {
                number = (number * 7919 + 13) % (2 * self.units);
                std::hint::black_box(reader.standing(&serial(number)).unwrap());
            }
        };
        let mut times: Vec<f64> = (0..ROUNDS).map(|_| milliseconds(&mut scans) / 100.0).collect();
        times.sort_by(f64::total_cmp);
        self.note("a scan's duplicate check, ms", times[ROUNDS / 2]);
        self.time("statistics, ms", || drop(reader.recent_stats(&Zone::UTC).unwrap()));
        self.time("all sums of ledger stats, ms", || drop(reader.stats(&Zone::UTC).unwrap()));
        let newest = HistoryQuery { limit: 30, ..HistoryQuery::default() };
        self.time("a page of the history, ms", || drop(reader.history(&newest).unwrap()));
        self.time("backlog, ms", || {
            std::hint::black_box(reader.backlog().unwrap());
        });
    }

    fn attempts(&mut self, books: &Books) {
        let ledger = books.ledger();
        let (writer, mut number) = (ledger.writer(), self.units);
        self.time("an attempt, six durable records, ms", || {
            number += 1;
            books.attempt(&writer, number);
        });
    }

    /// Audits as `ledger verify` makes them, by parts.
    fn audits(&mut self, books: &Books) {
        let dir = data_dir(books);
        let noted_at = Some(dir.join(ledger::AUDITED_FILE));
        let chain = Audit { skip_tables: true, noted_at, ..Audit::default() };
        let audit = |audit: &Audit| {
            let begun = Instant::now();
            let found = ledger::verify(&dir, &Verifier, audit).unwrap();
            assert!(found.valid, "{found:?}");
            (found.entries as f64, begun.elapsed().as_secs_f64())
        };
        let (entries, seconds) = audit(&chain);
        self.note("entries", entries);
        self.note("verify: the chain, 1000 entries/s", entries / seconds / 1e3);
        let (_, every) = audit(&Audit { every_head: true, ..chain.clone() });
        self.note("verify: all signatures besides, s", every - seconds);
        let (_, whole) = audit(&Audit { skip_tables: false, ..chain.clone() });
        self.note("verify: the tables besides, s", whole - seconds);
        let new = Audit { only_new: true, every_head: true, ..chain };
        self.time("verify --new, ms", || {
            audit(&new);
        });
    }

    fn backup(&mut self, books: &Books) {
        let reader = Reader::open(&data_dir(books), None).unwrap();
        let copy = data_dir(books).with_file_name("copy.db");
        let begun = Instant::now();
        reader.backup(&copy, &Verifier).unwrap();
        self.note("a backup, verified after writing, s", begun.elapsed().as_secs_f64());
        self.note("its size, MiB", fs::metadata(&copy).unwrap().len() as f64 / 1048576.0);
        fs::remove_file(copy).unwrap();
        self.segments(books);
    }

    /// A backup by what is new, of everything and of a thousand entries, and the way back.
    fn segments(&mut self, books: &Books) {
        let dir = data_dir(books).with_file_name("segments");
        fs::create_dir(&dir).unwrap();
        let rule = BackupRule { dir: Some(dir.clone()), every: Duration::ZERO, after: 1, keep: 1 };
        let settings = from_config::ledger_settings(books.config().0);
        let backups = Backups::new(&settings, rule);
        let reader = Reader::open(&data_dir(books), None).unwrap();
        let save = |measured: &mut Self, name, bytes| {
            let begun = Instant::now();
            let now = SystemClock::start().now().wall;
            backups.keep_up(&reader, &Verifier, now).unwrap().unwrap();
            measured.note(name, begun.elapsed().as_secs_f64());
            let all = size(&dir);
            measured.note(bytes, (all - measured.saved) as f64 / 1048576.0);
            measured.saved = all;
        };
        save(self, "segments of everything, s", "their size, MiB");
        let ledger = books.ledger();
        for number in 0..167 {
            books.attempt(&ledger.writer(), self.units + 500 + number);
        }
        save(self, "a backup of 1,000 new entries, s", "its size, MiB");
        let elsewhere = dir.with_file_name("elsewhere");
        let settings = Settings { data_dir: elsewhere.clone(), anchor: None, ..settings };
        let begun = Instant::now();
        drop(Restoring::begin(&dir, &settings, &Verifier).unwrap());
        self.note("restored from segments and verified, s", begun.elapsed().as_secs_f64());
        fs::remove_dir_all(dir).unwrap();
    }

    fn line(&mut self, books: &Books) {
        let labels = self.units + 1_000..self.units + 1_000 + ON_THE_LINE;
        let peak = line::peak_mib(&books.config().1, labels.map(serial));
        self.note("VmHWM of a line, MiB", peak);
    }

    /// Everything is exported while another thread records units as fast as it can.
    fn export(&mut self, books: &Books) {
        let ledger = books.ledger();
        let (dir, ended) = (data_dir(books), AtomicBool::new(false));
        let (mut number, mut longest) = (self.units + 2_000, 0);
        let (config, out) = (books.config().1, dir.with_file_name("export.ndjson"));
        let begun = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                let _over = Over(&ended);
                let mut station = Command::new(line::STATION);
                station.arg("--config").arg(config).args(["export", "--all"]);
                station.args(["--format", "ndjson", "--out"]).arg(&out);
                assert!(station.output().unwrap().status.success());
            });
            let writer = ledger.writer();
            while !ended.load(Ordering::Relaxed) {
                number += 1;
                books.attempt(&writer, number);
                let log = fs::metadata(dir.join("ledger.db-wal")).map_or(0, |log| log.len());
                longest = longest.max(log);
            }
        });
        self.note("an export of all beside a busy line, s", begun.elapsed().as_secs_f64());
        self.note("units recorded meanwhile", f64::from(number - self.units - 2_000));
        self.note("the longest the log became, MiB", longest as f64 / 1048576.0);
    }
}

/// Says that something is over, however it ended.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Bytes of a directory's files.
fn size(dir: &Path) -> u64 {
    fs::read_dir(dir).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

fn data_dir(books: &Books) -> PathBuf {
    books.config().0.station.data_dir.clone()
}

fn milliseconds(work: &mut impl FnMut()) -> f64 {
    let begun = Instant::now();
    work();
    let lasted: Duration = begun.elapsed();
    lasted.as_secs_f64() * 1e3
}
