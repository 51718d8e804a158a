//! Segments of the journal: their bytes, what is found of changed ones, and the way back.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::testing::*;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::evidence::HeadSigner;
use crate::domain::ids::to_hex;
use crate::domain::record::{Record, WorkOrderAct};
use crate::journal::entry::{Created, Entry, Fact, Hash, InstanceId};
use crate::journal::head::{Head, SignedHead};
use crate::segment::files as segments;
use crate::segment::format::{SegmentError, SegmentHeader};
use crate::segment::read;
use crate::segment::write::Packer;
use crate::{Audit, BackupRule, Backups, Ledger, Settings, verify};

const MINUTE: i64 = 60_000_000;

/// A ledger that writes its segments to a medium of its own.
struct Bench {
    dir: tempfile::TempDir,
    ledger: Ledger,
}

impl Bench {
    fn new() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("stick")).unwrap();
        let ledger = fresh(dir.path());
        Bench { dir, ledger }
    }

    /// One with so many segments, each with a unit that passed.
    fn with(segments: u32) -> Bench {
        let bench = Bench::new();
        for number in 0..segments {
            take(&bench.ledger, begun(number), number, Until::Passed);
            bench.back_up(i64::from(number) * 60);
        }
        bench
    }

    fn stick(&self) -> PathBuf {
        self.dir.path().join("stick")
    }

    fn backups(&self) -> Backups {
        let (dir, every) = (Some(self.stick()), Duration::from_secs(1));
        Backups::new(&settings(self.dir.path()), BackupRule { dir, every, after: 1_000, keep: 2 })
    }

    fn back_up(&self, minutes: i64) {
        let reader = self.ledger.reader().unwrap();
        let now = Timestamp(START + minutes * MINUTE);
        assert!(self.backups().keep_up(&reader, &Checker, now).unwrap().is_some());
    }

    fn segments(&self) -> Vec<PathBuf> {
        segments::files(&[self.stick()]).unwrap()
    }

    fn last(&self) -> u64 {
        self.ledger.reader().unwrap().head().unwrap().seq
    }

    /// Brings it back somewhere else; gives its last entry and what was said.
    fn bring_back(&self) -> Result<(u64, Vec<String>), crate::LedgerError> {
        let other = tempfile::tempdir().unwrap();
        let settings = settings(other.path());
        let restoring = crate::Restoring::begin(&self.stick(), &settings, &Checker)?;
        let remarks = restoring.remarks().iter().map(ToString::to_string).collect();
        let clock = SetClock::new();
        let restored = restoring.finish(&**KEY, &Checker, clock.as_ref(), person())?;
        let found = verify(&settings.data_dir, &Checker, &Audit::default()).unwrap();
        assert_eq!((found.valid, found.why), (true, None));
        Ok((restored.last_seq, remarks))
    }
}

fn check(path: &Path) -> Result<SegmentHeader, SegmentError> {
    read::verify(fs::File::open(path).unwrap(), &Checker, |_, _| Ok::<(), SegmentError>(()))
}

#[test]
fn a_header_has_the_bytes_that_docs_ledger_md_says() {
    let signed = SignedHead {
        head: Head { seq: 4, hash: Hash([0xbb; 32]) },
        public_key: crate::domain::ids::PublicKey::new([4; 65]),
        signature: [0x5a; 64],
    };
    let header = SegmentHeader {
        station: "LINE-1".parse().unwrap(),
        instance: InstanceId([0x11; 16]),
        first: 3,
        before: Hash([0xaa; 32]),
        signed,
        certificate: b"DER".to_vec(),
        plain: 0x0102,
        packed: 0x0304,
    };
    let wanted = [
        "50534a5345470d0a".to_owned(),
        "0001".to_owned(),
        format!("0006{}", to_hex(b"LINE-1")),
        "11".repeat(16),
        "0000000000000003".to_owned(),
        "0000000000000004".to_owned(),
        "aa".repeat(32),
        "bb".repeat(32),
        "04".repeat(65),
        "5a".repeat(64),
        format!("00000003{}", to_hex(b"DER")),
        "0000000000000102".to_owned(),
        "0000000000000304".to_owned(),
    ];
    assert_eq!(to_hex(&header.encode()), wanted.concat());
    assert_eq!(SegmentHeader::read(&mut &header.encode()[..]).unwrap(), header);
}

/// A whole segment as it was written once, 32 bytes a line: header, zstd frame, digest.
const FROZEN: &str = include_str!("segment.hex");

/// Two entries, their head signed with a key that signs alike each time.
fn small_segment() -> (Vec<Vec<u8>>, Vec<u8>) {
    let (key, instance) = (TestKey::fixed(), InstanceId([0x11; 16]));
    let created = Created { instance: instance.to_string(), journal_key: key.public_key() };
    let close = WorkOrderAct { work_order: "WO-1".parse().unwrap(), by: person() };
    let facts = [Fact::Created(created), Fact::Record(Record::WorkOrderClosed(close), 0)];
    let (mut head, mut packer, mut entries) =
        (Head::NONE, Packer::new(u64::MAX).unwrap(), Vec::new());
    for (seq, fact) in (1..).zip(facts) {
        let wall = Timestamp(START + i64::try_from(seq).unwrap());
        let entry = Entry { seq, wall, station: "LINE-1".parse().unwrap(), fact };
        let bytes = entry.encode().unwrap();
        packer.take(&bytes).unwrap();
        head = Head { seq, hash: head.hash.of_next(&bytes) };
        entries.push(bytes);
    }
    let signature = key.sign(&head.message(&instance)).unwrap();
    let header = SegmentHeader {
        station: "LINE-1".parse().unwrap(),
        instance,
        first: 1,
        before: Head::NONE.hash,
        signed: SignedHead { head, public_key: key.public_key(), signature },
        certificate: b"DER".to_vec(),
        plain: 0,
        packed: 0,
    };
    let mut bytes = Vec::new();
    packer.write(header, &mut bytes).unwrap();
    (entries, bytes)
}

/// The window that a zstd frame says it needs, as a power of two (RFC 8878, 3.1.1.1.2).
fn window_of(segment: &[u8]) -> u32 {
    let magic = [0x28, 0xb5, 0x2f, 0xfd];
    let frame = segment.windows(4).position(|bytes| bytes == magic).unwrap();
    assert_eq!(segment[frame + 4] & 0x20, 0, "a frame of several segments names its window");
    10 + u32::from(segment[frame + 5] >> 3)
}

#[test]
fn what_a_line_adds_to_its_backups_takes_no_more_memory_than_it_needs() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let parcel = |ledger: &Ledger| {
        let parcel = ledger.reader().unwrap().parcel_behind(Head::NONE, &Checker);
        parcel.unwrap().unwrap().bytes
    };
    let few = parcel(&ledger);
    (0..40).for_each(|number| drop(take(&ledger, begun(number), number, Until::Passed)));
    let many = parcel(&ledger);
    assert!((10..=12).contains(&window_of(&few)), "{}", window_of(&few));
    assert!((15..=18).contains(&window_of(&many)), "{}", window_of(&many));
    for segment in [few, many] {
        read::verify(&segment[..], &Checker, |_, _| Ok::<(), SegmentError>(())).unwrap();
    }
    // Of entries that are not counted, the whole window is taken.
    assert_eq!(window_of(&small_segment().1), 20);
}

/// A failure here means "revert the change", not "edit the test": factories have such files,
/// and so has whoever audits them. If a newer zstd packs the same entries otherwise, the frozen
/// bytes must still be read: then the second half of this test gets a file of its own.
#[test]
fn the_bytes_of_a_whole_segment_never_change() {
    let text: String = FROZEN.split_whitespace().collect();
    let frozen = crate::domain::ids::from_hex("segment", &text).unwrap();
    let (entries, written) = small_segment();
    let mut found = Vec::new();
    let header = read::verify(&frozen[..], &Checker, |_, entry| {
        found.push(entry);
        Ok::<(), SegmentError>(())
    });
    let header = header.unwrap();
    assert_eq!((header.entries(), header.certificate()), ((1, 2), Some(&b"DER"[..])));
    assert_eq!(found, entries);
    assert_eq!(to_hex(&written), text);
}

#[test]
fn each_byte_of_a_segment_counts() {
    let bench = Bench::with(1);
    let path = bench.segments().remove(0);
    let good = fs::read(&path).unwrap();
    check(&path).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let found = read::verify(&bad[..], &Checker, |_, _| Ok::<(), SegmentError>(()));
        assert!(found.is_err(), "byte {at} of {}", good.len());
        let cut = read::verify(&good[..at], &Checker, |_, _| Ok::<(), SegmentError>(()));
        assert!(cut.is_err(), "cut at {at} of {}", good.len());
    }
    let longer = [&good[..], b"x"].concat();
    assert!(read::verify(&longer[..], &Checker, |_, _| Ok::<(), SegmentError>(())).is_err());
}

#[test]
fn a_ledger_comes_back_from_its_segments_alone() {
    let bench = Bench::with(4);
    assert_eq!(bench.segments().len(), 4);
    assert_eq!(bench.bring_back().unwrap(), (bench.last(), vec![]));
}

/// The first of them has an index made that others find at the end.
#[test]
fn adopted_units_come_back_with_the_others() {
    let bench = Bench::with(2);
    for number in 5..8 {
        bench.ledger.writer().record(Record::Adopted(adopted(number))).unwrap();
    }
    bench.back_up(600);
    assert_eq!(bench.bring_back().unwrap(), (bench.last(), vec![]));
}

#[test]
fn what_is_missing_is_named_and_what_comes_before_it_comes_back() {
    let bench = Bench::with(4);
    let all = bench.segments();
    let (first, _) = segments::header(&all[2]).unwrap().entries();
    fs::remove_file(&all[2]).unwrap();
    let (last, remarks) = bench.bring_back().unwrap();
    assert_eq!(last, first - 1);
    assert!(remarks[0].contains(&format!("entries {first} to")), "{remarks:?}");
    // The line closes the gap with its next one, without writing what lies there anew.
    let kept = fs::metadata(&all[3]).unwrap().modified().unwrap();
    take(&bench.ledger, begun(9), 9, Until::Passed);
    bench.back_up(600);
    assert_eq!(bench.segments().len(), 5);
    assert_eq!(fs::metadata(&all[3]).unwrap().modified().unwrap(), kept);
    assert_eq!(bench.bring_back().unwrap(), (bench.last(), vec![]));
}

#[test]
fn a_torn_a_foreign_and_a_doubled_segment_are_named() {
    let bench = Bench::with(3);
    let all = bench.segments();
    let bytes = fs::read(&all[2]).unwrap();
    fs::write(&all[2], &bytes[..bytes.len() - 1]).unwrap();
    let twice = bench.stick().join("LINE-1-20270101T000000Z-0000000001-0000000007.segment");
    fs::copy(&all[0], twice).unwrap();
    let other = tempfile::tempdir().unwrap();
    let stranger = Settings { station: "LINE-2".parse().unwrap(), ..settings(other.path()) };
    let stranger = Ledger::open(stranger, TestKey::fresh(), SetClock::new()).unwrap();
    let reader = stranger.reader().unwrap();
    reader.write_segments(&bench.stick(), "20260101T000000Z", &Checker).unwrap();
    let (last, remarks) = bench.bring_back().unwrap();
    assert_eq!(last, segments::header(&all[1]).unwrap().entries().1);
    let said = remarks.join("\n");
    for words in ["it is torn", "is of station LINE-2", "stand in other segments"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_segment_that_was_changed_ends_what_comes_back() {
    let bench = Bench::with(3);
    let all = bench.segments();
    let mut bytes = fs::read(&all[1]).unwrap();
    let middle = bytes.len() - 60;
    bytes[middle] ^= 0x40;
    fs::write(&all[1], bytes).unwrap();
    let (last, remarks) = bench.bring_back().unwrap();
    assert_eq!(last, segments::header(&all[0]).unwrap().entries().1);
    assert!(remarks[0].contains("it is not as it was written"), "{remarks:?}");
    fs::remove_file(&all[0]).unwrap();
    assert_eq!(bench.bring_back().unwrap_err().code(), Code::LedgerSegment);
}

#[test]
fn a_restored_ledger_goes_on_beside_what_it_left_behind() {
    let bench = Bench::with(2);
    let copy = bench.dir.path().join("copy.db");
    bench.ledger.reader().unwrap().backup(&copy, &Checker).unwrap();
    // Lost to the ledger, and still on the stick.
    take(&bench.ledger, begun(5), 5, Until::Passed);
    bench.back_up(300);
    let Bench { dir, ledger } = bench;
    drop(ledger);
    fs::remove_dir_all(dir.path().join("data")).unwrap();
    restore(&copy, &settings(dir.path())).unwrap();
    let bench = Bench { ledger: open(settings(dir.path())), dir };
    bench.ledger.accept_gap("tried".to_owned(), person()).unwrap();
    for number in 6..9 {
        take(&bench.ledger, begun(number), number, Until::Passed);
    }
    bench.back_up(600);
    let (last, remarks) = bench.bring_back().unwrap();
    assert_eq!(last, bench.last());
    assert!(remarks[0].contains("a restore left behind"), "{remarks:?}");
}

/// What was left behind leads further than what the ledger went on with, and counts for nothing.
#[test]
fn a_longer_history_that_a_restore_left_behind_is_passed_over() {
    let bench = Bench::with(2);
    let copy = bench.dir.path().join("copy.db");
    bench.ledger.reader().unwrap().backup(&copy, &Checker).unwrap();
    for number in 5..12 {
        take(&bench.ledger, begun(number), number, Until::Passed);
    }
    bench.back_up(300);
    take(&bench.ledger, begun(12), 12, Until::Passed);
    bench.back_up(360);
    let left = bench.last();
    let Bench { dir, ledger } = bench;
    drop(ledger);
    fs::remove_dir_all(dir.path().join("data")).unwrap();
    restore(&copy, &settings(dir.path())).unwrap();
    let bench = Bench { ledger: open(settings(dir.path())), dir };
    bench.ledger.accept_gap("tried".to_owned(), person()).unwrap();
    take(&bench.ledger, begun(20), 20, Until::Passed);
    let reader = bench.ledger.reader().unwrap();
    reader.write_segments(&bench.stick(), "20270101T000000Z", &Checker).unwrap();
    assert!(bench.last() < left);
    let (last, remarks) = bench.bring_back().unwrap();
    assert_eq!(last, bench.last(), "{remarks:?}");
    assert!(remarks[0].contains("a restore left behind"), "{remarks:?}");
    let found = bench.backups().to_restore(&Checker).unwrap();
    assert_eq!(found, [(bench.last(), bench.stick())]);
}

#[test]
fn names_and_pins_come_back_beside_the_segments() {
    let bench = Bench::with(1);
    let reader = bench.ledger.reader().unwrap();
    let sql = "INSERT INTO persons (id, name, pin) VALUES ('s04', 'Wang', 'held against')";
    let other = rusqlite::Connection::open(bench.dir.path().join("data/ledger.db")).unwrap();
    other.execute_batch(sql).unwrap();
    drop(reader);
    take(&bench.ledger, begun(2), 2, Until::Passed);
    bench.back_up(60);
    let back = tempfile::tempdir().unwrap();
    restore(&bench.stick(), &settings(back.path())).unwrap();
    let back = rusqlite::Connection::open(back.path().join("data/ledger.db")).unwrap();
    let sql = "SELECT name || ' ' || pin FROM persons WHERE id = 's04'";
    let found: String = back.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(found, "Wang held against");
}
