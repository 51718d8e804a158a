//! A run that keeps to its station's share of the cloud's rate.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::cloud::Fate;
use super::ledger::Bench;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::share::{Asked, Question, Share, Shares};
use crate::{Halt, Stop};

/// What is answered: a rate, no answer at all, or silence.
#[derive(Debug, Clone, Copy)]
enum Says {
    Rate(u32),
    Refused,
    Nothing,
}

/// Gives one answer after another, and the last one for ever; at the end it stops the run.
#[derive(Debug)]
struct Dealer {
    answers: Mutex<Vec<Says>>,
    asked: Mutex<Vec<Question>>,
    /// How long a share lasts.
    lasts: Duration,
    /// Stopped when so many have asked.
    halt: Option<(usize, Halt)>,
}

impl Dealer {
    fn of(answers: &[Says]) -> Self {
        let answers = Mutex::new(answers.iter().rev().copied().collect());
        let lasts = Duration::from_millis(40);
        Dealer { answers, asked: Mutex::default(), lasts, halt: None }
    }

    fn asked(&self) -> Vec<Question> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn wants(&self) -> Vec<u32> {
        self.asked().iter().map(|question| question.want).collect()
    }

    fn next(&self, question: Question) -> (Says, i64) {
        let mut asked = self.asked.lock().unwrap();
        asked.push(question);
        if let Some((most, halt)) = &self.halt
            && asked.len() >= *most
        {
            halt.stop();
        }
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop() } else { answers.last().copied() };
        (answer.unwrap(), i64::try_from(asked.len()).unwrap())
    }
}

impl Shares for Dealer {
    fn ask(&self, question: Question) -> Asked<'_> {
        Box::pin(async move {
            match self.next(question) {
                (Says::Rate(rate_per_second), number) => {
                    let again = self.lasts / 2;
                    Ok(Share { rate_per_second, number, lasts: self.lasts, again })
                }
                (Says::Refused, _) => Err(Fault::new(Code::CloudUnreachable, "no answer")),
                (Says::Nothing, _) => std::future::pending().await,
            }
        })
    }
}

fn rates(bench: &Bench) -> Vec<u32> {
    bench.cloud.sky.borrow().rates.clone()
}

#[test]
fn a_share_is_asked_for_obeyed_and_given_back_at_the_end() {
    let mut bench = Bench::new(30);
    let dealer = Arc::new(Dealer::of(&[Says::Rate(0), Says::Rate(7), Says::Rate(3)]));
    bench.settings.shares = Some(dealer.clone());
    let told = bench.run();
    assert_eq!((told.summary.registered, told.stop), (30, None));
    // It has none until it is given some, and nothing at the end.
    assert_eq!(&rates(&bench)[..3], [0, 0, 7]);
    assert_eq!(rates(&bench).last(), Some(&0));
    // Thirty are open, and fifteen a second is the most that it could use.
    assert_eq!(&dealer.wants()[..2], [15, 15]);
    assert_eq!(dealer.wants().last(), Some(&0), "what is left of the share is given back");
    // It says which answer it has in its hands, also when it lets go.
    let has: Vec<_> = dealer.asked().iter().map(|question| question.has).collect();
    let numbers: Vec<_> =
        (0..).map(|number| (number > 0).then_some(number)).take(has.len()).collect();
    assert_eq!(has, numbers);
}

#[test]
fn an_answer_is_in_its_hands_when_no_call_that_had_its_turn_before_may_leave_any_more() {
    let mut bench = Bench::new(30);
    // It can't be done before it was given some.
    let dealer = Arc::new(Dealer::of(&[Says::Rate(0), Says::Rate(0), Says::Rate(7)]));
    bench.settings.shares = Some(dealer.clone());
    // After the first answer a call of before is still there.
    bench.cloud.sky.borrow_mut().unsent_at = vec![2];
    assert_eq!(bench.run().summary.registered, 30);
    let has: Vec<_> = dealer.asked().iter().map(|question| question.has).collect();
    assert_eq!(has[..3], [None, None, Some(2)]);
}

#[test]
fn a_share_ends_in_its_time_where_no_answer_comes() {
    let mut bench = Bench::new(1);
    let mut dealer = Dealer::of(&[Says::Rate(1), Says::Nothing]);
    dealer.lasts = Duration::from_millis(10);
    bench.settings.shares = Some(Arc::new(dealer));
    // What was lost is tried again only when the share has ended.
    bench.cloud.sky.borrow_mut().fates.push_back(Fate::LostBefore);
    bench.settings.patience = Duration::from_millis(500);
    bench.settings.deadline = Some(Duration::from_secs(2));
    bench.run();
    assert_eq!(rates(&bench)[..3], [0, 1, 0]);
}

#[test]
fn a_fleet_that_answered_before_is_waited_for() {
    let mut bench = Bench::new(5);
    let mut dealer = Dealer::of(&[Says::Rate(0), Says::Refused, Says::Rate(5)]);
    dealer.lasts = Duration::from_millis(10);
    let dealer = Arc::new(dealer);
    bench.settings.shares = Some(dealer);
    let told = bench.run();
    assert_eq!((told.summary.registered, told.stop), (5, None));
    assert!(!rates(&bench).contains(&500), "it went alone: {:?}", rates(&bench));
}

#[test]
fn no_more_is_asked_for_than_is_open() {
    let mut bench = Bench::new(2);
    let dealer = Arc::new(Dealer::of(&[Says::Rate(2)]));
    bench.settings.shares = Some(dealer.clone());
    assert_eq!(bench.run().summary.registered, 2);
    assert_eq!(dealer.wants()[0], 2);
}

#[test]
fn nothing_is_registered_while_others_have_all_of_the_rate() {
    let mut bench = Bench::new(5);
    let mut dealer = Dealer::of(&[Says::Rate(0)]);
    dealer.halt = Some((4, bench.halt.clone()));
    bench.settings.shares = Some(Arc::new(dealer));
    let told = bench.run();
    assert_eq!((told.summary.registered, told.stop), (0, Some(Stop::Told)));
    assert!(bench.calls().is_empty(), "{:?}", bench.calls());
    assert_eq!(told.summary.pending, 5);
    bench.assert_it_verifies();
}

#[test]
fn where_nobody_deals_out_the_station_keeps_to_its_own_rate() {
    let mut bench = Bench::new(5);
    bench.settings.shares = Some(Arc::new(Dealer::of(&[Says::Refused])));
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
