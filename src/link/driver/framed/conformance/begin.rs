//! BEGIN, and section 6: what makes an image, and what fits.

use firmware_interface::ids::{ErrorCode, Lifecycle, ObjectKind, RequestType};

use super::bench::{Bench, expect_equal};
use super::check::{Check, check};
use super::sample::begin;
use super::verdict::{Checked, Wrong};
use crate::say;

const SECTION: &str = "5 BEGIN";

pub(super) const CHECKS: &[Check] = &[
    check(
        "lifecycle",
        "5 IDENTIFY",
        ("blank, staged, provisioned as it goes", "依次为 blank、staged、provisioned"),
        lifecycle,
    ),
    check(
        "begin-kinds",
        "6 The image",
        ("an unknown kind is BAD_VALUE at its place", "未知种类在其位置是 BAD_VALUE"),
        kinds,
    ),
    check(
        "begin-objects",
        "6 The image",
        ("other objects are BAD_VALUE, detail 36", "其他对象组合是 BAD_VALUE，detail 36"),
        objects,
    ),
    check(
        "begin-total",
        SECTION,
        (
            "a total that is no sum is BAD_VALUE, detail 0",
            "总长不等于各项之和是 BAD_VALUE，detail 0",
        ),
        total,
    ),
    check(
        "begin-too-large",
        SECTION,
        ("beyond the capacity is TOO_LARGE, before an erase", "超出容量是 TOO_LARGE，且在擦除之前"),
        too_large,
    ),
    check(
        "begin-identical",
        SECTION,
        ("an identical BEGIN changes nothing", "相同的 BEGIN 不改变任何内容"),
        identical,
    ),
    check(
        "begin-other",
        SECTION,
        ("another BEGIN drops the transfer and starts at 0", "不同的 BEGIN 放弃传输，从 0 开始"),
        another,
    ),
];

/// A table that is right; each case differs from it in one thing.
const RIGHT: [(u8, u16); 3] = [(1, 32), (3, 100), (6, 28)];

fn lifecycle(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.blank()?;
    let blank = bench.expect_active(None)?;
    expect_equal(
        ("the lifecycle of an erased device", "擦除后设备的状态"),
        blank.lifecycle,
        Lifecycle::Blank,
    )?;
    bench.begin_anew(&first)?;
    let staged = bench.expect_active(None)?;
    expect_equal(
        ("the lifecycle after BEGIN", "BEGIN 之后的状态"),
        staged.lifecycle,
        Lifecycle::Staged,
    )?;
    bench.send_all(&first)?;
    bench.commit(&first)?;
    let burned = bench.expect_active(Some(&first))?;
    expect_equal(
        ("the lifecycle after COMMIT", "COMMIT 之后的状态"),
        burned.lifecycle,
        Lifecycle::Provisioned,
    )
}

fn refused_at(bench: &mut Bench<'_>, table: &[(u8, u16)], detail: u32) -> Checked {
    let sum = table.iter().map(|(_, length)| u32::from(*length)).sum();
    let body = begin(sum, &[7; 32], table);
    let outcome = bench.refused(RequestType::Begin, &body, ErrorCode::BadValue, Some(detail));
    outcome.map_err(|wrong| match wrong {
        Wrong::Device(how) => {
            Wrong::Device(say!("with objects {table:?}", "对象为 {table:?}").then(&how))
        }
        other => other,
    })
}

fn kinds(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    for kind in [0, 8, 0x7f, 0xff] {
        refused_at(bench, &[(1, 32), (3, 100), (kind, 28)], 37 + 2 * 3)?;
        refused_at(bench, &[(kind, 32), (3, 100), (6, 28)], 37)?;
    }
    Ok(())
}

fn objects(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    let wrong: [&[(u8, u16)]; 15] = [
        &[],
        &[(1, 32)],
        &[(1, 32), (6, 28)],
        &[(3, 100), (6, 28)],
        &[(3, 100), (1, 32)],
        &[(1, 32), (2, 65), (3, 100)],
        &[(1, 32), (3, 100), (3, 100)],
        &[(1, 32), (3, 100), (6, 28), (4, 50)],
        &[(1, 31), (3, 100)],
        &[(1, 33), (3, 100)],
        &[(2, 64), (3, 100)],
        &[(1, 32), (3, 0)],
        &[(1, 32), (3, 100), (6, 8)],
        &[(1, 32), (3, 100), (6, 325)],
        &[(1, 32), (2, 65), (3, 100), (4, 50), (5, 50), (6, 28)],
    ];
    wrong.into_iter().try_for_each(|table| refused_at(bench, table, 36))
}

fn total(bench: &mut Bench<'_>) -> Checked {
    bench.new_session()?;
    for total in [0, 159, 161, u32::MAX] {
        let body = begin(total, &[7; 32], &RIGHT);
        bench.refused(RequestType::Begin, &body, ErrorCode::BadValue, Some(0))?;
    }
    Ok(())
}

fn too_large(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    let capacity = bench.facts.capacity;
    bench.hold(&first)?;
    bench.begin_anew(&second)?;
    bench.send_key(&second)?;
    let Some(table) = table_of(capacity.saturating_add(1)) else {
        let note = say!("no image is larger than its capacity", "没有比它容量更大的身份");
        bench.note = Some(note);
        return Ok(());
    };
    let body = begin(capacity + 1, &[7; 32], &table);
    bench.refused(RequestType::Begin, &body, ErrorCode::TooLarge, Some(capacity))?;
    // The transfer that was open still is.
    expect_equal(
        ("next after it", "此后的 next"),
        bench.begin(&second)? as usize,
        second.key_length(),
    )?;
    bench.expect_active(Some(&first)).map(|_| ())
}

/// Objects that have so many bytes together, where that many can be announced.
fn table_of(total: u32) -> Option<Vec<(u8, u16)>> {
    let mut table = vec![(ObjectKind::Key.to_wire(), 32)];
    let mut left = total.checked_sub(32)?;
    for kind in [ObjectKind::ClientCertificate, ObjectKind::CaChain, ObjectKind::ServerRoots] {
        let length = u16::try_from(left).unwrap_or(u16::MAX);
        if length > 0 {
            table.push((kind.to_wire(), length));
        }
        left -= u32::from(length);
    }
    (left == 0).then_some(table)
}

fn identical(bench: &mut Bench<'_>) -> Checked {
    let second = bench.second.clone();
    bench.new_session()?;
    bench.begin_anew(&second)?;
    expect_equal(("next, asked again at once", "立即再问时的 next"), bench.begin(&second)?, 0)?;
    bench.send_key(&second)?;
    expect_equal(
        ("next behind the key", "密钥之后的 next"),
        bench.begin(&second)? as usize,
        second.key_length(),
    )?;
    let pieces = second.pieces(bench.max_chunk());
    let (offset, data) = pieces[1];
    bench.chunk_to(&second, offset, data, offset as usize + data.len())
}

fn another(bench: &mut Bench<'_>) -> Checked {
    let (first, second) = (bench.first.clone(), bench.second.clone());
    bench.new_session()?;
    bench.begin_anew(&second)?;
    bench.send_key(&second)?;
    bench.begin_anew(&first)?;
    // The same digest under other objects is another image too.
    let mut table = second.table();
    table.truncate(2);
    let sum = table.iter().map(|(_, length)| u32::from(*length)).sum();
    bench.begin_anew(&second)?;
    bench.send_key(&second)?;
    let body = bench.reply(RequestType::Begin, &begin(sum, &second.digest, &table))?;
    expect_equal(
        ("next after a BEGIN with other objects", "对象不同的 BEGIN 之后的 next"),
        body.as_slice(),
        &[0; 4],
    )
}
