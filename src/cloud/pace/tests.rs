//! The rule over a clock that is moved by hand, and the waiting by real time.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::Future;
use std::rc::Rc;

use proptest::prelude::*;

use super::*;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A call that is sent at its turn.
fn call(bucket: &mut Bucket, now: Duration) -> Result<(), Duration> {
    bucket.take(now)?;
    bucket.sent(now);
    Ok(())
}

/// Takes tokens as they come until `end`; each is taken `late` after it is there.
fn run(bucket: &mut Bucket, end: Duration, late: impl Fn(usize) -> Duration) -> Vec<Duration> {
    let mut now = Duration::ZERO;
    let mut taken = Vec::new();
    while now < end {
        match call(bucket, now) {
            Ok(()) => taken.push(now),
            Err(at) => now = at + late(taken.len()),
        }
    }
    taken
}

/// The most calls in any window of one second.
fn most_in_a_second(times: &[Duration]) -> usize {
    let within = |start: &Duration| {
        let window = *start..*start + Duration::from_secs(1);
        times.iter().filter(|time| window.contains(*time)).count()
    };
    times.iter().map(within).max().unwrap_or(0)
}

#[test]
fn no_window_of_a_second_has_more_than_the_rate() {
    for rate in [1_u32, 5, 10, 15, 20, 100, 500] {
        let taken = run(&mut Bucket::new(rate.into()), Duration::from_secs(10), |_| ms(0));
        let most = most_in_a_second(&taken);
        assert!(most <= rate as usize, "{rate}: {most}");
        // The first call comes at once, so one second of many is more than the rate's share.
        let share = taken.len() as f64 / f64::from(rate * 10);
        assert!(share >= 0.975, "{rate}: {share}");
    }
}

#[test]
fn calls_that_are_late_or_come_closer_on_their_way_keep_to_the_rate() {
    for rate in [10_u32, 15, 500] {
        let wake = |index: usize| Duration::from_micros((index as u64 * 7919) % 4_000);
        let taken = run(&mut Bucket::new(rate.into()), Duration::from_secs(10), wake);
        // Up to 10 ms more on the way to the cloud.
        let way = |(index, time): (usize, &Duration)| {
            *time + Duration::from_micros((index as u64 * 104_729) % 10_000)
        };
        let seen: Vec<Duration> = taken.iter().enumerate().map(way).collect();
        assert!(most_in_a_second(&seen) <= rate as usize, "{rate}");
        assert!(taken.len() as f64 / f64::from(rate * 10) >= 0.97, "{rate}: {}", taken.len());
    }
}

/// Takes turns as they come until `end`; each call is sent `late` after its turn.
fn run_late(bucket: &mut Bucket, end: Duration, late: impl Fn(usize) -> Duration) -> Vec<Duration> {
    let (mut now, mut turns) = (Duration::ZERO, 0);
    let (mut unsent, mut sent) = (BTreeSet::new(), Vec::new());
    while now < end {
        while let Some(at) = unsent.first().copied().filter(|(at, _)| *at <= now) {
            unsent.remove(&at);
            bucket.sent(at.0);
            sent.push(at.0);
        }
        match bucket.take(now) {
            Ok(()) => {
                unsent.insert((now + late(turns), turns));
                turns += 1;
            }
            Err(at) => now = unsent.first().map_or(at, |(first, _)| at.min(*first)),
        }
    }
    sent
}

#[test]
fn a_call_that_waited_for_its_connection_counts_from_when_it_was_sent() {
    // The machine is busy with something else for a while: five calls that had their turn leave
    // together, and the next ones would leave in their own time right behind them.
    let late = |turn: usize| ms(if (20..25).contains(&turn) { 68 * (25 - turn as u64) } else { 0 });
    let sent = run_late(&mut Bucket::new(15.0), Duration::from_secs(10), late);
    assert!(most_in_a_second(&sent) <= 15, "{}", most_in_a_second(&sent));
    assert!(sent.len() as f64 >= 0.93 * 150.0, "{}", sent.len());
}

#[test]
fn a_call_that_is_never_sent_holds_one_place_until_it_is_given_up() {
    let mut bucket = Bucket::new(2.0);
    assert_eq!(bucket.take(ms(0)), Ok(()));
    assert_eq!(bucket.take(ms(510)), Ok(()));
    // Both may leave at any moment.
    assert_eq!(bucket.take(ms(5_000)), Err(ms(5_050)));
    bucket.sent(ms(5_010));
    assert_eq!(bucket.take(ms(5_050)), Err(ms(6_020)));
    assert_eq!(bucket.take(ms(6_020)), Ok(()));
}

#[test]
fn a_rate_ends_in_its_time_also_for_a_process_that_slept() {
    let mut bucket = Bucket::new(0.0);
    bucket.set_rate(15.0, ms(4_000), ms(0));
    assert_eq!(call(&mut bucket, ms(3_999)), Ok(()));
    assert_eq!(call(&mut bucket, ms(4_000)), Err(ms(4_050)));
    assert_eq!(call(&mut bucket, ms(90_000)), Err(ms(90_050)));
    bucket.set_rate(15.0, ms(95_000), ms(91_000));
    // As one that had none, it begins with a pause.
    assert_eq!(call(&mut bucket, ms(91_000)), Err(ms(91_068)));
}

#[test]
fn a_bucket_that_stood_idle_holds_one_token_and_no_more() {
    let mut bucket = Bucket::new(10.0);
    assert_eq!(call(&mut bucket, ms(60_000)), Ok(()));
    assert!(call(&mut bucket, ms(60_001)).is_err());
    assert!(call(&mut bucket, ms(60_090)).is_err());
    assert_eq!(call(&mut bucket, ms(60_102)), Ok(()));
}

#[test]
fn a_throttling_halves_the_rate_and_waits_a_second() {
    let mut bucket = Bucket::new(10.0);
    assert_eq!(call(&mut bucket, ms(0)), Ok(()));
    bucket.throttled(ms(50));
    assert_eq!(bucket.rate(), 5.0);
    assert_eq!(call(&mut bucket, ms(60)), Err(ms(1_050)));
    assert_eq!(call(&mut bucket, ms(1_050)), Ok(()));
    let Err(next) = call(&mut bucket, ms(1_051)) else { panic!("it has one token") };
    // At 5 a second with the margin, less what may be caught up.
    assert!((ms(1_240)..=ms(1_260)).contains(&next), "{next:?}");
}

#[test]
fn one_throttling_of_many_calls_under_way_halves_once() {
    let mut bucket = Bucket::new(16.0);
    for at in [100, 120, 150, 900] {
        bucket.throttled(ms(at));
    }
    assert_eq!(bucket.rate(), 8.0);
    bucket.throttled(ms(1_200));
    assert_eq!(bucket.rate(), 4.0);
    for second in 3..30 {
        bucket.throttled(ms(second * 1_500));
    }
    assert_eq!(bucket.rate(), 1.0);
}

#[test]
fn the_rate_comes_back_slowly() {
    let table =
        [(0, 5.0), (5_999, 5.0), (6_000, 5.5), (30_000, 7.5), (60_000, 10.0), (999_999, 10.0)];
    for (after, wanted) in table {
        let mut bucket = Bucket::new(10.0);
        bucket.throttled(ms(100));
        let _ = call(&mut bucket, ms(100 + after));
        assert!((bucket.rate() - wanted).abs() < 1e-9, "{after}: {}", bucket.rate());
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let local = tokio::task::LocalSet::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    local.block_on(&runtime, future)
}

#[test]
fn who_came_first_goes_first() {
    block_on(async {
        let pace = Rc::new(Pace::new(&[("A", 100.0)]));
        let order = Rc::new(RefCell::new(Vec::new()));
        let turn = |number: i32| {
            let (pace, order) = (Rc::clone(&pace), Rc::clone(&order));
            tokio::task::spawn_local(async move {
                pace.turn("A").await;
                order.borrow_mut().push(number);
            })
        };
        let tasks: Vec<_> = (0..6).map(turn).collect();
        tokio::task::yield_now().await;
        tasks[3].abort();
        for (number, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.is_ok(), number != 3);
        }
        assert_eq!(*order.borrow(), [0, 1, 2, 4, 5]);
        assert!(pace.begun.elapsed() >= ms(4 * 10 - 5));
    });
}

#[test]
fn who_left_took_no_token_and_lets_the_next_one_in() {
    block_on(async {
        let pace = Pace::new(&[("A", 0.1)]);
        pace.turn("A").await;
        let bucket = pace.lanes["A"].bucket().clone();
        let waited = tokio::time::timeout(ms(20), pace.turn("A")).await;
        assert!(waited.is_err());
        assert_eq!(*pace.lanes["A"].bucket(), bucket);
        assert!(pace.lanes["A"].queue.try_lock().is_ok());
    });
}

#[test]
fn a_throttling_holds_back_those_who_wait_already() {
    block_on(async {
        let pace = Rc::new(Pace::new(&[("A", 10.0), ("B", 10.0)]));
        pace.turn("A").await;
        let waiting = Rc::clone(&pace);
        let waiting = tokio::task::spawn_local(async move { waiting.turn("A").await });
        tokio::task::yield_now().await;
        let throttled = Instant::now();
        pace.throttled("A");
        assert!(waiting.await.is_ok());
        assert!(throttled.elapsed() >= PENALTY);
        // Another action has its own bucket, an unknown one none.
        pace.turn("B").await;
        pace.turn("unknown").await;
        assert_eq!((pace.rate("A"), pace.rate("B"), pace.rate("C")), (Some(5.0), Some(10.0), None));
    });
}

#[test]
fn another_rate_holds_from_then_on_and_none_gives_no_turn() {
    let mut bucket = Bucket::new(10.0);
    assert_eq!(call(&mut bucket, ms(0)), Ok(()));
    bucket.set_rate(0.0, Duration::MAX, ms(10));
    assert!(call(&mut bucket, ms(5_000)).is_err());
    bucket.set_rate(2.0, Duration::MAX, ms(6_000));
    assert_eq!(call(&mut bucket, ms(6_000)), Err(ms(6_510)));
    assert_eq!(call(&mut bucket, ms(6_510)), Ok(()));
}

#[test]
fn a_rate_that_changes_leaves_no_window_of_a_second_with_more_than_the_higher_one() {
    let mut bucket = Bucket::new(15.0);
    let mut taken = Vec::new();
    for tick in 0..20_000 {
        let now = ms(tick);
        match tick {
            4_000 | 12_000 => bucket.set_rate(3.0, Duration::MAX, now),
            8_000 => bucket.set_rate(15.0, Duration::MAX, now),
            _ => {}
        }
        taken.extend(call(&mut bucket, now).ok().map(|()| now));
    }
    assert!(most_in_a_second(&taken) <= 15, "{}", most_in_a_second(&taken));
    let slow: Vec<Duration> =
        taken.iter().copied().filter(|at| *at >= ms(4_000) && *at < ms(8_000)).collect();
    assert!(most_in_a_second(&slow) <= 3, "{slow:?}");
}

proptest! {
    /// However long after their turns calls are sent, and in whatever order, no window of a second
    /// has more than the rate.
    #[test]
    fn calls_that_are_sent_late_keep_to_the_rate(
        rate in 1_u32..20,
        late in prop::collection::vec(prop_oneof![3 => Just(0_u64), 1 => 0_u64..50, 1 => 0_u64..3_000], 200),
    ) {
        let late = |turn: usize| ms(late[turn % late.len()]);
        let sent = run_late(&mut Bucket::new(rate.into()), Duration::from_secs(20), late);
        prop_assert!(most_in_a_second(&sent) <= rate as usize, "{sent:?}");
        prop_assert!(!sent.is_empty());
    }

    /// However rates follow each other, no window of a second has more calls than the highest
    /// rate that was held within it.
    #[test]
    fn a_window_has_no_more_than_the_highest_rate_within_it(
        rates in prop::collection::vec((0_u32..20, 1_u64..2_500), 1..30),
    ) {
        let (mut bucket, mut now) = (Bucket::new(0.0), ms(0));
        let (mut taken, mut held) = (Vec::new(), Vec::new());
        for (rate, lasts) in rates {
            bucket.set_rate(rate.into(), Duration::MAX, now);
            let end = now + ms(lasts);
            held.push((rate, now, end));
            while now < end {
                match call(&mut bucket, now) {
                    Ok(()) => taken.push(now),
                    Err(at) => now = at.min(end),
                }
            }
        }
        for first in &taken {
            let window = *first..*first + ms(1_000);
            let calls = taken.iter().filter(|call| window.contains(*call)).count();
            let within = held.iter().filter(|(_, from, end)| *from < window.end && *end > window.start);
            let most = within.map(|(rate, ..)| *rate).max().unwrap_or(0);
            prop_assert!(calls <= most as usize, "{calls} of {most} from {first:?}");
        }
    }
}

/// One station has all of a limit of fifteen, and lets go of it to five who have three each.
#[test]
fn a_limit_that_passes_to_others_is_not_exceeded_in_the_second_between() {
    let mut all = Vec::new();
    let mut first = Bucket::new(15.0);
    let mut others = vec![Bucket::new(0.0); 4];
    for tick in 0..120_000 {
        let now = ms(tick) / 10;
        if tick == 50_000 {
            first.set_rate(3.0, Duration::MAX, now);
            others.iter_mut().for_each(|bucket| bucket.set_rate(3.0, Duration::MAX, now));
        }
        let takes = std::iter::once(&mut first).chain(&mut others);
        all.extend(takes.filter_map(|bucket| call(bucket, now).ok()).map(|()| now));
    }
    assert!(most_in_a_second(&all) <= 15, "{}", most_in_a_second(&all));
    assert!(all.len() as f64 >= 0.95 * 15.0 * 12.0, "{}", all.len());
}
