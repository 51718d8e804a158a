//! What a step of the machine gives: the next state and the one effect to perform.

use super::state::{Effect, Input, State, Unexpected, Verdict};

pub(super) type Move = (State, Effect);

pub(super) fn unexpected(state: &State, input: &Input) -> Unexpected {
    Unexpected { state: state.name(), got: input.kind() }
}

pub(super) fn done(verdict: Verdict) -> Move {
    (State::Done, Effect::Finish(Box::new(verdict)))
}
