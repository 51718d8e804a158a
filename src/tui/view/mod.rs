//! Draws the model: pages, and the frame around them. Views read, and change nothing.

mod dialog;
mod footer;
mod form;
mod header;
mod help;
mod history;
mod letters;
mod look;
mod message;
mod pages;
mod slots;
mod statistics;
mod story;
mod tile;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::text::Word;

use super::layout::{self, SMALLEST};
use super::model::{Model, View};
use super::theme::Role;

pub(super) use look::Look;

/// Draws everything.
pub fn draw(frame: &mut Frame<'_>, model: &Model) {
    let look = Look::of(model);
    let area = frame.area();
    frame.buffer_mut().set_style(area, look.style(Role::Text));
    if (area.width, area.height) < SMALLEST || area.height < SMALLEST.1 {
        let line = Line::from(look.text(Word::TooSmall));
        frame.render_widget(line, Rect { height: area.height.min(1), ..area });
        return;
    }
    let parts = layout::frame((area.width, area.height));
    header::draw(frame, parts.header, model, look);
    page(frame, parts.body, model, look);
    message::draw(frame, parts.message, model, look);
    message::draw_scan(frame, parts.scan, model, look);
    footer::draw(frame, parts.footer, model, look);
    if let Some(dialog) = &model.dialog {
        dialog::draw(frame, parts.body, model, dialog, look);
    }
}

fn page(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    match model.view {
        View::Line => slots::draw(frame, area, model, look),
        View::Help => help::draw(frame, area, model, look),
        View::Settings => pages::settings(frame, area, model, look),
        View::Unit => story::draw(frame, area, model, look),
        View::History => history::draw(frame, area, model, look),
        View::Statistics => statistics::draw(frame, area, model, look),
        View::Sync => pages::sync(frame, area, model, look),
        View::Checks => pages::checks(frame, area, model, look),
        View::Log => pages::log(frame, area, model, look),
    }
}
