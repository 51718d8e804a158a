//! BEGIN, and section 6: what makes an image, and what fits.

use firmware_interface::ids::{ErrorCode, Lifecycle, ObjectKind, RequestType};

use super::bench::{Bench, expect_equal};
use super::check::{Check, check};
use super::sample::begin;
use super::verdict::{Checked, Wrong};

const SECTION: &str = "5 BEGIN";

pub(super) const CHECKS: &[Check] = &[
    check("lifecycle", "5 IDENTIFY", "blank, staged, provisioned as it goes", lifecycle),
    check("begin-kinds", "6 The image", "an unknown kind is BAD_VALUE at its place", kinds),
    check("begin-objects", "6 The image", "other objects are BAD_VALUE, detail 36", objects),
    check("begin-total", SECTION, "a total that is no sum is BAD_VALUE, detail 0", total),
    check(
        "begin-too-large",
        SECTION,
        "beyond the capacity is TOO_LARGE, before an erase",
        too_large,
    ),
    check("begin-identical", SECTION, "an identical BEGIN changes nothing", identical),
    check("begin-other", SECTION, "another BEGIN drops the transfer and starts at 0", another),
];

/// A table that is right; each case differs from it in one thing.
const RIGHT: [(u8, u16); 3] = [(1, 32), (3, 100), (6, 28)];

fn lifecycle(bench: &mut Bench<'_>) -> Checked {
    let first = bench.first.clone();
    bench.blank()?;
    let blank = bench.expect_active(None)?;
    expect_equal("the lifecycle of an erased device", blank.lifecycle, Lifecycle::Blank)?;
    bench.begin_anew(&first)?;
    let staged = bench.expect_active(None)?;
    expect_equal("the lifecycle after BEGIN", staged.lifecycle, Lifecycle::Staged)?;
    bench.send_all(&first)?;
    bench.commit(&first)?;
    let burned = bench.expect_active(Some(&first))?;
    expect_equal("the lifecycle after COMMIT", burned.lifecycle, Lifecycle::Provisioned)
}

fn refused_at(bench: &mut Bench<'_>, table: &[(u8, u16)], detail: u32) -> Checked {
    let sum = table.iter().map(|(_, length)| u32::from(*length)).sum();
    let body = begin(sum, &[7; 32], table);
    let outcome = bench.refused(RequestType::Begin, &body, ErrorCode::BadValue, Some(detail));
    outcome.map_err(|wrong| match wrong {
        Wrong::Device(how) => Wrong::Device(format!("with objects {table:?}: {how}")),
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
        bench.note = Some("no image is larger than its capacity".to_owned());
        return Ok(());
    };
    let body = begin(capacity + 1, &[7; 32], &table);
    bench.refused(RequestType::Begin, &body, ErrorCode::TooLarge, Some(capacity))?;
    // The transfer that was open still is.
    expect_equal("next after it", bench.begin(&second)? as usize, second.key_length())?;
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
    expect_equal("next, asked again at once", bench.begin(&second)?, 0)?;
    bench.send_key(&second)?;
    expect_equal("next behind the key", bench.begin(&second)? as usize, second.key_length())?;
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
    expect_equal("next after a BEGIN with other objects", body.as_slice(), &[0; 4])
}
