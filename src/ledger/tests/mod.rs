//! Tests of the ledger as a whole; what concerns one file alone stands in that file.

mod adopted;
mod aside;
mod backup;
mod backups;
mod cloud;
mod device_key;
mod grants;
mod history;
mod journal;
mod labels;
mod open;
mod page;
mod persons;
mod random;
mod rules;
mod segments;
mod story;
mod tamper;
mod testing;
mod unit;
mod writer;
