//! The machine against a model of a device and of a ledger, cut before and after every
//! effect, three cuts deep, with and without rework.
//!
//! After each cut the two models are audited *before the device is shown again*: a later
//! attempt would heal the evidence.

use std::collections::BTreeMap;

use crate::domain::certificate::{CertificateState, Proof};
use crate::domain::code::Code;
use crate::domain::device::{Answer, Fault, Op, Security, Seen, ToldBy, Verified};
use crate::domain::identity::{IdentityKey, KeyOrigin};
use crate::domain::ids::{CertificateSn, HardwareId, KeyId, PublicKey};
use crate::domain::record::{
    End, Holds, Looked, Open, Owners, ProvenIdentity, Recorded, Refusal, Rework, Standing,
};

use super::{Effect, Entry, Input, Policy, State, Unit, Verdict, VerdictKind, settle, step};

fn sn(number: u8) -> CertificateSn {
    CertificateSn::from_random([number; 16])
}

/// Honest: what it acknowledges is so. What it holds is one certificate or none.
#[derive(Clone)]
struct Device {
    hardware: HardwareId,
    active: Option<CertificateSn>,
    staged: Option<CertificateSn>,
    /// How many keys it made, and whether it makes the same one each time.
    keys_made: u8,
    keeps_key: bool,
    made: Option<PublicKey>,
}

impl Device {
    fn seen(&self) -> Seen {
        Seen {
            hardware: self.hardware.clone(),
            told_by: ToldBy::HardwareId,
            model: "MODEL".to_owned(),
            firmware: "1".to_owned(),
            factory_serial: None,
            // The model ledger looks at `active` itself.
            holds: None,
            locked: false,
            security: Security::default(),
            best_proof: Proof::Possession,
            makes_keys: true,
            can_lock: true,
        }
    }

    fn perform(&mut self, op: Op) -> Answer {
        match op {
            Op::Identify => Answer::Seen(self.seen()),
            Op::MakeKey => {
                self.keys_made += u8::from(!self.keeps_key);
                let key = PublicKey::from_bytes(&[self.keys_made; 65]).unwrap();
                self.made = Some(key);
                Answer::KeyMade(key)
            }
            Op::Stage { cert, key } => {
                if let IdentityKey::Device(key) = key {
                    assert_eq!(self.made, Some(key), "a key that the device does not have");
                }
                self.staged = Some(cert);
                Answer::Staged
            }
            Op::Commit { cert } => {
                assert_eq!(self.staged.take(), Some(cert));
                self.active = Some(cert);
                Answer::Committed
            }
            Op::Restart => {
                self.staged = None;
                self.made = None;
                Answer::Restarted(self.seen())
            }
            Op::Prove { cert } | Op::ReadBack { cert } => Answer::Proof(match self.active {
                Some(active) if active == cert => Verified::Yes(Proof::Possession),
                Some(_) => Verified::Wrong,
                None => Verified::NoKey,
            }),
            Op::Connect { cert } => Answer::Proof(match self.active {
                Some(active) if active == cert => Verified::Yes(Proof::Connect),
                _ => Verified::Wrong,
            }),
            Op::Finish => Answer::Finished(self.seen()),
            Op::Release => Answer::Released,
        }
    }
}

/// Refuses every move that is not legal by failing the test.
#[derive(Clone, Default)]
struct Ledger {
    standing: Standing,
    certificates: BTreeMap<CertificateSn, CertificateState>,
    attempts: u32,
    /// For which key a device's certificate was made, and which were given out again.
    keys: BTreeMap<CertificateSn, PublicKey>,
    again: u32,
    certificates_made: u8,
    ended: u32,
}

impl Ledger {
    fn look(&self, device: &Device) -> Looked {
        let identity = match device.active {
            None => Holds::Nothing,
            Some(cert) => match self.certificates.get(&cert) {
                Some(state) => Holds::This { cert, state: *state, intact: true },
                None => Holds::Unknown,
            },
        };
        Looked { standing: self.standing.clone(), owners: Owners { hardware: None, identity } }
    }

    fn moves(&mut self, cert: CertificateSn, from: &[CertificateState], to: CertificateState) {
        let state = self.certificates.get_mut(&cert).unwrap();
        assert!(from.contains(state), "{cert} moved from {state:?} to {to:?}");
        *state = to;
    }

    fn record(&mut self, entry: Entry) -> u32 {
        match entry {
            Entry::Begun(seen) => self.begin(&seen),
            Entry::FailedEarly(end) => panic!("an honest device failed early: {end:?}"),
            Entry::Issued { cert, .. } => {
                let Open::Begun { attempt, hardware } = self.standing.open.clone() else {
                    panic!("issued without an attempt")
                };
                let before = self.certificates.insert(cert, CertificateState::Issued);
                assert!(matches!(before, None | Some(CertificateState::Issued)), "{before:?}");
                for (other, state) in &mut self.certificates {
                    if *other != cert && *state == CertificateState::Issued {
                        *state = CertificateState::Void;
                    }
                }
                self.standing.open = Open::Issued { attempt, hardware, cert };
            }
            Entry::CommitAsked { .. } => {
                let Open::Issued { attempt, hardware, cert } = self.standing.open.clone() else {
                    panic!("commit asked without a certificate")
                };
                self.moves(cert, &[CertificateState::Issued], CertificateState::Uncertain);
                self.standing.open = Open::Asked { attempt, hardware, cert };
            }
            Entry::Proven { .. } => self.prove(),
            Entry::Finished { cert } => self.finish(cert),
            Entry::Ended { attempt, end, void } => self.end(attempt, &end, void),
        }
        self.attempts
    }

    fn begin(&mut self, seen: &Seen) {
        assert_eq!(self.standing.open, Open::None);
        assert!(self.standing.proven.is_none() || self.standing.rework == Rework::Allowed);
        self.attempts += 1;
        let (attempt, hardware) = (self.attempts, seen.hardware.clone());
        self.standing.open = Open::Begun { attempt, hardware };
    }

    fn prove(&mut self) {
        let Open::Asked { attempt, hardware, cert } = self.standing.open.clone() else {
            panic!("proven without a commit")
        };
        self.moves(cert, &[CertificateState::Uncertain], CertificateState::Proven);
        if let Some(old) = &self.standing.proven {
            let old = old.cert;
            self.moves(old, &[CertificateState::Proven], CertificateState::Superseded);
        }
        let proven = ProvenIdentity { hardware: hardware.clone(), cert, finished: false };
        self.standing.proven = Some(proven);
        self.standing.rework = Rework::No;
        self.standing.open = Open::Proven { attempt, hardware, cert };
    }

    fn finish(&mut self, cert: CertificateSn) {
        let proven = self.standing.proven.as_mut().unwrap();
        assert_eq!(proven.cert, cert);
        proven.finished = true;
    }

    fn end(&mut self, attempt: u32, end: &End, void: bool) {
        let open = std::mem::take(&mut self.standing.open);
        let (open_attempt, cert) = match open {
            Open::None => panic!("ended without an open attempt"),
            Open::Begun { attempt, .. } => (attempt, None),
            Open::Issued { attempt, cert, .. } if !void => {
                assert!(self.keys.contains_key(&cert), "nobody has its key any more");
                (attempt, None)
            }
            Open::Issued { attempt, cert, .. } | Open::Asked { attempt, cert, .. } => {
                assert!(void, "an issued certificate is left without a state");
                (attempt, Some(cert))
            }
            Open::Proven { attempt, cert, .. } => {
                assert!(!void);
                if *end == End::Passed {
                    self.finish(cert);
                }
                (attempt, None)
            }
        };
        assert_eq!(open_attempt, attempt);
        self.ended += 1;
        if let Some(cert) = cert {
            let from = [CertificateState::Issued, CertificateState::Uncertain];
            self.moves(cert, &from, CertificateState::Void);
        }
    }
}

#[derive(Clone)]
struct World {
    device: Device,
    ledger: Ledger,
    key: Option<KeyId>,
    origin: KeyOrigin,
    /// Whether its devices connect to the station's own broker.
    connects: bool,
}

impl World {
    fn new() -> Self {
        Self::with(KeyOrigin::Station, false)
    }

    fn with(origin: KeyOrigin, keeps_key: bool) -> Self {
        let hardware = HardwareId::from_bytes(&[1, 2, 3, 4]).unwrap();
        let device =
            Device { hardware, active: None, staged: None, keys_made: 0, keeps_key, made: None };
        World { device, ledger: Ledger::default(), key: None, origin, connects: false }
    }

    fn perform(&mut self, effect: Effect) -> Input {
        match effect {
            Effect::Device(op) => {
                if let Op::Commit { .. } = op {
                    assert_eq!(self.key, None, "the key outlived its last chunk");
                    let asked = matches!(self.ledger.standing.open, Open::Asked { .. });
                    assert!(asked, "the commit left before it was recorded");
                }
                Input::Device(Ok(self.device.perform(op)))
            }
            Effect::Look(_) => Input::Looked(Ok(self.ledger.look(&self.device))),
            Effect::Record(entry) => {
                let attempt = self.ledger.record(entry);
                Input::Recorded(Ok(Recorded { seq: 0, attempt }))
            }
            Effect::Make => Input::Made(Ok(self.make())),
            Effect::Forget(key) => {
                assert_eq!(self.key.take(), Some(key));
                Input::Forgotten
            }
            Effect::Finish(_) => unreachable!("the run ends before this is performed"),
        }
    }

    fn make(&mut self) -> (CertificateSn, IdentityKey) {
        let number = self.ledger.certificates_made + 1;
        if self.origin == KeyOrigin::Station {
            self.ledger.certificates_made = number;
            let key = KeyId(u64::from(number));
            self.key = Some(key);
            return (sn(number), IdentityKey::Station(key));
        }
        let key = self.device.made.expect("a certificate is made before the key");
        let issued = |cert| self.ledger.certificates.get(cert) == Some(&CertificateState::Issued);
        let again = self.ledger.keys.iter().find(|(cert, made)| **made == key && issued(cert));
        if let Some((cert, _)) = again {
            let cert = *cert;
            self.ledger.again += 1;
            return (cert, IdentityKey::Device(key));
        }
        self.ledger.certificates_made = number;
        self.ledger.keys.insert(sn(number), key);
        (sn(number), IdentityKey::Device(key))
    }

    /// The station restarts: its memory is gone, what no device can hold is ended.
    fn restart_station(&mut self) {
        self.key = None;
        if let Some(entry) = settle(&self.ledger.standing, self.origin) {
            self.ledger.record(entry);
        }
    }

    /// What must hold at every instant at which no device is being worked on.
    fn audit(&self) {
        let Ledger { standing, certificates, attempts, ended, .. } = &self.ledger;
        let open = u32::from(standing.open != Open::None);
        assert!(matches!(standing.open, Open::None | Open::Asked { .. }));
        assert_eq!(ended + open, *attempts, "an attempt has no end");
        if let Some(held) = self.device.active {
            let state = certificates.get(&held).expect("the device holds an unknown certificate");
            let known = [CertificateState::Uncertain, CertificateState::Proven];
            assert!(known.contains(state), "the device holds a certificate that is {state:?}");
        }
        let proven: Vec<_> = certificates
            .iter()
            .filter(|(_, state)| **state == CertificateState::Proven)
            .map(|(cert, _)| *cert)
            .collect();
        assert!(proven.len() <= 1);
        assert_eq!(proven.first().copied(), standing.proven.as_ref().map(|p| p.cert));
        if standing.open == Open::None {
            assert_eq!(self.device.active, proven.first().copied(), "not where it was proven");
        }
    }
}

fn unit() -> Unit {
    unit_of(KeyOrigin::Station)
}

fn unit_of(origin: KeyOrigin) -> Unit {
    let policy = Policy {
        model: Some("MODEL".to_owned()),
        require: Security::default(),
        required_proof: Proof::Possession,
        key_origin: origin,
        lock: false,
        connects: false,
    };
    Unit { serial: "U-1".parse().unwrap(), hardware: None, policy }
}

/// Runs until the verdict, or until `cut` performed-or-not effects. Cut points count two
/// for each effect: an even one before it, an odd one after it.
fn run(world: &mut World, cut: Option<usize>) -> Option<Verdict> {
    let mut unit = unit_of(world.origin);
    unit.policy.connects = world.connects;
    let (mut state, mut effect) = step(&unit, State::New, Input::Start).unwrap();
    for point in 0.. {
        if let Effect::Finish(verdict) = effect {
            return Some(*verdict);
        }
        if cut == Some(point * 2) {
            return None;
        }
        let input = world.perform(effect);
        if cut == Some(point * 2 + 1) {
            return None;
        }
        (state, effect) = step(&unit, state, input).unwrap();
    }
    unreachable!()
}

fn explore(world: &World, depth: usize, histories: &mut usize) {
    for cut in 0.. {
        let mut cut_world = world.clone();
        if let Some(verdict) = run(&mut cut_world, Some(cut)) {
            complete(&cut_world, &verdict);
            *histories += 1;
            return;
        }
        cut_world.restart_station();
        cut_world.audit();
        match depth {
            1 => {
                let verdict = run(&mut cut_world, None).unwrap();
                complete(&cut_world, &verdict);
                *histories += 1;
            }
            _ => explore(&cut_world, depth - 1, histories),
        }
    }
}

fn complete(world: &World, verdict: &Verdict) {
    let passed = matches!(
        verdict.kind,
        VerdictKind::Passed(Proof::Possession)
            | VerdictKind::AlreadyProven { verified: true, fault: None }
    );
    assert!(passed, "{verdict:?}");
    assert_eq!(world.ledger.standing.open, Open::None);
    assert!(world.ledger.standing.proven.as_ref().is_some_and(|proven| proven.finished));
    world.audit();
}

#[test]
fn three_cuts_deep_every_history_ends_proven_and_is_sound_before_the_device_returns() {
    let mut histories = 0;
    explore(&World::new(), 3, &mut histories);
    let mut rework = World::new();
    run(&mut rework, None).unwrap();
    rework.ledger.standing.rework = Rework::Allowed;
    explore(&rework, 3, &mut histories);
    assert!(histories > 25_000, "only {histories} histories were explored");
}

#[test]
fn devices_that_make_their_keys_end_proven_too_whether_they_keep_them_or_not() {
    for keeps_key in [false, true] {
        let mut histories = 0;
        explore(&World::with(KeyOrigin::Device, keeps_key), 3, &mut histories);
        assert!(histories > 5_000, "only {histories} histories were explored");
    }
}

#[test]
fn a_unit_that_connects_ends_as_soundly_wherever_it_is_cut() {
    for cut in 0.. {
        let mut world = World::new();
        world.connects = true;
        if run(&mut world, Some(cut)).is_some() {
            assert!(cut > 20, "{cut} is too early for an end");
            break;
        }
        world.restart_station();
        world.audit();
        let verdict = run(&mut world, None).unwrap();
        world.audit();
        let passed = matches!(
            verdict.kind,
            VerdictKind::Passed(Proof::Connect) | VerdictKind::AlreadyProven { .. }
                // A device that finished late is only looked at again.
                | VerdictKind::Passed(Proof::Possession)
        );
        assert!(passed, "cut at {cut}: {verdict:?}");
    }
}

#[test]
fn an_interrupted_attempt_gives_the_same_certificate_for_the_same_key_and_voids_it_for_another() {
    for keeps_key in [false, true] {
        let mut resumed = 0;
        for cut in 0.. {
            let mut world = World::with(KeyOrigin::Device, keeps_key);
            if run(&mut world, Some(cut)).is_some() {
                break;
            }
            world.restart_station();
            world.audit();
            run(&mut world, None).unwrap();
            world.audit();
            resumed += world.ledger.again;
            let states: Vec<_> = world.ledger.certificates.values().copied().collect();
            let expected = match (world.ledger.again, states.len()) {
                (1, 1) | (0, 1) => vec![CertificateState::Proven],
                _ => vec![CertificateState::Void, CertificateState::Proven],
            };
            assert_eq!(states, expected, "cut at {cut}");
        }
        assert_eq!(resumed > 0, keeps_key, "{resumed} times the same certificate");
    }
}

/// The code by which a unit is refused before anything is written, where its device lacks
/// something.
fn refused(unit: &Unit, lacks: fn(&mut Seen)) -> Code {
    let mut world = World::with(unit.policy.key_origin, false);
    let (mut state, mut effect) = step(unit, State::New, Input::Start).unwrap();
    while let Effect::Device(_) | Effect::Look(_) = effect {
        let mut input = world.perform(effect);
        if let Input::Device(Ok(Answer::Seen(seen))) = &mut input {
            lacks(seen);
        }
        (state, effect) = step(unit, state, input).unwrap();
    }
    let Effect::Record(Entry::FailedEarly(End::Failed { code, .. })) = effect else {
        panic!("{effect:?}")
    };
    code
}

#[test]
fn a_device_that_lacks_what_the_product_wants_is_refused_before_anything_is_written() {
    let makes_keys = unit_of(KeyOrigin::Device);
    assert_eq!(refused(&makes_keys, |seen| seen.makes_keys = false), Code::DevNoKeygen);
    let mut locks = unit();
    locks.policy.lock = true;
    assert_eq!(refused(&locks, |seen| seen.can_lock = false), Code::DevSecurity);
}

/// Runs with every device operation but `allowed` failing as `code`.
fn run_with_fault(world: &mut World, fails: fn(Op) -> bool, code: Code) -> Verdict {
    let unit = unit();
    let (mut state, mut effect) = step(&unit, State::New, Input::Start).unwrap();
    loop {
        let input = match effect {
            Effect::Finish(verdict) => return *verdict,
            Effect::Device(op) if fails(op) => Input::Device(Err(Fault::new(code, "injected"))),
            effect => world.perform(effect),
        };
        (state, effect) = step(&unit, state, input).unwrap();
    }
}

#[test]
fn a_device_that_fails_before_commit_leaves_nothing_open() {
    let mut world = World::new();
    let verdict = run_with_fault(&mut world, |op| matches!(op, Op::Stage { .. }), Code::DevTimeout);
    assert!(matches!(verdict.kind, VerdictKind::Failed { uncertain: false, .. }), "{verdict:?}");
    assert_eq!(world.key, None);
    world.audit();
}

#[test]
fn a_device_that_falls_silent_after_commit_asked_stays_uncertain() {
    let mut world = World::new();
    let verdict = run_with_fault(
        &mut world,
        |op| !matches!(op, Op::Stage { .. } | Op::Identify),
        Code::DevTimeout,
    );
    // Identify still answers and the device holds nothing: known, void.
    assert!(matches!(verdict.kind, VerdictKind::Failed { uncertain: false, .. }), "{verdict:?}");
    world.audit();

    let mut world = World::new();
    let verdict = run_with_fault(&mut world, |op| matches!(op, Op::Restart), Code::DevNotRestarted);
    assert!(matches!(verdict.kind, VerdictKind::Failed { uncertain: true, .. }), "{verdict:?}");
    world.audit();
}

#[test]
fn a_proven_unit_that_never_finished_and_stays_silent_is_no_done_one() {
    for finished in [true, false] {
        let mut world = World::new();
        run(&mut world, None).unwrap();
        world.ledger.standing.proven.as_mut().unwrap().finished = finished;
        let silent = |op: Op| matches!(op, Op::Prove { .. });
        let verdict = run_with_fault(&mut world, silent, Code::DevTimeout);
        let done = matches!(verdict.kind, VerdictKind::AlreadyProven { verified: false, .. });
        assert_eq!(done, finished, "{verdict:?}");
        assert!(done || matches!(verdict.kind, VerdictKind::Failed { uncertain: false, .. }));
    }
}

#[test]
fn a_proof_never_counts_without_a_restart() {
    let mut world = World::new();
    let verdict = run_with_fault(&mut world, |op| matches!(op, Op::Restart), Code::DevNotRestarted);
    assert!(matches!(verdict.kind, VerdictKind::Failed { .. }));
    assert_eq!(world.ledger.standing.proven, None);
}

#[test]
fn a_ledger_that_cannot_write_stops_the_device_work_at_once() {
    let unit = unit();
    for failing in 0..6 {
        let mut world = World::new();
        let (mut state, mut effect) = step(&unit, State::New, Input::Start).unwrap();
        let mut records = 0;
        let mut broken = false;
        loop {
            let input = match effect {
                Effect::Finish(_) => break,
                Effect::Record(_) if records == failing => {
                    broken = true;
                    let fault = Fault::new(Code::LedgerWrite, "disk gone");
                    Input::Recorded(Err(Refusal::Ledger(fault)))
                }
                Effect::Record(_) => {
                    records += 1;
                    world.perform(effect)
                }
                Effect::Device(op) => {
                    assert!(!broken, "{op:?} after the ledger failed");
                    world.perform(effect)
                }
                effect => world.perform(effect),
            };
            (state, effect) = step(&unit, state, input).unwrap();
        }
        assert_eq!(world.key, None, "the key outlived the attempt");
    }
}

#[test]
fn a_stop_lands_before_the_next_effect_and_never_behind_commit_asked() {
    let unit = unit();
    for stop_at in 0..20 {
        let mut world = World::new();
        let (mut state, mut effect) = step(&unit, State::New, Input::Start).unwrap();
        let mut effects = 0;
        let verdict = loop {
            effects += 1;
            let input = match effect {
                Effect::Finish(verdict) => break *verdict,
                _ if state.may_stop() && effects >= stop_at => {
                    Input::Stop(Fault::new(Code::Stopped, "told to stop"))
                }
                effect => world.perform(effect),
            };
            (state, effect) = step(&unit, state, input).unwrap();
        };
        let interrupted = matches!(verdict.kind, VerdictKind::Interrupted { .. });
        let passed = matches!(verdict.kind, VerdictKind::Passed(_));
        assert!(interrupted || passed, "{verdict:?}");
        world.restart_station();
        world.audit();
    }
}

#[test]
fn a_label_of_another_device_is_refused_before_anything_is_looked_up() {
    let world = World::new();
    let own = world.device.seen();
    let meet = |hardware: HardwareId, seen: Seen| {
        let unit = Unit { hardware: Some(hardware), ..unit() };
        step(&unit, State::Identifying, Input::Device(Ok(Answer::Seen(seen)))).unwrap().1
    };
    let refused = |effect: Effect| match effect {
        Effect::Finish(verdict) => match verdict.kind {
            VerdictKind::Refused(fault) => fault.code,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert!(matches!(meet(own.hardware.clone(), own.clone()), Effect::Look(_)));
    let other = HardwareId::from_bytes(&[7; 6]).unwrap();
    assert_eq!(refused(meet(other, own.clone())), Code::ScanOtherDevice);
    // A device that is told by what it holds names no hardware.
    let nameless = Seen { told_by: ToldBy::Identity, ..own.clone() };
    assert_eq!(refused(meet(own.hardware, nameless)), Code::ScanOtherDevice);
}

#[test]
fn an_input_that_answers_nothing_is_an_error_that_names_both() {
    let error = step(&unit(), State::New, Input::Forgotten).unwrap_err();
    assert_eq!(error.to_string(), "while new the machine was given a wiped key");
}
