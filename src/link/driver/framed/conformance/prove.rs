//! PROVE: the key as it stands in storage signs the station's own text.

use firmware_interface::ids::{Capabilities, ErrorCode, ObjectKind, RequestType};

use super::bench::Bench;
use super::check::{Check, check};
use super::read::request;
use super::verdict::{Checked, Wrong};
use crate::say;

const SECTION: &str = "5 PROVE";
const SECURITY: &str = "10 Security";

pub(super) const CHECKS: &[Check] = &[
    check(
        "prove",
        SECTION,
        ("the signature verifies over the station's text", "签名与本站的文本相符"),
        proves,
    )
    .needs(Capabilities::PROVE),
    check(
        "prove-after-restart",
        SECTION,
        ("so it does after a restart", "重启后也相符"),
        after_restart,
    )
    .needs(Capabilities::PROVE),
    check(
        "prove-other-key",
        SECTION,
        ("another identity signs with its own key", "另一身份用它自己的密钥签名"),
        other_key,
    )
    .needs(Capabilities::PROVE),
    check(
        "prove-nonces",
        SECURITY,
        ("no nonce of ECDSA comes twice", "ECDSA 的随机数不重复"),
        nonces,
    )
    .needs(Capabilities::PROVE),
    check(
        "prove-pkcs8",
        "6 The image",
        ("a pkcs8 key is SECRET, and its scalar signs", "pkcs8 密钥是 SECRET，其标量能签名"),
        pkcs8,
    )
    .needs(Capabilities::PROVE.with(Capabilities::PKCS8)),
    check(
        "prove-no-identity",
        SECTION,
        ("without an identity it is NO_IDENTITY", "没有身份是 NO_IDENTITY"),
        no_identity,
    )
    .needs(Capabilities::PROVE),
    check(
        "prove-no-key",
        SECTION,
        ("a key that can't sign is SIGNER", "不能签名的密钥是 SIGNER"),
        no_key,
    )
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
        true => Err(Wrong::device((
            "two texts are signed with one r: the key can be computed",
            "两段文本的签名用了同一个 r：密钥可被算出",
        ))),
        false => Ok(()),
    }
}

fn pkcs8(bench: &mut Bench<'_>) -> Checked {
    let Some(image) = bench.first.as_pkcs8() else {
        return Err(Wrong::device(("the sample has no key", "样本没有密钥")));
    };
    if image.total() > bench.facts.capacity {
        bench.note = Some(say!("no identity with such a key fits", "放不下带这种密钥的身份"));
        return Ok(());
    }
    bench.hold(&image)?;
    bench.expect_proof(&image)?;
    bench.restart()?;
    bench.expect_proof(&image)?;
    if !bench.offers(Capabilities::READ) {
        return Ok(());
    }
    [0, 36, 137].into_iter().try_for_each(|offset| {
        let body = request(ObjectKind::Pkcs8Key, offset, 1);
        bench.refused(RequestType::Read, &body, ErrorCode::Secret, Some(7))
    })
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
