//! READ: public objects come back, the key never does.

use firmware_interface::ids::{Capabilities, ErrorCode, ObjectKind, RequestType};

use super::bench::{Bench, expect_equal, number};
use super::check::{Check, check};
use super::verdict::{Checked, Wrong};
use crate::say;

const SECTION: &str = "5 READ";

pub(super) const CHECKS: &[Check] = &[
    check(
        "read",
        SECTION,
        ("each public object comes back as it was sent", "每个公开对象读回来与发送的相同"),
        whole,
    )
    .needs(Capabilities::READ),
    check(
        "read-limits",
        SECTION,
        ("at most max bytes, none at or beyond the end", "最多 max 字节，在末尾及之后没有内容"),
        limits,
    )
    .needs(Capabilities::READ),
    check("read-key", SECTION, ("the key is SECRET, always", "密钥始终是 SECRET"), secret)
        .needs(Capabilities::READ),
    check(
        "read-refused",
        SECTION,
        ("what is not there is refused, and how", "不存在的内容按规定被拒绝"),
        refused,
    )
    .needs(Capabilities::READ),
];

/// Kinds that an image may have and anybody may read.
const PUBLIC: [ObjectKind; 4] = [
    ObjectKind::ClientCertificate,
    ObjectKind::CaChain,
    ObjectKind::ServerRoots,
    ObjectKind::Settings,
];

pub(super) fn request(kind: ObjectKind, offset: u32, max: u16) -> Vec<u8> {
    let mut body = vec![kind.to_wire()];
    body.extend(offset.to_le_bytes());
    body.extend(max.to_le_bytes());
    body
}

/// One answer: the object's length, and a part of it.
fn part(bench: &mut Bench<'_>, kind: ObjectKind, offset: u32, max: u16) -> Checked<(u32, Vec<u8>)> {
    let body = bench.reply(RequestType::Read, &request(kind, offset, max))?;
    let (total, data) = body.split_at(4);
    if data.len() > usize::from(max) {
        let found = data.len();
        return Err(Wrong::device(say!(
            "READ of at most {max} bytes answers {found}",
            "最多 {max} 字节的 READ 返回了 {found} 字节"
        )));
    }
    Ok((number(total), data.to_vec()))
}

pub(super) fn object(bench: &mut Bench<'_>, kind: ObjectKind, max: u16) -> Checked<Vec<u8>> {
    let mut object = Vec::new();
    loop {
        let offset = u32::try_from(object.len()).unwrap_or(u32::MAX);
        let (total, data) = part(bench, kind, offset, max)?;
        if data.is_empty() && offset < total {
            return Err(Wrong::device((
                "READ answers no byte where there are some",
                "READ 在有内容的地方没有返回字节",
            )));
        }
        object.extend(data);
        if object.len() >= total as usize {
            return Ok(object);
        }
    }
}

fn whole(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.hold(&first)?;
    for kind in PUBLIC {
        let Some(sent) = first.object(kind) else { continue };
        for max in [1001, 100] {
            let found = object(bench, kind, max)?;
            let what = say!("the {kind} read back", "读回的 {kind}");
            expect_equal(what, found.as_slice(), sent)?;
        }
    }
    Ok(())
}

fn limits(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.hold(&first)?;
    let kind = ObjectKind::ClientCertificate;
    let sent = first.object(kind).unwrap_or_default();
    let total = u32::try_from(sent.len()).unwrap_or(u32::MAX);
    for (offset, max) in [(0, 1), (total - 1, 1), (total - 1, 1001), (7, 3)] {
        let (found, data) = part(bench, kind, offset, max)?;
        expect_equal(("the object's length", "对象的长度"), found, total)?;
        let is_part = !data.is_empty() && sent[offset as usize..].starts_with(&data);
        if !is_part {
            return Err(Wrong::device(say!(
                "READ from {offset} answers other bytes",
                "从 {offset} 起的 READ 返回了不同的内容"
            )));
        }
    }
    for offset in [total, total + 1, u32::MAX] {
        expect_equal(
            ("the answer beyond the end", "末尾之后的应答"),
            part(bench, kind, offset, 10)?,
            (total, vec![]),
        )?;
    }
    Ok(())
}

fn secret(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.hold(&first)?;
    any_part_is_secret(bench)?;
    bench.blank()?;
    any_part_is_secret(bench)
}

/// Its first byte, its last, beyond its end: no part of the key, and not its length either.
fn any_part_is_secret(bench: &mut Bench<'_>) -> Checked {
    for (offset, max) in [(0, 32), (0, 1), (1, 1), (16, 16), (31, 1), (32, 1), (u32::MAX, 1001)] {
        let body = request(ObjectKind::Key, offset, max);
        bench.refused(RequestType::Read, &body, ErrorCode::Secret, Some(1))?;
    }
    Ok(())
}

fn refused(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.hold(&first)?;
    let missing = request(ObjectKind::ServerRoots, 0, 10);
    bench.refused(RequestType::Read, &missing, ErrorCode::NoObject, Some(5))?;
    for kind in [0, 8, 0xff] {
        let body = [kind, 0, 0, 0, 0, 1, 0];
        bench.refused(RequestType::Read, &body, ErrorCode::BadValue, Some(0))?;
    }
    let nothing = request(ObjectKind::ClientCertificate, 0, 0);
    bench.refused(RequestType::Read, &nothing, ErrorCode::BadValue, Some(5))?;
    bench.blank()?;
    let body = request(ObjectKind::ClientCertificate, 0, 10);
    bench.refused(RequestType::Read, &body, ErrorCode::NoIdentity, Some(0))
}
