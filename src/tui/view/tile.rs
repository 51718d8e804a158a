//! One slot: its name and state in a bar, below it the serial and what there is room for.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::domain::certificate::Proof;
use crate::domain::event::{Binding, SlotStatus};
use crate::domain::record::Step;
use crate::domain::text::plain;
use crate::text::Word;

use super::super::layout::{Room, scale};
use super::super::model::{LabelBack, Mark, Model, Need, Running, Tile, Verdict};
use super::super::theme::Role;
use super::letters;
use super::look::{Look, bar, both_ends, fit, width};
use super::wrap::wrap;

pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    room: Room,
    model: &Model,
    tile: &Tile,
    focused: bool,
    look: Look,
) {
    if area.height == 0 {
        return;
    }
    let title = Rect { height: 1, ..area };
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    draw_title(frame, title, model, tile, focused, look);
    match tile.shown_verdict() {
        Some(verdict) if room != Room::Small => {
            draw_letters(frame, body, room, verdict, look);
            draw_trail(frame, body, tile, look);
        }
        _ => draw_lines(frame, body, model, tile, look),
    }
}

/// The serial that is bound to the slot or was worked on in it.
pub(super) fn serial(tile: &Tile) -> Option<&str> {
    let running = tile.running.as_ref().map(|running| running.serial.as_str());
    let verdict = || tile.shown_verdict().map(|verdict| verdict.report.serial.as_str());
    running.or(tile.bound.as_deref()).or_else(verdict)
}

/// The state in one word or two.
pub(super) fn state(model: &Model, tile: &Tile, look: Look) -> (String, Role) {
    if let Some(running) = &tile.running {
        return (step_name(running, look).to_owned(), Role::Busy);
    }
    if let Some(need) = model.need(tile).filter(|need| !matches!(need, Need::Fail | Need::Hold)) {
        return (needed(tile, need, look), Role::Red);
    }
    if let Some(verdict) = tile.shown_verdict() {
        let (word, role) = look.mark(verdict.mark());
        let role = if verdict.is_open() { role } else { Role::Stale };
        return (word.to_owned(), role);
    }
    if tile.bound.is_some() {
        return (look.text(Word::SlotBound).to_owned(), Role::Hold);
    }
    let (word, role) = match &tile.status {
        SlotStatus::Identifying => (Word::SlotIdentifying, Role::Busy),
        SlotStatus::Ready(_) => (Word::SlotReady, Role::Strong),
        SlotStatus::Done => (Word::SlotDone, Role::Strong),
        _ => (Word::SlotEmpty, Role::Dim),
    };
    (look.text(word).to_owned(), role)
}

fn needed(tile: &Tile, need: Need, look: Look) -> String {
    match (need, &tile.status) {
        (Need::Twice, SlotStatus::Twice(other)) => look.fill(Word::SlotTwice, &[other.as_str()]),
        (Need::OutOfService, _) => look.text(Word::SlotOut).to_owned(),
        (Need::Silent, _) => look.text(Word::SlotSilent).to_owned(),
        _ => look.text(Word::SlotWrong).to_owned(),
    }
}

/// What a person is to do now, in one sentence.
pub(super) fn todo(model: &Model, tile: &Tile, look: Look) -> Option<String> {
    if tile.running.is_some() {
        return None;
    }
    match model.need(tile) {
        None | Some(Need::Hold | Need::Fail | Need::WrongSlot) => {}
        Some(Need::Twice | Need::OutOfService | Need::Silent) => {
            return tile.code().map(|code| look.remedy(code));
        }
    }
    if let Some(verdict) = tile.shown_verdict() {
        return verdict.is_open().then(|| after(verdict, look));
    }
    let word = match (&tile.status, model.setup.binding) {
        (SlotStatus::Ready(_), Binding::Insert) if tile.bound.is_none() => Word::SlotReadyInsert,
        (SlotStatus::Ready(_), _) => Word::DoReady,
        _ => return None,
    };
    Some(look.text(word).to_owned())
}

pub(super) fn after(verdict: &Verdict, look: Look) -> String {
    let word = match verdict.mark() {
        Mark::Pass if verdict.label == Some(LabelBack::Due) => Word::DoPassLabel,
        Mark::Pass if verdict.report.verified => Word::DoPassAgain,
        Mark::Pass => match verdict.report.proof {
            Some(Proof::ReadBack) => Word::DoPassReadBack,
            Some(Proof::None) => Word::DoPassUnproven,
            Some(Proof::Possession | Proof::Connect) | None => Word::DoPass,
        },
        Mark::Hold => Word::DoHold,
        Mark::Fail => {
            let fault = verdict.report.fault.as_ref();
            return fault.map_or_else(String::new, |fault| look.remedy(fault.code));
        }
    };
    look.text(word).to_owned()
}

fn draw_title(
    frame: &mut Frame<'_>,
    area: Rect,
    model: &Model,
    tile: &Tile,
    focused: bool,
    look: Look,
) {
    let (word, role) = state(model, tile, look);
    let open = tile.shown_verdict().is_some_and(Verdict::is_open);
    let calls = open || tile.bound.is_some() || model.need(tile).is_some_and(Need::is_of_the_slot);
    // A verdict and a call for help fill the bar, so that a small tile is seen from afar.
    let style = if calls { filled(look.style(role)) } else { look.style(Role::Bar) };
    frame.buffer_mut().set_style(area, style);
    let name = match focused {
        true => look.span(Role::Focus, format!("▶{} ", tile.name)),
        false => Span::raw(format!(" {} ", tile.name)),
    };
    let shape = tile.shown_verdict().map_or("", |verdict| shape(verdict.mark()));
    let room = usize::from(area.width).saturating_sub(name.width() + width(shape) + 1);
    let text = fit(&word, room);
    let time = elapsed(model, tile).map(|time| format!("{time} "));
    // The word comes before the time where there is no room for both.
    let right = time.filter(|time| width(time) + width(&text) < room).map(Span::raw);
    let style = if calls { style } else { Style::new() };
    let middle = Span::styled(format!(" {shape}{text}"), style);
    let line = both_ends(vec![name, middle], right.into_iter().collect(), area.width);
    frame.render_widget(line, area);
}

/// A style as a field of its colour.
pub(super) fn filled(style: Style) -> Style {
    match style.add_modifier.contains(Modifier::REVERSED) {
        true => style,
        false => style.add_modifier(Modifier::REVERSED),
    }
}

/// The shape that stands for a verdict where there is no room for large letters.
pub(super) const fn shape(mark: Mark) -> &'static str {
    match mark {
        Mark::Pass => "√ ",
        Mark::Fail => "X ",
        Mark::Hold => "▲ ",
    }
}

fn elapsed(model: &Model, tile: &Tile) -> Option<String> {
    let tenths = match (&tile.running, tile.shown_verdict()) {
        (Some(running), _) => model.now.monotonic.saturating_sub(running.since).as_millis() / 100,
        (None, Some(verdict)) => u128::from(verdict.report.duration_ms / 100),
        (None, None) => return None,
    };
    Some(format!("{}.{} s", tenths / 10, tenths % 10))
}

fn step_name(running: &Running, look: Look) -> &'static str {
    look.text(step_word(running.progress.step.unwrap_or(Step::Identify)))
}

pub(super) const fn step_word(step: Step) -> Word {
    match step {
        Step::Identify => Word::StepIdentify,
        Step::Reserve => Word::StepReserve,
        Step::Issue => Word::StepIssue,
        Step::Write => Word::StepWrite,
        Step::Commit => Word::StepCommit,
        Step::Restart => Word::StepRestart,
        Step::Prove => Word::StepProve,
        Step::Finish => Word::StepFinish,
    }
}

/// How far a unit is: its step, and within the writing how many bytes are written.
fn share(running: &Running) -> f64 {
    let progress = &running.progress;
    let step = progress.step.unwrap_or(Step::Identify);
    let index = Step::ALL.iter().position(|other| *other == step).unwrap_or(0) as f64;
    let within = match (step, progress.total) {
        (Step::Write, total) if total > 0 => f64::from(progress.done) / f64::from(total),
        _ => 0.0,
    };
    (index + within) / Step::ALL.len() as f64
}

/// The body without large letters: as many lines as there is room for.
fn draw_lines(frame: &mut Frame<'_>, area: Rect, model: &Model, tile: &Tile, look: Look) {
    let columns = usize::from(area.width).saturating_sub(1);
    let open = tile.shown_verdict().is_none_or(Verdict::is_open);
    let role = if open { Role::Strong } else { Role::Stale };
    let mut lines = Vec::new();
    if let Some(serial) = serial(tile) {
        lines.push(Line::from(look.span(role, format!(" {}", fit(&plain(serial), columns)))));
    }
    match &tile.running {
        Some(running) => lines.extend(running_lines(running, columns, area.height, look)),
        None => {
            let room = usize::from(area.height).saturating_sub(lines.len());
            lines.extend(resting_lines(model, tile, (columns, room), look));
        }
    }
    if let Some(past) = tile.past_verdict() {
        lines.extend(past_lines(past, columns, look));
    }
    frame.render_widget(Paragraph::new(lines), area);
    draw_trail(frame, area, tile, look);
}

/// The least height of a body that has its trail.
const TRAIL: u16 = 11;

/// How the slot's last units ended, the newest at the right: a worn contact shows at a glance.
fn draw_trail(frame: &mut Frame<'_>, area: Rect, tile: &Tile, look: Look) {
    if area.height < TRAIL || tile.earlier.is_empty() {
        return;
    }
    let room = usize::from(area.width).saturating_sub(2) / 2;
    let all: Vec<_> = tile.verdict.iter().chain(&tile.earlier).take(room.min(30)).collect();
    let signs = all.into_iter().rev().map(|verdict| {
        let role = match verdict.mark() {
            Mark::Pass => Role::Dim,
            mark => look.mark(mark).1,
        };
        Span::styled(shape(verdict.mark()), look.style(role).remove_modifier(Modifier::REVERSED))
    });
    let line: Line<'_> = [Span::raw(" ")].into_iter().chain(signs).collect();
    frame.render_widget(line, Rect { y: area.bottom() - 1, height: 1, ..area });
}

/// The steps of one unit in their order.
const STEPS: [Step; 8] = [
    Step::Identify,
    Step::Reserve,
    Step::Issue,
    Step::Write,
    Step::Commit,
    Step::Restart,
    Step::Prove,
    Step::Finish,
];

/// How far the unit is; with room for it, every step with what is done and what is next.
fn running_lines<'a>(running: &Running, columns: usize, height: u16, look: Look) -> Vec<Line<'a>> {
    let percent = format!(" {:.0} %", share(running) * 100.0);
    let longest = if height > 11 { 60 } else { 30 };
    let length = columns.saturating_sub(width(&percent)).min(longest);
    let line = |role, text: &str| Line::from(look.span(role, format!(" {text}")));
    let mut lines = vec![line(Role::Busy, &(bar(share(running), length) + &percent))];
    match height {
        0..=4 => {}
        5..=11 => lines.push(line(Role::Text, step_name(running, look))),
        _ => {
            lines.push(Line::from(""));
            lines.extend(step_lines(running, look));
        }
    }
    lines
}

fn step_lines<'a>(running: &Running, look: Look) -> Vec<Line<'a>> {
    let now = running.progress.step.unwrap_or(Step::Identify);
    let now = STEPS.iter().position(|step| *step == now).unwrap_or(0);
    let steps = STEPS.iter().enumerate().map(|(index, step)| {
        let (shape, role) = match index.cmp(&now) {
            std::cmp::Ordering::Less => ("√", Role::Green),
            std::cmp::Ordering::Equal => ("▸", Role::Strong),
            std::cmp::Ordering::Greater => ("·", Role::Dim),
        };
        let name = look.text(step_word(*step));
        let role_of_name = if index == now { Role::Strong } else { Role::Dim };
        Line::from(vec![look.span(role, format!(" {shape} ")), look.span(role_of_name, name)])
    });
    steps.collect()
}

/// What is wrong and what to do. Where there is no room for both it is what to do; the message
/// of the slot that is chosen has all of it.
fn resting_lines(
    model: &Model,
    tile: &Tile,
    (columns, room): (usize, usize),
    look: Look,
) -> Vec<Line<'static>> {
    let open = tile.shown_verdict().is_none_or(Verdict::is_open);
    let role = if open { Role::Text } else { Role::Stale };
    let todo = todo(model, tile, look).unwrap_or_default();
    let what = tile.fault().map(|fault| look.what(fault)).unwrap_or_default();
    let mut lines =
        reason_and_remedy((role, &what), (role, &todo), (columns.saturating_sub(1), room), look);
    if lines.len() > room {
        lines.truncate(room);
        if let Some(last) = lines.last_mut() {
            *last =
                Line::from(look.span(role, fit(&format!("{last} …"), columns.saturating_sub(1))));
        }
    }
    for line in &mut lines {
        line.spans.insert(0, Span::raw(" "));
    }
    lines
}

/// The verdict of the unit before: its word and serial, and while nobody has seen it what is to
/// be done about it.
fn past_lines<'a>(past: &Verdict, columns: usize, look: Look) -> Vec<Line<'a>> {
    let (word, role) = look.mark(past.mark());
    let role = if past.is_open() { role } else { Role::Stale };
    let text = [shape(past.mark()), word, " ", &plain(&past.report.serial)].concat();
    let mut lines = vec![Line::from(look.span(role, format!(" {}", fit(&text, columns))))];
    if past.is_open() {
        let todo = wrap(&after(past, look), columns).into_iter();
        lines.extend(todo.map(|text| Line::from(format!(" {text}"))));
    }
    lines
}

/// The body with the verdict in large letters.
fn draw_letters(frame: &mut Frame<'_>, area: Rect, room: Room, verdict: &Verdict, look: Look) {
    let mark = verdict.mark();
    let open = verdict.is_open();
    let role = if open { look.mark(mark).1 } else { Role::Stale };
    let text_role = if open { Role::Text } else { Role::Stale };
    // Letters are drawn in the colour of the verdict alone, not reversed: they are shapes.
    let style = look.style(role).remove_modifier(Modifier::REVERSED);
    let rows = if room == Room::Large && area.height >= 10 {
        // Below the letters stands what to do.
        letters::large(mark, scale((area.width, area.height.saturating_sub(5).max(7))))
    } else {
        letters::small(mark)
    };
    let serial = format!(" {}", plain(&verdict.report.serial));
    let mut lines = vec![Line::from(look.span(role_of(verdict), serial))];
    let count = u16::try_from(rows.len()).unwrap_or(0);
    lines.extend(
        rows.into_iter()
            .map(|row| Line::from(Span::styled(row, style)).alignment(Alignment::Center)),
    );
    let used = (count + 1).min(area.height);
    frame.render_widget(Paragraph::new(lines), area);
    let rest = Rect { y: area.y + used, height: area.height - used, ..area };
    let inner = Rect { x: rest.x + 1, width: rest.width.saturating_sub(2), ..rest };
    let fault = verdict.report.fault.as_ref().filter(|_| mark != Mark::Pass);
    let what = fault.map(|fault| look.what(fault)).unwrap_or_default();
    let todo = if open { after(verdict, look) } else { String::new() };
    frame.render_widget(
        Paragraph::new(reason_and_remedy(
            (text_role, &what),
            (role_of(verdict), &todo),
            (inner.width.into(), inner.height.into()),
            look,
        )),
        inner,
    );
}

/// Both, wrapped; where there is no room for both, what to do.
fn reason_and_remedy(
    (role_of_what, what): (Role, &str),
    (role_of_todo, todo): (Role, &str),
    (columns, room): (usize, usize),
    look: Look,
) -> Vec<Line<'static>> {
    let lines = |role: Role, text: &str| -> Vec<Line<'static>> {
        let style = look.style(role);
        let lines = wrap(text, columns).into_iter().filter(|line| !line.is_empty());
        lines.map(|line| Line::from(Span::styled(line, style))).collect()
    };
    let (what, todo) = (lines(role_of_what, what), lines(role_of_todo, todo));
    match what.len() + todo.len() <= room || todo.is_empty() {
        true => [what, todo].concat(),
        false => todo,
    }
}

fn role_of(verdict: &Verdict) -> Role {
    if verdict.is_open() { Role::Strong } else { Role::Stale }
}
