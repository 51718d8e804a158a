//! FINISH, ABORT and ERASE: what ends an attempt, and what is gone after it.

use firmware_interface::ids::{ErrorCode, Lifecycle, RequestType};

use super::bench::{Bench, expect_equal, expect_held};
use super::check::{Check, check};
use super::sample::chunk;
use super::verdict::Checked;

const FINISH: &str = "5 FINISH";

pub(super) const CHECKS: &[Check] = &[
    check(
        "abort",
        "5 ABORT",
        ("it drops the transfer, and what is active stays", "放弃传输，已生效的不变"),
        abort,
    ),
    check(
        "finish-values",
        FINISH,
        (
            "other results, and a lock without a pass, are BAD_VALUE",
            "其他结果，以及未合格而锁定，都是 BAD_VALUE",
        ),
        values,
    ),
    check(
        "finish-pass",
        FINISH,
        ("it drops the transfer and says what the device is", "放弃传输，并说明设备状态"),
        pass,
    ),
    check(
        "finish-fail",
        FINISH,
        ("so does one without a pass; what is active stays", "不合格时也一样；已生效的不变"),
        fail,
    ),
    check(
        "erase",
        "5 ERASE",
        ("the identity is gone, and stays so after a restart", "身份被清除，重启后仍然没有"),
        erase,
    ),
    check(
        "old-identity",
        "9 Storage and the commit",
        ("a replaced identity never comes back", "被替换的身份不会再出现"),
        old,
    ),
];

/// Drops an open transfer with a request, and sees that it is gone and the identity is not.
fn drops_transfer(bench: &mut Bench<'_>, kind: RequestType, body: &[u8]) -> Checked<Vec<u8>> {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.hold(&first)?;
    bench.stage(&second)?;
    let answer = bench.reply(kind, body)?;
    let seen = bench.expect_active(Some(&first))?;
    expect_equal(("the lifecycle after it", "此后的状态"), seen.lifecycle, Lifecycle::Provisioned)?;
    let data = chunk(0, &[1; 32]);
    bench.refused(RequestType::Chunk, &data, ErrorCode::NoTransfer, Some(0))?;
    bench.refused(RequestType::Commit, &second.digest, ErrorCode::NoTransfer, Some(0))?;
    // It may be asked again: its answer could have been lost.
    let again = bench.reply(kind, body)?;
    expect_equal(("the answer, asked again", "再问一次的应答"), again, answer.clone())?;
    bench.begin_anew(&second)?;
    Ok(answer)
}

fn abort(bench: &mut Bench<'_>) -> Checked {
    drops_transfer(bench, RequestType::Abort, &[])?;
    bench.blank()?;
    bench.reply(RequestType::Abort, &[])?;
    bench.expect_active(None).map(|_| ())
}

fn values(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.hold(&first)?;
    for (body, detail) in [([2, 0], 0), ([0xff, 0], 0), ([0, 1], 1), ([0, 2], 1), ([1, 2], 1)] {
        bench.refused(RequestType::Finish, &body, ErrorCode::BadValue, Some(detail))?;
    }
    let seen = bench.expect_active(Some(&first))?;
    expect_equal(
        ("the lifecycle after them", "它们之后的状态"),
        seen.lifecycle,
        Lifecycle::Provisioned,
    )
}

fn pass(bench: &mut Bench<'_>) -> Checked {
    let provisioned = [Lifecycle::Provisioned.to_wire()];
    let answer = drops_transfer(bench, RequestType::Finish, &[1, 0])?;
    expect_equal(("what FINISH answers", "FINISH 的应答"), answer.as_slice(), &provisioned)
}

fn fail(bench: &mut Bench<'_>) -> Checked {
    let provisioned = [Lifecycle::Provisioned.to_wire()];
    let answer = drops_transfer(bench, RequestType::Finish, &[0, 0])?;
    expect_equal(("what FINISH answers", "FINISH 的应答"), answer.as_slice(), &provisioned)?;
    bench.blank()?;
    let answer = bench.reply(RequestType::Finish, &[0, 0])?;
    let blank = [Lifecycle::Blank.to_wire()];
    expect_equal(
        ("what FINISH answers on a blank device", "空白设备上 FINISH 的应答"),
        answer.as_slice(),
        &blank,
    )
}

fn erase(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.hold(&first)?;
    bench.burn(&second)?;
    for _ in 0..2 {
        bench.reply(RequestType::Erase, &[])?;
        let seen = bench.expect_active(None)?;
        expect_equal(("the lifecycle after it", "此后的状态"), seen.lifecycle, Lifecycle::Blank)?;
    }
    for image in [&first, &second] {
        bench.refused(RequestType::Commit, &image.digest, ErrorCode::NoTransfer, Some(0))?;
    }
    let seen = bench.restart()?;
    expect_held(&seen, None)
}

/// The one before is wiped by FINISH: it can't be committed, and no restart brings it back.
fn old(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.hold(&first)?;
    bench.burn(&second)?;
    bench.refused(RequestType::Commit, &first.digest, ErrorCode::NoTransfer, Some(0))?;
    bench.reply(RequestType::Finish, &[1, 0])?;
    let seen = bench.restart()?;
    expect_held(&seen, Some(&second))?;
    bench.refused(RequestType::Commit, &first.digest, ErrorCode::NoTransfer, Some(0))
}
