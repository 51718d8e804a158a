//! Where the parts of the screen stand: a message takes as many lines as it needs.

use super::super::layout;
use super::super::model::Model;
use super::look::Look;
use super::message;

/// Where everything stands for this model.
pub(crate) fn parts(model: &Model) -> layout::Frame {
    parts_of(model.size, model, Look::of(model))
}

/// The same in a terminal of this size.
pub(super) fn parts_of(size: (u16, u16), model: &Model, look: Look) -> layout::Frame {
    let message = message::height(size, model, look);
    layout::frame(size, message, message::scan_height(size.0, model, look))
}
