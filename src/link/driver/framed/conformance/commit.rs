//! COMMIT: whole or not at all, the same answer every time.

use firmware_interface::ids::{ErrorCode, RequestType};

use super::bench::{Bench, expect_equal};
use super::check::{Check, check};
use super::sample::{Image, chunk};
use super::verdict::{Checked, Wrong};
use crate::say;

const SECTION: &str = "5 COMMIT";

pub(super) const CHECKS: &[Check] = &[
    check(
        "commit",
        SECTION,
        ("it makes the image active, without a restart", "使身份生效，不重启"),
        makes_active,
    ),
    check(
        "commit-no-transfer",
        SECTION,
        ("without a transfer it is NO_TRANSFER", "没有传输是 NO_TRANSFER"),
        no_transfer,
    ),
    check(
        "commit-incomplete",
        SECTION,
        ("before all has come it is INCOMPLETE", "没有收全是 INCOMPLETE"),
        incomplete,
    ),
    check(
        "commit-wrong-digest",
        SECTION,
        ("another digest than BEGIN's is refused", "与 BEGIN 不同的摘要被拒绝"),
        wrong_digest,
    ),
    check(
        "commit-corrupt",
        SECTION,
        ("what is read back must be what was announced", "回读的内容必须与预告的一致"),
        corrupt,
    ),
    check(
        "commit-again",
        SECTION,
        ("asked again, the answer is the same in any session", "再次询问，在任何会话中应答都相同"),
        again,
    ),
    check(
        "commit-generation",
        SECTION,
        ("each commit has a greater generation", "每次提交的 generation 都更大"),
        generation,
    ),
];

fn makes_active(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.hold(&first)?;
    bench.stage(&second)?;
    bench.expect_active(Some(&first))?;
    bench.commit(&second)?;
    bench.expect_active(Some(&second))?;
    // The transfer is over.
    let data = chunk(0, &second.bytes[..second.key_length()]);
    bench.refused(RequestType::Chunk, &data, ErrorCode::NoTransfer, Some(0))
}

fn no_transfer(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.hold(&first)?;
    bench.refused(RequestType::Commit, &second.digest, ErrorCode::NoTransfer, Some(0))?;
    bench.refused(RequestType::Commit, &[0; 32], ErrorCode::NoTransfer, Some(0))
}

fn incomplete(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.hold(&first)?;
    bench.begin_anew(&second)?;
    let mut next = 0;
    for (offset, data) in second.pieces(bench.max_chunk()) {
        let detail = Some(next);
        bench.refused(RequestType::Commit, &second.digest, ErrorCode::Incomplete, detail)?;
        next = offset + u32::try_from(data.len()).unwrap_or(u32::MAX);
        bench.chunk_to(&second, offset, data, next as usize)?;
    }
    bench.expect_active(Some(&first)).map(|_| ())
}

fn wrong_digest(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.hold(&first)?;
    bench.stage(&second)?;
    let mut other = second.digest;
    other[31] ^= 1;
    bench.refused(RequestType::Commit, &other, ErrorCode::WrongDigest, Some(0))?;
    bench.expect_active(Some(&first))?;
    bench.commit(&second).map(|_| ())
}

/// An image whose announced digest is another one's, or which differs in one bit.
fn corrupt(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.hold(&first)?;
    for place in [0, second.key_length() + 5, second.bytes.len() - 1] {
        let mut torn = second.clone();
        torn.bytes[place] ^= 0x10;
        bench.stage(&torn)?;
        bench.refused(RequestType::Commit, &torn.digest, ErrorCode::Corrupt, None)?;
        bench.expect_active(Some(&first))?;
        // Now the transfer is over.
        bench.refused(RequestType::Commit, &torn.digest, ErrorCode::NoTransfer, Some(0))?;
    }
    Ok(())
}

fn again(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.new_session()?;
    let committed = bench.burn(&first)?;
    expect_equal(
        ("the answer in the same session", "同一会话中的应答"),
        bench.commit(&first)?,
        committed,
    )?;
    bench.new_session()?;
    expect_equal(
        ("the answer in another session", "另一会话中的应答"),
        bench.commit(&first)?,
        committed,
    )?;
    // An open transfer stays open.
    bench.begin_anew(&second)?;
    bench.send_key(&second)?;
    expect_equal(("the answer in a transfer", "传输中的应答"), bench.commit(&first)?, committed)?;
    expect_equal(
        ("next after it", "此后的 next"),
        bench.begin(&second)? as usize,
        second.key_length(),
    )?;
    bench.restart()?;
    expect_equal(("the answer after a restart", "重启后的应答"), bench.commit(&first)?, committed)
}

fn generation(bench: &mut Bench<'_>) -> Checked {
    let images: [Image; 2] = [bench.first.clone(), bench.second.clone()];
    bench.new_session()?;
    let mut before = 0;
    for image in images.iter().cycle().take(4) {
        let committed = bench.burn(image)?;
        if committed.generation <= before {
            let found = committed.generation;
            return Err(Wrong::device(say!(
                "generation {found} follows {before}",
                "generation {before} 之后是 {found}"
            )));
        }
        before = committed.generation;
    }
    Ok(())
}
