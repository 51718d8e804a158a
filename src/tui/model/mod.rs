//! What the screen knows: plain data, changed by `update` alone and read by the views.

mod auto_scan;
mod before;
mod burst;
mod dialog;
mod form;
mod kept;
mod notice;
mod pages;
mod put_back;
mod tile;
mod view;

use std::collections::VecDeque;
use std::time::Duration;

use tui_input::Input;

pub use auto_scan::AutoScan;
pub(super) use before::Before;
pub(super) use burst::{Alone, Burst, Closed, Position, Sent};
pub(super) use dialog::{Dialog, DialogKind};
pub(super) use form::{Choice, Field, Form, FormNote, Menu, Purpose};
pub(super) use kept::Kept;
pub(super) use notice::{Notice, NoticeKind, Notices};
pub(super) use pages::{Lead, Pages, UnitView};
pub(super) use tile::{LabelBack, Mark, Need, Running, Tile, Verdict};
pub use view::View;

use crate::domain::clock::Now;
use crate::domain::device::Fault;
use crate::domain::event::{Binding, FleetHeard, SlotStatus};
use crate::domain::ids::{Serial, SlotName};
use crate::domain::local::Zone;
use crate::domain::pages::{LogLine, OrderProgress, Overview};
use crate::domain::story::UncertainUnit;
use crate::text::Language;

use super::msg::HandTrouble;
use super::theme::ThemeName;

/// What stands fixed while the screen runs.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The station's id.
    pub station: String,
    /// The product's name.
    pub product: String,
    /// The slots, in the order of station.toml.
    pub slots: Vec<SlotName>,
    /// Which slot a scan is meant for.
    pub binding: Binding,
    /// station.toml for the settings page: a key and its value a line.
    pub settings: Vec<(String, String)>,
    /// The language to begin with.
    pub language: Language,
    /// The colours to begin with.
    pub theme: ThemeName,
    /// The factory's time zone: what is shown and counted by.
    pub zone: Zone,
    /// What a badge's text begins with.
    pub badge_prefix: String,
    /// A unit is done when its label was scanned back.
    pub scans_back: bool,
    /// After how long without a key or a scan whoever is signed in is signed out.
    pub idle_lock: Duration,
    /// A scanner that scans by itself, where this is a demo.
    pub auto_scan: Option<AutoScan>,
}

/// Where the line is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// It is being opened.
    Starting,
    /// It takes scans.
    Running,
    /// It takes no more; units land.
    Landing,
    /// Nothing is under way any more.
    Ended,
}

/// A sign-in that is under way, by the number of what is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SigningIn {
    /// The act itself.
    Asked(u64),
    /// The figures that say who is at the line now.
    Done(u64),
}

/// Everything that the screen knows.
#[derive(Debug, Clone)]
pub struct Model {
    pub(super) setup: Setup,
    pub(super) view: View,
    pub(super) phase: Phase,
    /// Why the line stopped by itself.
    pub(super) stopped: Option<Fault>,
    /// A person, or a signal, asked for the end.
    pub(super) leaving: bool,
    pub(super) tiles: Vec<Tile>,
    /// The tile that the keys are about.
    pub(super) focus: usize,
    /// What is being typed or scanned.
    pub(super) scan: Input,
    pub(super) burst: Burst,
    /// The field holds what came as fast as a scanner's and without a line end.
    pub(super) unended: bool,
    /// Scans that the line still takes.
    pub(super) wanted: usize,
    /// Scans that wait for a device, bound to no slot yet.
    pub(super) waiting: Vec<String>,
    /// What was last heard of the fleet, where the station belongs to one.
    pub(super) fleet: Option<FleetHeard>,
    /// The slot that the next scan is for.
    pub(super) chosen: Option<SlotName>,
    pub(super) notices: Notices,
    /// Somebody is being signed in: under this number until it is done, then until the figures
    /// of this number say so.
    pub(super) signing_in: Option<SigningIn>,
    /// What was scanned meanwhile.
    pub(super) held: VecDeque<String>,
    pub(super) dialog: Option<Dialog>,
    /// Labels that were sent since the screen runs, and those that somebody must see to.
    pub(super) labels: Option<(u32, u32)>,
    /// The work orders were listed by themselves, since one must be chosen.
    pub(super) offered_orders: bool,
    /// Why the hands of a demo did nothing, until the next key.
    pub(super) hand_trouble: Option<HandTrouble>,
    pub(super) overview: Option<Box<Overview>>,
    /// The units that must be kept.
    pub(super) kept: Kept,
    /// What the pages besides the line know.
    pub(super) pages: Pages,
    /// When a key was last pressed or a label scanned.
    pub(super) touched: Duration,
    /// The number of the last question.
    pub(super) asked: u64,
    /// When the figures were last asked for.
    pub(super) overview_at: Option<Duration>,
    /// The last lines of the log, the newest last.
    pub(super) log: Vec<LogLine>,
    pub(super) language: Language,
    pub(super) theme: ThemeName,
    pub(super) bell: bool,
    pub(super) size: (u16, u16),
    /// How far the page shown is scrolled.
    pub(super) scroll: usize,
    pub(super) now: Now,
    /// What is on the screen is out of date.
    pub(super) changed: bool,
}

impl Model {
    /// A screen before its first event.
    pub fn new(setup: Setup, size: (u16, u16), now: Now) -> Self {
        let tiles = setup.slots.iter().cloned().map(Tile::new).collect();
        Self {
            view: View::Line,
            phase: Phase::Starting,
            stopped: None,
            leaving: false,
            tiles,
            focus: 0,
            scan: Input::default(),
            burst: Burst::default(),
            unended: false,
            wanted: 0,
            waiting: Vec::new(),
            fleet: None,
            chosen: None,
            notices: Notices::default(),
            signing_in: None,
            held: VecDeque::new(),
            dialog: None,
            labels: None,
            offered_orders: false,
            hand_trouble: None,
            overview: None,
            kept: Kept::default(),
            pages: Pages::default(),
            touched: now.monotonic,
            asked: 0,
            overview_at: None,
            log: Vec::new(),
            language: setup.language,
            theme: setup.theme,
            bell: true,
            size,
            scroll: 0,
            now,
            changed: true,
            setup,
        }
    }

    /// How many units are being worked on.
    pub fn running(&self) -> usize {
        self.tiles.iter().filter(|tile| tile.running.is_some()).count()
    }

    /// Whether every slot has a unit or a device, so that no scan is wanted: none is still being
    /// looked at.
    pub(super) fn is_full(&self) -> bool {
        let is_taken = |tile: &Tile| {
            let has_device = matches!(tile.status, SlotStatus::Ready(_) | SlotStatus::Done);
            tile.running.is_some() || tile.bound.is_some() || has_device
        };
        !self.tiles.is_empty() && self.tiles.iter().all(is_taken)
    }

    /// The units that must be kept, as far as they are known one by one, and how many there
    /// are; without those that a slot is at work on.
    pub(super) fn kept(&self) -> (Vec<&UncertainUnit>, u64) {
        let running = self.tiles.iter().filter_map(|tile| tile.running.as_ref());
        let running: Vec<&str> = running.map(|running| running.serial.as_str()).collect();
        self.kept.besides(&running)
    }

    /// The work order that is complete: every unit that it wants is proven.
    pub(super) fn complete_order(&self) -> Option<&OrderProgress> {
        let order = self.overview.as_ref()?.work_order.as_ref();
        order.filter(|order| order.is_complete())
    }

    /// Whether a scan of this serial waits for its device, or its unit is worked on.
    pub(super) fn is_under_way(&self, serial: &str) -> bool {
        let is_its = |tile: &Tile| {
            tile.bound.as_deref() == Some(serial)
                || tile.running.as_ref().is_some_and(|running| running.serial == serial)
        };
        self.waiting.iter().any(|waiting| waiting == serial) || self.tiles.iter().any(is_its)
    }

    /// Whether a slot is at work on this unit.
    pub(super) fn is_at_work_on(&self, serial: &Serial) -> bool {
        let running = self.tiles.iter().filter_map(|tile| tile.running.as_ref());
        running.into_iter().any(|running| running.serial == serial.as_str())
    }

    /// Whether a unit is being worked on, or a scan waits for its device.
    pub(super) fn is_at_work(&self) -> bool {
        let is_bound = |tile: &Tile| tile.bound.is_some();
        self.running() > 0 || !self.waiting.is_empty() || self.tiles.iter().any(is_bound)
    }

    /// Whether the screen may go: the line has ended, and nobody need read why.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Ended && (self.leaving || self.stopped.is_none())
    }

    /// Labels that somebody must still see to, where there are any.
    pub fn open_labels(&self) -> Option<u32> {
        self.labels.map(|(_, open)| open).filter(|open| *open > 0)
    }

    /// Why the line stopped by itself, where it did.
    pub const fn stopped_by(&self) -> Option<&Fault> {
        self.stopped.as_ref()
    }

    /// Whether somebody must sign in before a scan is taken: persons are known, and none of
    /// them is at the line.
    pub(super) fn is_locked(&self) -> bool {
        let figures = self.overview.as_ref();
        figures.is_some_and(|figures| figures.people_known && figures.operator.is_none())
    }

    /// Whether the field that is typed into keeps its text from everybody.
    pub(super) fn is_secret_in_focus(&self) -> bool {
        let open = self.dialog.as_ref().map(|dialog| &dialog.kind);
        matches!(open, Some(DialogKind::Form(form)) if form.is_at_a_secret())
    }

    pub(super) fn tile_mut(&mut self, slot: &SlotName) -> Option<&mut Tile> {
        self.tiles.iter_mut().find(|tile| tile.name == *slot)
    }

    pub(super) fn focused(&self) -> Option<&Tile> {
        self.tiles.get(self.focus)
    }

    /// What a tile needs a person for, seen together with the other tiles.
    pub(super) fn need(&self, tile: &Tile) -> Option<Need> {
        let bound_elsewhere = self.tiles.iter().any(|other| {
            other.name != tile.name && other.bound.is_some() && other.running.is_none()
        });
        tile.need(bound_elsewhere)
    }

    /// Whether something moves by itself, so that the screen must look often.
    pub(super) fn is_busy(&self) -> bool {
        self.running() > 0 || self.setup.auto_scan.as_ref().is_some_and(AutoScan::is_on)
    }
}
