//! Draws the model: pages, and the frame around them. Views read, and change nothing.

mod boxed;
mod dialog;
mod footer;
mod form;
mod header;
mod help;
mod history;
mod kept;
mod letters;
mod look;
mod message;
mod messages;
mod pages;
mod places;
mod slot;
mod slots;
mod statistics;
mod story;
mod tile;
mod wrap;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use crate::text::Word;

use super::layout::SMALLEST;
use super::model::{Model, View};
use super::msg::Extent;
use super::theme::Role;

pub(super) use footer::key_at;
pub(super) use look::Look;
pub(super) use places::parts;

use places::parts_of;

/// Draws everything; how far the page reaches comes back.
pub fn draw(frame: &mut Frame<'_>, model: &Model) -> Extent {
    let look = Look::of(model);
    let area = frame.area();
    frame.buffer_mut().set_style(area, look.style(Role::Text));
    if (area.width, area.height) < SMALLEST || area.height < SMALLEST.1 {
        let size = [SMALLEST.0, SMALLEST.1, area.width, area.height].map(|n| n.to_string());
        let text = look.fill(Word::TooSmall, &size.each_ref().map(String::as_str));
        let lines = wrap::wrap(&text, area.width.into()).into_iter().map(Line::from);
        frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
        return Extent::default();
    }
    let parts = parts_of((area.width, area.height), model, look);
    header::draw(frame, parts.header, model, look);
    let extent = page(frame, parts.body, model, look);
    message::draw(frame, parts.message, model, look);
    message::draw_scan(frame, parts.scan, model, look);
    footer::draw(frame, parts.footer, model, look);
    if let Some(dialog) = &model.dialog {
        dialog::draw(frame, parts.body.union(parts.message), model, dialog, look);
    }
    extent
}

fn page(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) -> Extent {
    match model.view {
        View::Line => slots::draw(frame, area, model, look),
        View::History => history::draw(frame, area, model, look),
        View::Kept => kept::draw(frame, area, model, look),
        View::Slot => return slot::draw(frame, area, model, look),
        View::Statistics => statistics::draw(frame, area, model, look),
        View::Help => return help::draw(frame, area, model, look),
        View::Settings => return pages::settings(frame, area, model, look),
        View::Unit => return story::draw(frame, area, model, look),
        View::Sync => return pages::sync(frame, area, model, look),
        View::Checks => return pages::checks(frame, area, model, look),
        View::Log => return messages::draw(frame, area, model, look),
    }
    Extent::default()
}
