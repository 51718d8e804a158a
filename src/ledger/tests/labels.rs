//! Labels: wanted when a unit passes, sent once, scanned back, and what they keep.

use crate::Ledger;
use crate::domain::code::Code;
use crate::domain::ids::LabelDigest;
use crate::domain::labelling::{
    Delivery, LabelDelivered, LabelScanned, LabelSent, LabelState, LabelsChosen,
};
use crate::domain::record::{Record, Recorded, Refusal};
use crate::outbox::Gate;

use super::testing::{Until, act, begun, fresh, person, refusal, serial, sn, take};

/// Unit 1's label for certificate `cert`.
fn sent(copy: u32, cert: u32, digest: u8, reason: Option<&str>) -> Record {
    Record::LabelSent(LabelSent {
        serial: serial(1),
        copy,
        certificate_sn: sn(cert),
        digest: LabelDigest::new([digest; 32]),
        printer: "tcp:10.0.0.9:9100".to_owned(),
        verify: true,
        reason: reason.map(str::to_owned),
        by: person(),
    })
}

fn delivered(copy: u32, delivery: Delivery) -> Record {
    Record::LabelDelivered(LabelDelivered { serial: serial(1), copy, delivery, message: None })
}

fn scanned(copy: u32, right: bool) -> Record {
    let (serial, text) = (serial(1), "TH-00000001".to_owned());
    Record::LabelScanned(LabelScanned { serial, copy, right, text, by: person() })
}

fn record(ledger: &Ledger, record: Record) -> Result<Recorded, Refusal> {
    ledger.writer().record(record)
}

fn code(ledger: &Ledger, of: Record) -> Code {
    refusal(record(ledger, of)).code
}

fn states(ledger: &Ledger) -> Vec<LabelState> {
    let labels = ledger.reader().unwrap().labels_of(&serial(1)).unwrap();
    labels.into_iter().map(|label| label.state).collect()
}

fn open(ledger: &Ledger) -> u32 {
    ledger.reader().unwrap().open_label_count().unwrap()
}

fn choose(ledger: &Ledger, at_pass: bool) {
    record(ledger, Record::LabelsChosen(LabelsChosen { at_pass, verify: true })).unwrap();
}

/// A ledger in which labels are chosen and unit 1 has passed.
fn passed(dir: &std::path::Path) -> Ledger {
    let ledger = fresh(dir);
    choose(&ledger, true);
    take(&ledger, begun(1), 1, Until::Passed);
    ledger
}

#[test]
fn a_unit_wants_its_label_in_the_entry_with_which_it_passes() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    take(&ledger, begun(2), 2, Until::Passed);
    assert_eq!(open(&ledger), 0, "nobody chose labels yet");
    choose(&ledger, true);
    take(&ledger, begun(1), 1, Until::Proven);
    assert_eq!(open(&ledger), 0, "it is proven and has not passed");
    let ended = crate::domain::record::End::Passed;
    record(&ledger, super::testing::ended(super::testing::attempt(1, 1), ended, false)).unwrap();
    assert_eq!(states(&ledger), [LabelState::Wanted]);
    choose(&ledger, false);
    take(&ledger, begun(3), 3, Until::Passed);
    assert_eq!(open(&ledger), 1);
}

#[test]
fn a_label_is_for_a_finished_unit_and_its_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    assert_eq!(code(&ledger, sent(1, 1, 7, None)), Code::UnitUnknown);
    take(&ledger, begun(1), 1, Until::Proven);
    assert_eq!(code(&ledger, sent(1, 1, 7, None)), Code::UnitState);
    let ended = crate::domain::record::End::Passed;
    record(&ledger, super::testing::ended(super::testing::attempt(1, 1), ended, false)).unwrap();
    assert_eq!(code(&ledger, sent(1, 2, 7, None)), Code::UnitState);
    assert_eq!(code(&ledger, sent(2, 1, 7, None)), Code::Bug);
    record(&ledger, sent(1, 1, 7, None)).unwrap();
    record(&ledger, Record::UnitVoided(act(1))).unwrap();
    assert_eq!(code(&ledger, sent(2, 1, 7, Some("torn"))), Code::LabelVoid);
    record(&ledger, Record::UnitScrapped(act(1))).unwrap();
    assert_eq!(code(&ledger, sent(2, 1, 7, Some("torn"))), Code::LabelVoid);
    assert_eq!(open(&ledger), 0, "nobody need see to it");
}

#[test]
fn a_second_label_needs_a_reason_and_is_the_first_one_again() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = passed(dir.path());
    record(&ledger, sent(1, 1, 7, None)).unwrap();
    assert_eq!(code(&ledger, sent(2, 1, 7, None)), Code::LabelUnclear, "it was cut off there");
    record(&ledger, delivered(1, Delivery::Sent)).unwrap();
    assert_eq!(code(&ledger, delivered(1, Delivery::Sent)), Code::UnitState);
    assert_eq!(code(&ledger, sent(2, 1, 7, None)), Code::LabelSent);
    assert_eq!(code(&ledger, sent(2, 1, 8, Some("torn"))), Code::LabelDiffers);
    record(&ledger, sent(2, 1, 7, Some("torn"))).unwrap();
    assert_eq!(open(&ledger), 1, "the second takes the place of the first");
    let facts = ledger.reader().unwrap().label_facts(&serial(1)).unwrap().unwrap();
    assert_eq!((facts.label.unwrap().copy, facts.next_copy, facts.has_older), (2, 3, false));
}

#[test]
fn what_was_not_taken_is_still_wanted_and_may_change() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = passed(dir.path());
    record(&ledger, sent(1, 1, 7, None)).unwrap();
    record(&ledger, delivered(1, Delivery::NotSent)).unwrap();
    assert_eq!(states(&ledger), [LabelState::Wanted]);
    assert_eq!(code(&ledger, scanned(1, true)), Code::UnitState, "there is none to be scanned");
    record(&ledger, sent(1, 1, 8, None)).unwrap();
    record(&ledger, delivered(1, Delivery::Unclear)).unwrap();
    assert_eq!(code(&ledger, sent(2, 1, 8, None)), Code::LabelUnclear);
}

#[test]
fn a_unit_leaves_when_its_label_was_scanned_back() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = passed(dir.path());
    let gate = || ledger.reader().unwrap().gate(&serial(1)).unwrap().unwrap();
    assert!(
        matches!(gate(), Gate::Unlabelled(why) if why.english.contains("was not scanned back"))
    );
    record(&ledger, sent(1, 1, 7, None)).unwrap();
    record(&ledger, scanned(1, false)).unwrap();
    assert!(matches!(gate(), Gate::Unlabelled(why) if why.english.contains("says something else")));
    assert_eq!((states(&ledger), open(&ledger)), (vec![LabelState::Wrong], 1));
    record(&ledger, scanned(1, true)).unwrap();
    assert!(matches!(gate(), Gate::Shut(why) if why.english.contains("registered")));
    assert_eq!(open(&ledger), 0);
}

#[test]
fn after_a_rework_the_old_label_is_stale_and_a_new_one_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = passed(dir.path());
    record(&ledger, sent(1, 1, 7, None)).unwrap();
    record(&ledger, Record::ReworkAllowed(act(1))).unwrap();
    assert_eq!(code(&ledger, sent(2, 1, 7, Some("torn"))), Code::UnitState);
    take(&ledger, begun(1), 9, Until::Passed);
    assert_eq!(states(&ledger), [LabelState::Asked, LabelState::Wanted]);
    assert_eq!(open(&ledger), 1);
    let facts = ledger.reader().unwrap().label_facts(&serial(1)).unwrap().unwrap();
    assert!(facts.has_older);
    assert_eq!(facts.label.unwrap().copy, 2);
    record(&ledger, sent(2, 9, 8, None)).unwrap();
}
