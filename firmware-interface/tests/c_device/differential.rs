//! The same random streams for the Rust device and the C device: every byte that comes
//! back and every byte that is stored must be the same.
//!
//! `STATION_DIFFERENTIAL_STREAMS` says how many streams (20,000 if it is not set),
//! `STATION_DIFFERENTIAL_SEED` with which one to begin.

use std::sync::atomic::{AtomicU64, Ordering};

use super::peer::CBoard;
use super::rust_board::RustBoard;
use super::script::{Answer, Op, is_answered};
use super::shrink::shrink;
use super::streams::Streams;

const USUAL_STREAMS: u64 = 20_000;

/// Streams that go to the C board at once.
const BATCH: u64 = 128;

fn setting(name: &str, usual: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.map_or(usual, |text| text.parse().expect("a number"))
}

#[test]
fn the_rust_device_and_the_c_device_answer_and_store_the_same() {
    let first = setting("STATION_DIFFERENTIAL_SEED", 1);
    let end = first + setting("STATION_DIFFERENTIAL_STREAMS", USUAL_STREAMS);
    let next = AtomicU64::new(first);
    let workers = std::thread::available_parallelism().map_or(2, usize::from).min(8);
    std::thread::scope(|scope| {
        let compare = || compare_streams(&next, end);
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(compare)).collect();
        handles.into_iter().for_each(|handle| handle.join().expect("no difference"));
    });
}

fn compare_streams(next: &AtomicU64, end: u64) {
    let streams = Streams::new();
    let (mut rust, mut c) = (RustBoard::start(), CBoard::start());
    loop {
        let first = next.fetch_add(BATCH, Ordering::Relaxed);
        if first >= end {
            return;
        }
        let batch: Vec<Vec<Op>> =
            (first..end.min(first + BATCH)).map(|s| streams.stream(s)).collect();
        if rust.run(&batch.concat()) != c.run(&batch.concat()) {
            report(first, &batch);
        }
    }
}

/// Finds the stream, makes it short, and shows it.
fn report(first: u64, batch: &[Vec<Op>]) -> ! {
    for (seed, ops) in (first..).zip(batch) {
        if !differs(ops) {
            continue;
        }
        let short = shrink(ops.clone(), |shorter| starts_well(shorter) && differs(shorter));
        let (rust, c) = run_both(&short);
        let at = rust.iter().zip(&c).position(|(rust, c)| rust != c).unwrap();
        let answered: Vec<&Op> = short.iter().filter(|op| is_answered(op)).collect();
        panic!(
            "seed {seed}: {short:#?}\nat {:?}\nRust: {}\nC:    {}",
            answered[at],
            text(&rust[at]),
            text(&c[at])
        );
    }
    panic!("streams {first}... differ only together");
}

/// A board is powered before anything else, and left as it was.
fn starts_well(ops: &[Op]) -> bool {
    let mut begin = ops.iter().filter(|op| !matches!(op, Op::Facts(_)));
    matches!(begin.next(), Some(Op::PowerOn)) && ops.last() == Some(&Op::End)
}

fn run_both(ops: &[Op]) -> (Vec<Answer>, Vec<Answer>) {
    (RustBoard::start().run(ops), CBoard::start().run(ops))
}

fn differs(ops: &[Op]) -> bool {
    let (rust, c) = run_both(ops);
    rust != c
}

fn text(answer: &Answer) -> String {
    match answer {
        Answer::Sent { bytes, resets } => format!("sent {bytes:02x?}, resets {resets}"),
        Answer::Storage(bytes) => format!("stored {bytes:02x?}"),
    }
}

#[test]
fn the_streams_reach_every_request_and_every_error() {
    let streams = Streams::new();
    let mut rust = RustBoard::start();
    let mut seen = std::collections::BTreeSet::new();
    for seed in 1..3000 {
        for answer in rust.run(&streams.stream(seed)) {
            let Answer::Sent { bytes, .. } = answer else { continue };
            for (kind, body) in super::frames::replies(&bytes) {
                let code = if kind == 0xff { u16::from_le_bytes([body[0], body[1]]) } else { 0 };
                seen.insert((kind, code));
            }
        }
    }
    let replies = (0x81..=0x8c).map(|kind| (kind, 0));
    let errors = (1..=0x12).map(|code| (0xff, code));
    let missing: Vec<_> = replies.chain(errors).filter(|pair| !seen.contains(pair)).collect();
    assert!(missing.is_empty(), "never seen: {missing:02x?}");
}
