//! Many stations, one store: stations send the segments of their journals, which are verified
//! on arrival against the CA of their station, and kept byte for byte in PostgreSQL.
//!
//! | room | holds |
//! | --- | --- |
//! | `error` | what can go wrong |
//! | `story`, `gather` | what entries add up to: pure |
//! | `arrival` | a segment that was verified |
//! | `store` | PostgreSQL, behind one door |
//! | `wire` | what a station and its fleet say to each other |
//! | `serve` | the fleet's side of HTTP |
//! | `client`, `push` | the station's side |
//!
//! A station's ledger stays the truth of the station, and its line never waits for anything
//! here. Start with [`Store::take`].

use station_cut as cut;
use station_domain::{self as domain, say};
use station_ledger as ledger;
use station_pki as pki;

mod arrival;
mod client;
mod error;
mod gather;
mod heard;
mod push;
mod serve;
mod store;
mod story;
mod wire;

pub use arrival::{Arrival, Known};
pub use client::{Client, ClientSettings};
pub use error::FleetError;
pub use gather::ClaimKind;
pub use heard::{Enrolled, Heard};
pub use push::{Pushed, push};
pub use serve::{PageRequest, Pages, Server, ServerSettings, ServerTls, Shown, start};
pub use store::*;
pub use story::Story;
pub use wire::{Claimed, HeadText, Standing};
