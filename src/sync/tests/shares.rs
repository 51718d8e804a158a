//! A run that keeps to its station's share of the cloud's rate.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::ledger::Bench;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::registration::CloudInstance;
use crate::domain::share::{Asked, Share, Shares};
use crate::sync::{Halt, Stop};

/// Gives one answer after another, and the last one for ever; at the end it stops the run.
#[derive(Debug)]
struct Dealer {
    answers: Mutex<Vec<Result<u32, Code>>>,
    asked: Mutex<Vec<u32>>,
    /// Stopped when so many have asked.
    halt: Option<(usize, Halt)>,
}

impl Dealer {
    fn of(answers: &[Result<u32, Code>], halt: Option<(usize, Halt)>) -> Arc<Self> {
        let answers = Mutex::new(answers.iter().rev().copied().collect());
        Arc::new(Dealer { answers, asked: Mutex::default(), halt })
    }

    fn asked(&self) -> Vec<u32> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn next(&self, want: u32) -> Result<Share, Fault> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(want);
        if let Some((most, halt)) = &self.halt
            && asked.len() >= *most
        {
            halt.stop();
        }
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop() } else { answers.last().copied() };
        let lasts = Duration::from_millis(20);
        match answer.unwrap() {
            Ok(rate_per_second) => Ok(Share { rate_per_second, lasts }),
            Err(code) => Err(Fault::new(code, "no answer")),
        }
    }
}

impl Shares for Dealer {
    fn ask<'a>(&'a self, _: &'a CloudInstance, want: u32) -> Asked<'a> {
        Box::pin(async move { self.next(want) })
    }
}

fn rates(bench: &Bench) -> Vec<u32> {
    bench.cloud.sky.borrow().rates.clone()
}

#[test]
fn a_share_is_asked_for_obeyed_and_let_go_of_before_the_next_is_asked_for() {
    let mut bench = Bench::new(30);
    let dealer = Dealer::of(&[Ok(0), Ok(7), Ok(3)], None);
    bench.settings.shares = Some(dealer.clone());
    let told = bench.run();
    assert_eq!((told.summary.registered, told.stop), (30, None));
    // All of the first share was nothing, and nothing was sent with it.
    assert_eq!(&rates(&bench)[..4], [0, 0, 0, 7]);
    assert!(rates(&bench).chunks(2).all(|pair| pair[0] == 0), "{:?}", rates(&bench));
    // Thirty are open, and fifteen a second is the most that it could use.
    assert_eq!(&dealer.asked()[..2], [15, 15]);
    assert_eq!(dealer.asked().last(), Some(&0), "what is left of the share is given back");
}

#[test]
fn no_more_is_asked_for_than_is_open() {
    let mut bench = Bench::new(2);
    let dealer = Dealer::of(&[Ok(2)], None);
    bench.settings.shares = Some(dealer.clone());
    assert_eq!(bench.run().summary.registered, 2);
    assert_eq!(dealer.asked()[0], 2);
}

#[test]
fn nothing_is_registered_while_others_have_all_of_the_rate() {
    let mut bench = Bench::new(5);
    let dealer = Dealer::of(&[Ok(0)], Some((4, bench.halt.clone())));
    bench.settings.shares = Some(dealer);
    let told = bench.run();
    assert_eq!((told.summary.registered, told.stop), (0, Some(Stop::Told)));
    assert!(bench.calls().is_empty(), "{:?}", bench.calls());
    assert_eq!(told.summary.pending, 5);
    bench.assert_it_verifies();
}

#[test]
fn where_nobody_deals_out_the_station_keeps_to_its_own_rate() {
    let mut bench = Bench::new(5);
    bench.settings.shares = Some(Dealer::of(&[Err(Code::CloudUnreachable)], None));
    let told = bench.run();
    assert_eq!((told.summary.registered, told.stop), (5, None));
    assert_eq!(rates(&bench), [0, 500, 0]);
}

#[test]
fn a_run_without_a_fleet_leaves_its_pace_alone() {
    let bench = Bench::new(5);
    bench.run();
    assert!(rates(&bench).is_empty());
}
