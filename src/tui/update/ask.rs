//! Questions to whoever answers them.

use super::super::model::Model;
use super::super::msg::Action;
use crate::domain::pages::{Asked, Question};

/// Asks a question under a number of its own, which comes back.
pub(super) fn ask(model: &mut Model, question: Question, actions: &mut Vec<Action>) -> u64 {
    model.asked += 1;
    actions.push(Action::Ask(Asked { number: model.asked, question }));
    model.asked
}
