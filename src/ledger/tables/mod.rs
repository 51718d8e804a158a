//! The tables: their schema, their words and numbers, and how single rows are read.

pub(super) mod certificate_row;
pub(super) mod counts;
pub(super) mod grant_row;
pub(super) mod label_row;
pub(super) mod operator_row;
pub(super) mod schema;
pub(super) mod shape;
pub(super) mod sql;
pub mod states;
pub(super) mod unit_row;
