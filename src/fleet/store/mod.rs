//! The fleet's store in PostgreSQL: the only room that knows its SQL.
//!
//! Each table's primary key begins with the value by which it is spread, uniqueness is only
//! demanded of that key, and there are no sequences, triggers or references between tables: so
//! the same schema stands on one server, in hash partitions, and on an engine that shards.
//! Nothing here replicates, elects or locks across machines.
//!
//! Start with [`Store`], then `intake`, which takes one segment in one transaction.

mod audit;
mod claims;
mod find;
mod forks;
mod grants;
mod intake;
mod overview;
mod pool;
pub(super) mod rows;
mod schema;
mod settle;
mod shares;
mod stations;
mod told;
mod uses;

pub use audit::{AuditReport, Finding};
pub use find::{FoundUnit, NamedBy};
pub use grants::GrantFile;
pub use intake::{Confirmed, Outcome};
pub use overview::{Conflict, DayRow, OrderRow, StationRow};
pub use pool::{Settings, Store};
pub use settle::Settled;
pub use stations::{Enrolment, NewCode};
pub use uses::{GivenBackRow, GrantUse};
