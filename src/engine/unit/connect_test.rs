//! A unit that is waited for at the station's own broker, once and once more.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::panic_test::{ledger, shared};
use super::*;
use crate::domain::certificate::Proof;
use crate::domain::device::{Held, Security, Seen, ToldBy};
use crate::domain::evidence::{Sighting, Stage, Visit, Witness};
use crate::domain::identity::{Challenge, Identity, Response, SigningRequest};
use crate::domain::ids::{ClientId, Fingerprint, HardwareId, ImageDigest};
use crate::domain::lender::KeyLender;
use crate::link::LinkError;
use crate::link::port::InputLine;

/// A device that takes what it is given, and can't sign.
#[derive(Default)]
struct Mute {
    staged: Option<Held>,
    holds: Option<Held>,
}

impl Mute {
    fn seen(&self) -> Seen {
        Seen {
            hardware: HardwareId::from_bytes(&[1, 2, 3, 4]).unwrap(),
            told_by: ToldBy::HardwareId,
            model: "M".to_owned(),
            firmware: "1".to_owned(),
            factory_serial: None,
            holds: self.holds,
            locked: false,
            security: Security::default(),
            best_proof: Proof::None,
            makes_keys: false,
            can_lock: false,
        }
    }
}

impl Driver for Mute {
    fn identify(&mut self) -> Result<Seen, LinkError> {
        Ok(self.seen())
    }

    fn compose(&mut self, _: &Identity, _: &dyn KeyLender) -> Result<ImageDigest, LinkError> {
        Ok(ImageDigest::new([7; 32]))
    }

    fn stage(
        &mut self,
        identity: &Identity,
        _: &dyn KeyLender,
        _: &mut dyn FnMut(u32, u32),
    ) -> Result<(), LinkError> {
        let digest: [u8; 32] = Sha256::digest(&identity.client_certificate).into();
        let (certificate, image) = (Fingerprint::new(digest), ImageDigest::new([7; 32]));
        self.staged = Some(Held { certificate, image });
        Ok(())
    }

    fn probe(&mut self) -> Result<Option<Seen>, LinkError> {
        Ok(Some(self.seen()))
    }

    fn make_key(&mut self) -> Result<SigningRequest, LinkError> {
        unreachable!()
    }

    fn commit(&mut self, _: ImageDigest) -> Result<(), LinkError> {
        self.holds = self.staged.take();
        Ok(())
    }

    fn restart(&mut self) -> Result<Seen, LinkError> {
        Ok(self.seen())
    }

    fn prove(&mut self, _: &Challenge) -> Result<Response, LinkError> {
        unreachable!()
    }

    fn read_back(&mut self) -> Result<Option<Held>, LinkError> {
        Ok(self.holds)
    }

    fn finish(&mut self, _: bool) -> Result<Seen, LinkError> {
        Ok(self.seen())
    }

    fn release(&mut self) -> Result<(), LinkError> {
        Ok(())
    }

    fn restart_kind(&self) -> &'static str {
        "command"
    }

    fn set_deadline(&mut self, _: Option<Instant>) {}

    fn level(&mut self, _: InputLine) -> Result<bool, LinkError> {
        unreachable!()
    }

    fn idle(&mut self, _: Duration) -> Result<(), LinkError> {
        Ok(())
    }
}

/// Sees somebody at the first wait, and nobody at any after it.
#[derive(Default)]
struct SeenOnce(AtomicUsize, Mutex<Vec<Instant>>);

impl Witness for SeenOnce {
    fn wait_for(&self, _: &Fingerprint, _: &ClientId, since: Instant) -> Sighting {
        self.1.lock().unwrap().push(since);
        let why = Some("it offers no TLS version that the broker speaks".to_owned());
        let from = IpAddr::from([10, 0, 0, 7]);
        let visit = Visit { from, reached: Stage::Arrived, why, shown: None };
        Sighting::Nobody(match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => vec![visit],
            _ => Vec::new(),
        })
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(6)
    }
}

#[test]
fn what_the_first_wait_saw_is_told_where_the_last_one_saw_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(&dir);
    let mut shared = shared(&dir, &ledger);
    let witness = Arc::new(SeenOnce::default());
    shared.witness = Some(witness.clone());
    shared.policy.connects = true;
    let slot: SlotName = "A".parse().unwrap();
    let job = Job::new("U-1".parse().unwrap(), "U-1".parse().unwrap());
    let (halt, progress) = (Halt::default(), ProgressCell::default());
    let mut driver = Mute::default();
    let at = Workplace { slot: &slot, driver: &mut driver, halt: &halt, progress: &progress };
    let report = run_unit(&shared, &job, at, None);
    let fault = report.report.fault.unwrap();
    assert_eq!(fault.code, Code::DevConnect, "{}", fault.detail);
    assert!(witness.1.lock().unwrap().len() > 1, "it was waited for once: {}", fault.detail);
    assert!(fault.detail.contains("10.0.0.7 reached it"), "{}", fault.detail);
}
