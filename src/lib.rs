//! The station on a factory line that gives each device an identity of its own: one
//! device, one certificate.
//!
//! Start with `docs/architecture.md`; in code with [`domain`], then [`flow`]. The binary
//! `station` is a door over this library.

pub mod app;
pub mod command;
pub mod shell;

pub use station_batch as batch;
pub use station_broker as broker;
pub use station_checks as checks;
pub use station_cli as cli;
pub use station_cloud as cloud;
pub use station_config as config;
pub use station_cut as cut;
pub use station_domain as domain;
pub use station_domain::say;
pub use station_engine as engine;
pub use station_enrol as enrol;
pub use station_fleet as fleet;
pub use station_flow as flow;
pub use station_handoff as handoff;
pub use station_ledger as ledger;
pub use station_link as link;
pub use station_pki as pki;
pub use station_printer as printer;
pub use station_report as report;
pub use station_secret as secret;
pub use station_sim as sim;
pub use station_sync as sync;
pub use station_text as text;
pub use station_tui as tui;
pub use station_vault as vault;
pub use station_view as view;
