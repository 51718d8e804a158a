//! What a list is narrowed by, as SQL with its values.

use rusqlite::ToSql;

use crate::domain::clock::Timestamp;
use crate::domain::pages::HistoryKey;
use crate::domain::story::{AttemptFilter, UnitFilter};

use super::history::digits;

/// Conditions that all hold, each with its values.
#[derive(Default)]
pub(super) struct Conditions(Vec<(String, Vec<Box<dyn ToSql>>)>);

impl Conditions {
    /// Adds one; `?` stands for its value.
    pub(super) fn add(&mut self, sql: impl Into<String>, value: impl ToSql + 'static) {
        self.0.push((sql.into(), vec![Box::new(value)]));
    }

    /// Only attempts, `a`, behind this one in the order of time.
    pub(super) fn add_after(&mut self, key: &HistoryKey) {
        let HistoryKey { started_at, serial, attempt } = key.clone();
        // The first part lets SQLite begin where the page before it ended.
        self.add("a.started_us >= ?", started_at);
        self.0.push((
            "(a.started_us, a.serial, a.attempt) > (?, ?, ?)".to_owned(),
            vec![Box::new(started_at), Box::new(serial), Box::new(attempt)],
        ));
    }

    /// What a unit must be.
    pub(super) fn add_unit(&mut self, filter: &UnitFilter) {
        if let Some(state) = filter.state {
            self.add("state = ?", state);
        }
        if let Some(work_order) = &filter.work_order {
            self.add("work_order = ?", work_order.clone());
        }
        let of_attempt = Self::of_attempt(&filter.attempt);
        if !of_attempt.0.is_empty() {
            // One attempt must pass all of them, not one each. They are looked at by the unit alone:
            // without the plus SQLite may walk every attempt with a code once a unit.
            let all: Vec<String> =
                of_attempt.0.iter().map(|(sql, _)| sql.replace("a.", "+a.")).collect();
            let all = all.join(" AND ");
            let values = of_attempt.0.into_iter().flat_map(|(_, values)| values).collect();
            let one = "EXISTS (SELECT 1 FROM attempts a WHERE a.serial = units.serial AND";
            self.0.push((format!("{one} {all})"), values));
        }
    }

    /// What an attempt, `a`, and its unit must be.
    pub(super) fn add_attempt(&mut self, filter: &UnitFilter) {
        self.add_some("a.work_order = ?", filter.work_order.clone());
        let of_its_unit = "(SELECT state FROM units WHERE units.serial = a.serial) = ?";
        self.add_some(of_its_unit, filter.state);
        self.0.extend(Self::of_attempt(&filter.attempt).0);
    }

    /// What an attempt, `a`, must be.
    fn of_attempt(filter: &AttemptFilter) -> Self {
        let mut wanted = Self::default();
        let AttemptFilter { from, until, operator, slot, code, device } = filter;
        wanted.add_some("a.started_us >= ?", from.map(|Timestamp(at)| at));
        wanted.add_some("a.started_us < ?", until.map(|Timestamp(at)| at));
        wanted.add_some("a.operator = ?", operator.clone());
        wanted.add_some("a.slot = ?", slot.clone());
        wanted.add_some("a.code = ?", code.map(|code| code.as_str()));
        if let Some(device) = device {
            // What is no hexadecimal is the beginning of no device's id.
            let (low, high) = digits(&device.replace(':', "")).unwrap_or_default();
            wanted.add("a.hardware >= ?", low);
            wanted.add("a.hardware < ?", high);
        }
        wanted
    }

    fn add_some(&mut self, sql: &str, value: Option<impl ToSql + 'static>) {
        if let Some(value) = value {
            self.add(sql, value);
        }
    }

    /// All of them as one expression, its values by their numbers.
    pub(super) fn sql(&self) -> String {
        let mut number = 0;
        let mut sql = String::from("1");
        for (condition, _) in &self.0 {
            sql.push_str(" AND ");
            for (index, piece) in condition.split('?').enumerate() {
                if index > 0 {
                    number += 1;
                    sql.push_str(&format!("?{number}"));
                }
                sql.push_str(piece);
            }
        }
        sql
    }

    /// The values in their order.
    pub(super) fn values(&self) -> Vec<&dyn ToSql> {
        self.0.iter().flat_map(|(_, values)| values).map(|value| &**value).collect()
    }
}
