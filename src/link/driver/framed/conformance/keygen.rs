//! KEYGEN and CSR: a key that never leaves the device.

use firmware_interface::ids::{Capabilities, ErrorCode, ObjectKind, RequestType};

use super::bench::{Bench, expect_equal, number};
use super::check::{Check, check};
use super::read;
use super::sample::Image;
use super::verdict::{Checked, Wrong};
use crate::domain::cause::Told;
use crate::domain::identity::SigningRequest;
use crate::domain::ids::PublicKey;
use crate::say;

const KEYGEN: &str = "5 KEYGEN";
const CSR: &str = "5 CSR";

pub(super) const CHECKS: &[Check] = &[
    check(
        "keygen",
        KEYGEN,
        ("the same number answers the same key", "相同编号得到相同密钥"),
        same_key,
    )
    .needs(Capabilities::KEYGEN),
    check(
        "keygen-values",
        KEYGEN,
        ("another algorithm is BAD_VALUE", "其他算法是 BAD_VALUE"),
        values,
    )
    .needs(Capabilities::KEYGEN),
    check(
        "keygen-dropped",
        KEYGEN,
        (
            "session, ABORT, FINISH, ERASE and reset drop it",
            "换会话、ABORT、FINISH、ERASE 和复位都使它丢弃",
        ),
        dropped,
    )
    .needs(Capabilities::KEYGEN),
    check(
        "csr",
        CSR,
        ("it is this device's, for this key, signed with it", "它属于本设备和本密钥，并由它签名"),
        signing_request,
    )
    .needs(Capabilities::KEYGEN),
    check(
        "csr-limits",
        CSR,
        ("it comes in pieces, and stays the same", "可分段读取，内容不变"),
        limits,
    )
    .needs(Capabilities::KEYGEN),
    check(
        "keygen-other-key",
        "5 COMMIT",
        ("another made key than the one made is CORRUPT", "不是它所生成的密钥是 CORRUPT"),
        other,
    )
    .needs(Capabilities::KEYGEN),
    check(
        "keygen-identity",
        KEYGEN,
        ("a made key proves itself, after a restart too", "所生成的密钥能证明自己，重启后也能"),
        identity,
    )
    .needs(Capabilities::KEYGEN),
];

/// Has the device make the key of that number.
fn make(bench: &mut Bench<'_>, key: u32) -> Checked<PublicKey> {
    let body = bench.reply(RequestType::Keygen, &request(1, key))?;
    PublicKey::from_bytes(&body).map_err(|error| Wrong::device(error.sentence()))
}

fn request(algorithm: u8, key: u32) -> Vec<u8> {
    let mut body = vec![algorithm];
    body.extend(key.to_le_bytes());
    body
}

fn part_request(offset: u32, max: u16) -> Vec<u8> {
    let mut body = offset.to_le_bytes().to_vec();
    body.extend(max.to_le_bytes());
    body
}

fn same_key(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let one = make(bench, 7)?;
    expect_equal(("the key of the same number", "相同编号的密钥"), make(bench, 7)?, one)?;
    let two = make(bench, 8)?;
    expect_equal(
        ("the key of another number, asked again", "再问一次时另一编号的密钥"),
        make(bench, 8)?,
        two,
    )?;
    bench.note = Some(match one == two {
        true => say!("its key is fixed", "它的密钥是固定的"),
        false => say!("another number makes another key", "编号不同，密钥也不同"),
    });
    Ok(())
}

fn values(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    for algorithm in [0, 2, 0xff] {
        let body = request(algorithm, 7);
        bench.refused(RequestType::Keygen, &body, ErrorCode::BadValue, Some(0))?;
    }
    bench.refused(RequestType::Csr, &part_request(0, 0), ErrorCode::BadValue, Some(4))
}

fn expect_no_key(bench: &mut Bench<'_>) -> Checked {
    let first_part = part_request(0, 100);
    bench.refused(RequestType::Csr, &first_part, ErrorCode::NoKey, Some(0))?;
    let image = of_another_key(bench)?;
    bench.refused(RequestType::Begin, &image.begin(), ErrorCode::NoKey, Some(0))
}

/// An image whose made key is not the device's.
fn of_another_key(bench: &Bench<'_>) -> Checked<Image> {
    let key = bench
        .first
        .public_key
        .ok_or_else(|| Wrong::device(("the sample has no key", "样本没有密钥")))?;
    Image::of_made_key(bench.samples, key, bench.facts.capacity)
}

fn dropped(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.hold(&first)?;
    expect_no_key(bench)?;
    make(bench, 7)?;
    bench.new_session()?;
    expect_no_key(bench)?;
    for (kind, body) in [
        (RequestType::Abort, [].as_slice()),
        (RequestType::Finish, &[0, 0]),
        (RequestType::Erase, &[]),
    ] {
        make(bench, 7)?;
        bench.reply(kind, body)?;
        expect_no_key(bench)?;
    }
    make(bench, 7)?;
    bench.restart()?;
    expect_no_key(bench)
}

/// The whole signing request, read in pieces.
fn read_request(bench: &mut Bench<'_>, max: u16) -> Checked<Vec<u8>> {
    let mut der = Vec::new();
    loop {
        let offset = u32::try_from(der.len()).unwrap_or(u32::MAX);
        let body = bench.reply(RequestType::Csr, &part_request(offset, max))?;
        let (total, data) = body.split_at(4);
        let total = number(total) as usize;
        let is_part = data.len() <= usize::from(max) && der.len() + data.len() <= total;
        if !is_part || (data.is_empty() && der.len() < total) {
            return Err(Wrong::device((
                "a piece of the signing request has a wrong length",
                "签发请求的一段长度不对",
            )));
        }
        der.extend_from_slice(data);
        if der.len() == total {
            return Ok(der);
        }
    }
}

fn signing_request(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let public_key = make(bench, 7)?;
    let der = read_request(bench, 1001)?;
    let hardware = bench.hardware()?;
    let request = SigningRequest { public_key, der };
    let found = bench.samples.check_request(&request, &hardware);
    found
        .map_err(|problem| Wrong::device(say!("the signing request ", "签发请求：").with(&problem)))
}

fn limits(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    make(bench, 7)?;
    let whole = read_request(bench, 1001)?;
    expect_equal(
        ("the same in pieces of 50", "每段 50 字节读取的内容"),
        read_request(bench, 50)?,
        whole.clone(),
    )?;
    let total = u32::try_from(whole.len()).unwrap_or(u32::MAX);
    for offset in [total, u32::MAX] {
        let body = bench.reply(RequestType::Csr, &part_request(offset, 10))?;
        expect_equal(
            ("what CSR answers beyond the end", "CSR 在末尾之后的应答"),
            body,
            total.to_le_bytes().to_vec(),
        )?;
    }
    Ok(())
}

/// A made key in the image that is another one's.
fn other(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.hold(&first)?;
    make(bench, 7)?;
    let image = of_another_key(bench)?;
    bench.stage(&image)?;
    bench.refused(RequestType::Commit, &image.digest, ErrorCode::Corrupt, None)?;
    bench.expect_active(Some(&first)).map(|_| ())
}

fn identity(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let public_key = make(bench, 7)?;
    let image = Image::of_made_key(bench.samples, public_key, bench.facts.capacity)?;
    bench.burn(&image)?;
    bench.expect_proof(&image)?;
    // It was committed: from here on it belongs to the identity.
    bench.refused(RequestType::Csr, &part_request(0, 100), ErrorCode::NoKey, Some(0))?;
    bench.restart()?;
    bench.expect_active(Some(&image))?;
    bench.expect_proof(&image)?;
    if !bench.offers(Capabilities::READ) {
        return Ok(());
    }
    let found = read::object(bench, ObjectKind::MadeKey, 100)?;
    expect_equal(
        ("the made key read back", "读回的所生成密钥"),
        found.as_slice(),
        public_key.as_bytes().as_slice(),
    )?;
    let body = read::request(ObjectKind::Key, 0, 32);
    bench.refused(RequestType::Read, &body, ErrorCode::Secret, Some(1))
}
