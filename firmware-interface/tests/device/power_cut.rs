//! The power goes at every instant of a provisioning, an erase and a lock.

use firmware_interface::ids::Lifecycle;
use firmware_interface::message::Request;

use super::support::{
    Call, Cut, Flash, Identity, Station, boot, provision, provisioned, provisioned_over,
};

/// Every cut that a run with these calls can have.
fn cuts(calls: &[Call]) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for (number, call) in calls.iter().enumerate() {
        cuts.extend([Cut::Before(number), Cut::After(number)]);
        for done in torn_at(*call) {
            for garbage in [None, Some(0x00), Some(0xa5)] {
                cuts.push(Cut::Torn { call: number, done, garbage });
            }
        }
    }
    cuts
}

/// Every byte of a header and a lock, some of a chunk, header and image of an erase.
fn torn_at(call: Call) -> Vec<usize> {
    match call {
        Call::WriteHeader | Call::Lock => (0..call.bytes()).collect(),
        Call::Write(length) => vec![0, 1, length / 2, length - 1],
        Call::Erase => vec![1, 60, 112, 113, 144, 400, call.bytes() - 1],
        Call::Look => Vec::new(),
    }
}

fn calls_of(run: impl FnOnce(Flash) -> Flash, flash: &Flash) -> Vec<Call> {
    run(flash.clone()).calls
}

/// What a device says after the power came back, checked against what it proves.
fn holds(flash: &Flash, identities: &[&Identity]) -> Option<[u8; 32]> {
    let mut device = boot(flash.clone().rebooted());
    let mut station = Station::new(0x00c0_ffee);
    let seen = station.identify(&mut device);
    assert_eq!(seen.replaced, 0);
    if !seen.holds_identity() {
        assert!(station.prove(&mut device).is_err());
        return None;
    }
    let identity = identities.iter().find(|identity| identity.digest() == seen.image);
    let identity = identity.expect("an identity that was never committed");
    assert_eq!(seen.certificate, identity.certificate_digest());
    assert_eq!(station.prove(&mut device).unwrap().0, identity.key());
    Some(seen.image)
}

#[test]
fn a_cut_anywhere_in_a_provisioning_leaves_the_old_identity_or_the_new_one() {
    let (old, new) = (Identity::new(0x11), Identity::new(0x77));
    let start = provisioned(&old);
    let calls = calls_of(|flash| provision(flash, &new, true).0, &start);
    assert!(calls.contains(&Call::WriteHeader) && calls.contains(&Call::Lock));
    let (mut kept, mut replaced) = (0, 0);
    for cut in cuts(&calls) {
        let mut flash = start.clone();
        flash.cut = Some(cut);
        let (flash, _) = provision(flash, &new, true);
        assert!(flash.was_cut(), "{cut:?} did not happen");
        match holds(&flash, &[&old, &new]) {
            Some(image) if image == old.digest() => kept += 1,
            Some(image) if image == new.digest() => replaced += 1,
            other => panic!("{cut:?} left {other:?}"),
        }
    }
    assert!(kept > 50 && replaced > 50, "kept {kept}, replaced {replaced}");
}

#[test]
fn a_cut_anywhere_in_a_first_provisioning_leaves_nothing_or_the_new_identity() {
    let new = Identity::new(0x77);
    let calls = calls_of(|flash| provision(flash, &new, false).0, &Flash::blank());
    let (mut nothing, mut replaced) = (0, 0);
    for cut in cuts(&calls) {
        let mut flash = Flash::blank();
        flash.cut = Some(cut);
        let (flash, _) = provision(flash, &new, false);
        match holds(&flash, &[&new]) {
            None => nothing += 1,
            Some(_) => replaced += 1,
        }
    }
    assert!(nothing > 50 && replaced > 50, "nothing {nothing}, replaced {replaced}");
}

#[test]
fn after_any_cut_the_same_provisioning_succeeds() {
    let (old, new) = (Identity::new(0x11), Identity::new(0x77));
    let start = provisioned(&old);
    for cut in cuts(&calls_of(|flash| provision(flash, &new, false).0, &start)) {
        let mut flash = start.clone();
        flash.cut = Some(cut);
        let (flash, _) = provision(flash, &new, false);
        let (flash, outcome) = provision(flash.rebooted(), &new, false);
        assert_eq!(outcome, Ok(()), "after {cut:?}");
        assert_eq!(holds(&flash, &[&new]), Some(new.digest()));
        assert!(!flash.contains(old.key()), "the old key is left after {cut:?}");
    }
}

#[test]
fn a_second_cut_in_the_repetition_leaves_one_of_the_two_as_well() {
    let (old, new) = (Identity::new(0x11), Identity::new(0x77));
    let start = provisioned(&old);
    let calls = calls_of(|flash| provision(flash, &new, false).0, &start);
    for first in (0..calls.len()).map(Cut::After) {
        let mut flash = start.clone();
        flash.cut = Some(first);
        let (flash, _) = provision(flash, &new, false);
        for second in (0..calls.len()).step_by(3).map(Cut::Before) {
            let mut flash = flash.clone().rebooted();
            flash.cut = Some(second);
            let (flash, _) = provision(flash, &new, false);
            assert!(holds(&flash, &[&old, &new]).is_some(), "{first:?}, then {second:?}");
        }
    }
}

#[test]
fn a_cut_anywhere_in_an_erase_never_brings_an_older_identity_back() {
    let (older, old) = (Identity::new(0x11), Identity::new(0x22));
    let start = provisioned_over(provisioned(&older), &old);
    let erase = |flash: Flash| {
        let mut device = boot(flash);
        let mut station = Station::new(1);
        station.identify(&mut device);
        station.ask(&mut device, &Request::Erase);
        device.into_storage()
    };
    let (mut kept, mut gone) = (0, 0);
    for cut in cuts(&calls_of(erase, &start)) {
        let mut flash = start.clone();
        flash.cut = Some(cut);
        match holds(&erase(flash), &[&old]) {
            Some(_) => kept += 1,
            None => gone += 1,
        }
    }
    assert!(kept > 0 && gone > 0, "kept {kept}, gone {gone}");
}

#[test]
fn an_erase_that_was_cut_short_is_completed_by_another() {
    let old = Identity::new(0x22);
    let start = provisioned(&old);
    let erase = |flash: Flash| {
        let mut device = boot(flash);
        let mut station = Station::new(1);
        station.identify(&mut device);
        station.ask(&mut device, &Request::Erase);
        device.into_storage()
    };
    for cut in cuts(&calls_of(erase, &start)) {
        let mut flash = start.clone();
        flash.cut = Some(cut);
        let flash = erase(erase(flash).rebooted());
        assert!(!flash.contains(&old.key()[..4]), "key bytes are left after {cut:?}");
    }
}

#[test]
fn a_lock_is_set_or_not_and_a_locked_device_holds_no_old_key() {
    let (old, new) = (Identity::new(0x11), Identity::new(0x77));
    let start = provisioned_over(provisioned(&old), &new);
    let finish = |flash: Flash| {
        let mut device = boot(flash);
        let mut station = Station::new(1);
        station.identify(&mut device);
        let _ = station.finish(&mut device, true);
        device.into_storage()
    };
    let (mut open, mut locked) = (0, 0);
    for cut in cuts(&calls_of(finish, &start)) {
        let mut flash = start.clone();
        flash.cut = Some(cut);
        let flash = finish(flash).rebooted();
        assert_eq!(holds(&flash, &[&new]), Some(new.digest()), "{cut:?}");
        match boot(flash.clone()).lifecycle() {
            Lifecycle::Locked => {
                locked += 1;
                assert!(!flash.contains(old.key()), "{cut:?}");
            }
            _ => open += 1,
        }
    }
    assert!(open > 0 && locked > 0, "open {open}, locked {locked}");
}
