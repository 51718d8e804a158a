//! What the disk can do by itself: how long it takes to make one page durable.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use crate::numbers::Spread;

/// As long as a page of the ledger with its header in the write-ahead log.
const PAGE: [u8; 4_120] = [0x5a; 4_120];
const LASTS: Duration = Duration::from_secs(1);

/// Seconds that each took of pages written one behind the other in a file beside the
/// ledgers, each synced.
pub(crate) fn sync_pages() -> Vec<f64> {
    let directory = tempfile::tempdir().unwrap();
    let file = File::create(directory.path().join("pages")).unwrap();
    let (started, mut seconds) = (Instant::now(), Vec::new());
    while started.elapsed() < LASTS {
        let (start, place) = (Instant::now(), seconds.len() * PAGE.len());
        file.write_all_at(&PAGE, place as u64).unwrap();
        file.sync_data().unwrap();
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds
}

/// Says how often a second the disk does that, and how long it takes.
pub(crate) fn print(seconds: Vec<f64>) {
    let pages = Spread::of(seconds);
    let rate = 1.0 / pages.mean;
    println!("the disk alone: {rate:.0} pages a second, each synced: {}", pages.milliseconds());
}
