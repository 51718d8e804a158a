//! RESTART, and section 9: what outlives a reset and what does not.

use firmware_interface::ids::{ErrorCode, Lifecycle, RequestType};

use super::bench::{Bench, expect_equal, expect_held, expect_refusal};
use super::{Check, Checked, check};

const SECTION: &str = "5 RESTART";
const STORAGE: &str = "9 Storage and the commit";

pub(super) const CHECKS: &[Check] = &[
    check("restart", SECTION, "it answers, resets, and knows no session after", restarts),
    check("restart-keeps-identity", STORAGE, "what was committed outlives it", keeps),
    check("restart-drops-staged", STORAGE, "what was not committed never becomes active", drops),
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
    expect_refusal("ABORT in the session before", &answer, ErrorCode::NoSession, Some(0))?;
    let open = bench.session;
    expect_equal("the replaced session", bench.new_session()?.replaced, open)
}

fn keeps(bench: &mut Bench<'_>) -> Checked {
    for image in [bench.first.clone(), bench.second.clone()] {
        bench.new_session()?;
        bench.burn(&image)?;
        let seen = bench.restart()?;
        expect_held(&seen, Some(&image))?;
        expect_equal("the lifecycle", seen.lifecycle, Lifecycle::Provisioned)?;
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
    expect_equal("the lifecycle", seen.lifecycle, Lifecycle::Provisioned)?;
    bench.refused(RequestType::Commit, &second.digest, ErrorCode::NoTransfer, Some(0))?;
    bench.begin_anew(&second)
}
