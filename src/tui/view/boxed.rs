//! Boxes over a page.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Clear, Padding, Paragraph};

use super::super::theme::Role;
use super::look::Look;
use super::wrap::wrap_line;

/// A box with a title over whatever stands in the middle of an area; as high as its lines are,
/// wrapped into so many columns with the border.
pub(super) fn frame_of(
    frame: &mut Frame<'_>,
    area: Rect,
    columns: u16,
    title: &str,
    lines: &[Line<'_>],
    look: Look,
) {
    let inner = usize::from(columns.min(area.width).saturating_sub(4));
    let lines: Vec<_> = lines.iter().flat_map(|line| wrap_line(line, inner, 0)).collect();
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let place = centred(area, columns, height);
    let block = Block::bordered()
        .border_type(BorderType::Double)
        .border_style(look.style(Role::Amber))
        .padding(Padding::horizontal(1))
        .title(format!(" {title} "));
    frame.render_widget(Clear, place);
    frame.buffer_mut().set_style(place, look.style(Role::Text));
    frame.render_widget(Paragraph::new(lines).block(block), place);
}

/// A place of that size in the middle of an area, as far as there is room.
fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    Rect::new(x, y, width, height)
}
