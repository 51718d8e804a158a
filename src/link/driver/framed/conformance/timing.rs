//! Section 7: whether the device takes no longer than it declares.

use std::time::Duration;

use firmware_interface::ids::{Capabilities, RequestType};

use super::bench::{Bench, THE_RESTART, Times};
use super::check::{Check, check};
use super::verdict::{Checked, Wrong};
use crate::domain::say::Say;
use crate::say;

pub(super) const CHECKS: &[Check] = &[check(
    "busy-times",
    "7 Deadlines",
    (
        "each answer comes within line time, busy time and 60 ms",
        "每个应答都在线路时间、忙碌时间加 60 ms 之内",
    ),
    within_busy_times,
)];

/// How often each request is measured. The host may be late once; a device that is late
/// every time has declared too little.
const ROUNDS: usize = 3;

fn within_busy_times(bench: &mut Bench<'_>) -> Checked {
    bench.times = Some(Times::new());
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        one_round(bench)?;
        rounds.push(bench.times.replace(Times::new()).unwrap_or_default());
    }
    bench.note = Some(longest(&rounds));
    match late(&rounds) {
        None => Ok(()),
        Some(how) => Err(Wrong::device(how)),
    }
}

/// Every request that takes time, with the largest image that the device takes.
fn one_round(bench: &mut Bench<'_>) -> Checked {
    let full = bench.large_image(bench.facts.capacity as usize);
    bench.new_session()?;
    if bench.offers(Capabilities::KEYGEN) {
        bench.reply(RequestType::Keygen, &[1, 1, 0, 0, 0])?;
        bench.reply(RequestType::Csr, &[0, 0, 0, 0, 100, 0])?;
    }
    bench.burn(&full)?;
    if bench.offers(Capabilities::PROVE) {
        bench.prove([7; 32])?;
    }
    if bench.offers(Capabilities::READ) {
        bench.reply(RequestType::Read, &[3, 0, 0, 0, 0, 100, 0])?;
    }
    bench.restart()?;
    bench.reply(RequestType::Abort, &[])?;
    bench.reply(RequestType::Finish, &[1, 0])?;
    bench.reply(RequestType::Erase, &[]).map(|_| ())
}

/// In each round, how much the worst request of a kind was late.
fn lateness(times: &[(Duration, Duration)]) -> Option<(Duration, Duration)> {
    times.iter().copied().filter(|(took, may)| took > may).max()
}

fn late(rounds: &[Times]) -> Option<Say> {
    let kinds = rounds.first()?.keys();
    let always = |kind: &&&str| {
        rounds.iter().all(|times| times.get(**kind).is_some_and(|t| lateness(t).is_some()))
    };
    let kind = kinds.clone().find(|kind| always(kind))?;
    let (took, may) = rounds.iter().filter_map(|times| lateness(times.get(kind)?)).min()?;
    let (took, may) = (took.as_millis(), may.as_millis());
    Some(timed(kind).with(&say!(
        " takes {took} ms, {may} ms are allowed by what it declares",
        " 用时 {took} ms，按它的声明只允许 {may} ms"
    )))
}

/// The longest that each kind took, for who writes the declaration.
fn longest(rounds: &[Times]) -> Say {
    let Some(first) = rounds.first() else { return Say::default() };
    let longest = |kind: &&str| {
        let all = rounds.iter().filter_map(|times| times.get(kind)).flatten();
        let most = all.map(|(took, _)| took.as_millis()).max().unwrap_or_default();
        timed(kind).with(&say!(" {most} ms", " {most} ms"))
    };
    let together = |said: Say, next: Say| said.with(&say!(", ", "，")).with(&next);
    first.keys().map(longest).reduce(together).unwrap_or_default()
}

/// What was timed: a request by the name that the page gives it.
fn timed(kind: &str) -> Say {
    match kind {
        THE_RESTART => say!("{kind}", "重启"),
        request => Say::same(request),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(took_ms: u64) -> Times {
        let may_take = Duration::from_millis(100);
        Times::from([("COMMIT", vec![(Duration::from_millis(took_ms), may_take)])])
    }

    #[test]
    fn who_is_late_every_time_is_late_and_who_is_late_once_is_not() {
        assert_eq!(late(&[times(300), times(90), times(300)]), None);
        let always = late(&[times(300), times(120), times(200)]);
        let wanted = "COMMIT takes 120 ms, 100 ms are allowed by what it declares";
        assert_eq!(always.map(|said| said.english).as_deref(), Some(wanted));
    }

    #[test]
    fn the_longest_of_all_rounds_is_told() {
        assert_eq!(longest(&[times(3), times(70)]), Say::same("COMMIT 70 ms"));
    }
}
