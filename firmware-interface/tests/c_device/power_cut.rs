//! The power goes before, within and after every change of the C device's storage.

use super::frames::{Head, Identity, frame, replies};
use super::peer::CBoard;
use super::script::{Answer, ComingFault, FactBits, Fault, HEADER_LENGTH, Op, SLOT_LENGTH};

fn ask(session: u32, kind: u8, body: &[u8]) -> Op {
    Op::Receive(frame(Head { version: 1, kind, seq: 7, session }, body))
}

fn stage(session: u32, identity: &Identity) -> Vec<Op> {
    let mut ops = vec![ask(session, 0x01, &[1, 1]), ask(session, 0x02, &identity.begin())];
    let chunks = identity.chunks(FactBits::USUAL.max_chunk());
    ops.extend(chunks.iter().map(|body| ask(session, 0x03, body)));
    ops
}

/// Identify, begin, chunks, commit, and finish with or without a lock; the power that
/// comes back after a cut is the restart.
fn provision(identity: &Identity, lock: bool) -> Vec<Op> {
    let mut ops = stage(0x11, identity);
    ops.extend([ask(0x11, 0x04, &identity.digest), ask(0x11, 0x07, &[1, u8::from(lock)])]);
    ops
}

fn old() -> Identity {
    Identity::new(&[(1, 32), (3, 120), (6, 30)], 0x11)
}

fn new() -> Identity {
    Identity::new(&[(1, 32), (3, 300), (5, 40), (6, 30)], 0x77)
}

fn older() -> Identity {
    Identity::new(&[(1, 32), (3, 77)], 0x33)
}

/// Where a change of so many bytes is cut: nowhere done, a bit done, all done.
fn cuts_of(call: u16, bytes: usize) -> Vec<ComingFault> {
    let cut = |done: usize, garbage| ComingFault {
        how: Fault::PowerCut,
        after: call,
        done: done as u16,
        garbage,
    };
    let mut cuts = vec![cut(0, 0xff), cut(bytes, 0xff)];
    let inner = (1..bytes).filter(|at| bytes <= HEADER_LENGTH || at % 37 == 0);
    for done in inner {
        cuts.extend([cut(done, 0xff), cut(done, 0x00), cut(done, 0xa5)]);
    }
    cuts
}

/// What the device says after the power came back, and what is stored.
struct Found {
    lifecycle: u8,
    image: [u8; 32],
    /// The key that the board shows for a proof, if there is one.
    key: Option<Vec<u8>>,
    stored: Vec<u8>,
}

/// Does `before`, then `cut_short` with a fault, then looks.
fn found(board: &mut CBoard, before: &[Op], fault: ComingFault, cut_short: &[Op]) -> Found {
    let look = [Op::PowerOn, ask(0x99, 0x01, &[1, 1]), ask(0x99, 0x06, &[0x4e; 32]), Op::End];
    let ops = [before, &[Op::PowerOn, Op::Fault(fault)], cut_short, &look].concat();
    let mut answers = board.run(&ops);
    let Some(Answer::Storage(stored)) = answers.pop() else { panic!("no storage") };
    let proof = only_reply(answers.pop());
    let (kind, seen) = only_reply(answers.pop());
    assert_eq!(kind, 0x81);
    assert_eq!(seen[8..12], [0; 4], "it was not restarted");
    let key = (proof.0 == 0x86).then(|| proof.1[..32].to_vec());
    Found { lifecycle: seen[1], image: seen[28..60].try_into().unwrap(), key, stored }
}

fn only_reply(answer: Option<Answer>) -> (u8, Vec<u8>) {
    let Some(Answer::Sent { bytes, .. }) = answer else { panic!("nothing was sent") };
    let mut replies = replies(&bytes);
    assert_eq!(replies.len(), 1);
    replies.remove(0)
}

fn provisioned(identities: &[&Identity]) -> Vec<Op> {
    let mut ops = Vec::new();
    for identity in identities {
        ops.push(Op::PowerOn);
        ops.extend(stage(0x77, identity));
        ops.push(ask(0x77, 0x04, &identity.digest));
    }
    ops
}

/// Every cut of an attempt: erase, chunks, header, the spare slot's erase, and the lock.
fn cuts_of_provisioning(identity: &Identity) -> Vec<ComingFault> {
    let chunks = identity.chunks(FactBits::USUAL.max_chunk());
    let mut lengths = vec![SLOT_LENGTH];
    lengths.extend(chunks.iter().map(|body| body.len() - 4));
    lengths.extend([HEADER_LENGTH, SLOT_LENGTH, 4]);
    (0..).zip(lengths).flat_map(|(call, bytes)| cuts_of(call, bytes)).collect()
}

fn holds(found: &Found, identity: &Identity) -> bool {
    found.image == identity.digest && found.key.as_deref() == Some(&identity.image[..32])
}

#[test]
fn a_cut_before_the_whole_header_leaves_the_old_identity_and_any_later_one_the_new() {
    let (old, new) = (old(), new());
    let before = provisioned(&[&old]);
    // One erase, then the chunks, then the header.
    let header_call = 1 + new.chunks(FactBits::USUAL.max_chunk()).len() as u16;
    let mut board = CBoard::start();
    for cut in cuts_of_provisioning(&new) {
        let header_is_whole = usize::from(cut.done) == HEADER_LENGTH;
        let committed = cut.after > header_call || (cut.after == header_call && header_is_whole);
        let found = found(&mut board, &before, cut, &provision(&new, true));
        assert!(holds(&found, if committed { &new } else { &old }), "{cut:?}");
    }
}

#[test]
fn a_cut_anywhere_in_the_first_attempt_leaves_nothing_or_the_identity() {
    let new = new();
    let mut board = CBoard::start();
    let (mut nothing, mut made) = (0, 0);
    for cut in cuts_of_provisioning(&new) {
        let found = found(&mut board, &[], cut, &provision(&new, false));
        if found.image == [0; 32] {
            assert!(found.key.is_none() && found.lifecycle == 0);
            nothing += 1;
        } else {
            assert!(holds(&found, &new), "{cut:?} left something else");
            made += 1;
        }
    }
    assert!(nothing > 100 && made > 20, "nothing {nothing}, made {made}");
}

#[test]
fn a_locked_device_holds_the_new_identity_and_no_byte_of_the_old_one() {
    let (old, new) = (old(), new());
    let before = provisioned(&[&old]);
    let mut board = CBoard::start();
    let mut locked = 0;
    for cut in cuts_of_provisioning(&new) {
        let found = found(&mut board, &before, cut, &provision(&new, true));
        if found.lifecycle == 3 {
            assert!(holds(&found, &new));
            assert!(!found.stored.windows(8).any(|bytes| *bytes == old.image[..8]), "{cut:?}");
            locked += 1;
        }
    }
    assert!(locked > 5, "locked {locked}");
}

#[test]
fn a_cut_in_an_erase_never_brings_an_older_identity_back() {
    let (older, old) = (older(), old());
    let before = provisioned(&[&older, &old]);
    let erase = [ask(0x12, 0x01, &[1, 1]), ask(0x12, 0x09, &[])];
    let mut board = CBoard::start();
    let (mut kept, mut gone) = (0, 0);
    for cut in (0..2).flat_map(|call| cuts_of(call, SLOT_LENGTH)) {
        let found = found(&mut board, &before, cut, &erase);
        assert_ne!(found.image, older.digest, "{cut:?}");
        if holds(&found, &old) { kept += 1 } else { gone += 1 }
    }
    assert!(kept > 10 && gone > 10, "kept {kept}, gone {gone}");
}

#[test]
fn after_any_cut_the_same_attempt_succeeds_and_wipes_the_old_key() {
    let (old, new) = (old(), new());
    let mut board = CBoard::start();
    for cut in cuts_of_provisioning(&new) {
        let cut_short = [vec![Op::PowerOn, Op::Fault(cut)], provision(&new, false)].concat();
        let before = [provisioned(&[&old]), cut_short, vec![Op::PowerOn]].concat();
        let again =
            [stage(0x13, &new), vec![ask(0x13, 0x04, &new.digest), ask(0x13, 0x07, &[1, 0])]];
        let found = found(&mut board, &before, ComingFault::NONE, &again.concat());
        assert!(holds(&found, &new), "after {cut:?}");
        assert!(!found.stored.windows(8).any(|bytes| *bytes == old.image[..8]), "after {cut:?}");
    }
}
