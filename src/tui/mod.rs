//! The operator's screen: what reaches it changes the model, and the model is drawn.
//!
//! It knows only `domain` and `text`: events and answers come in, commands and questions go
//! out, and `app` gives it the channels. [`update`] is pure, views read the model alone;
//! [`Screen`] holds the terminal. Start with [`Model`], then [`update`].

use station_domain as domain;
use station_domain::say;
use station_text as text;

mod input;
mod keymap;
mod layout;
mod model;
mod mouse;
mod msg;
mod screen;
mod theme;
mod update;
mod view;

pub use input::size;
pub use model::{AutoScan, Model, Phase, Setup, View};
pub use mouse::{Mouse, MouseKind};
pub use msg::{Action, Extent, HandKey, HandTrouble, Msg};
pub use screen::{Ending, Screen, Terminal, is_terminal, restore};
pub use theme::ThemeName;
pub use update::update;
pub use view::draw;

#[cfg(test)]
mod tests;
