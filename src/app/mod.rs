//! The composition root: the only place that knows everything and joins it.
//!
//! `from_config` opens what station.toml names, `opening` opens it one by one for `doctor`,
//! `cloud` the way to the cloud, `line` starts a line
//! over it, `batch` feeds a line without a screen, `adopt` enters a device that the ledger
//! lost, `backups` and `aside` look after the ledger, `demo` builds a whole factory in a
//! directory, `terminal` shows the operator's screen, `fleet` is a station's way to its fleet
//! and the fleet itself, `selftest` tries a new device with a throw-away CA, `one_scan` takes a
//! scan to be looked at, `partition` reads what a chip holds,
//! `patience` says that a token keeps somebody waiting. No policy here.

pub mod adopt;
pub mod answers;
pub mod aside;
pub mod backups;
pub mod batch;
pub mod broker_selftest;
pub mod clock;
pub mod cloud;
pub mod cloud_checks;
pub mod crl;
pub mod demo;
pub mod enrol;
pub mod fleet;
pub mod fleet_demo;
pub mod from_config;
pub mod grants;
pub mod label;
pub mod label_checks;
pub mod labels;
pub mod line;
pub mod lot;
pub mod metrics;
pub mod named;
pub mod one_scan;
pub mod opening;
pub mod partition;
pub mod patience;
pub mod people;
pub mod report_of;
pub mod selftest;
pub mod ship;
pub mod signals;
mod spoken;
pub mod sync;
pub mod terminal;
pub mod view;
