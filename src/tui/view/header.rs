//! The three lines at the top: what is being made, how far it is and how well it goes, what
//! ended and what must be kept.

use ratatui::Frame;
use ratatui::layout::{Layout, Rect};
use ratatui::text::{Line, Span};

use crate::domain::pages::Overview;
use crate::domain::story::{Outcomes, percent};
use crate::domain::text::printable;
use crate::text::Word;

use super::super::model::{Mark, Model, Phase, View};
use super::super::msg::HandTrouble;
use super::super::theme::Role;
use super::look::{Look, bar, both_ends, width};
use super::tile::shape;

/// A bar of none to eight eighths.
const BARS: &str = " ▁▂▃▄▅▆▇█";

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let [top, middle, bottom] = Layout::vertical([1, 1, 1]).areas(area);
    frame.buffer_mut().set_style(top, look.style(Role::Bar));
    frame.render_widget(title(model, look, top.width), top);
    frame.render_widget(figures(model, look, middle.width), middle);
    frame.render_widget(counts(model, look, bottom.width), bottom);
}

fn title<'a>(model: &'a Model, look: Look, columns: u16) -> Line<'a> {
    let right = match model.phase {
        Phase::Starting => look.text(Word::Starting),
        Phase::Landing => look.text(Word::Landing),
        Phase::Ended => look.text(Word::Ended),
        Phase::Running => "",
    };
    let right = match right {
        "" => [paging(model, look), demo(model, look)].join(" "),
        right => right.to_owned(),
    };
    let right = format!("{right} ");
    let room = usize::from(columns).saturating_sub(width(&right));
    both_ends(vec![Span::raw(place(model, look, room))], vec![Span::raw(right)], columns)
}

/// Page, station, product and work order; where there is no room for all of them, those that
/// tell most, each whole.
fn place(model: &Model, look: Look, room: usize) -> String {
    let order = model.overview.as_ref().and_then(|overview| overview.work_order.as_ref());
    let page = look.text(page_name(model.view));
    let (station, product) = (model.setup.station.as_str(), model.setup.product.as_str());
    let ways: [Vec<&str>; 3] = match order.map(|order| order.id.as_str()) {
        Some(order) => {
            [vec![page, station, product, order], vec![page, station, order], vec![page, order]]
        }
        None => [
            vec![page, station, product, look.text(Word::NoWorkOrder)],
            vec![page, station, product],
            vec![page, station],
        ],
    };
    let mut lines = ways.map(|parts| format!(" {}", parts.join(" │ "))).into_iter();
    let last = lines.next_back().unwrap_or_default();
    lines.find(|line| width(line) < room).unwrap_or(last)
}

pub(super) const fn page_name(view: View) -> Word {
    match view {
        View::Line => Word::Line,
        View::History => Word::History,
        View::Unit => Word::Unit,
        View::Kept => Word::Kept,
        View::Slot => Word::SlotPage,
        View::Statistics => Word::Statistics,
        View::Sync => Word::Sync,
        View::Checks => Word::Checks,
        View::Log => Word::Log,
        View::Settings => Word::Settings,
        View::Help => Word::Help,
    }
}

/// Whether a demo's scanner is on; at its end what came of it.
fn demo(model: &Model, look: Look) -> String {
    let Some(scanner) = &model.setup.auto_scan else { return String::new() };
    if let Some(trouble) = model.hand_trouble {
        return look.text(hand_word(trouble)).to_owned();
    }
    let word = match scanner {
        scanner if scanner.is_on() => Word::AutoScanOn,
        scanner if !scanner.is_over() => Word::AutoScanOff,
        _ if model.is_at_work() => Word::DemoLast,
        scanner => {
            let sum = [Mark::Pass, Mark::Fail, Mark::Hold];
            let sum = sum.map(|mark| scanner.count(mark).to_string());
            return look.fill(Word::DemoDone, &sum.each_ref().map(String::as_str));
        }
    };
    look.text(word).to_owned()
}

const fn hand_word(trouble: HandTrouble) -> Word {
    match trouble {
        HandTrouble::SlotEmpty => Word::HandSlotEmpty,
        HandTrouble::SlotTaken => Word::HandSlotTaken,
        HandTrouble::BenchEmpty => Word::HandBenchEmpty,
    }
}

/// Which slots are shown, where they are not all.
fn paging(model: &Model, look: Look) -> String {
    let page = super::slots::page(model);
    let count = model.tiles.len();
    if model.view != View::Line || page.len() == count {
        return String::new();
    }
    let numbers = [page.start + 1, page.end, count].map(|number| number.to_string());
    look.fill(Word::SlotsOf, &numbers.each_ref().map(String::as_str))
}

/// As many figures as there is room for, each whole.
fn figures<'a>(model: &Model, look: Look, columns: u16) -> Line<'a> {
    let all = model.overview.as_deref();
    let mut all = all.map(|overview| progress(overview, look, columns)).unwrap_or_default();
    if let Some((sent, open)) = model.labels {
        let counts = [sent, open].map(|count| count.to_string());
        all.push(look.fill(Word::Labels, &counts.each_ref().map(String::as_str)));
    }
    let mut text = String::new();
    for figure in all {
        let longer = format!("{text}  {figure}");
        if width(&longer) < usize::from(columns) {
            text = longer;
        }
    }
    Line::from(text.get(1..).unwrap_or_default().to_owned())
}

/// The figures, those that matter most first.
fn progress(overview: &Overview, look: Look, columns: u16) -> Vec<String> {
    let mut figures = Vec::new();
    if let Some(order) = &overview.work_order {
        let share = f64::from(order.proven) / f64::from(order.quantity.max(1));
        let [proven, quantity] = [order.proven, order.quantity].map(|count| count.to_string());
        let length = usize::from(columns / 12).min(20);
        let done = look.fill(Word::DoneOf, &[&proven, &quantity]);
        figures.push(format!("{done} {} {:.0} %", bar(share, length), (share * 100.0).floor()));
    }
    if let Some(time) = overview.time_to_finish().filter(|time| !time.is_zero()) {
        figures.push(look.fill(Word::TimeLeft, &[&look.span_of_time(time)]));
    }
    if let Some(share) = overview.first_pass_yield {
        figures.push(look.fill(Word::FirstPass, &[&percent(share)]));
    }
    if let Some(pace) = overview.pace {
        let over = look.span_of_time(pace.over);
        figures.push(look.fill(Word::AnHour, &[&format!("{:.0}", pace.units_an_hour), &over]));
    }
    figures
}

/// What passed, failed and was refused, over which time; and the units that must be kept, on
/// every page and in their colour while there are any.
fn counts<'a>(model: &Model, look: Look, columns: u16) -> Line<'a> {
    let (_, kept) = model.kept();
    let mut right = Vec::new();
    if kept > 0 {
        let text = look.fill(Word::CountUncertain, &[&kept.to_string()]);
        right.push(look.span(Role::Keep, format!(" {}{text} ", shape(Mark::Hold))));
    }
    let mut left = Vec::new();
    if let Some(overview) = model.overview.as_deref() {
        left.extend(ended(overview, look));
        for more in [refused(model, overview, look), output(&overview.passed_by_hour, look)] {
            let taken = [&left, &right, &more].map(|spans| columns_of(spans));
            if taken.iter().sum::<usize>() < usize::from(columns) {
                left.extend(more);
            }
        }
    }
    both_ends(left, right, columns)
}

fn columns_of(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}

/// What ended in this shift or today.
fn ended<'a>(overview: &Overview, look: Look) -> Vec<Span<'a>> {
    let time = match &overview.counted.shift {
        Some(name) => printable(name).into_owned(),
        None => look.text(Word::Today).to_owned(),
    };
    let Outcomes { passed, failed, .. } = overview.counted.attempts;
    let mut spans = vec![look.span(Role::Dim, format!(" {time}  "))];
    spans.extend(count(Mark::Pass, Word::CountPassed, passed, look));
    spans.extend(count(Mark::Fail, Word::CountFailed, failed, look));
    spans
}

/// Scans that were refused in that time while this screen was open: no ledger has them.
fn refused<'a>(model: &Model, overview: &Overview, look: Look) -> Vec<Span<'a>> {
    match model.notices.refused_since(overview.counted.from) {
        0 => Vec::new(),
        refused => {
            let text = look.fill(Word::CountRefused, &[&refused.to_string()]);
            vec![look.span(Role::Text, format!("{text}   "))]
        }
    }
}

/// The output of the last hours as a row of bars, from the first on that had any; nothing where
/// they say nothing, since fewer than two of them had any.
fn output<'a>(by_hour: &[u32], look: Look) -> Vec<Span<'a>> {
    let begun = by_hour.iter().position(|count| *count > 0).unwrap_or(by_hour.len());
    let by_hour = by_hour.get(begun..).unwrap_or_default();
    let (Some(most), Some(now)) = (by_hour.iter().max(), by_hour.last()) else { return Vec::new() };
    if by_hour.iter().filter(|count| **count > 0).count() < 2 {
        return Vec::new();
    }
    let bar = |count: &u32| {
        let eighths = (u64::from(*count) * 8).div_ceil(u64::from(*most));
        BARS.chars().nth(usize::try_from(eighths).unwrap_or(8)).unwrap_or(' ')
    };
    vec![
        look.span(Role::Dim, format!("{} ", look.text(Word::ByHour))),
        look.span(Role::Accent, by_hour.iter().map(bar).collect::<String>()),
        look.span(Role::Dim, format!(" {}", look.fill(Word::ThisHour, &[&now.to_string()]))),
    ]
}

/// A number with its sign; nothing that is none calls for anybody.
fn count<'a>(mark: Mark, word: Word, number: u64, look: Look) -> [Span<'a>; 2] {
    let role = if number == 0 { Role::Dim } else { look.mark(mark).1 };
    let text = look.fill(word, &[&number.to_string()]);
    [look.span(role, format!("{}{text}", shape(mark))), Span::raw("   ")]
}
