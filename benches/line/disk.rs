//! What the disk can do by itself: how often a second it makes one page durable.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// As long as a page of the ledger with its header in the write-ahead log.
const PAGE: [u8; 4_120] = [0x5a; 4_120];
const LASTS: Duration = Duration::from_secs(2);

/// Writes pages one behind the other in a file beside the ledgers', each synced.
pub(crate) fn syncs_a_second() -> f64 {
    let directory = tempfile::tempdir().unwrap();
    let file = File::create(directory.path().join("pages")).unwrap();
    let started = Instant::now();
    let mut pages = 0_u32;
    while started.elapsed() < LASTS {
        file.write_all_at(&PAGE, u64::from(pages) * PAGE.len() as u64).unwrap();
        file.sync_data().unwrap();
        pages += 1;
    }
    f64::from(pages) / started.elapsed().as_secs_f64()
}
