//! Whatever is recorded in whatever order: the tables are what a replay of the journal
//! gives, and what must be unique is.

use proptest::prelude::*;
use rusqlite::Connection;

use super::testing::*;
use crate::audit::replay::{Replay, pack};
use crate::domain::code::Code;
use crate::domain::ids::ProfileDigest;
use crate::domain::outbox::{
    ActivationAsked, Answer, Contradicted, Contradiction, Found, RegisteredByHand, Shipped,
};
use crate::domain::record::{
    Begun, ClockAccepted, End, FailedEarly, Finished, PersonAct, Record, Refusal, Step,
    WorkOrderAct, WorkOrderCreated,
};
use crate::domain::registration::CloudStatus;
use crate::domain::work_order::WorkOrder;
use crate::journal::entry::Entry;
use crate::outbox::OutboxRow;
use crate::tables::schema::EVIDENCE;
use crate::{Audit, Ledger, Reader, check, verify};

/// One thing that somebody tries; most are refused, by where their unit stands.
#[derive(Debug, Clone)]
enum Try {
    Begin { unit: u32, device: u32, in_order: bool },
    FailEarly(u32),
    Issue(u32),
    Ask(u32),
    Prove(u32),
    Finish(u32),
    End { unit: u32, how: u8, void: bool },
    Act { unit: u32, what: u8, new_device: bool },
    CloseOrder,
    AcceptClock,
    Choose(bool),
    Send(u8),
    Answer { row: u8, how: u8 },
    Find { unit: u32, how: u8 },
    Ship(u32),
    Activate(u32),
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let unit = 1..4_u32;
    let one = prop_oneof![
        4 => (unit.clone(), 1..5_u32, any::<bool>())
            .prop_map(|(unit, device, in_order)| Try::Begin { unit, device, in_order }),
        1 => unit.clone().prop_map(Try::FailEarly),
        4 => unit.clone().prop_map(Try::Issue),
        4 => unit.clone().prop_map(Try::Ask),
        4 => unit.clone().prop_map(Try::Prove),
        1 => unit.clone().prop_map(Try::Finish),
        4 => (unit.clone(), 0..3_u8, any::<bool>())
            .prop_map(|(unit, how, void)| Try::End { unit, how, void }),
        3 => (unit, 0..6_u8, any::<bool>())
            .prop_map(|(unit, what, new_device)| Try::Act { unit, what, new_device }),
        1 => Just(Try::CloseOrder),
        1 => Just(Try::AcceptClock),
        2 => any::<bool>().prop_map(Try::Choose),
        4 => any::<u8>().prop_map(Try::Send),
        4 => (any::<u8>(), 0..8_u8).prop_map(|(row, how)| Try::Answer { row, how }),
        2 => (1..4_u32, 0..7_u8).prop_map(|(unit, how)| Try::Find { unit, how }),
        1 => (1..4_u32).prop_map(Try::Ship),
        1 => (1..4_u32).prop_map(Try::Activate),
    ];
    let run = (1..4_u32, 2..7_usize).prop_map(|(unit, steps)| {
        let whole = [
            Try::Act { unit, what: 3, new_device: true },
            Try::Begin { unit, device: unit, in_order: true },
            Try::Issue(unit),
            Try::Ask(unit),
            Try::Prove(unit),
            Try::End { unit, how: 0, void: false },
        ];
        whole.into_iter().take(steps).collect()
    });
    let some = prop_oneof![3 => one.prop_map(|one| vec![one]), 1 => run];
    proptest::collection::vec(some, 1..40).prop_map(|some| some.concat())
}

/// The same certificate number is tried for one attempt of one unit only.
fn cert(unit: u32, attempt: u32) -> u32 {
    unit * 1000 + attempt
}

fn record(attempt_try: &Try, attempts: &[u32; 4], reader: &Reader) -> Option<Record> {
    let now = |unit: u32| attempt(unit, attempts[unit as usize]);
    let latest = |unit: u32| sn(cert(unit, attempts[unit as usize].max(1)));
    Some(match *attempt_try {
        Try::Begin { unit, device, in_order } => Record::Begun(Begun {
            hardware: hardware(device),
            certificate_sn: sn(cert(unit, attempts[unit as usize] + 1)),
            work_order: in_order.then(|| "WO".parse().unwrap()),
            ..begun(unit)
        }),
        Try::FailEarly(unit) => Record::FailedEarly(FailedEarly {
            serial: serial(unit),
            client_id: begun(unit).client_id,
            slot: "B".parse().unwrap(),
            label: None,
            work_order: None,
            operator: None,
            end: failure(),
        }),
        Try::Issue(unit) => issued(now(unit), cert(unit, attempts[unit as usize])),
        Try::Ask(unit) => Record::CommitAsked(now(unit)),
        Try::Prove(unit) => proven(now(unit)),
        Try::Finish(unit) => Record::Finished(Finished {
            serial: serial(unit),
            certificate_sn: sn(cert(unit, attempts[unit as usize])),
        }),
        Try::End { unit, how, void } => ended(now(unit), end(how), void),
        Try::Act { unit, what, new_device } => person_acts(unit, what, new_device),
        Try::CloseOrder => Record::WorkOrderClosed(WorkOrderAct {
            work_order: "WO".parse().unwrap(),
            by: person(),
        }),
        Try::AcceptClock => {
            let reason = "holidays".to_owned();
            Record::ClockAccepted(ClockAccepted { reason, by: person() })
        }
        Try::Choose(first) => choose(if first { "mqtt-a" } else { "mqtt-b" }),
        Try::Send(pick) => sent(&open_row(reader, pick)?),
        Try::Answer { row, how } => answered(&open_row(reader, row)?, answer(how)),
        Try::Find { unit, how: 4 } => Record::RegisteredByHand(RegisteredByHand {
            certificate_sn: latest(unit),
            cloud: cloud("mqtt-b"),
            by: person(),
        }),
        Try::Find { unit, how: how @ 5.. } => Record::Contradicted(Contradicted {
            certificate_sn: latest(unit),
            contradiction: match how {
                5 => Contradiction::Missing,
                _ => Contradiction::Differs,
            },
            message: "it was looked for".to_owned(),
        }),
        Try::Find { unit, how } => {
            let status = CloudStatus::ALL[usize::from(how)];
            let (sn, status) = ("1f".to_owned(), Some(status));
            let certificate_sn = latest(unit);
            reader.cloud().unwrap().filter(|_| reader.known(&certificate_sn).unwrap().is_some())?;
            Record::Found(Found { certificate_sn, sn, status, revoke: how % 2 == 0 })
        }
        Try::Ship(unit) => Record::Shipped(Shipped {
            serial: serial(unit),
            certificate_sn: latest(unit),
            by: person(),
        }),
        Try::Activate(unit) => Record::ActivationAsked(ActivationAsked {
            serial: serial(unit),
            certificate_sn: latest(unit),
            by: person(),
        }),
    })
}

fn open_row(reader: &Reader, pick: u8) -> Option<OutboxRow> {
    let mut rows = reader.outbox(0, 99).unwrap();
    let at = usize::from(pick).checked_rem(rows.len())?;
    Some(rows.swap_remove(at))
}

fn answer(how: u8) -> Answer {
    let (code, message) = (Code::CloudUnclear, "no answer".to_owned());
    match how {
        0 => Answer::NotDone { code, message },
        1 => Answer::Unclear { code, message },
        2 => Answer::Conflict { message },
        3 => Answer::Rejected { code, message },
        4 => Answer::Nothing,
        _ => done(CloudStatus::ALL[usize::from(how - 5)]),
    }
}

fn end(how: u8) -> End {
    match how {
        0 => End::Passed,
        1 => failure(),
        _ => End::Interrupted {
            step: Step::Commit,
            code: Code::Stopped,
            message: "told to stop".to_owned(),
        },
    }
}

fn person_acts(unit: u32, what: u8, new_device: bool) -> Record {
    let act = PersonAct { new_device, ..act(unit) };
    match what {
        0 | 1 => Record::UnitVoided(act),
        2 => Record::UnitScrapped(act),
        _ => Record::ReworkAllowed(act),
    }
}

fn prepared(dir: &std::path::Path) -> Ledger {
    let ledger = fresh(dir);
    let work_order = WorkOrder {
        id: "WO".parse().unwrap(),
        product: "TH200".to_owned(),
        quantity: 2,
        serial_pattern: None,
        serial_range: None,
        check_character: crate::domain::label::CheckCharacter::None,
        hardware_ids: vec![],
        profile: ProfileDigest::new([1; 32]),
    };
    let created = WorkOrderCreated { work_order, by: person() };
    ledger.writer().record(Record::WorkOrderCreated(created)).unwrap();
    ledger
}

/// Sums and places that are kept must be what a count over the rows gives.
fn assert_sums(connection: &Connection) {
    let wrong = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    let by_state = "SELECT count(*) FROM (SELECT state, count(*) AS n FROM units GROUP BY state)
        LEFT JOIN counts ON what = 'units' AND name = state WHERE value IS NOT n";
    assert_eq!(wrong(by_state), 0);
    let proven = "SELECT count(*) FROM work_orders WHERE proven <>
        (SELECT count(*) FROM units WHERE proven_work_order = id)";
    assert_eq!(wrong(proven), 0);
    let open = "SELECT count(*) FROM work_orders WHERE under_way <>
        (SELECT count(*) FROM units WHERE open_work_order = id
            AND proven_work_order IS NOT open_work_order)";
    assert_eq!(wrong(open), 0);
    assert_eq!(wrong("SELECT count(*) FROM work_orders WHERE proven + under_way > quantity"), 0);
    let attempts = "SELECT count(*) FROM (SELECT outcome, count(*) AS n FROM attempts
        WHERE outcome <> 'running' GROUP BY outcome)
        LEFT JOIN counts ON what = 'attempts' AND name = outcome WHERE value IS NOT n";
    assert_eq!(wrong(attempts), 0);
}

/// A certificate is proven exactly where its unit says so, and only such have a
/// registration that goes on.
fn assert_certificates(connection: &Connection) {
    let none = |sql: &str| {
        let n: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(n, 0, "{sql}");
    };
    none(
        "SELECT count(*) FROM certificates c JOIN units u USING (serial)
        WHERE (c.state = 'proven') <> (u.proven_sn IS c.sn)",
    );
    none(
        "SELECT count(*) FROM certificates c JOIN units u USING (serial)
        WHERE (c.state = 'uncertain') <> (u.open_sn IS c.sn AND u.open_position = 'asked')",
    );
    none(
        "SELECT count(*) FROM certificates c JOIN units u USING (serial)
        WHERE u.open_sn IS c.sn AND u.open_position = 'issued' AND c.state <> 'issued'",
    );
    // One that a device's key was certified with may be left after its attempt.
    none(
        "SELECT count(*) FROM (SELECT 1 FROM certificates WHERE state = 'issued'
            GROUP BY serial HAVING count(*) > 1)",
    );
    none(
        "SELECT count(*) FROM outbox o JOIN certificates c ON c.sn = o.certificate_sn
        WHERE o.operation IN ('register', 'activate', 'deactivate')
            AND o.state IN ('waiting', 'parked') AND c.state <> 'proven'",
    );
    // What is not to be used any more and may stand in a cloud has its revoke queued.
    none(
        "SELECT count(*) FROM registrations r JOIN certificates c ON c.sn = r.certificate_sn
        JOIN clouds USING (site, region, instance)
        WHERE c.state = 'superseded' AND r.state IN ('registered', 'unclear') AND NOT EXISTS
        (SELECT 1 FROM outbox o WHERE o.certificate_sn = c.sn AND o.operation = 'revoke'
            AND o.cloud = clouds.id) AND EXISTS (SELECT 1 FROM outbox o
            WHERE o.certificate_sn = c.sn AND o.operation = 'register' AND o.cloud = clouds.id
                AND o.tries > 0)",
    );
    none(
        "SELECT count(*) FROM units u LEFT JOIN clouds ON current = 1
        LEFT JOIN registrations r ON r.certificate_sn = u.proven_sn AND r.site = clouds.site
            AND r.region = clouds.region AND r.instance = clouds.instance
        WHERE u.registered <> (ifnull(r.state, '') = 'registered')",
    );
    // What is proven was queued, unless a cloud that registers by itself was found to have it
    // before its proof was recorded.
    none(
        "SELECT count(*) FROM certificates c WHERE state = 'proven' AND NOT EXISTS
        (SELECT 1 FROM outbox o WHERE o.certificate_sn = c.sn AND o.operation = 'register')
        AND NOT EXISTS (SELECT 1 FROM registrations r WHERE r.certificate_sn = c.sn
            AND r.state IN ('registered', 'revoked'))",
    );
}

/// The rows of every table that follows from the journal.
fn rows(connection: &Connection) -> Vec<Vec<u8>> {
    let mut rows = Vec::new();
    for (table, key) in EVIDENCE {
        let take = |batch| {
            rows.push(batch);
            Ok(true)
        };
        pack(connection, table, key, take).unwrap();
    }
    rows
}

/// The same rows by a replay that holds so many units back.
fn replayed(connection: &Connection, held: usize) -> Vec<Vec<u8>> {
    let mut replay = Replay::holding(held, 512).unwrap();
    let mut journal = connection.prepare("SELECT entry FROM journal ORDER BY seq").unwrap();
    let entries = journal.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    replay.begin().unwrap();
    entries.for_each(|bytes| replay.entry(&Entry::decode(&bytes.unwrap()).unwrap()).unwrap());
    replay.end().unwrap();
    let mut rows = Vec::new();
    replay
        .give_rows(|batch| {
            rows.push(batch);
            true
        })
        .unwrap();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_replay_gives_the_tables_whatever_was_recorded(tries in tries()) {
        let dir = tempfile::tempdir().unwrap();
        let ledger = prepared(dir.path());
        let (writer, reader) = (ledger.writer(), ledger.reader().unwrap());
        let mut attempts = [0; 4];
        for attempt_try in &tries {
            let Some(record) = record(attempt_try, &attempts, &reader) else { continue };
            match writer.record(record) {
                Ok(recorded) if recorded.attempt > 0 => match attempt_try {
                    Try::Begin { unit, .. } | Try::FailEarly(unit) => {
                        attempts[*unit as usize] = recorded.attempt;
                    }
                    other => panic!("{other:?} began an attempt"),
                },
                Ok(_) => {}
                Err(Refusal::Row(fault)) => prop_assert_ne!(fault.code, Code::Bug, "{}", fault),
                Err(Refusal::Ledger(fault)) => panic!("{attempt_try:?}: {fault}"),
            }
        }
        let connection = &reader.connection;
        assert_sums(connection);
        assert_certificates(connection);
        check(&dir.path().join("data")).unwrap();
        let found = verify(&dir.path().join("data"), &Checker, &Audit::default()).unwrap();
        prop_assert!(found.valid, "{:?}", found.why);
        // However many units wait to be written, and whenever they are.
        for held in [0, 1, 2, 3] {
            prop_assert!(replayed(connection, held) == rows(connection), "{} held", held);
        }
    }
}
