//! The checks before a shift: could the line run, as things stand now?
//!
//! Each check looks at one thing, changes nothing that lasts, and gives one [`Finding`]. It
//! must not decide what a person should do; `text` knows that from the code. Opening a
//! port raises its modem lines, which resets many boards, so the checks are for before
//! the shift and refuse nothing while the line runs: a port in use is found to be in use.

use station_cloud as cloud;
use station_domain::{self as domain, say};
use station_ledger as ledger;
use station_link as link;
use station_pki as pki;
use station_text as text;
use station_vault as vault;

mod authority;
mod books;
mod cluster;
mod finding;
mod labels;
mod machine;
mod ports;
mod surroundings;

pub use authority::authority;
pub use books::{
    backups, clock, files, ledger, list, list_fault, pins, uncertain, uncertain_fault,
    without_ledger,
};
pub use cluster::{
    CloudCheck, cloud, cloud_unasked, cloud_wrong, contradicted, first_article,
    first_article_fault, international, no_cloud,
};
pub use finding::{Finding, Status};
pub use labels::{labels, open_labels};
pub use machine::{disk, memory};
pub use ports::{PortCheck, ports, scanner};
pub use surroundings::{adapters, letters, time, user};
