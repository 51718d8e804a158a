//! A slot whose work panics in mid-unit: the key is gone and the attempt has its end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;
use crate::Broker;
use crate::domain::certificate::Proof;
use crate::domain::clock::{Clock, Now, Timestamp};
use crate::domain::device::{Held, Security, Seen, ToldBy};
use crate::domain::identity::{
    Challenge, Identity, KeyFormat, KeyOrigin, Response, SigningRequest, TlsVersion,
};
use crate::domain::ids::{HardwareId, ImageDigest, to_hex};
use crate::domain::lender::KeyLender;
use crate::domain::record::{AuthoritySeen, Open};
use crate::flow::Policy;
use crate::ledger::{Ledger, Settings};
use crate::link::LinkError;
use crate::link::port::InputLine;
use crate::pki::{
    self, Authority, AuthorityPlace, AuthorityRequest, JournalKey, KeyPlace, Passphrase,
};
use crate::pki::{Profile, ValidFor};
use crate::vault::Vault;

pub(super) struct Standing;

impl Clock for Standing {
    fn now(&self) -> Now {
        Now { monotonic: Duration::from_secs(1), wall: Timestamp(1_800_000_000_000_000) }
    }
}

/// A driver with a bug: it panics while it stages, with the key lent or not.
struct Buggy;

impl Driver for Buggy {
    fn identify(&mut self) -> Result<Seen, LinkError> {
        Ok(Seen {
            hardware: HardwareId::from_bytes(&[1, 2, 3, 4]).unwrap(),
            told_by: ToldBy::HardwareId,
            model: "M".to_owned(),
            firmware: "1".to_owned(),
            factory_serial: None,
            holds: None,
            locked: false,
            security: Security::default(),
            best_proof: Proof::Possession,
            makes_keys: false,
            can_lock: false,
        })
    }

    fn compose(&mut self, _: &Identity, _: &dyn KeyLender) -> Result<ImageDigest, LinkError> {
        Ok(ImageDigest::new([7; 32]))
    }

    fn stage(
        &mut self,
        _: &Identity,
        _: &dyn KeyLender,
        _: &mut dyn FnMut(u32, u32),
    ) -> Result<(), LinkError> {
        panic!("a bug, on purpose")
    }

    fn probe(&mut self) -> Result<Option<Seen>, LinkError> {
        unreachable!()
    }

    fn make_key(&mut self) -> Result<SigningRequest, LinkError> {
        unreachable!()
    }

    fn commit(&mut self, _: ImageDigest) -> Result<(), LinkError> {
        unreachable!()
    }

    fn restart(&mut self) -> Result<Seen, LinkError> {
        unreachable!()
    }

    fn prove(&mut self, _: &Challenge) -> Result<Response, LinkError> {
        unreachable!()
    }

    fn read_back(&mut self) -> Result<Option<Held>, LinkError> {
        unreachable!()
    }

    fn finish(&mut self, _: bool) -> Result<Seen, LinkError> {
        unreachable!()
    }

    fn release(&mut self) -> Result<(), LinkError> {
        unreachable!()
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

fn authority(dir: &TempDir) -> Authority {
    let files = AuthorityPlace {
        certificate: dir.path().join("ca.pem"),
        key: KeyPlace::File(dir.path().join("ca.key")),
        chain: None,
    };
    let passphrase = Passphrase::new("only for this test".to_owned()).unwrap();
    let request = AuthorityRequest {
        common_name: "Test CA".to_owned(),
        valid_for: ValidFor::Years(30),
        backdate: pki::CA_BACKDATE,
        now: Standing.now().wall,
    };
    pki::init(&files, &passphrase, &request).unwrap();
    Authority::load(&files, &passphrase).unwrap()
}

pub(super) fn ledger(dir: &TempDir) -> Ledger {
    let secret = Passphrase::new("0123456789abcdef0123456789abcdef".to_owned()).unwrap();
    let key = JournalKey::load_or_create(&dir.path().join("journal.key"), &secret).unwrap();
    let settings = Settings {
        data_dir: dir.path().join("data"),
        station: "test".parse().unwrap(),
        anchor: None,
        reserve_bytes: 0,
        max_clock_gap: Duration::from_secs(86_400),
        require_grant: false,
    };
    Ledger::open(settings, Arc::new(key), Arc::new(Standing)).unwrap()
}

pub(super) fn shared(dir: &TempDir, ledger: &Ledger) -> Shared {
    let authority = authority(dir);
    let seen = AuthoritySeen {
        fingerprint: authority.fingerprint(),
        der: to_hex(&authority.certificate_der()),
    };
    ledger.writer().record(Record::AuthoritySeen(seen)).unwrap();
    Shared {
        authority,
        product: "TH200".to_owned(),
        profile: Profile::new(None, None, ValidFor::Years(1), Profile::BACKDATE).unwrap(),
        vault: Vault::new(1).unwrap(),
        writer: ledger.writer(),
        inquiries: ledger.inquiries().unwrap(),
        clock: Arc::new(Standing),
        policy: Policy {
            model: None,
            require: Security::default(),
            required_proof: Proof::Possession,
            key_origin: KeyOrigin::Station,
            lock: false,
            connects: false,
        },
        key_format: KeyFormat::Scalar,
        broker: Broker {
            host: "broker".to_owned(),
            port: 8883,
            tls_min: TlsVersion::V1_2,
            tls_max: TlsVersion::V1_3,
            server_root: Arc::from([]),
        },
        witness: None,
        lot: Arc::default(),
        signed_in: Arc::default(),
        uid: 0,
        unit_deadline: Duration::from_secs(10),
    }
}

#[test]
fn a_panic_in_mid_unit_wipes_the_key_and_ends_the_attempt_as_interrupted() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(&dir);
    let shared = shared(&dir, &ledger);
    let slot: SlotName = "A".parse().unwrap();
    let (serial, client_id) = ("U-1".parse().unwrap(), "U-1".parse().unwrap());
    let job = Job::new(serial, client_id);
    let (halt, progress) = (Halt::default(), ProgressCell::default());
    let run = || {
        let at = Workplace { slot: &slot, driver: &mut Buggy, halt: &halt, progress: &progress };
        run_unit(&shared, &job, at, None)
    };
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    assert_eq!(shared.vault.held(), 0, "the key outlived the panic");

    let report = end_after_panic(&shared, &slot, &job);
    assert_eq!(report.outcome, Outcome::Interrupted);
    assert_eq!(report.fault.unwrap().code, Code::Bug);
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.standing(&job.serial).unwrap().open, Open::None);
    let story = reader.unit_story(&job.serial).unwrap().unwrap();
    let story = serde_json::to_value(&story).unwrap();
    assert_eq!(story["attempts"][0]["outcome"], "interrupted");
    assert_eq!(story["attempts"][0]["code"], "E-BUG");
    assert_eq!(story["certificates"][0]["state"], "void");
}
