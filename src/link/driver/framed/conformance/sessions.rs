//! Sections 4 and 8, and IDENTIFY: sessions and versions.

use firmware_interface::ids::{ErrorCode, Lifecycle, RequestType};

use super::bench::{Bench, expect_equal, expect_refusal};
use super::check::{Check, check};
use super::sample::chunk;
use super::verdict::{Checked, Wrong};
use crate::say;

const SESSIONS: &str = "4 Sessions, order and resends";
const IDENTIFY: &str = "5 IDENTIFY";

pub(super) const CHECKS: &[Check] = &[
    check(
        "identify-layout",
        IDENTIFY,
        ("every field has an allowed value", "每个字段的值都在允许范围内"),
        layout,
    ),
    check(
        "identify-range",
        IDENTIFY,
        ("min above max is BAD_VALUE, detail 0", "min 大于 max 是 BAD_VALUE，detail 0"),
        range,
    ),
    check(
        "version-none",
        IDENTIFY,
        ("without a common version no session opens", "没有共同版本时不打开会话"),
        no_version,
    ),
    check(
        "version-byte",
        "8 Versions",
        ("another version byte is BAD_VERSION", "其他版本字节是 BAD_VERSION"),
        version_byte,
    ),
    check(
        "session-zero",
        "3 Answering",
        ("IDENTIFY under session 0 is NO_SESSION", "会话 0 的 IDENTIFY 是 NO_SESSION"),
        zero,
    ),
    check(
        "session-zero-booted",
        SESSIONS,
        ("nor is session 0 open after a boot", "启动后会话 0 也没有打开"),
        zero_booted,
    ),
    check(
        "session-other",
        SESSIONS,
        ("another session is NO_SESSION, without effect", "其他会话是 NO_SESSION，不起作用"),
        other,
    ),
    check(
        "session-same",
        SESSIONS,
        ("the same number again changes nothing", "相同编号再来一次不改变任何内容"),
        same,
    ),
    check(
        "session-new",
        SESSIONS,
        ("a new number drops what was staged", "新编号放弃已暂存的内容"),
        new,
    ),
];

fn layout(bench: &mut Bench<'_>) -> Checked {
    let seen = bench.new_session()?;
    bench.hardware()?;
    let unknown = (seen.capabilities.0 & !0x1f, seen.security.0 & !0x7);
    expect_equal(("the bits that mean nothing", "无意义的位"), unknown, (0, 0))?;
    let made_without_proof = seen.capabilities.0 & 0x9 == 0x8;
    if made_without_proof {
        return Err(Wrong::device((
            "it claims KEYGEN and not PROVE",
            "它声明了 KEYGEN 而没有 PROVE",
        )));
    }
    let empty = [seen.image, seen.certificate].map(|digest| digest == [0; 32]);
    expect_equal(
        ("whether it has an image and a certificate", "是否有身份和证书"),
        empty[0],
        empty[1],
    )?;
    bench.note = Some(say!(
        "{} {}, window {}, chunks of {}, capacity {}",
        "{} {}，窗口 {}，每块 {}，容量 {}",
        seen.model,
        seen.firmware,
        seen.window.chunks(),
        seen.max_chunk.bytes(),
        seen.capacity
    ));
    Ok(())
}

fn range(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    bench.refused(RequestType::Identify, &[2, 1], ErrorCode::BadValue, Some(0))
}

/// Demands BAD_VERSION, and that the versions it names have 1 among them.
fn expect_versions(answer: &super::wire::Answer, what: (&str, &str)) -> Checked {
    expect_refusal(what, answer, ErrorCode::BadVersion, None)?;
    let [lowest, highest] = [answer.body.get(2), answer.body.get(3)].map(|byte| byte.copied());
    let names_ours = lowest <= Some(1) && highest >= Some(1);
    match names_ours && answer.body.get(4..6) == Some(&[0, 0]) {
        true => Ok(()),
        false => Err(Wrong::device((
            "BAD_VERSION names other versions than it speaks",
            "BAD_VERSION 所列版本与它支持的不同",
        ))),
    }
}

fn no_version(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let mut header = bench.header(RequestType::Identify.to_wire());
    header.session = !header.session;
    let refused = bench.ask_as(header, &[200, 201])?;
    expect_versions(&refused, ("IDENTIFY for versions 200 to 201", "版本 200 到 201 的 IDENTIFY"))?;
    let mut header = bench.header(RequestType::Abort.to_wire());
    header.session = !header.session;
    let answer = bench.ask_as(header, &[])?;
    expect_refusal(
        ("ABORT in the session that was refused", "在被拒绝的会话中的 ABORT"),
        &answer,
        ErrorCode::NoSession,
        Some(0),
    )
}

fn version_byte(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    for (kind, body) in [(RequestType::Identify, [1, 1].as_slice()), (RequestType::Abort, &[])] {
        let mut header = bench.header(kind.to_wire());
        header.version = 0xfe;
        let answer = bench.ask_as(header, body)?;
        expect_versions(&answer, ("a request with version byte 0xfe", "版本字节 0xfe 的请求"))?;
    }
    Ok(())
}

fn zero(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let mut header = bench.header(RequestType::Identify.to_wire());
    header.session = 0;
    let answer = bench.ask_as(header, &[1, 1])?;
    expect_refusal(
        ("IDENTIFY under session 0", "会话 0 的 IDENTIFY"),
        &answer,
        ErrorCode::NoSession,
        Some(0),
    )
}

/// The first thing that the device hears after its boot: no session is open, 0 neither.
fn zero_booted(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let answer = bench.first_after_restart(RequestType::Abort, 0)?;
    expect_refusal(
        ("ABORT under session 0 after a boot", "启动后会话 0 的 ABORT"),
        &answer,
        ErrorCode::NoSession,
        Some(0),
    )?;
    expect_equal(
        ("the replaced session after it", "此后被替换的会话"),
        bench.new_session()?.replaced,
        0,
    )
}

/// Every request but IDENTIFY, as it would be right in the open session.
fn requests(image: &super::sample::Image) -> Vec<(RequestType, Vec<u8>)> {
    let key = chunk(0, &image.bytes[..image.key_length()]);
    vec![
        (RequestType::Begin, image.begin()),
        (RequestType::Chunk, key),
        (RequestType::Commit, image.digest.to_vec()),
        (RequestType::Prove, vec![7; 32]),
        (RequestType::Finish, vec![0, 0]),
        (RequestType::Abort, Vec::new()),
        (RequestType::Erase, Vec::new()),
        (RequestType::Read, vec![3, 0, 0, 0, 0, 1, 0]),
        (RequestType::Keygen, vec![1, 1, 0, 0, 0]),
        (RequestType::Csr, vec![0, 0, 0, 0, 1, 0]),
        (RequestType::Restart, Vec::new()),
    ]
}

fn other(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.hold(&first)?;
    bench.begin_anew(&second)?;
    bench.send_key(&second)?;
    let before = bench.identify()?;
    for (kind, body) in requests(&second) {
        for session in [!bench.session, 0] {
            let mut header = bench.header(kind.to_wire());
            header.session = session;
            let answer = bench.ask_as(header, &body)?;
            let what = say!("{kind} under another session", "在其他会话中的 {kind}");
            expect_refusal(what, &answer, ErrorCode::NoSession, Some(0))?;
        }
    }
    expect_equal(
        ("what IDENTIFY says after them", "它们之后 IDENTIFY 的内容"),
        bench.identify()?,
        before,
    )?;
    expect_equal(
        ("next after them", "它们之后的 next"),
        bench.begin(&second)? as usize,
        second.key_length(),
    )
}

fn same(bench: &mut Bench<'_>) -> Checked {
    let second = bench.second.clone();
    let opened = bench.new_session()?;
    bench.begin_anew(&second)?;
    bench.send_key(&second)?;
    let again = bench.identify()?;
    expect_equal(("the replaced session", "被替换的会话"), again.replaced, opened.replaced)?;
    expect_equal(("the lifecycle", "状态"), again.lifecycle, Lifecycle::Staged)?;
    expect_equal(
        ("next after it", "此后的 next"),
        bench.begin(&second)? as usize,
        second.key_length(),
    )
}

fn new(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.hold(&first)?;
    bench.stage(&second)?;
    let before = bench.session;
    let seen = bench.new_session()?;
    expect_equal(("the replaced session", "被替换的会话"), seen.replaced, before)?;
    expect_equal(("the lifecycle", "状态"), seen.lifecycle, Lifecycle::Provisioned)?;
    let data = chunk(second.total(), &[1]);
    bench.refused(RequestType::Chunk, &data, ErrorCode::NoTransfer, Some(0))?;
    bench.refused(RequestType::Commit, &second.digest, ErrorCode::NoTransfer, Some(0))?;
    bench.expect_active(Some(&first))?;
    bench.begin_anew(&second)
}
