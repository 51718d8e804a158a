//! What the vault holds, wipes and hides, looked at from outside where that is possible.

use std::fs;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, setrlimit,
};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use super::stack::SCRUBBED;
use super::*;

fn any_key(_: &[u8; 32]) -> Option<PublicKey> {
    Some(PublicKey::new([4; 65]))
}

fn make(vault: &Vault) -> KeyId {
    vault.make_key(&any_key).unwrap().0
}

fn scalar_of(vault: &Vault, key: KeyId) -> [u8; 32] {
    let mut copy = [0; 32];
    vault.lend(key, &mut |scalar, _| copy = *scalar).unwrap();
    copy
}

/// Whether a cell is all zeros, below the vault's own bookkeeping.
fn is_wiped(vault: &Vault, index: usize) -> bool {
    let mut cell = lock(&vault.cells[index]);
    let bytes = cell.memory.bytes();
    bytes.scalar.iter().chain(&bytes.scratch).all(|byte| *byte == 0)
}

#[test]
fn a_key_is_random_and_stays_until_it_is_forgotten() {
    let vault = Vault::new(2).unwrap();
    let (first, second) = (make(&vault), make(&vault));
    let scalar = scalar_of(&vault, first);
    assert_ne!(scalar, [0; 32]);
    assert_ne!(scalar, scalar_of(&vault, second));
    assert_eq!(scalar, scalar_of(&vault, first));
}

#[test]
fn bytes_that_are_no_key_are_drawn_again() {
    let vault = Vault::new(1).unwrap();
    let calls = AtomicUsize::new(0);
    let picky = |_: &[u8; 32]| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        (call == 3).then(|| PublicKey::new([4; 65]))
    };
    vault.make_key(&picky).unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[test]
fn a_cell_is_free_again_and_empty_where_no_key_came_of_it() {
    let vault = Vault::new(1).unwrap();
    let error = vault.make_key(&|_| None).unwrap_err();
    assert_eq!(error.code(), Code::Bug);
    assert!(is_wiped(&vault, 0));
    assert_eq!(vault.held(), 0);
    make(&vault);
}

#[test]
fn a_panic_while_a_key_is_made_leaves_the_cell_free_and_empty() {
    let vault = Vault::new(1).unwrap();
    let panics = |_: &[u8; 32]| panic!("a bug in the derivation");
    assert!(catch_unwind(AssertUnwindSafe(|| vault.make_key(&panics))).is_err());
    assert!(is_wiped(&vault, 0));
    make(&vault);
}

#[test]
fn a_library_may_write_a_key_of_its_own() {
    let vault = Vault::new(1).unwrap();
    let write = |scalar: &mut [u8; 32]| {
        scalar.fill(9);
        Some(PublicKey::new([4; 65]))
    };
    let (key, _) = vault.make_key_by(&write).unwrap();
    assert_eq!(scalar_of(&vault, key), [9; 32]);
    vault.forget(key);
    assert!(vault.make_key_by(&|_| None).is_err());
    assert_eq!(vault.held(), 0);
}

#[test]
fn forgetting_wipes_and_may_be_done_twice() {
    let vault = Vault::new(1).unwrap();
    let key = make(&vault);
    assert!(!is_wiped(&vault, 0));
    vault.forget(key);
    assert!(is_wiped(&vault, 0));
    vault.forget(key);
    let next = make(&vault);
    vault.forget(key);
    assert!(vault.lend(next, &mut |_, _| ()).is_ok());
    assert_eq!(vault.lend(key, &mut |_, _| ()).unwrap_err().code, Code::Bug);
}

#[test]
fn a_key_number_is_never_used_again() {
    let (one, other) = (Vault::new(1).unwrap(), Vault::new(1).unwrap());
    let key = make(&one);
    assert!(other.lend(key, &mut |_, _| ()).is_err());
    one.forget(key);
    assert_ne!(make(&one), key);
    assert_ne!(make(&other), key);
}

#[test]
fn a_full_vault_makes_no_key() {
    let vault = Vault::new(2).unwrap();
    let _keys = (make(&vault), make(&vault));
    assert!(matches!(vault.make_key(&any_key), Err(VaultError::Full { cells: 2 })));
    assert!(matches!(Vault::new(0), Err(VaultError::Cells { cells: 0 })));
}

#[test]
fn scratch_is_wiped_after_each_loan() {
    let vault = Vault::new(1).unwrap();
    let key = make(&vault);
    vault.lend(key, &mut |_, scratch| scratch.fill(7)).unwrap();
    vault
        .lend(key, &mut |_, scratch| {
            assert_eq!(scratch.len(), crate::domain::lender::LENT_SCRATCH);
            assert!(scratch.iter().all(|byte| *byte == 0));
        })
        .unwrap();
}

#[test]
fn a_panic_during_a_loan_wipes_the_scratch_and_keeps_the_vault_usable() {
    let vault = Vault::new(1).unwrap();
    let key = make(&vault);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        vault.lend(key, &mut |_, scratch| {
            scratch.fill(7);
            panic!("a slot's bug");
        })
    }));
    assert!(panicked.is_err());
    vault.lend(key, &mut |_, scratch| assert!(scratch.iter().all(|byte| *byte == 0))).unwrap();
    vault.forget(key);
    assert!(is_wiped(&vault, 0));
}

#[test]
fn dropping_the_vault_wipes_every_cell() {
    let mut vault = Vault::new(3).unwrap();
    let address = std::ptr::from_mut(lock(&vault.cells[0]).memory.bytes()).addr();
    for _ in 0..3 {
        let key = make(&vault);
        vault.lend(key, &mut |_, _| ()).unwrap();
    }
    let held = |length| {
        let mut bytes = vec![0xff; length];
        let memory = fs::File::open("/proc/self/mem").unwrap();
        memory.read_exact_at(&mut bytes, address as u64).unwrap();
        bytes.iter().any(|byte| *byte != 0)
    };
    let length = 3 * (SCALAR + crate::domain::lender::LENT_SCRATCH);
    assert!(held(length));
    // The cells go first, as in a drop of the whole; the pages stay to be looked at.
    drop(std::mem::take(&mut vault.cells));
    assert!(!held(length));
}

#[test]
fn slots_borrow_their_keys_at_the_same_time() {
    let vault = Vault::new(8).unwrap();
    let inside = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let key = make(&vault);
                // Passed only when all eight are inside their loans together.
                vault
                    .lend(key, &mut |_, _| {
                        inside.wait();
                    })
                    .unwrap();
                vault.forget(key);
            });
        }
    });
    assert_eq!(vault.held(), 0);
}

#[test]
fn many_threads_never_see_each_others_keys() {
    let vault = Vault::new(4).unwrap();
    let derive = |scalar: &[u8; 32]| {
        let mut point = [4; 65];
        point[..32].copy_from_slice(scalar);
        Some(PublicKey::new(point))
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let (key, point) = vault.make_key(&derive).unwrap();
                    assert_eq!(scalar_of(&vault, key), point.as_bytes()[..32]);
                    vault.forget(key);
                    assert!(vault.lend(key, &mut |_, _| ()).is_err());
                }
            });
        }
    });
}

/// The lines of `/proc/self/smaps` about the mapping around `address`.
fn mapping_of(address: usize) -> String {
    let maps = fs::read_to_string("/proc/self/smaps").unwrap();
    let holds = |line: &str| {
        let (from, to) = line.split_once(' ')?.0.split_once('-')?;
        let from = usize::from_str_radix(from, 16).ok()?;
        Some((from..usize::from_str_radix(to, 16).ok()?).contains(&address))
    };
    let mut lines = maps.lines().skip_while(|line| holds(line) != Some(true));
    let head = lines.next().unwrap();
    let rest = lines.take_while(|line| holds(line).is_none());
    std::iter::once(head).chain(rest).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_memory_is_locked_and_neither_dumped_nor_inherited() {
    let vault = Vault::new(64).unwrap();
    let address = std::ptr::from_mut(lock(&vault.cells[63]).memory.bytes()).addr();
    let mapping = mapping_of(address);
    let flags = mapping.lines().find(|line| line.starts_with("VmFlags:")).unwrap();
    for (flag, meaning) in [("lo", "locked"), ("dd", "not dumped"), ("dc", "not inherited")] {
        assert!(flags.split(' ').any(|found| found == flag), "{meaning}: {mapping}");
    }
    let locked = mapping.lines().find(|line| line.starts_with("Locked:")).unwrap();
    let kilobytes: usize = locked.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kilobytes * 1024 >= 64 * (SCALAR + 2048), "{mapping}");
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let total = status.lines().find(|line| line.starts_with("VmLck:")).unwrap();
    let total: usize = total.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(total >= kilobytes, "{total}");
}

#[test]
fn a_page_that_nobody_may_touch_lies_on_either_side() {
    let vault = Vault::new(1).unwrap();
    let address = std::ptr::from_mut(lock(&vault.cells[0]).memory.bytes()).addr();
    for guard in [address - 1, address + rustix::param::page_size()] {
        let mapping = mapping_of(guard);
        assert!(mapping.lines().next().unwrap().contains(" ---p "), "{mapping}");
    }
}

/// Copies the scalar deep down the stack, as a careless encoder would.
#[inline(never)]
fn careless(scalar: &[u8; 32]) {
    let mut room = [0_u8; SCRUBBED / 2];
    room[..32].copy_from_slice(scalar);
    room[SCRUBBED / 4..][..32].copy_from_slice(scalar);
    black_box(&mut room);
}

/// How often `needle` stands in the stack below the caller.
#[inline(never)]
fn below_here(needle: &[u8; 32]) -> usize {
    let here = std::ptr::from_ref(&needle).addr();
    let mut stack = vec![0; 2 * SCRUBBED];
    let memory = fs::File::open("/proc/self/mem").unwrap();
    memory.read_exact_at(&mut stack, (here - 2 * SCRUBBED) as u64).unwrap();
    stack.windows(32).filter(|window| window == needle).count()
}

#[test]
fn nothing_of_a_lent_key_stays_on_the_stack() {
    let vault = Vault::new(1).unwrap();
    let key = make(&vault);
    let mut left_inside = 0;
    vault
        .lend(key, &mut |scalar, _| {
            careless(scalar);
            left_inside = below_here(scalar);
        })
        .unwrap();
    let left_after = {
        let needle = Box::new(scalar_of(&vault, key));
        vault.lend(key, &mut |scalar, _| careless(scalar)).unwrap();
        below_here(&needle)
    };
    assert!(left_inside > 0, "the test's own search finds what is there");
    assert_eq!(left_after, 0);
}

#[test]
fn a_vault_is_printed_without_its_contents() {
    let vault = Vault::new(1).unwrap();
    make(&vault);
    assert_eq!(format!("{vault:?}"), "Vault { cells: 1, .. }");
}

/// Set in a process that runs one test alone.
const ALONE: &str = "STATION_TEST_ALONE";

/// Runs the calling test once more, alone in a process of its own, because what it changes
/// holds for the whole process. False in that process.
fn runs_alone_elsewhere(name: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return false;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("tests::{name}"), "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    true
}

#[test]
fn where_memory_cannot_be_locked_the_limit_is_named() {
    if runs_alone_elsewhere("where_memory_cannot_be_locked_the_limit_is_named") {
        return;
    }
    let limit = Rlimit { current: Some(65_536), maximum: Some(65_536) };
    setrlimit(Resource::Memlock, limit).unwrap();
    let mut sets = capabilities(None).unwrap();
    sets.effective.remove(CapabilitySet::IPC_LOCK);
    set_capabilities(None, sets).unwrap();
    let error = Vault::new(64).unwrap_err();
    assert_eq!(error.code(), Code::VaultLock);
    assert_eq!(
        error.to_string(),
        "can't lock 135168 bytes of memory for keys; the limit is 65536 bytes: raise it with \
         `ulimit -l 132` or, for a service, `LimitMEMLOCK=135168`"
    );
    assert!(Vault::new(16).is_ok());
}

#[test]
fn a_hardened_process_leaves_no_core_dump() {
    if runs_alone_elsewhere("a_hardened_process_leaves_no_core_dump") {
        return;
    }
    harden_process().unwrap();
    assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    let limit = getrlimit(Resource::Core);
    assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
}
