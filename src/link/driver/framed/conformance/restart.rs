//! RESTART, and section 9: what outlives a reset and what does not.

use firmware_interface::ids::{ErrorCode, Lifecycle, RequestType};

use super::bench::{Bench, expect_equal, expect_held, expect_refusal};
use super::check::{Check, check};
use super::verdict::Checked;
use crate::domain::say::Say;
use crate::say;

const SECTION: &str = "5 RESTART";
const STORAGE: &str = "9 Storage and the commit";

pub(super) const CHECKS: &[Check] = &[
    check(
        "restart",
        SECTION,
        ("it answers, resets, and knows no session after", "先应答再复位，之后没有会话"),
        restarts,
    ),
    check(
        "restart-keeps-identity",
        STORAGE,
        ("what was committed outlives it", "已提交的内容在重启后仍在"),
        keeps,
    ),
    check(
        "restart-drops-staged",
        STORAGE,
        ("what was not committed never becomes active", "没有提交的内容绝不生效"),
        drops,
    ),
];

fn restarts(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.hold(&first)?;
    let before = bench.session;
    bench.restart()?;
    // Two sessions later the one before the reset must still be unknown.
    let mut header = bench.header(RequestType::Abort.to_wire());
    header.session = before;
    let answer = bench.ask_as(header, &[])?;
    expect_refusal(
        ("ABORT in the session before", "在先前会话中的 ABORT"),
        &answer,
        ErrorCode::NoSession,
        Some(0),
    )?;
    let open = bench.session;
    expect_equal(("the replaced session", "被替换的会话"), bench.new_session()?.replaced, open)?;
    bench.note = Some(how_long(bench.restart_took.as_millis(), bench.facts.busy.boot.into()));
    Ok(())
}

/// How long it was away. A device may boot faster than it declares; one that is back at once
/// may also not have restarted at all, which the wire can't tell.
fn how_long(took_ms: u128, declared_ms: u128) -> Say {
    let told = say!(
        "back after {took_ms} ms, {declared_ms} ms are declared",
        "{took_ms} ms 之后回来，声明的是 {declared_ms} ms"
    );
    match took_ms * 10 < declared_ms {
        true => told.then(&say!(
            "whether it did restart, only a power cut shows",
            "是否真的重启，只有断电才能看出"
        )),
        false => told,
    }
}

fn keeps(bench: &mut Bench<'_>) -> Checked {
    for image in [bench.first.clone(), bench.second.clone()] {
        bench.new_session()?;
        bench.burn(&image)?;
        let seen = bench.restart()?;
        expect_held(&seen, Some(&image))?;
        expect_equal(("the lifecycle", "状态"), seen.lifecycle, Lifecycle::Provisioned)?;
    }
    Ok(())
}

/// Every byte of the new identity has arrived, and only its COMMIT has not: a device that
/// takes the staged image at its boot is found here.
fn drops(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.hold(&first)?;
    bench.stage(&second)?;
    let seen = bench.restart()?;
    expect_held(&seen, Some(&first))?;
    expect_equal(("the lifecycle", "状态"), seen.lifecycle, Lifecycle::Provisioned)?;
    bench.refused(RequestType::Commit, &second.digest, ErrorCode::NoTransfer, Some(0))?;
    bench.begin_anew(&second)
}

#[cfg(test)]
mod tests {
    use super::how_long;

    #[test]
    fn a_restart_that_took_no_time_is_told_as_one_that_shows_nothing() {
        let told = |took_ms, declared_ms| how_long(took_ms, declared_ms).english;
        assert_eq!(told(320, 400), "back after 320 ms, 400 ms are declared");
        assert!(told(1, 400).ends_with("only a power cut shows"));
        assert!(!told(0, 0).contains("power cut"));
    }
}
