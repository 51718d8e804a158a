//! A page for a wall screen or an office: the way from a browser to what is shown.
//!
//! Only who may look comes in (`door`), nothing can be changed, and no page is framed, kept
//! or given anything from elsewhere. What a page shows is not known here: a [`Content`] says
//! it, in threads of its own. Start with [`start`].

use station_domain as domain;

mod answer;
mod content;
mod door;
mod live;
mod once;
mod server;

pub use answer::RULES;
pub use content::{Asked, Content, Page, Settings};
pub use once::once;
pub use server::{View, ViewError, start};
