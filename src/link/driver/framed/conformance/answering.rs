//! Sections 2 and 3: every sound request gets exactly one reply, and in which order it is
//! checked.

use firmware_interface::ids::{Capabilities, ErrorCode, RequestType};

use super::bench::{Bench, expect_equal, expect_refusal};
use super::check::{Check, check};
use super::frame::frame;
use super::verdict::{Checked, Wrong};
use super::wire::Answer;
use crate::say;

const ANSWERING: &str = "3 Answering";

pub(super) const CHECKS: &[Check] = &[
    check(
        "unknown-types",
        "2 Types",
        ("every other type is UNKNOWN_TYPE", "其他类型都是 UNKNOWN_TYPE"),
        unknown_types,
    ),
    check(
        "optional-refused",
        "2 Types",
        ("what is not offered is UNSUPPORTED", "没有提供的功能是 UNSUPPORTED"),
        optional_refused,
    ),
    check(
        "reply-types-ignored",
        ANSWERING,
        ("a type with bit 0x80 set is ignored", "类型带 0x80 位的帧被忽略"),
        reply_types,
    ),
    check(
        "body-lengths",
        ANSWERING,
        ("a body of another length is BAD_LENGTH", "长度不对的内容是 BAD_LENGTH"),
        body_lengths,
    ),
    check(
        "check-order",
        ANSWERING,
        ("the first check that fails is the answer", "以第一项不符的检查作为应答"),
        order,
    ),
    check(
        "seq-wraps",
        "4 Sessions, order and resends",
        ("any seq is taken and copied", "接受任何序号并照抄"),
        seq_wraps,
    ),
    check(
        "resend",
        "4 Sessions, order and resends",
        ("a resend is answered the same", "重发得到相同应答"),
        resend,
    ),
];

/// After all others.
pub(super) const LAST: &[Check] = &[
    check(
        "one-reply",
        ANSWERING,
        ("nothing is sent but one reply to each request", "每个请求只发一个应答，此外什么也不发"),
        one_reply,
    ),
    check(
        "quiet",
        "7 Deadlines",
        ("what else it sends leaves each answer in time", "它发送的其他内容不耽误应答"),
        quiet,
    ),
];

/// The types that no version gives out, or that a later one may.
fn unknown() -> impl Iterator<Item = u8> {
    (0..0x80).filter(|number| RequestType::from_wire(*number).is_none())
}

fn unknown_types(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    for number in unknown() {
        let header = bench.header(number);
        let answer = bench.ask_as(header, &[])?;
        let what = say!("type {number:#04x}", "类型 {number:#04x}");
        expect_refusal(what, &answer, ErrorCode::UnknownType, Some(number.into()))?;
    }
    Ok(())
}

fn optional_refused(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let optional = [
        (RequestType::Prove, Capabilities::PROVE, 32),
        (RequestType::Read, Capabilities::READ, 7),
        (RequestType::Keygen, Capabilities::KEYGEN, 5),
        (RequestType::Csr, Capabilities::KEYGEN, 6),
    ];
    let mut all = bench.offers(Capabilities::LOCK);
    for (kind, capability, length) in optional {
        if bench.offers(capability) {
            continue;
        }
        all = false;
        let detail = Some(kind.to_wire().into());
        bench.refused(kind, &vec![1; length], ErrorCode::Unsupported, detail)?;
    }
    if !bench.offers(Capabilities::LOCK) {
        let detail = Some(RequestType::Finish.to_wire().into());
        bench.refused(RequestType::Finish, &[1, 1], ErrorCode::Unsupported, detail)?;
    }
    bench.note = all.then(|| say!("it offers all that is optional", "可选功能全部提供"));
    Ok(())
}

fn reply_types(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    for number in [0x80, 0x81, 0x84, 0x8d, 0xfe, 0xff] {
        let header = bench.header(number);
        if let Some((header, _)) = bench.probe(&frame(header, &[1, 1]))?.first() {
            let found = header.message_type;
            let how = say!(
                "a frame of type {number:#04x} is answered, with {found:#04x}",
                "类型 {number:#04x} 的帧得到应答 {found:#04x}"
            );
            return Err(Wrong::device(how));
        }
    }
    Ok(())
}

/// For each request, lengths that its body can't have.
fn wrong_lengths() -> [(RequestType, &'static [usize]); 12] {
    [
        (RequestType::Identify, &[0, 1, 3]),
        (RequestType::Begin, &[0, 36, 42, 44]),
        (RequestType::Chunk, &[0, 3, 4]),
        (RequestType::Commit, &[0, 31, 33]),
        (RequestType::Restart, &[1]),
        (RequestType::Prove, &[0, 31, 33]),
        (RequestType::Finish, &[0, 1, 3]),
        (RequestType::Abort, &[1]),
        (RequestType::Erase, &[1]),
        (RequestType::Read, &[0, 6, 8]),
        (RequestType::Keygen, &[0, 4, 6]),
        (RequestType::Csr, &[0, 5, 7]),
    ]
}

fn is_offered(bench: &Bench<'_>, kind: RequestType) -> bool {
    bench.offers(match kind {
        RequestType::Prove => Capabilities::PROVE,
        RequestType::Read => Capabilities::READ,
        RequestType::Keygen | RequestType::Csr => Capabilities::KEYGEN,
        _ => Capabilities::NONE,
    })
}

fn body_lengths(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.hold(&first)?;
    let before = bench.identify()?;
    let offered = wrong_lengths().into_iter().filter(|(kind, _)| is_offered(bench, *kind));
    for (kind, wrong) in offered.collect::<Vec<_>>() {
        for length in wrong {
            let mut body = vec![0; *length];
            if let Some(count) = body.get_mut(36) {
                // Two objects need 43 bytes.
                *count = 2;
            }
            let detail = u32::try_from(*length).ok();
            bench.refused(kind, &body, ErrorCode::BadLength, detail)?;
        }
    }
    expect_equal(
        ("what IDENTIFY says after them", "它们之后 IDENTIFY 的内容"),
        bench.identify()?,
        before,
    )
}

/// Several things wrong at once: session, then version, then type, then length, then value.
fn order(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let far = |answer: &Answer, code| {
        expect_refusal(("a request with several faults", "有几处错误的请求"), answer, code, None)
    };
    let mut header = bench.header(0x7e);
    (header.session, header.version) = (!header.session, 0xfe);
    far(&bench.ask_as(header, &[])?, ErrorCode::NoSession)?;
    let mut header = bench.header(0x7e);
    header.version = 0xfe;
    far(&bench.ask_as(header, &[])?, ErrorCode::BadVersion)?;
    let header = bench.header(RequestType::Finish.to_wire());
    far(&bench.ask_as(header, &[9, 9, 9])?, ErrorCode::BadLength)?;
    let header = bench.header(RequestType::Identify.to_wire());
    far(&bench.ask_as(header, &[9, 1, 9])?, ErrorCode::BadLength)
}

fn seq_wraps(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    for start in [u16::MAX - 1, 0x00fe, 0x7ffe] {
        bench.wire.set_seq(start);
        for _ in 0..4 {
            bench.identify()?;
        }
    }
    // Of every request, and backwards too: no number is compared with the one before.
    let second = bench.second.clone();
    for start in [u16::MAX - 1, 9, 9, 3] {
        bench.wire.set_seq(start);
        bench.begin_anew(&second)?;
        bench.send_key(&second)?;
        bench.reply(RequestType::Abort, &[])?;
        bench.reply(RequestType::Finish, &[0, 0])?;
    }
    Ok(())
}

/// The same bytes twice: the device executes both and says the same.
fn resend(bench: &mut Bench<'_>) -> Checked {
    let second = bench.second.clone();
    bench.new_session()?;
    bench.begin_anew(&second)?;
    let key = super::sample::chunk(0, &second.bytes[..second.key_length()]);
    for (kind, body) in [
        (RequestType::Identify, vec![1, 1]),
        (RequestType::Begin, second.begin()),
        (RequestType::Chunk, key),
    ] {
        let header = bench.header(kind.to_wire());
        let (one, again) = (bench.ask_as(header, &body)?, bench.ask_as(header, &body)?);
        // IDENTIFY and BEGIN change nothing; the chunk lies below next the second time.
        let same = (one.header, one.body.as_slice()) == (again.header, again.body.as_slice());
        if !same {
            return Err(Wrong::device(say!(
                "a resent {kind} is answered otherwise",
                "重发的 {kind} 得到不同的应答"
            )));
        }
    }
    for kind in [RequestType::Abort, RequestType::Abort] {
        let header = bench.header(kind.to_wire());
        bench.ask_as(header, &[])?;
        expect_equal(
            ("the type", "类型"),
            bench.ask_as(header, &[])?.header.message_type,
            kind.reply_type(),
        )?;
    }
    Ok(())
}

/// Noise and log lines are skipped, and take time on the line all the same: here it is counted
/// by the bit rate, since a line that is none in between is fast.
fn quiet(bench: &mut Bench<'_>) -> Checked {
    let Some((request, bytes, room)) = bench.wire.noisiest() else { return Ok(()) };
    match bytes > room {
        true => Err(Wrong::device(say!(
            "{bytes} bytes come before the answer to {request} is whole, beside it; at this bit \
             rate {room} fit into the 60 ms that an answer may be late",
            "{request} 的应答收全之前另有 {bytes} 字节；按此波特率，应答可迟的 60 ms 只容 {room} 字节"
        ))),
        false => Ok(()),
    }
}

fn one_reply(bench: &mut Bench<'_>) -> Checked {
    bench.wire.idle(std::time::Duration::from_millis(200))?;
    match bench.wire.stray() {
        None => Ok(()),
        Some(stray) => Err(Wrong::device(say!("nothing asked for ", "没有请求却收到").with(stray))),
    }
}
