//! What a list is narrowed by, as SQL with its values.

use rusqlite::ToSql;

use crate::domain::clock::Timestamp;
use crate::domain::story::{AttemptFilter, UnitFilter};

use super::history::digits;

/// Conditions that all hold, each with one value.
#[derive(Default)]
pub(super) struct Conditions(Vec<(String, Box<dyn ToSql>)>);

impl Conditions {
    /// Adds one; `?` stands for its value.
    pub(super) fn add(&mut self, sql: impl Into<String>, value: impl ToSql + 'static) {
        self.0.push((sql.into(), Box::new(value)));
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
            // One attempt must pass all of them, not one each.
            let begin = "EXISTS (SELECT 1 FROM attempts a WHERE a.serial = units.serial AND ";
            let last = of_attempt.0.len() - 1;
            for (index, (sql, value)) in of_attempt.0.into_iter().enumerate() {
                let begin = if index == 0 { begin } else { "" };
                let end = if index == last { ")" } else { "" };
                self.0.push((format!("{begin}{sql}{end}"), value));
            }
        }
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
        let numbered = |(index, (sql, _)): (usize, &(String, Box<dyn ToSql>))| {
            sql.replacen('?', &format!("?{}", index + 1), 1)
        };
        self.0.iter().enumerate().map(numbered).collect::<Vec<_>>().join(" AND ")
    }

    /// The values in their order.
    pub(super) fn values(&self) -> Vec<&dyn ToSql> {
        self.0.iter().map(|(_, value)| value.as_ref()).collect()
    }
}
