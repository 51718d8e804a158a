//! The two lines at the bottom: the station's health, and the keys.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Layout, Position, Rect};
use ratatui::text::{Line, Span};

use crate::domain::clock::Timestamp;
use crate::domain::event::FleetHeard;
use crate::domain::pages::{Light, Overview};
use crate::domain::text::plain;
use crate::text::Word;

use super::super::keymap::{Intent, KEYS};
use super::super::model::Model;
use super::super::theme::Role;
use super::look::{Look, both_ends, width};

/// With so many columns the keys stand further apart.
const WIDE: u16 = 100;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let [health, keys] = Layout::vertical([1, 1]).areas(area);
    frame.render_widget(lights(model, look, health.width), health);
    frame.render_widget(key_line(look, keys.width), keys);
}

/// The lights. Where there is no room for what all of them say, those that are green say less.
fn lights<'a>(model: &Model, look: Look, columns: u16) -> Line<'a> {
    let right = switches(model, look);
    let Some(overview) = &model.overview else { return both_ends(Vec::new(), right, columns) };
    let taken: usize = right.iter().map(Span::width).sum();
    let room = usize::from(columns).saturating_sub(taken);
    let mut all = Vec::from(health(overview, look));
    all.extend(model.fleet.map(|heard| fleet(heard, overview.at, look)));
    let full = all.iter().flat_map(|(light, _, text)| lamp(*light, text.clone(), look));
    let full: Vec<_> = full.collect();
    if full.iter().map(Span::width).sum::<usize>() <= room {
        return both_ends(full, right, columns);
    }
    let short = all.into_iter().flat_map(|(light, name, text)| match light {
        Light::Green => lamp(light, look.text(name).to_owned(), look),
        _ => lamp(light, text, look),
    });
    both_ends(short.collect(), right, columns)
}

/// A light is a shape too: a dot, a triangle, a cross.
fn lamp<'a>(light: Light, text: String, look: Look) -> [Span<'a>; 3] {
    let (shape, role) = match light {
        Light::Green => ("● ", Role::Green),
        Light::Amber => ("▲ ", Role::Amber),
        Light::Red => ("✖ ", Role::Red),
    };
    let text_role = if light == Light::Green { Role::Text } else { role };
    [look.span(role, format!(" {shape}")), look.span(text_role, text), Span::raw(" ")]
}

/// Each light with its name and what it says.
fn health(overview: &Overview, look: Look) -> [(Light, Word, String); 4] {
    let since = |then: Timestamp| between(then, overview.at);
    let sync = match overview.last_sync {
        None => look.text(Word::SyncNever).to_owned(),
        Some(then) => {
            let ago = match since(then) {
                time if time < Duration::from_secs(60) => look.text(Word::ThisMinute).to_owned(),
                time => look.fill(Word::Ago, &[&look.age(time)]),
            };
            look.fill(Word::SyncAgo, &[&ago])
        }
    };
    let backlog = look.fill(Word::Backlog, &[&overview.backlog.to_string()]);
    let clock = match &overview.clock {
        Ok(()) => (Light::Green, look.text(Word::ClockGood)),
        Err(_) => (Light::Red, look.text(Word::ClockBad)),
    };
    let left = between(overview.at, overview.issues_until);
    [
        (overview.sync, Word::LightCloud, format!("{backlog}, {sync}")),
        (overview.disk, Word::LightDisk, look.fill(Word::Disk, &[&size(overview.disk_free)])),
        (clock.0, Word::ClockGood, clock.1.to_owned()),
        (overview.authority, Word::LightCa, look.fill(Word::CaLeft, &[&look.span_of_time(left)])),
    ]
}

/// A fleet that is silent for longer is worth a look; the line works on without it.
const SILENT: Duration = Duration::from_secs(600);

fn fleet(heard: FleetHeard, now: Timestamp, look: Look) -> (Light, Word, String) {
    let silent = between(heard.at, now);
    let text = match heard.conflicts {
        0 if silent < Duration::from_secs(60) => {
            look.fill(Word::FleetHeard, &[look.text(Word::ThisMinute)])
        }
        0 => look.fill(Word::FleetHeard, &[&look.fill(Word::Ago, &[&look.age(silent)])]),
        conflicts => look.fill(Word::FleetConflicts, &[&conflicts.to_string()]),
    };
    let light = match heard.conflicts == 0 && silent < SILENT {
        true => Light::Green,
        false => Light::Amber,
    };
    (light, Word::LightFleet, text)
}

fn between(start: Timestamp, end: Timestamp) -> Duration {
    Duration::from_micros(u64::try_from(end.0.saturating_sub(start.0)).unwrap_or(0))
}

/// Bytes as people say them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["MB", "GB", "TB", "PB"];
    let mut value = bytes / 1_000_000;
    let mut unit = 0;
    while value >= 10_000 && unit + 1 < UNITS.len() {
        value /= 1000;
        unit += 1;
    }
    format!("{value} {}", UNITS[unit])
}

fn switches<'a>(model: &Model, look: Look) -> Vec<Span<'a>> {
    let mut spans = Vec::new();
    if !model.bell {
        spans.push(look.span(Role::Amber, format!("{} ", look.text(Word::BellOff))));
    }
    let Some(overview) = &model.overview else { return spans };
    let person = match &overview.operator {
        None => look.text(Word::Nobody).to_owned(),
        Some(person) => match &person.name {
            Some(name) => crate::domain::text::printable(name).into_owned(),
            None => plain(person.id.as_str()).into_owned(),
        },
    };
    spans.push(look.span(Role::Strong, format!("{person} ")));
    spans
}

fn key_line<'a>(look: Look, columns: u16) -> Line<'a> {
    let spans = keys(look, columns)
        .into_iter()
        .flat_map(|(name, text, _)| [look.span(Role::Key, name), Span::raw(text)]);
    spans.collect()
}

/// Where there is no room for all keys, these are left out first.
const LEAST: [Intent; 6] = [
    Intent::Settings,
    Intent::Language,
    Intent::Sync,
    Intent::Checks,
    Intent::Statistics,
    Intent::History,
];

/// The keys of the bar: name, text, what it asks for. None is shown in part.
fn keys(look: Look, columns: u16) -> Vec<(String, String, Intent)> {
    let gap = if columns >= WIDE { " " } else { "" };
    let all = KEYS.iter().filter_map(move |row| {
        let text = look.text(row.short?);
        Some((format!(" {}{gap}", row.name), format!("{text}{gap}"), row.intent))
    });
    let mut all: Vec<_> = all.collect();
    for least in LEAST {
        let taken: usize = all.iter().map(|(name, text, _)| width(name) + width(text)).sum();
        if taken <= usize::from(columns) {
            break;
        }
        all.retain(|(_, _, intent)| *intent != least);
    }
    all
}

/// The key of the bar at this place.
pub(crate) fn key_at(model: &Model, area: Rect, place: Position) -> Option<Intent> {
    if place.y + 1 != area.bottom() {
        return None;
    }
    let mut end = area.x;
    let mut keys = keys(Look::of(model), area.width).into_iter();
    let found = keys.find(|(name, text, _)| {
        end += u16::try_from(width(name) + width(text)).unwrap_or(u16::MAX);
        place.x < end
    });
    found.map(|(_, _, intent)| intent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_said_roughly() {
        assert_eq!(size(900_000_000), "900 MB");
        assert_eq!(size(41_000_000_000), "41 GB");
        assert_eq!(size(41_000_000_000_000), "41 TB");
    }
}
