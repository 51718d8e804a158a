//! The station's figures for a monitoring system, as OpenMetrics 1.0.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use crate::domain::clock::Timestamp;
use crate::domain::ids::WorkOrderId;
use crate::domain::slot::SlotShows;
use crate::domain::story::Stats;
use crate::ledger::{Backlog, Head};

/// How the text names itself to who fetches it.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is told.
#[derive(Debug, Clone)]
pub struct Reading {
    /// When it was read.
    pub at: Timestamp,
    /// Whose it is.
    pub station: String,
    /// The sums over everything.
    pub stats: Stats,
    /// What each slot shows.
    pub slots: BTreeMap<String, SlotShows>,
    /// Whether a line runs.
    pub line_runs: bool,
    /// The work order that the line works on.
    pub order: Option<WorkOrderId>,
    /// Units an hour, as on the screen: of that work order, or of all.
    pub pace: Option<f64>,
    /// What waits for the cloud.
    pub backlog: Backlog,
    /// The journal's head.
    pub head: Head,
    /// The time of its entry.
    pub newest: Timestamp,
    /// When the newest backup was made; none where there is none.
    pub newest_backup: Option<Timestamp>,
    /// The CA's end; none where the certificate can't be read.
    pub authority_ends: Option<Timestamp>,
    /// Bytes free for the ledger.
    pub disk_free: u64,
}

/// A family of metrics with its first lines.
struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
    kind: &'static str,
    station: &'a str,
}

impl Family<'_> {
    fn value(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let suffix = if self.kind == "counter" { "_total" } else { "" };
        let station = escaped(self.station);
        // Writing to a text can't fail.
        let _ = write!(self.text, "{}{suffix}{{station=\"{station}\"", self.name);
        for (name, text) in labels {
            let _ = write!(self.text, ",{name}=\"{}\"", escaped(text));
        }
        let _ = writeln!(self.text, "}} {value}");
    }
}

/// A label's value.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

impl Reading {
    /// The whole text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.production(&mut text);
        self.keeping(&mut text);
        text.push_str("# EOF\n");
        text
    }

    fn family<'a>(
        &'a self,
        text: &'a mut String,
        name: &'static str,
        kind: &'static str,
        help: &str,
    ) -> Family<'a> {
        let _ = writeln!(text, "# TYPE {name} {kind}\n# HELP {name} {help}");
        Family { text, name, kind, station: &self.station }
    }

    fn production(&self, text: &mut String) {
        let outcomes = self.stats.attempts;
        let mut units =
            self.family(text, "station_units", "gauge", "Units by the furthest point that holds.");
        for (state, count) in &self.stats.units {
            units.value(&[("state", state)], count);
        }
        let mut attempts =
            self.family(text, "station_attempts", "counter", "Attempts that ended, by outcome.");
        for (outcome, count) in [
            ("pass", outcomes.passed),
            ("fail", outcomes.failed),
            ("interrupted", outcomes.interrupted),
        ] {
            attempts.value(&[("outcome", outcome)], count);
        }
        let mut codes = self.family(
            text,
            "station_attempts_not_passed",
            "counter",
            "Attempts that did not pass, by error code.",
        );
        for (code, count) in &self.stats.by_code {
            codes.value(&[("code", code)], count);
        }
        let mut slots = self.family(text, "station_slots", "gauge", "Slots by what they show.");
        for shows in SlotShows::ALL {
            let count = self.slots.values().filter(|slot| *slot == shows).count();
            slots.value(&[("state", shows.as_str())], count);
        }
        let runs = u8::from(self.line_runs);
        self.family(text, "station_line_up", "gauge", "Whether a line runs.").value(&[], runs);
        let pace = self.pace.unwrap_or(0.0);
        let help = "Units that pass in an hour of work, of the work order that the line works on.";
        let order = self.order.as_ref().map(|id| ("work_order", id.as_str()));
        let labels: Vec<_> = order.into_iter().collect();
        self.family(text, "station_units_per_hour", "gauge", help).value(&labels, pace);
    }

    fn keeping(&self, text: &mut String) {
        let seconds = |since: Timestamp| self.at.milliseconds_since(since) as f64 / 1000.0;
        let help = "Certificates that wait for the cloud.";
        self.family(text, "station_backlog", "gauge", help).value(&[], self.backlog.count);
        let oldest = self.backlog.oldest.map_or(0.0, seconds);
        let help = "How long the oldest proof has waited to be registered.";
        self.family(text, "station_backlog_age_seconds", "gauge", help).value(&[], oldest);
        let help = "Entries of the journal.";
        self.family(text, "station_ledger_entries", "gauge", help).value(&[], self.head.seq);
        let help = "The age of the journal's newest entry.";
        self.family(text, "station_ledger_head_age_seconds", "gauge", help)
            .value(&[], seconds(self.newest));
        let help = "The age of the newest backup; absent where there is none.";
        let mut backup = self.family(text, "station_backup_age_seconds", "gauge", help);
        if let Some(made) = self.newest_backup {
            backup.value(&[], seconds(made));
        }
        let help =
            "Days until the CA's certificate ends; absent where it can't be read or has no end.";
        let mut authority = self.family(text, "station_authority_days_left", "gauge", help);
        if let Some(end) = self.authority_ends.filter(|end| *end != Timestamp::NO_EXPIRY) {
            authority.value(&[], format!("{:.3}", -seconds(end) / 86_400.0));
        }
        let help = "Bytes free for the ledger.";
        self.family(text, "station_disk_free_bytes", "gauge", help).value(&[], self.disk_free);
    }
}
