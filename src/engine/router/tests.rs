//! The router's rules, one by one.

use super::*;
use crate::domain::ids::CertificateSn;
use crate::domain::record::ProvenIdentity;

const NOW: Duration = Duration::from_secs(100);

pub(super) fn names(slots: usize) -> Vec<SlotName> {
    (0..slots).map(|slot| format!("S{slot}").parse().unwrap()).collect()
}

fn router(slots: usize) -> Router {
    Router::new(names(slots), Duration::from_secs(60), Binding::Any)
}

pub(super) fn hardware(id: u8) -> HardwareId {
    HardwareId::from_bytes(&[id; 4]).unwrap()
}

pub(super) fn job(serial: &str) -> Job {
    let (serial, client_id) = (serial.parse().unwrap(), serial.parse().unwrap());
    Job::new(serial, client_id)
}

fn ready(router: &mut Router, slot: usize, id: u8) -> Vec<Decision> {
    router.place(slot, Place::Ready(hardware(id)), NOW)
}

fn scan(router: &mut Router, serial: &str) -> Vec<Decision> {
    router.scan(job(serial), None, &Standing::default(), NOW)
}

pub(super) fn codes(decisions: &[Decision]) -> Vec<Code> {
    let code = |decision: &Decision| match decision {
        Decision::Refuse(_, _, fault) => Some(fault.code),
        _ => None,
    };
    decisions.iter().filter_map(code).collect()
}

fn asked(id: u8) -> Standing {
    let cert = CertificateSn::from_random([1; 16]);
    let open = Open::Asked { attempt: 1, hardware: hardware(id), cert };
    Standing { open, ..Standing::default() }
}

fn proven(id: u8) -> Standing {
    let cert = CertificateSn::from_random([1; 16]);
    let proven = ProvenIdentity { hardware: hardware(id), cert, finished: true };
    Standing { proven: Some(proven), ..Standing::default() }
}

#[test]
fn no_label_is_asked_for_before_every_slot_has_said_what_is_there() {
    let mut router = router(2);
    assert_eq!(ready(&mut router, 0, 1), []);
    assert_eq!(router.place(1, Place::Empty, NOW), [Decision::Want(2)]);
}

#[test]
fn what_was_open_is_resolved_before_the_first_label() {
    let mut router = router(1);
    let mut resumed = job("U1");
    resumed.resumed = true;
    let place = Place::Ready(hardware(1));
    let decisions = router.place_and_resume(0, place, resumed.clone(), NOW);
    assert_eq!(decisions, [Decision::Run(0, resumed)]);
    assert_eq!(router.ended(0, true, NOW), [Decision::Want(1)]);
    // Its scan was answered by then; the second one is not.
    assert_eq!(scan(&mut router, "U1"), [Decision::Want(1)]);
    let again = router.scan(job("U1"), None, &proven(9), NOW);
    assert_eq!(codes(&again), [Code::UnitProven]);
}

#[test]
fn a_scan_goes_to_a_free_slot_and_silent_ones_come_last() {
    let mut router = router(2);
    router.place(0, Place::Silent, NOW);
    ready(&mut router, 1, 1);
    assert_eq!(scan(&mut router, "U1")[0], Decision::Run(1, job("U1")));
    assert_eq!(scan(&mut router, "U2")[0], Decision::Run(0, job("U2")));
}

#[test]
fn a_label_that_names_its_device_goes_to_it() {
    for binding in [Binding::Any, Binding::Insert] {
        let mut router = Router::new(names(2), Duration::from_secs(60), binding);
        ready(&mut router, 0, 1);
        ready(&mut router, 1, 2);
        let named = Job { hardware: Some(hardware(2)), ..job("U1") };
        let decisions = router.scan(named.clone(), None, &Standing::default(), NOW);
        assert_eq!(decisions[0], Decision::Run(1, named));
    }
    // Whoever is there instead says that it is another one.
    let mut router = router(1);
    ready(&mut router, 0, 1);
    let named = Job { hardware: Some(hardware(2)), ..job("U1") };
    let decisions = router.scan(named.clone(), None, &Standing::default(), NOW);
    assert_eq!(decisions[0], Decision::Run(0, named));
}

#[test]
fn the_same_label_while_its_unit_is_under_way_is_refused() {
    let mut router = router(1);
    ready(&mut router, 0, 1);
    scan(&mut router, "U1");
    assert_eq!(codes(&scan(&mut router, "U1")), [Code::ScanDuplicate]);
    scan(&mut router, "U2");
    assert_eq!(codes(&scan(&mut router, "U2")), [Code::ScanDuplicate]);
}

#[test]
fn an_uncertain_unit_goes_to_its_own_device_or_is_refused() {
    let mut router = router(2);
    ready(&mut router, 0, 1);
    ready(&mut router, 1, 2);
    let decisions = router.scan(job("U1"), None, &asked(2), NOW);
    assert_eq!(decisions[0], Decision::Run(1, job("U1")));
    let decisions = router.scan(job("U2"), None, &asked(7), NOW);
    assert_eq!(codes(&decisions), [Code::UnitElsewhere]);
}

#[test]
fn a_proven_unit_is_verified_where_its_device_is_and_refused_elsewhere() {
    let mut router = router(1);
    ready(&mut router, 0, 1);
    assert_eq!(codes(&router.scan(job("U1"), None, &proven(2), NOW)), [Code::UnitProven]);
    let decisions = router.scan(job("U1"), None, &proven(1), NOW);
    assert_eq!(decisions[0], Decision::Run(0, job("U1")));
}

#[test]
fn a_proven_unit_whose_device_left_before_its_end_was_recorded_is_known_as_proven() {
    let mut router = router(1);
    ready(&mut router, 0, 1);
    let mut standing = proven(2);
    standing.proven.as_mut().unwrap().finished = false;
    let decisions = router.scan(job("U1"), None, &standing, NOW);
    assert_eq!(codes(&decisions), [Code::UnitProven]);
    let Decision::Refuse(_, _, fault) = &decisions[0] else { panic!("{decisions:?}") };
    assert!(fault.detail.ends_with("it was not seen to finish"), "{fault}");
}

fn owned(router: &mut Router, slot: usize, id: u8) -> Vec<Decision> {
    router.note_owner(slot, true);
    ready(router, slot, id)
}

#[test]
fn a_device_that_is_another_unit_s_is_left_to_its_own_label() {
    let mut router = router(2);
    owned(&mut router, 0, 1);
    ready(&mut router, 1, 2);
    assert_eq!(scan(&mut router, "U2")[0], Decision::Run(1, job("U2")));
    // Another one waits for the slot that is at work, and the unit's own does not.
    assert_eq!(scan(&mut router, "U3"), []);
    let own = router.scan(job("U1"), None, &proven(1), NOW);
    assert_eq!(own[0], Decision::Run(0, job("U1")));
}

#[test]
fn where_nothing_else_is_to_be_waited_for_a_label_learns_whose_device_is_there() {
    let mut router = router(2);
    owned(&mut router, 0, 1);
    router.place(1, Place::Empty, NOW);
    assert_eq!(scan(&mut router, "U2")[0], Decision::Run(0, job("U2")));
    // The device's own label comes while the wrong one is tried: it is next.
    assert_eq!(codes(&router.scan(job("U1"), None, &proven(1), NOW)), []);
    assert_eq!(router.waits(&"U1".parse().unwrap()), Some(None));
    assert_eq!(router.ended(0, false, NOW)[0], Decision::Run(0, job("U1")));
}

#[test]
fn a_label_whose_own_device_left_meanwhile_is_refused() {
    let mut router = router(1);
    owned(&mut router, 0, 1);
    scan(&mut router, "U2");
    router.scan(job("U1"), None, &proven(1), NOW);
    assert_eq!(codes(&router.place(0, Place::Empty, NOW)), [Code::UnitProven]);
    assert_eq!(scan(&mut router, "U3"), []);
}

#[test]
fn a_proven_label_that_names_a_slot_with_another_device_stays_proven() {
    let mut router = router(2);
    ready(&mut router, 0, 1);
    ready(&mut router, 1, 2);
    assert_eq!(codes(&router.scan(job("U1"), Some(0), &proven(2), NOW)), [Code::UnitProven]);
}

#[test]
fn a_label_that_names_a_twin_is_refused_with_the_reason() {
    let mut router = router(2);
    ready(&mut router, 0, 1);
    router.scan(job("U1"), Some(1), &Standing::default(), NOW);
    assert_eq!(codes(&ready(&mut router, 1, 1)), [Code::DevTwice]);
    let decisions = router.scan(job("U2"), Some(0), &Standing::default(), NOW);
    assert_eq!(codes(&decisions), [Code::DevTwice]);
}

#[test]
fn a_slot_takes_a_new_scan_only_after_its_device_has_left() {
    let mut router = router(1);
    ready(&mut router, 0, 1);
    scan(&mut router, "U1");
    router.ended(0, true, NOW);
    assert!(!scan(&mut router, "U2").iter().any(|d| matches!(d, Decision::Run(..))));
    router.place(0, Place::Empty, NOW);
    assert_eq!(ready(&mut router, 0, 2)[0], Decision::Run(0, job("U2")));
}

#[test]
fn a_named_slot_is_waited_for_while_others_go_on() {
    let mut router = router(2);
    router.place(0, Place::Empty, NOW);
    ready(&mut router, 1, 1);
    let decisions = router.scan(job("U1"), Some(0), &Standing::default(), NOW);
    assert_eq!(decisions, [Decision::Want(1)]);
    assert_eq!(scan(&mut router, "U2")[0], Decision::Run(1, job("U2")));
    assert_eq!(ready(&mut router, 0, 2)[0], Decision::Run(0, job("U1")));
}

#[test]
fn one_id_in_two_slots_stops_both() {
    let mut router = router(2);
    ready(&mut router, 0, 1);
    ready(&mut router, 1, 1);
    assert_eq!(router.places, [Place::Twin(hardware(1)), Place::Twin(hardware(1))]);

    let mut router = self::router(2);
    ready(&mut router, 0, 1);
    router.place(1, Place::Empty, NOW);
    scan(&mut router, "U1");
    let decisions = ready(&mut router, 1, 1);
    assert!(matches!(&decisions[0], Decision::Halt(0, fault) if fault.code == Code::DevTwice));
    assert_eq!(router.twin_of(1), Some(0));
}

#[test]
fn a_scan_waits_for_a_device_only_so_long_after_the_line_last_changed() {
    let mut router = router(1);
    router.place(0, Place::Empty, NOW);
    scan(&mut router, "U1");
    assert_eq!(router.expire(NOW + Duration::from_secs(59)), []);
    let decisions = router.expire(NOW + Duration::from_secs(60));
    assert_eq!(codes(&decisions), [Code::ScanNoDevice]);
}

#[test]
fn a_scan_waits_in_vain_only_where_no_slot_ever_showed_anything() {
    let mut router = router(1);
    router.place(0, Place::Empty, NOW);
    assert!(!router.waits_in_vain());
    scan(&mut router, "U1");
    assert!(router.waits_in_vain());
    router.place(0, Place::Silent, NOW);
    router.place(0, Place::Empty, NOW);
    scan(&mut router, "U2");
    assert!(!router.waits_in_vain());

    let mut router = self::router(1);
    scan(&mut router, "U1");
    router.port_is_there();
    assert!(!router.waits_in_vain());
    router.place(0, Place::Empty, NOW);
    assert!(!router.waits_in_vain(), "its port is there, and no device is");
}

#[test]
fn the_line_ends_when_nothing_waits_and_nothing_runs() {
    let mut router = router(1);
    router.no_more_scans();
    assert!(!router.has_ended(NOW), "a slot has not said yet what is there");
    ready(&mut router, 0, 1);
    assert!(router.has_ended(NOW));
}

#[test]
fn a_slot_that_is_gone_leaves_no_scan_unanswered_and_ends_no_other_slot() {
    let mut router = router(2);
    ready(&mut router, 0, 1);
    ready(&mut router, 1, 2);
    scan(&mut router, "U1");
    let reason = Fault::new(Code::Bug, "gone");
    assert_eq!(codes(&router.gone(0, &reason, NOW)), [Code::Bug]);
    assert_eq!(codes(&router.gone(0, &reason, NOW)), [], "answered once");
    assert_eq!(scan(&mut router, "U2")[0], Decision::Run(1, job("U2")));
}

#[test]
fn a_job_that_was_on_its_way_at_a_stop_does_not_keep_the_line() {
    let mut router = router(1);
    ready(&mut router, 0, 1);
    scan(&mut router, "U1");
    let reason = Fault::new(Code::Stopped, "stop");
    assert_eq!(router.stop(&reason), []);
    assert!(!router.has_ended(NOW), "the slot has not answered");
    let mut returned = router.clone();
    assert_eq!(codes(&returned.returned(0, job("U1"), NOW)), [Code::Stopped]);
    assert!(returned.has_ended(NOW));
    assert_eq!(codes(&router.gone(0, &reason, NOW)), [Code::Stopped]);
    assert!(router.has_ended(NOW));
}

#[test]
fn a_line_gives_up_only_where_all_slots_stay_out_of_service() {
    let mut router = router(1);
    assert_eq!(router.place(0, Place::Out, NOW), [], "labels would be lost on it");
    assert!(!router.has_ended(NOW + Duration::from_secs(1)));
    router.place(0, Place::Out, NOW + Duration::from_secs(1));
    assert!(router.is_out_of_service(NOW + OUT_OF_SERVICE));
    assert_eq!(ready(&mut router, 0, 1), [Decision::Want(2)]);
    assert!(!router.has_ended(NOW + OUT_OF_SERVICE));
}

#[test]
fn a_port_that_another_program_has_is_waited_for() {
    let mut router = router(2);
    router.place(0, Place::Held, NOW);
    router.place(1, Place::Out, NOW);
    assert!(!router.is_out_of_service(NOW + OUT_OF_SERVICE));
    assert!(router.is_out_of_service(NOW + HELD));
    router.wait_for_held_ports();
    assert!(!router.is_out_of_service(NOW + HELD * 100), "a person sees it");
    router.place(0, Place::Out, NOW);
    assert!(router.is_out_of_service(NOW + OUT_OF_SERVICE), "nobody will let go of it");
}

#[test]
fn a_stop_refuses_what_waits() {
    let mut router = router(1);
    router.place(0, Place::Empty, NOW);
    scan(&mut router, "U1");
    let decisions = router.stop(&Fault::new(Code::Stopped, "stopping"));
    assert_eq!(codes(&decisions), [Code::Stopped]);
    assert!(router.has_ended(NOW));
}
