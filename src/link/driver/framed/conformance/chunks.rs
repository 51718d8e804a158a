//! CHUNK: what is written, what is only answered, and the window.

use firmware_interface::codec::Header;
use firmware_interface::ids::{ErrorCode, RequestType};
use firmware_interface::message::{Chunk, Reply};

use super::bench::{Bench, expect_equal};
use super::check::{Check, check};
use super::sample::{Image, chunk};
use super::verdict::{Checked, Wrong};
use crate::say;

const SECTION: &str = "5 CHUNK";

pub(super) const CHECKS: &[Check] = &[
    check(
        "chunk-no-transfer",
        SECTION,
        ("without a BEGIN it is NO_TRANSFER", "没有 BEGIN 是 NO_TRANSFER"),
        no_transfer,
    ),
    check(
        "chunk-key-alone",
        SECTION,
        ("the key travels in a chunk of its own", "密钥单独占一个 CHUNK"),
        key_alone,
    ),
    check(
        "chunk-max",
        SECTION,
        ("max chunk is taken, a byte more is BAD_LENGTH", "接受最大 CHUNK，多一字节是 BAD_LENGTH"),
        longest,
    ),
    check(
        "chunk-beyond-total",
        SECTION,
        ("beyond total is BAD_VALUE, not written", "超出总长是 BAD_VALUE，不写入"),
        beyond,
    ),
    check(
        "chunk-duplicate",
        SECTION,
        ("what lies below next is not written again", "next 之前的内容不再写入"),
        duplicate,
    ),
    check(
        "chunk-out-of-order",
        SECTION,
        ("above or across next nothing is written", "在 next 之后或跨过 next 的内容不写入"),
        out_of_order,
    ),
    check(
        "chunk-window",
        "5 IDENTIFY",
        ("the declared window is taken in one burst", "所声明的窗口可一次连续收下"),
        window,
    ),
    check(
        "capacity",
        "5 IDENTIFY",
        ("an image of the declared capacity is taken", "接受所声明容量的身份"),
        capacity,
    ),
];

fn no_transfer(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    for offset in [0, 1, u32::MAX] {
        let body = chunk(offset, &[1; 32]);
        bench.refused(RequestType::Chunk, &body, ErrorCode::NoTransfer, Some(0))?;
    }
    Ok(())
}

/// A chunk at next that must be refused, and changes nothing.
fn refused_at_next(bench: &mut Bench<'_>, image: &Image, next: usize, data: &[u8]) -> Checked {
    let offset = u32::try_from(next).unwrap_or(u32::MAX);
    let body = chunk(offset, data);
    bench.refused(RequestType::Chunk, &body, ErrorCode::BadValue, Some(4))?;
    expect_equal(("next after the refusal", "拒绝之后的 next"), bench.begin(image)?, offset)
}

fn key_alone(bench: &mut Bench<'_>) -> Checked {
    let second = bench.second.clone();
    let key = second.key_length();
    bench.new_session()?;
    bench.begin_anew(&second)?;
    for length in [1, key - 1, key + 1, bench.max_chunk().min(second.bytes.len())] {
        refused_at_next(bench, &second, 0, &second.bytes[..length])?;
    }
    bench.send_key(&second)
}

fn longest(bench: &mut Bench<'_>) -> Checked {
    let max = bench.max_chunk();
    let image = bench.large_image(max + 100);
    bench.new_session()?;
    bench.begin_anew(&image)?;
    bench.send_key(&image)?;
    let start = image.key_length();
    let offset = u32::try_from(start).unwrap_or(u32::MAX);
    // A longer one than 1001 bytes is no frame.
    if max < Chunk::MAX_DATA && image.bytes.len() > start + max {
        let body = chunk(offset, &image.bytes[start..=start + max]);
        let detail = u32::try_from(body.len()).ok();
        bench.refused(RequestType::Chunk, &body, ErrorCode::BadLength, detail)?;
        expect_equal(("next after it", "此后的 next"), bench.begin(&image)?, offset)?;
    }
    let end = image.bytes.len().min(start + max);
    bench.chunk_to(&image, offset, &image.bytes[start..end], end)
}

fn beyond(bench: &mut Bench<'_>) -> Checked {
    let second = bench.second.clone();
    bench.new_session()?;
    bench.stage(&second)?;
    let total = second.bytes.len();
    refused_at_next(bench, &second, total, &[1])?;
    // One byte is missing: two don't fit.
    bench.new_session()?;
    bench.begin_anew(&second)?;
    let pieces = second.pieces(bench.max_chunk());
    for (offset, data) in pieces.iter().copied() {
        let whole = data.len();
        let is_last = offset as usize + whole == total;
        let kept = if is_last && whole > 1 { whole - 1 } else { whole };
        bench.chunk_to(&second, offset, &data[..kept], offset as usize + kept)?;
    }
    let offset = bench.begin(&second)? as usize;
    let mut long = second.bytes[offset..].to_vec();
    long.push(1);
    refused_at_next(bench, &second, offset, &long)?;
    let last = u32::try_from(offset).unwrap_or(u32::MAX);
    bench.chunk_to(&second, last, &second.bytes[offset..], total)?;
    bench.commit(&second).map(|_| ())
}

/// Behind the key and one more chunk; where that ends.
fn half_way(bench: &mut Bench<'_>, image: &Image) -> Checked<usize> {
    bench.new_session()?;
    bench.begin_anew(image)?;
    let (key, more) = (image.key_length(), image.key_length() + 40);
    bench.send_key(image)?;
    let start = u32::try_from(key).unwrap_or(u32::MAX);
    bench.chunk_to(image, start, &image.bytes[key..more], more)?;
    Ok(more)
}

fn duplicate(bench: &mut Bench<'_>) -> Checked {
    let second = bench.second.clone();
    let next = half_way(bench, &second)?;
    let key = second.key_length();
    // Other bytes at those offsets must change nothing either.
    for (start, data) in [(0, &second.bytes[..key]), (key, &second.bytes[key..next])] {
        let offset = u32::try_from(start).unwrap_or(u32::MAX);
        bench.chunk_to(&second, offset, data, next)?;
        let other: Vec<u8> = data.iter().map(|byte| byte ^ 0xff).collect();
        bench.chunk_to(&second, offset, &other, next)?;
    }
    go_on(bench, &second, next)
}

fn out_of_order(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    let next = half_way(bench, &first)?;
    let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    for (offset, length) in [(next + 1, 20), (next + 30, 30), (next - 10, 20), (0, 64)] {
        bench.chunk_to(&first, at(offset), &vec![0x55; length], next)?;
    }
    for offset in [u32::MAX, u32::MAX - 20, first.total()] {
        bench.chunk_to(&first, offset, &[0x55; 30], next)?;
    }
    go_on(bench, &first, next)
}

/// The rest of an image, and its commit: what was not to be written was not.
fn go_on(bench: &mut Bench<'_>, image: &Image, next: usize) -> Checked {
    let mut at = next;
    for data in image.bytes[next..].chunks(bench.max_chunk()) {
        let offset = u32::try_from(at).unwrap_or(u32::MAX);
        at += data.len();
        bench.chunk_to(image, offset, data, at)?;
    }
    bench.commit(image).map(|_| ())
}

fn window(bench: &mut Bench<'_>) -> Checked {
    let width = usize::from(bench.facts.window.chunks());
    let image = bench.large_image(32 + (width + 1) * bench.max_chunk());
    bench.new_session()?;
    bench.begin_anew(&image)?;
    bench.send_key(&image)?;
    let pieces = image.pieces(bench.max_chunk());
    for burst in pieces[1..].chunks(width) {
        send_burst(bench, &image, burst)?;
    }
    bench.commit(&image)?;
    bench.note = Some(say!("{width} at once", "一次 {width} 个"));
    Ok(())
}

fn send_burst(bench: &mut Bench<'_>, image: &Image, pieces: &[(u32, &[u8])]) -> Checked {
    let frames: Vec<(Header, Vec<u8>)> = pieces
        .iter()
        .map(|(offset, data)| (bench.header(RequestType::Chunk.to_wire()), chunk(*offset, data)))
        .collect();
    let busy = bench.busy(RequestType::Chunk);
    let answers = bench.wire.burst(&frames, busy)?;
    expect_equal(("the answers to a full window", "满窗口的应答数"), answers.len(), frames.len())?;
    for ((sent, _), ((header, body), (offset, data))) in
        frames.iter().zip(answers.iter().zip(pieces))
    {
        let next = offset + u32::try_from(data.len()).unwrap_or(u32::MAX);
        expect_equal(("the seq of an answer", "应答的序号"), header.seq, sent.seq)?;
        let Ok(Reply::Chunk(found)) = Reply::parse(RequestType::Chunk, body) else {
            return Err(Wrong::device((
                "a chunk of a full window is refused",
                "满窗口中的一个 CHUNK 被拒绝",
            )));
        };
        expect_equal(
            ("next in a full window", "满窗口中的 next"),
            (found.next, found.crc),
            (next, image.crc(next as usize)),
        )?;
    }
    Ok(())
}

fn capacity(bench: &mut Bench<'_>) -> Checked {
    let full = bench.large_image(bench.facts.capacity as usize);
    bench.new_session()?;
    bench.burn(&full)?;
    bench.expect_active(Some(&full))?;
    bench.note = Some(say!("an image of {} bytes", "{} 字节的身份", full.total()));
    Ok(())
}
