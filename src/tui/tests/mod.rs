//! Walks through the screen: draw, key, event, draw, at the sizes that operators have.
//!
//! The pictures in `snapshots/` are frozen: where one differs, the change is wrong, or it is
//! meant and its picture is looked at before it is accepted.

mod bursts;
mod cycle;
mod kept;
mod keys;
mod labels;
mod orders;
mod pages;
mod people;
mod pictures;
mod readable;
mod refusals;
mod shift;
mod sizes;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Cell;
use unicode_width::UnicodeWidthStr;

use super::input::SILENCE;
use super::model::{Model, Phase, Setup};
use super::{Action, Extent, Msg, ThemeName, draw, update};
use crate::domain::certificate::Proof;
use crate::domain::clock::{Now, Timestamp};
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{
    Binding, Command, Event, Outcome, Progress, ProgressCell, SlotStatus, UnitReport,
};
use crate::domain::ids::{CertificateSn, HardwareId, SlotName};
use crate::domain::local::Zone;
use crate::domain::pages::{
    Answer, Answered, Counted, Light, OrderProgress, Overview, Pace, SignedInPerson,
};
use crate::domain::record::Step;
use crate::domain::story::{Outcomes, Uncertain};
use crate::text::Language;

/// 2026-01-05T08:00:00Z, a Monday.
const MORNING: Timestamp = Timestamp(1_767_600_000_000_000);

/// A screen on a terminal that is a table of cells, with a clock that the test moves.
pub(super) struct Walk {
    pub(super) model: Model,
    terminal: Terminal<TestBackend>,
    time: Duration,
    /// What the screen wanted done.
    pub(super) actions: Vec<Action>,
}

pub(super) fn slot(name: &str) -> SlotName {
    name.parse().unwrap()
}

pub(super) fn hardware(id: u8) -> HardwareId {
    HardwareId::from_bytes(&[id; 4]).unwrap()
}

fn names(slots: usize) -> Vec<SlotName> {
    let letters = (b'A'..=b'Z').map(|letter| char::from(letter).to_string());
    match slots {
        0..=26 => letters.take(slots).map(|name| slot(&name)).collect(),
        _ => (1..=slots).map(|number| slot(&format!("S{number:02}"))).collect(),
    }
}

pub(super) fn overview() -> Overview {
    let id = "WO-1042".parse().unwrap();
    let day = 24 * 3600 * 1_000_000;
    Overview {
        at: MORNING,
        work_order: Some(OrderProgress { id, quantity: 500, proven: 137, under_way: 2 }),
        must_choose: false,
        pace: Some(Pace { units_an_hour: 212.4, over: Duration::from_secs(2520) }),
        first_pass_yield: Some(0.9824),
        counted: Counted {
            shift: None,
            from: Timestamp(MORNING.0 - 8 * 3600 * 1_000_000),
            attempts: Outcomes { passed: 137, failed: 3, interrupted: 1 },
        },
        passed_by_hour: vec![0, 0, 0, 41, 52, 12, 50, 47, 44, 51, 9, 18],
        uncertain: Uncertain::default(),
        backlog: 12,
        last_sync: Some(Timestamp(MORNING.0 - 2 * 3600 * 1_000_000)),
        sync: Light::Green,
        disk_free: 41_000_000_000,
        disk: Light::Green,
        clock: Ok(()),
        authority_not_after: Timestamp(MORNING.0 + 3000 * day),
        issues_until: Timestamp(MORNING.0 + 40 * day),
        authority: Light::Amber,
        operator: Some(SignedInPerson { id: "p117".parse().unwrap(), name: None, role: None }),
        people_known: false,
    }
}

pub(super) fn report(serial: &str, in_slot: &str, outcome: Outcome) -> UnitReport {
    let fault = Fault::new(Code::DevTimeout, "no answer to CHUNK within 300 ms");
    let mut report = UnitReport::refused(serial, Some(slot(in_slot)), fault);
    report.outcome = outcome;
    report.step = Some(Step::Write);
    report.hardware = Some(hardware(1));
    report.certificate_sn = Some(CertificateSn::from_random([0x11; 16]));
    report.attempt = Some(1);
    report.duration_ms = 2345;
    if outcome == Outcome::Pass {
        (report.fault, report.step) = (None, None);
        report.proof = Some(Proof::Possession);
    }
    report
}

impl Walk {
    /// A screen over a line that has just started.
    pub(super) fn new(slots: usize, size: (u16, u16)) -> Walk {
        Self::with(slots, size, |_| {})
    }

    pub(super) fn with(slots: usize, size: (u16, u16), change: impl FnOnce(&mut Setup)) -> Walk {
        let mut setup = Setup {
            station: "line-1".to_owned(),
            product: "TH200".to_owned(),
            slots: names(slots),
            binding: Binding::Insert,
            settings: vec![("station.id".to_owned(), "line-1".to_owned())],
            language: Language::English,
            theme: ThemeName::Plain,
            zone: Zone::UTC,
            badge_prefix: "OP:".to_owned(),
            idle_lock: Duration::from_secs(600),
            scans_back: false,
            auto_scan: None,
        };
        change(&mut setup);
        let now = Now { monotonic: Duration::from_secs(1000), wall: MORNING };
        let model = Model::new(setup, size, now);
        let terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        let mut walk = Walk { model, terminal, time: now.monotonic, actions: Vec::new() };
        let cells = (0..slots).map(|_| Arc::<ProgressCell>::default()).collect();
        walk.tell(Msg::Started(cells));
        let number = walk.model.asked;
        let answer = Ok(Answer::Overview(Box::new(overview())));
        walk.tell(Msg::Answered(Answered { number, answer }));
        walk.line(Event::Wanted(slots + 1));
        walk.draw();
        walk.actions.clear();
        walk
    }

    /// The screen in the other language, to which it returns.
    pub(super) fn in_chinese(&mut self) -> String {
        self.key(KeyCode::F(9));
        let screen = self.screen();
        self.key(KeyCode::F(9));
        screen
    }

    fn now(&self) -> Now {
        let since = self.time - Duration::from_secs(1000);
        let wall = MORNING.0 + i64::try_from(since.as_micros()).unwrap();
        Now { monotonic: self.time, wall: Timestamp(wall) }
    }

    pub(super) fn tell(&mut self, msg: Msg) {
        let now = self.now();
        self.actions.extend(update(&mut self.model, msg, now));
    }

    pub(super) fn line(&mut self, event: Event) {
        self.tell(Msg::Line(event));
    }

    pub(super) fn slot(&mut self, name: &str, status: SlotStatus) {
        self.line(Event::Slot { slot: slot(name), status });
    }

    pub(super) fn unit(&mut self, report: UnitReport) {
        self.line(Event::Unit(Box::new(report)));
    }

    /// A unit that is begun in a slot and ends so.
    pub(super) fn ends(&mut self, report: UnitReport) {
        let name = report.slot.clone().unwrap();
        self.slot(name.as_str(), SlotStatus::Busy(report.serial.clone()));
        self.wait(2300);
        self.unit(report);
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.time += Duration::from_millis(ms);
        self.tell(Msg::Tick);
    }

    pub(super) fn press(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        let at = self.time;
        self.tell(Msg::Key(KeyEvent::new(code, modifiers), at));
    }

    /// A key that a person presses: silence follows.
    pub(super) fn key(&mut self, code: KeyCode) {
        self.press(code, KeyModifiers::NONE);
        self.tell(Msg::Silence);
    }

    pub(super) fn ctrl(&mut self, letter: char) {
        self.press(KeyCode::Char(letter), KeyModifiers::CONTROL);
        self.tell(Msg::Silence);
    }

    /// An Enter that is meant: some time after the key before it.
    pub(super) fn confirm(&mut self) {
        self.wait(400);
        self.key(KeyCode::Enter);
    }

    /// Types a text with so many milliseconds between the keys.
    pub(super) fn writes(&mut self, text: &str, pause: u64) {
        for c in text.chars() {
            self.press(KeyCode::Char(c), KeyModifiers::NONE);
            self.time += Duration::from_millis(pause);
            if Duration::from_millis(pause) >= SILENCE {
                self.tell(Msg::Silence);
            }
        }
    }

    /// Types a text with so many milliseconds between the keys, an Enter at its end.
    pub(super) fn types(&mut self, text: &str, pause: u64) {
        self.writes(text, pause);
        self.key(KeyCode::Enter);
    }

    /// Scans at scanner speed.
    pub(super) fn scans(&mut self, text: &str) {
        self.types(text, 5);
    }

    pub(super) fn draw(&mut self) {
        let model = &self.model;
        let mut extent = Extent::default();
        self.terminal.draw(|frame| extent = draw(frame, model)).unwrap();
        self.tell(Msg::Drawn(extent));
    }

    pub(super) fn resize(&mut self, width: u16, height: u16) {
        self.terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        self.tell(Msg::Resize(width, height));
    }

    /// What stands on the screen.
    pub(super) fn screen(&mut self) -> String {
        // The table keeps what stood behind a wide character; a terminal does not.
        self.terminal.clear().unwrap();
        self.draw();
        let buffer = self.terminal.backend().buffer();
        let columns = usize::from(buffer.area.width).max(1);
        let line = |cells: &[Cell]| {
            let mut text = String::new();
            // A wide character covers the cell behind it.
            let mut covered = 0;
            for cell in cells {
                if covered == 0 {
                    text.push_str(cell.symbol());
                    covered = cell.symbol().width().max(1);
                }
                covered -= 1;
            }
            text.trim_end().to_owned()
        };
        buffer.content.chunks(columns).map(line).collect::<Vec<_>>().join("\n")
    }

    /// The labels that went to the line.
    pub(super) fn scanned(&self) -> Vec<&str> {
        self.actions
            .iter()
            .filter_map(|action| match action {
                Action::Command(Command::Scan(scan)) => Some(scan.text.as_str()),
                _ => None,
            })
            .collect()
    }

    pub(super) fn progress(&mut self, steps: &[(usize, &str, Step, u32, u32)]) {
        let mut all = vec![Progress::default(); self.model.tiles.len()];
        for (index, serial, step, done, total) in steps {
            all[*index] = Progress {
                serial: Some((*serial).to_owned()),
                step: Some(*step),
                done: *done,
                total: *total,
            };
        }
        self.tell(Msg::Progress(all));
    }

    pub(super) fn phase(&self) -> &Phase {
        &self.model.phase
    }
}
