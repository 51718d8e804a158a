//! The power goes at every step of the flash while a second identity is burned over a first.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::device::{HARDWARE_ID, NONCE};
use super::flash::Flash;
use super::identity::Identity;
use super::machine::{Machine, firmware};
use super::wire::{Silence, Wire};

/// What the firmware ends the machine with where the power goes.
const POWER_CUT: i32 = 42;

/// What FINISH does: header and image of the spare slot erased by eighths of a page, one
/// page and two; and the lock.
const AFTER_COMMIT: u32 = 8 + 16 + 1;

/// A header of 96 bytes in units of 8.
const HEADER: u32 = 12;

fn provision(wire: &mut Wire, identity: &Identity) -> Result<(), Silence> {
    wire.identify(0x3001)?;
    wire.burn(identity, 512)?;
    wire.finish(true)
}

/// A flash that holds the identity.
fn provisioned(firmware: &Path, identity: &Identity) -> Flash {
    let (machine, uart) = Machine::power_on(firmware, &Flash::blank(HARDWARE_ID));
    let mut wire = Wire::new(uart);
    wire.identify(0x3000).unwrap();
    wire.burn(identity, 512).unwrap();
    machine.power_off()
}

/// How many steps a whole attempt has.
fn count_steps(firmware: &Path, start: &Flash, identity: &Identity) -> u32 {
    let (machine, uart) = Machine::power_on(firmware, &start.cut_at(0, false));
    provision(&mut Wire::new(uart), identity).unwrap();
    machine.power_off().steps_done()
}

/// The flash as the cut left it.
fn cut(firmware: &Path, start: &Flash, identity: &Identity, step: u32, torn: bool) -> Flash {
    let (machine, uart) = Machine::power_on(firmware, &start.cut_at(step, torn));
    let outcome = provision(&mut Wire::new(uart), identity);
    assert_eq!(outcome, Err(Silence::Gone), "step {step}");
    let (status, flash) = machine.ended();
    assert_eq!(status.code(), Some(POWER_CUT), "step {step}");
    flash
}

/// Which of the two identities it holds and proves; true for the new one.
fn holds_new(firmware: &Path, flash: &Flash, old: &Identity, new: &Identity) -> bool {
    let (_machine, uart) = Machine::power_on(firmware, &flash.cut_at(0, false));
    let mut wire = Wire::new(uart);
    let seen = wire.identify(0x3002).unwrap();
    let is_new = seen.image == new.digest();
    assert!(is_new || seen.image == old.digest(), "neither the old nor the new identity");
    let held = if is_new { new } else { old };
    let proof = wire.prove(NONCE).unwrap();
    assert!(held.is_proven(&flash.hardware_id(), NONCE, &proof), "it can't prove what it holds");
    is_new
}

#[test]
fn a_power_cut_before_the_whole_header_leaves_the_old_identity_and_any_later_one_the_new() {
    let Some(firmware) = firmware() else { return };
    let begun = Instant::now();
    let (old, new) = (Identity::new(120), Identity::new(420));
    let start = provisioned(firmware, &old);
    let steps = count_steps(firmware, &start, &new);
    let header = steps - AFTER_COMMIT - HEADER..=steps - AFTER_COMMIT + 1;
    // Before a step is after the one before it: only around the header is that a state of its own.
    let before = header.map(|step| (step, false));
    let cuts: Vec<(u32, bool)> = (1..=steps).map(|step| (step, true)).chain(before).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((step, torn)) = cuts.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
            let flash = cut(firmware, &start, &new, step, torn);
            let is_new = holds_new(firmware, &flash, &old, &new);
            assert_eq!(is_new, step > steps - AFTER_COMMIT, "step {step}, torn {torn}");
        }
    };
    std::thread::scope(|scope| {
        let handles = [scope.spawn(work), scope.spawn(work), scope.spawn(work)];
        handles.into_iter().for_each(|handle| handle.join().expect("every cut is survived"));
    });
    assert!(steps > 100);
    let time = begun.elapsed().as_secs();
    eprintln!("{} cuts in {steps} steps: {time} s", cuts.len());
}

#[test]
fn a_whole_image_that_was_not_committed_is_not_active() {
    let Some(firmware) = firmware() else { return };
    let (old, new) = (Identity::new(120), Identity::new(420));
    let start = provisioned(firmware, &old);
    let (machine, uart) = Machine::power_on(firmware, &start);
    let mut wire = Wire::new(uart);
    wire.identify(0x3004).unwrap();
    wire.stage(&new, 512).unwrap();
    assert!(!holds_new(firmware, &machine.power_off(), &old, &new));
}

#[test]
fn after_a_cut_the_same_attempt_succeeds_and_wipes_the_old_key() {
    let Some(firmware) = firmware() else { return };
    let (old, new) = (Identity::new(120), Identity::new(420));
    let start = provisioned(firmware, &old);
    let steps = count_steps(firmware, &start, &new);
    for step in (1..steps).step_by(9) {
        let flash = cut(firmware, &start, &new, step, true).cut_at(0, false);
        let (machine, uart) = Machine::power_on(firmware, &flash);
        let mut wire = Wire::new(uart);
        let locked = wire.identify(0x3003).unwrap().lifecycle;
        if locked != firmware_interface::ids::Lifecycle::Locked {
            provision(&mut wire, &new).unwrap();
        }
        let flash = machine.power_off();
        assert!(holds_new(firmware, &flash, &old, &new), "after a cut at step {step}");
        assert!(!flash.contains(&old.image[..32]), "the old key is left after step {step}");
    }
}
