//! Section 1 of the page: what is a frame, and what is dropped in silence.

use std::time::Duration;

use firmware_interface::codec::{self, CRC32, Header};
use firmware_interface::ids::RequestType;

use super::bench::{Bench, expect_equal};
use super::check::{Check, check};
use super::frame::{cobs, enclose, frame, plain, with_crc};
use super::verdict::{Checked, Wrong};
use crate::domain::say::Say;
use crate::say;

const SECTION: &str = "1 Framing";
const RECEIVING: &str = "1 Receiving";

pub(super) const CHECKS: &[Check] = &[
    check(
        "frame-after-noise",
        RECEIVING,
        ("the leading 00 closes what stood before", "开头的 00 结束前面的内容"),
        after_noise,
    ),
    check("frame-empty", SECTION, ("empty frames are ignored", "忽略空帧"), empty),
    check(
        "frame-shared-delimiter",
        SECTION,
        ("one 00 may end a frame and begin the next", "一个 00 可以结束一帧并开始下一帧"),
        shared_delimiter,
    ),
    check(
        "frame-in-pieces",
        RECEIVING,
        ("a frame may arrive in pieces", "一帧可以分段到达"),
        in_pieces,
    ),
    check(
        "frame-cut-short",
        RECEIVING,
        ("half a frame is dropped, the next is read", "半帧被丢弃，下一帧照读"),
        cut_short,
    ),
    check(
        "frame-bad-crc",
        RECEIVING,
        ("a frame with a wrong CRC is dropped", "CRC 错误的帧被丢弃"),
        bad_crc,
    ),
    check(
        "frame-bad-cobs",
        "1 COBS, and its one form",
        ("wrong COBS is dropped", "错误的 COBS 被丢弃"),
        bad_cobs,
    ),
    check(
        "frame-too-short",
        RECEIVING,
        ("fewer than 12 bytes are dropped", "少于 12 字节的被丢弃"),
        too_short,
    ),
    check(
        "frame-too-long",
        RECEIVING,
        ("after an overflow all up to the next 00 is dropped", "溢出之后直到下一个 00 都被丢弃"),
        too_long,
    ),
];

/// Demands that of these bytes nothing is answered, and what follows is.
fn dropped(bench: &mut Bench<'_>, bytes: &[u8], what: impl Into<Say>) -> Checked {
    match bench.probe(bytes)?.first() {
        None => Ok(()),
        Some((header, _)) => {
            let found = header.message_type;
            let how = say!(" is answered, with type {found:#04x}", "得到应答，类型 {found:#04x}");
            Err(Wrong::device(what.into().with(&how)))
        }
    }
}

/// Demands that the requests among these bytes are answered, in this order and once.
fn answered(bench: &mut Bench<'_>, bytes: &[u8], seqs: &[u16], what: (&str, &str)) -> Checked {
    let heard: Vec<u16> = bench.probe(bytes)?.iter().map(|(header, _)| header.seq).collect();
    let (english, chinese) = what;
    let what = say!("with {english}, the seqs that are answered", "{chinese}时，得到应答的序号");
    expect_equal(what, heard.as_slice(), seqs)
}

/// A request that changes nothing, as a frame.
fn decoy(bench: &mut Bench<'_>) -> (u16, Vec<u8>) {
    let (header, body) = bench.harmless();
    (header.seq, frame(header, &body))
}

fn after_noise(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    for noise in [b"boot 1.0\r\nready\r\n".as_slice(), &[0xff; 40], &[0x01, 0x80, 0x7f, 0x55]] {
        let (seq, request) = decoy(bench);
        answered(bench, &[noise, &request].concat(), &[seq], ("noise before it", "前面有噪声"))?;
    }
    Ok(())
}

fn empty(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let (seq, request) = decoy(bench);
    answered(
        bench,
        &[&[0; 60], request.as_slice(), &[0; 60]].concat(),
        &[seq],
        ("empty frames", "有空帧"),
    )
}

fn shared_delimiter(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let (one, first) = decoy(bench);
    let (two, second) = decoy(bench);
    answered(
        bench,
        &[&first, &second[1..]].concat(),
        &[one, two],
        ("one 00 between two frames", "两帧之间只有一个 00"),
    )
}

fn in_pieces(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let (seq, request) = decoy(bench);
    let (last, firsts) = request.split_last().map_or((0, [].as_slice()), |(l, f)| (*l, f));
    for piece in firsts.chunks(5) {
        bench.wire.put(piece, Duration::from_millis(10))?;
    }
    answered(bench, &[last], &[seq], ("pauses within it", "帧内有停顿"))
}

fn cut_short(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    for kept in [1, 4, 9] {
        let (_, lost) = decoy(bench);
        let (seq, request) = decoy(bench);
        let bytes = [&lost[..=kept], &request].concat();
        answered(bench, &bytes, &[seq], ("half a frame before it", "前面有半帧"))?;
    }
    Ok(())
}

fn bad_crc(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let (header, body) = bench.harmless();
    let whole = with_crc(&plain(header, &body));
    // A bit of each part: version, type, seq, session, body, and each byte of the CRC.
    for place in [0, 1, 2, 5, 8, 10, 11, 12, 13] {
        let mut wrong = whole.clone();
        wrong[place] ^= 0x20;
        let what =
            say!("a frame with a wrong bit in byte {place}", "第 {place} 字节有一位错误的帧");
        dropped(bench, &enclose(&cobs(&wrong)), what)?;
    }
    let zeros = [plain(header, &body), vec![0; 4]].concat();
    dropped(bench, &enclose(&cobs(&zeros)), ("a frame with a CRC of zeros", "CRC 为零的帧"))?;
    let no_final_xor = [plain(header, &body), (!crc(header, &body)).to_le_bytes().to_vec()];
    dropped(
        bench,
        &enclose(&cobs(&no_final_xor.concat())),
        ("a frame with another CRC", "CRC 不同的帧"),
    )
}

fn crc(header: Header, body: &[u8]) -> u32 {
    CRC32.checksum(&plain(header, body))
}

fn bad_cobs(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let (header, body) = bench.harmless();
    let right = cobs(&with_crc(&plain(header, &body)));
    let mut beyond = right.clone();
    if let Some(code) = last_code(&beyond) {
        beyond[code] += 1;
    }
    dropped(
        bench,
        &enclose(&beyond),
        ("COBS whose last block is too long", "最后一块过长的 COBS"),
    )?;
    other_form(bench)
}

/// Where the last block begins.
fn last_code(encoded: &[u8]) -> Option<usize> {
    let (mut at, mut last) = (0, None);
    while let Some(code) = encoded.get(at) {
        last = Some(at);
        at += usize::from(*code);
    }
    last
}

/// The byte 01 that some encoders append after a last full block, where the device's buffer
/// is sure to take a frame of that length.
fn other_form(bench: &mut Bench<'_>) -> Checked {
    const BLOCK: usize = 254;
    let length = BLOCK - codec::HEADER_LENGTH - codec::CRC_LENGTH;
    if bench.max_chunk() < length {
        return Ok(());
    }
    let header = full_header(bench);
    let body = std::iter::repeat_n(0x55, length - 1);
    let found = (1..=u8::MAX).find_map(|last| {
        let body: Vec<u8> = body.clone().chain([last]).collect();
        let whole = with_crc(&plain(header, &body));
        (!whole.contains(&0)).then_some(whole)
    });
    // The session's number may have a zero in it: then there is no such frame.
    let Some(whole) = found else { return Ok(()) };
    let mut other = cobs(&whole);
    other.push(1);
    dropped(
        bench,
        &enclose(&other),
        ("COBS with a needless block at its end", "末尾多出一块的 COBS"),
    )
}

/// A header of an unknown type without a zero in it, as far as that can be chosen.
fn full_header(bench: &mut Bench<'_>) -> Header {
    bench.wire.set_seq(0x0101);
    bench.header(0x7e)
}

fn too_short(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let (header, body) = bench.harmless();
    for length in 0..codec::HEADER_LENGTH {
        let short = with_crc(&plain(header, &body)[..length]);
        let what =
            say!("a frame of {} bytes with a right CRC", "{} 字节、CRC 正确的帧", short.len());
        dropped(bench, &enclose(&cobs(&short)), what)?;
    }
    Ok(())
}

/// Fills a receiver, and puts a right frame where one begins again that starts anew when it
/// is full: at the end of the largest buffer, and of the smallest that this device may have.
fn too_long(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let smallest = codec::frame_length(4 + bench.max_chunk()) - 2;
    let largest = codec::MAX_FRAME - 2;
    let mut lengths: Vec<usize> = (largest - 1..=largest + 2).collect();
    lengths.extend(smallest..=smallest + 2);
    for length in lengths {
        let (_, request) = decoy(bench);
        // Without its leading 00 it is the tail of the frame before it.
        let overflowing = [&[0], vec![0x55; length].as_slice(), &request[1..]].concat();
        let what = say!("the tail of a frame of {length} bytes", "{length} 字节的帧的尾部");
        dropped(bench, &overflowing, what)?;
    }
    let header = bench.header(RequestType::Abort.to_wire());
    let body = vec![0x55; codec::MAX_BODY + 1];
    dropped(
        bench,
        &frame(header, &body),
        ("a frame with a body of 1006 bytes", "内容有 1006 字节的帧"),
    )
}
