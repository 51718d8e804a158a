//! The bytes that are signed, frozen, and which grant a unit takes.

use super::*;
use crate::clock::Timestamp;
use crate::code::Code;
use crate::ids::ProfileDigest;

fn grant(number: u64, quantity: u32) -> Grant {
    Grant {
        work_order: "WO-1".parse().unwrap(),
        station: "line-1".parse().unwrap(),
        profile: ProfileDigest::new([0xab; 32]),
        number: GrantNumber::new(number).unwrap(),
        quantity,
        order_quantity: 100,
        serials: Some("TH-01..TH-50".parse().unwrap()),
        valid_until: Timestamp(1_800_000_000_000_000),
        made_at: Timestamp(1_700_000_000_123_456),
    }
}

fn row(number: u64, quantity: u32, used: u32) -> GrantRow {
    GrantRow { grant: grant(number, quantity), given_back: 0, used, under_way: 0 }
}

/// A failure here means "revert the change", not "edit the test": grants out there are signed
/// over these bytes.
#[test]
fn the_bytes_of_a_grant_are_frozen() {
    let mut expected: Vec<u8> = Vec::new();
    expected.extend_from_slice(b"provisioning-station grant 1\n");
    expected.extend_from_slice(b"\x00\x04WO-1"); // work order
    expected.extend_from_slice(b"\x00\x06line-1"); // station
    expected.extend_from_slice(&[0xab; 32]); // product profile
    expected.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 7]); // number
    expected.extend_from_slice(&[0, 0, 0, 40]); // quantity
    expected.extend_from_slice(&[0, 0, 0, 100]); // the order's quantity
    expected.extend_from_slice(b"\x00\x0cTH-01..TH-50"); // serials
    expected.extend_from_slice(&[0x00, 0x06, 0x65, 0x17, 0x28, 0x98, 0x80, 0x00]); // valid until
    expected.extend_from_slice(&[0x00, 0x06, 0x0a, 0x24, 0x18, 0x20, 0x22, 0x40]); // made at
    assert_eq!(grant(7, 40).signed_bytes(), expected);
    let any = Grant { serials: None, ..grant(7, 40) }.signed_bytes();
    assert_eq!(any.len(), expected.len() - 12, "no serials is an empty text");
}

/// The same for what is given back.
#[test]
fn the_bytes_of_what_is_given_back_are_frozen() {
    let line = GivenBackLine {
        number: GrantNumber::new(7).unwrap(),
        quantity: 40,
        given_back: 5,
        used: 30,
        under_way: 1,
    };
    let back = GivenBack {
        work_order: "WO-1".parse().unwrap(),
        station: "line-1".parse().unwrap(),
        instance: "00ff".to_owned(),
        seq: 258,
        made_at: Timestamp(1),
        grants: vec![line],
    };
    let mut expected: Vec<u8> = Vec::new();
    expected.extend_from_slice(b"provisioning-station grant given back 1\n");
    expected.extend_from_slice(b"\x00\x04WO-1"); // work order
    expected.extend_from_slice(b"\x00\x06line-1"); // station
    expected.extend_from_slice(b"\x00\x0400ff"); // the ledger's instance
    expected.extend_from_slice(&[0, 0, 0, 0, 0, 0, 1, 2]); // its last entry
    expected.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1]); // made at
    expected.extend_from_slice(&[0, 0, 0, 1]); // one grant
    expected.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 7]); // its number
    expected.extend_from_slice(&[0, 0, 0, 40, 0, 0, 0, 5, 0, 0, 0, 30, 0, 0, 0, 1]);
    assert_eq!(back.signed_bytes(), expected);
}

#[test]
fn a_number_is_one_that_every_reader_keeps() {
    assert!("0".parse::<GrantNumber>().is_err());
    assert!("9007199254740992".parse::<GrantNumber>().is_err());
    assert!("+1".parse::<GrantNumber>().is_err());
    assert_eq!("9007199254740991".parse::<GrantNumber>().unwrap().get(), (1 << 53) - 1);
}

#[test]
fn the_grant_that_ends_first_is_taken_and_then_the_next() {
    let order = "WO-1".parse().unwrap();
    let now = Timestamp(1_750_000_000_000_000);
    let mut late = row(1, 2, 0);
    late.grant.valid_until = Timestamp(1_900_000_000_000_000);
    let rows = [late.clone(), row(2, 1, 0)];
    let chosen = choose(&order, &rows, "TH-07", now, GrantRow::left).unwrap();
    assert_eq!(chosen.get(), 2);
    let rows = [late, row(2, 1, 1)];
    assert_eq!(choose(&order, &rows, "TH-07", now, GrantRow::left).unwrap().get(), 1);
}

#[test]
fn what_no_grant_takes_says_why() {
    let order = "WO-1".parse().unwrap();
    let end = Timestamp(1_800_000_000_000_000);
    let code = |rows: &[GrantRow], serial, now| {
        choose(&order, rows, serial, now, GrantRow::left).unwrap_err().code
    };
    let before = Timestamp(end.0 - 1);
    assert_eq!(code(&[row(1, 1, 0)], "TH-07", end), Code::GrantExpired);
    assert_eq!(code(&[row(1, 1, 0)], "TH-51", before), Code::GrantSerial);
    assert_eq!(code(&[row(1, 1, 1)], "TH-07", before), Code::GrantUsedUp);
    let given_back = GrantRow { given_back: 1, ..row(1, 1, 0) };
    assert_eq!(code(&[given_back], "TH-07", before), Code::GrantUsedUp);
    let under_way = GrantRow { under_way: 1, ..row(1, 1, 0) };
    assert_eq!(code(std::slice::from_ref(&under_way), "TH-07", before), Code::GrantUsedUp);
    assert!(choose(&order, &[under_way], "TH-07", before, GrantRow::left_for_good).is_ok());
}
