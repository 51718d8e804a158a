//! What those take away who answer for the line: reports as pages, tables or JSON, and tables
//! of everything for a spreadsheet or another program.
//!
//! Its figures are the ledger's, counted as every screen counts them. Nothing here changes
//! anything. What labels and devices said is shown and never carried out: neither as a
//! formula nor as markup. Start with [`Report`].

use station_domain::{self as domain, say};
use station_ledger as ledger;
use station_text as text;

mod cell;
mod chart;
mod data;
mod fleet;
mod layout;
mod lot;
mod metrics;
mod model;
mod page;
mod tables;
mod unit;
mod wall;

pub use data::{csv, json};
pub use fleet::{
    FLEET_DAYS, FLEET_SCRIPT, FleetConflict, FleetDay, FleetFact, FleetGrant, FleetOrder,
    FleetPeriod, FleetStation, FleetUnit, FleetWall, fleet_conflicts_page, fleet_middle,
    fleet_page, fleet_report_page, fleet_unit_page,
};
pub use layout::{Look, Place, STYLE, in_a_path};
pub use lot::lot_html;
pub use metrics::{OPEN_METRICS, Reading};
pub use model::{Asked, Factory, Report, Subject};
pub use page::html;
pub use tables::{Form, Row, Table};
pub use unit::unit_html;
pub use wall::{
    SCRIPT, Wall, WallSlot, choice_page, message_page, orders_page, wall_html, wall_page,
};
