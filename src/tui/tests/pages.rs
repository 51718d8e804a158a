//! Walks through the pages besides the line: what they ask, and how they look.

use super::*;
use crate::View;
use crate::domain::certificate::CertificateState;
use crate::domain::ids::{Fingerprint, Serial};
use crate::domain::pages::{
    CheckLine, HistoryLine, HistoryPage, Period, Question, RegistrationTrouble, Registrations,
    SyncRun,
};
use crate::domain::state::{AttemptOutcome, Origin, RegistrationState, UnitState};
use crate::domain::story::{
    ActStory, AttemptStory, CertificateStory, Outcomes, RegistrationStory, Stats, UnitStory,
};

const MINUTE: i64 = 60_000_000;

fn serial(number: u32) -> Serial {
    format!("TH200-{number:08}").parse().unwrap()
}

impl Walk {
    /// The newest question, with its number.
    pub(super) fn question(&self) -> (u64, Question) {
        let asked = self.actions.iter().rev().find_map(|action| match action {
            Action::Ask(asked) => Some((asked.number, asked.question.clone())),
            _ => None,
        });
        asked.expect("something was asked")
    }

    pub(super) fn answer(&mut self, number: u64, answer: Result<Answer, Fault>) {
        self.tell(Msg::Answered(Answered { number, answer }));
    }

    /// Answers the newest question.
    pub(super) fn hears(&mut self, answer: Answer) {
        let number = self.question().0;
        self.answer(number, Ok(answer));
    }
}

fn line(number: u32, outcome: AttemptOutcome) -> HistoryLine {
    let failed = outcome == AttemptOutcome::Fail;
    HistoryLine {
        serial: serial(number),
        attempt: if number == 7 { 2 } else { 1 },
        state: if failed { UnitState::Failed } else { UnitState::Proven },
        slot: slot(if failed { "B" } else { "A" }),
        outcome,
        code: failed.then(|| "E-DEV-TIMEOUT".to_owned()),
        started_at: Timestamp(MORNING.0 - i64::from(number) * MINUTE),
        ended_at: None,
        operator: Some("p117".parse().unwrap()),
    }
}

fn page(more: bool) -> HistoryPage {
    let outcome = |number| match number % 5 {
        0 => AttemptOutcome::Fail,
        3 => AttemptOutcome::Interrupted,
        _ => AttemptOutcome::Pass,
    };
    let lines: Vec<_> = (1..=12).map(|number| line(number, outcome(number))).collect();
    let next = more.then(|| lines[11].key());
    HistoryPage { lines, next, too_many: false }
}

pub(super) fn story(number: u32, state: UnitState) -> UnitStory {
    let at = |minutes: i64| Timestamp(MORNING.0 + minutes * MINUTE);
    let attempt = |attempt, outcome, code: Option<&str>| AttemptStory {
        attempt,
        slot: slot("A"),
        operator: Some("p117".parse().unwrap()),
        hardware: Some(hardware(7)),
        started_at: at(i64::from(attempt)),
        ended_at: Some(at(i64::from(attempt) + 1)),
        outcome,
        step: None,
        code: code.map(str::to_owned),
        message: code.map(|_| "no answer to CHUNK within 300 ms".to_owned()),
        label: None,
        proof: (code.is_none()).then_some(Proof::Possession),
    };
    let registration = RegistrationStory {
        state: RegistrationState::Registered,
        status: Some("ACTIVE".to_owned()),
        tries: 1,
        last_error: None,
        registered_at: Some(at(60)),
    };
    let certificate = CertificateStory {
        certificate_sn: CertificateSn::from_random([0x21; 16]),
        fingerprint_sha256: Fingerprint::new([0xab; 32]),
        state: CertificateState::Proven,
        proof: Some(Proof::Possession),
        not_before: at(0),
        not_after: Timestamp::NO_EXPIRY,
        pem: String::new(),
        origin: Origin::Issued,
        registration,
    };
    UnitStory {
        serial: serial(number),
        state,
        work_order: Some("WO-1042".parse().unwrap()),
        client_id: format!("TH200-{number:08}").parse().unwrap(),
        created_at: at(1),
        certificates: vec![certificate],
        attempts: vec![
            attempt(1, AttemptOutcome::Fail, Some("E-DEV-TIMEOUT")),
            attempt(2, AttemptOutcome::Pass, None),
        ],
        acts: vec![ActStory {
            act: "rework-allowed".to_owned(),
            at: at(90),
            reason: Some("connector replaced".to_owned()),
            operator: Some("s04".parse().unwrap()),
            uid: 1000,
        }],
    }
}

fn stats() -> Stats {
    let counts = |passed, failed| Outcomes { passed, failed, interrupted: 0 };
    let hour =
        |hour: u64| (format!("2026-01-05T{hour:02}:00:00.000Z"), counts(100 + 9 * hour, hour % 4));
    Stats {
        units: Default::default(),
        attempts: Outcomes { passed: 1873, failed: 41, interrupted: 3 },
        first_pass_yield: Some(0.9786),
        by_code: [("E-DEV-TIMEOUT", 29), ("E-DEV-NOT-STORED", 8), ("E-SCAN-NO-DEVICE", 4)]
            .map(|(code, count)| (code.to_owned(), count))
            .into(),
        by_slot: [
            ("A", counts(470, 3)),
            ("B", counts(461, 31)),
            ("C", counts(472, 2)),
            ("D", counts(470, 5)),
        ]
        .map(|(name, counts)| (name.to_owned(), counts))
        .into(),
        by_hour: (0..16).map(hour).collect(),
    }
}

#[test]
fn the_history_is_paged_filtered_searched_and_leads_to_a_unit() {
    for size in [(80, 24), (120, 40)] {
        let name = format!("history_{}x{}", size.0, size.1);
        let mut walk = Walk::new(2, size);
        walk.key(KeyCode::F(3));
        walk.hears(Answer::History(page(true)));
        insta::assert_snapshot!(format!("{name}_1_all"), walk.screen());
        walk.key(KeyCode::PageDown);
        let (_, Question::History(query)) = walk.question() else { panic!() };
        assert_eq!(query.after, Some(page(true).lines[11].key()));
        walk.hears(Answer::History(page(false)));
        walk.key(KeyCode::PageUp);
        let (_, Question::History(query)) = walk.question() else { panic!() };
        assert_eq!(query.after, None);
        walk.hears(Answer::History(page(true)));
        walk.key(KeyCode::Right);
        let (_, Question::History(query)) = walk.question() else { panic!() };
        assert_eq!(query.outcome, Some(AttemptOutcome::Fail));
        walk.wait(500);
        walk.types("slot:B TH200-0000", 120);
        let (_, Question::History(query)) = walk.question() else { panic!() };
        assert_eq!((query.text.as_str(), query.slot), ("TH200-0000", Some(slot("B"))));
        assert!(walk.scanned().is_empty(), "a search is no scan");
        walk.hears(Answer::History(page(false)));
        walk.key(KeyCode::Down);
        insta::assert_snapshot!(format!("{name}_2_found"), walk.screen());
        walk.key(KeyCode::F(9));
        insta::assert_snapshot!(format!("{name}_3_zh"), walk.screen());
        walk.key(KeyCode::F(9));
        walk.wait(500);
        walk.key(KeyCode::Enter);
        assert_eq!(walk.question().1, Question::Unit(serial(2)));
        walk.hears(Answer::Unit(Some(Box::new(story(2, UnitState::Registered)))));
        insta::assert_snapshot!(format!("{name}_4_unit"), walk.screen());
        walk.key(KeyCode::Esc);
        assert_eq!(walk.model.view, View::History);
    }
}

#[test]
fn a_search_that_can_t_be_meant_says_so_and_is_not_asked() {
    let mut walk = Walk::new(2, (80, 24));
    walk.key(KeyCode::F(3));
    let asked = walk.model.asked;
    walk.wait(500);
    walk.types("day:yesterday", 120);
    assert_eq!(walk.model.asked, asked);
    assert!(walk.screen().contains("day:yesterday"));
}

#[test]
fn an_answer_that_came_too_late_is_not_shown() {
    let mut walk = Walk::new(2, (80, 24));
    walk.key(KeyCode::F(3));
    let (old, _) = walk.question();
    walk.key(KeyCode::Right);
    walk.answer(old, Ok(Answer::History(page(false))));
    assert!(!walk.screen().contains("TH200-00000001"));
}

#[test]
fn one_bad_slot_shows_in_the_statistics() {
    for size in [(60, 24), (80, 24), (120, 40), (200, 60)] {
        let mut walk = Walk::new(4, size);
        walk.key(KeyCode::F(4));
        assert_eq!(walk.question().1, Question::Statistics(Period::All));
        walk.hears(Answer::Statistics(Box::new(stats())));
        let name = format!("statistics_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name.clone(), walk.screen());
        walk.key(KeyCode::F(9));
        insta::assert_snapshot!(format!("{name}_zh"), walk.screen());
        walk.key(KeyCode::Home);
        let today = MORNING.seconds().div_euclid(86_400);
        assert_eq!(walk.question().1, Question::Statistics(Period::Day(today)));
        walk.key(KeyCode::Left);
        assert_eq!(walk.question().1, Question::Statistics(Period::Day(today - 1)));
    }
}

#[test]
fn a_code_and_a_slot_of_the_statistics_lead_to_their_attempts() {
    let mut walk = Walk::new(4, (120, 40));
    walk.key(KeyCode::F(4));
    walk.hears(Answer::Statistics(Box::new(stats())));
    walk.key(KeyCode::Down);
    walk.key(KeyCode::Enter);
    let (_, Question::History(query)) = walk.question() else { panic!() };
    assert_eq!(query.code, Some(Code::DevNotStored));
    walk.key(KeyCode::F(4));
    walk.hears(Answer::Statistics(Box::new(stats())));
    walk.key(KeyCode::Down);
    walk.key(KeyCode::Down);
    walk.key(KeyCode::Enter);
    let (_, Question::History(query)) = walk.question() else { panic!() };
    assert_eq!(query.slot, Some(slot("B")));
    assert!(walk.screen().contains("found for: slot:B"));
}

#[test]
fn a_perfect_day_is_no_wall_of_red() {
    let mut walk = Walk::new(4, (120, 40));
    walk.key(KeyCode::F(4));
    let mut perfect = stats();
    perfect.by_code.clear();
    perfect.attempts.failed = 0;
    for counts in perfect.by_slot.values_mut().chain(perfect.by_hour.values_mut()) {
        counts.failed = 0;
    }
    walk.hears(Answer::Statistics(Box::new(perfect)));
    insta::assert_snapshot!("statistics_perfect", walk.screen());
}

#[test]
fn what_went_wrong_in_the_cloud_is_listed() {
    let mut walk = Walk::new(2, (80, 24));
    walk.key(KeyCode::F(5));
    let trouble = |number, state, error: &str| RegistrationTrouble {
        serial: serial(number),
        client_id: format!("TH200-{number:08}").parse().unwrap(),
        state,
        tries: 3,
        last_error: Some(error.to_owned()),
    };
    walk.hears(Answer::Registrations(Box::new(Registrations {
        counts: vec![(RegistrationState::Waiting, 118), (RegistrationState::Conflict, 1)],
        troubles: vec![
            trouble(9, RegistrationState::Conflict, "E-CLOUD-CONFLICT: another one stands there"),
            trouble(11, RegistrationState::Deferred, "E-CLOUD-THROTTLED: too many\u{1b}[2J calls"),
        ],
        last_sync: Some(MORNING),
        run: SyncRun { running: true, done: 31, failed: 2, ended: None },
    })));
    insta::assert_snapshot!("sync", walk.screen());
    walk.key(KeyCode::F(9));
    insta::assert_snapshot!("sync_zh", walk.screen());
    walk.ctrl('o');
    walk.screen();
    walk.wait(400);
    walk.key(KeyCode::Enter);
    assert_eq!(walk.question().1, Question::Act(crate::domain::pages::Act::StopSync));
}

#[test]
fn the_checks_are_red_and_green_and_run_again() {
    let mut walk = Walk::new(2, (80, 24));
    walk.key(KeyCode::F(6));
    let check = |check: &str, light, detail: &str, code| CheckLine {
        check: check.to_owned(),
        light,
        detail: crate::domain::say::Say::same(detail),
        code,
    };
    assert!(walk.screen().contains("checking"));
    walk.hears(Answer::Checks(vec![
        check("clock", Light::Green, "2026-01-05T08:00:00.000Z", None),
        check("disk", Light::Red, "120 MB are free", Some(Code::LedgerDiskFull)),
    ]));
    insta::assert_snapshot!("checks", walk.screen());
    walk.wait(500);
    walk.key(KeyCode::Enter);
    assert_eq!(walk.question().1, Question::Checks);
    walk.key(KeyCode::F(9));
    insta::assert_snapshot!("checks_zh", walk.screen());
}
