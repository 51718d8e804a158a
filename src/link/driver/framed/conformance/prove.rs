//! PROVE: the key as it stands in storage signs the station's own text.

use firmware_interface::ids::{Capabilities, ErrorCode, RequestType};

use super::bench::Bench;
use super::check::{Check, check};
use super::verdict::{Checked, Wrong};

const SECTION: &str = "5 PROVE";
const SECURITY: &str = "10 Security";

pub(super) const CHECKS: &[Check] = &[
    check("prove", SECTION, "the signature verifies over the station's text", proves)
        .needs(Capabilities::PROVE),
    check("prove-after-restart", SECTION, "so it does after a restart", after_restart)
        .needs(Capabilities::PROVE),
    check("prove-other-key", SECTION, "another identity signs with its own key", other_key)
        .needs(Capabilities::PROVE),
    check("prove-nonces", SECURITY, "no nonce of ECDSA comes twice", nonces)
        .needs(Capabilities::PROVE),
    check("prove-no-identity", SECTION, "without an identity it is NO_IDENTITY", no_identity)
        .needs(Capabilities::PROVE),
    check("prove-no-key", SECTION, "a key that can't sign is SIGNER", no_key)
        .needs(Capabilities::PROVE),
];

/// No scalar of P-256: it lies beyond the group's order.
const NO_KEY: [u8; 32] = [0xff; 32];

fn proves(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.hold(&first)?;
    for _ in 0..3 {
        bench.expect_proof(&first)?;
    }
    Ok(())
}

fn after_restart(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.hold(&first)?;
    bench.restart()?;
    bench.expect_proof(&first)
}

fn other_key(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.hold(&first)?;
    // What is only staged signs nothing.
    bench.stage(&second)?;
    bench.expect_proof(&first)?;
    bench.commit(&second)?;
    bench.expect_proof(&second)?;
    bench.restart()?;
    bench.expect_proof(&second)
}

fn nonces(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.hold(&first)?;
    let (one, other) = (bench.prove([1; 32])?, bench.prove([2; 32])?);
    match one[..32] == other[..32] {
        true => Err(Wrong::device("two texts are signed with one r: the key can be computed")),
        false => Ok(()),
    }
}

fn no_identity(bench: &mut Bench<'_>) -> Checked {
    bench.blank()?;
    bench.refused(RequestType::Prove, &[7; 32], ErrorCode::NoIdentity, Some(0))
}

fn no_key(bench: &mut Bench<'_>) -> Checked {
    let image = bench.first.with_key(NO_KEY);
    bench.new_session()?;
    bench.burn(&image)?;
    bench.refused(RequestType::Prove, &[7; 32], ErrorCode::Signer, None)
}
