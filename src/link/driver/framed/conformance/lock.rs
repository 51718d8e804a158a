//! The lock: tried only where it was asked for, since it is for ever.

use firmware_interface::ids::{Capabilities, ErrorCode, Lifecycle, RequestType};

use super::bench::{Bench, expect_equal};
use super::check::{Check, check};
use super::sample::chunk;
use super::verdict::Checked;

/// How the names of these checks begin.
pub(super) const PREFIX: &str = "lock-";

const SECTION: &str = "5 FINISH";

pub(super) const CHECKS: &[Check] = &[
    check(
        "lock-no-identity",
        SECTION,
        ("a blank device does not lock: NO_IDENTITY", "空白设备不锁定：NO_IDENTITY"),
        no_identity,
    )
    .needs(Capabilities::LOCK),
    check(
        "lock-locks",
        SECTION,
        ("FINISH locks, and the lock outlives a restart", "FINISH 锁定设备，重启后仍锁定"),
        locks,
    )
    .needs(Capabilities::LOCK),
    check(
        "lock-refuses",
        SECTION,
        ("locked, it takes no identity and loses none", "锁定后不接受身份，也不丢失身份"),
        refuses,
    )
    .needs(Capabilities::LOCK),
    check(
        "lock-answers",
        SECTION,
        ("locked, it still says who it is and proves it", "锁定后仍能说明并证明自己是谁"),
        answers,
    )
    .needs(Capabilities::LOCK),
];

const PASS_AND_LOCK: [u8; 2] = [1, 1];

fn no_identity(bench: &mut Bench<'_>) -> Checked {
    let second = bench.second.clone();
    bench.blank()?;
    bench.begin_anew(&second)?;
    bench.send_key(&second)?;
    let code = ErrorCode::NoIdentity;
    bench.refused(RequestType::Finish, &PASS_AND_LOCK, code, Some(0))?;
    // Refused before anything is wiped.
    expect_equal(
        ("next after it", "此后的 next"),
        bench.begin(&second)? as usize,
        second.key_length(),
    )?;
    let seen = bench.expect_active(None)?;
    expect_equal(("the lifecycle after it", "此后的状态"), seen.lifecycle, Lifecycle::Staged)
}

fn locks(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.hold(&first)?;
    // IRREVERSIBLE: whoever started the run asked for it, and the identity protects nothing.
    let answer = bench.reply(RequestType::Finish, &PASS_AND_LOCK)?;
    let locked = Lifecycle::Locked;
    expect_equal(("what FINISH answers", "FINISH 的应答"), answer.as_slice(), &[locked.to_wire()])?;
    expect_equal(("the lifecycle", "状态"), bench.expect_active(Some(&first))?.lifecycle, locked)?;
    expect_equal(
        ("the lifecycle after a restart", "重启后的状态"),
        bench.restart()?.lifecycle,
        locked,
    )?;
    bench.expect_active(Some(&first)).map(|_| ())
}

fn refuses(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.new_session()?;
    let locked = [
        (RequestType::Begin, second.begin()),
        (RequestType::Commit, first.digest.to_vec()),
        (RequestType::Commit, second.digest.to_vec()),
        (RequestType::Erase, Vec::new()),
    ];
    for (kind, body) in locked {
        bench.refused(kind, &body, ErrorCode::Locked, Some(0))?;
    }
    let data = chunk(0, &second.bytes[..second.key_length()]);
    bench.refused(RequestType::Chunk, &data, ErrorCode::NoTransfer, Some(0))?;
    if bench.offers(Capabilities::KEYGEN) {
        bench.refused(RequestType::Keygen, &[1, 1, 0, 0, 0], ErrorCode::Locked, Some(0))?;
        let request = [0, 0, 0, 0, 100, 0];
        bench.refused(RequestType::Csr, &request, ErrorCode::NoKey, Some(0))?;
    }
    bench.expect_active(Some(&first)).map(|_| ())
}

fn answers(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    let locked = [Lifecycle::Locked.to_wire()];
    bench.new_session()?;
    bench.reply(RequestType::Abort, &[])?;
    for body in [[0, 0], [1, 0], PASS_AND_LOCK] {
        let answer = bench.reply(RequestType::Finish, &body)?;
        expect_equal(("what FINISH answers", "FINISH 的应答"), answer.as_slice(), &locked)?;
    }
    if bench.offers(Capabilities::READ) {
        bench.reply(RequestType::Read, &[3, 0, 0, 0, 0, 100, 0])?;
    }
    if bench.offers(Capabilities::PROVE) {
        bench.expect_proof(&first)?;
    }
    expect_equal(("the lifecycle", "状态"), bench.restart()?.lifecycle, Lifecycle::Locked)?;
    bench.expect_active(Some(&first)).map(|_| ())
}
