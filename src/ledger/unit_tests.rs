//! One unit's records: which moves are legal, and what is known after each.

use super::testing::*;
use crate::domain::record::{End, Open, ProvenIdentity, Record, Rework, Standing};

#[test]
fn a_unit_goes_from_begun_to_passed() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let (writer, reader) = (ledger.writer(), ledger.reader().unwrap());
    let standing = || reader.standing(&serial(1)).unwrap();
    assert_eq!(standing(), Standing::default());

    let (hardware, cert) = (hardware(1), sn(1));
    let recorded = writer.record(Record::Begun(begun(1))).unwrap();
    assert_eq!((recorded.seq, recorded.attempt), (3, 1));
    assert_eq!(standing().open, Open::Begun { attempt: 1, hardware: hardware.clone() });
    let of = attempt(1, 1);
    writer.record(issued(of.clone(), 1)).unwrap();
    assert_eq!(standing().open, Open::Issued { attempt: 1, hardware: hardware.clone(), cert });
    writer.record(Record::CommitAsked(of.clone())).unwrap();
    assert_eq!(standing().open, Open::Asked { attempt: 1, hardware: hardware.clone(), cert });
    assert_eq!(reader.open_attempt_on(&hardware).unwrap(), Some(serial(1)));
    assert_eq!(reader.unsettled().unwrap(), [(serial(1), standing())]);
    writer.record(proven(of.clone())).unwrap();
    let identity = ProvenIdentity { hardware: hardware.clone(), cert, finished: false };
    assert_eq!(standing().proven, Some(identity));
    writer.record(ended(of, End::Passed, false)).unwrap();
    let identity = ProvenIdentity { hardware: hardware.clone(), cert, finished: true };
    assert_eq!(
        standing(),
        Standing { proven: Some(identity), rework: Rework::No, open: Open::None, scrapped: false }
    );
    assert_eq!(reader.proven_on(&hardware).unwrap(), Some(serial(1)));
    assert_eq!(reader.unsettled().unwrap(), []);
}
