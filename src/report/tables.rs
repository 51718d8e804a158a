//! Attempts or units as a table: with commas for a spreadsheet, or one JSON object a line.

use std::io::{self, Write};

use serde::Serialize;

use super::cell::Cell;
use crate::domain::clock::Timestamp;
use crate::domain::local::Zone;
use crate::domain::rows::{AttemptRow, CertificateCells, UnitRow};

/// The mark by which a spreadsheet knows that a file is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// In which form a table is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// With commas, a heading, and times as the clock of this zone shows them.
    Csv {
        /// The factory's.
        zone: Zone,
        /// Whether the file begins with a byte order mark.
        mark: bool,
    },
    /// One JSON object a line, times in UTC.
    Ndjson,
}

/// How each table's heading ends: the certificate, and what its times are ahead of UTC by.
const OF_CERTIFICATE: [&str; 7] = [
    "certificate_sn",
    "fingerprint_sha256",
    "certificate_state",
    "not_after",
    "registration",
    "registered_at",
    "utc_offset",
];

/// A row that stands in a table.
pub trait Row: Serialize {
    /// The heading, as far as it is of this table alone; [`OF_CERTIFICATE`] follows.
    #[doc(hidden)]
    const OWN: &'static [&'static str];

    #[doc(hidden)]
    fn cells(&self, zone: &Zone) -> Vec<String>;
}

/// A table that is written row by row.
pub struct Table<W: Write>(Lines<W>);

enum Lines<W: Write> {
    Csv { zone: Zone, lines: Box<csv::Writer<W>> },
    Ndjson(W),
}

impl<W: Write> Table<W> {
    /// Begins a table of such rows: writes its heading.
    pub fn begin<R: Row>(form: Form, mut sink: W) -> io::Result<Self> {
        let Form::Csv { zone, mark } = form else { return Ok(Self(Lines::Ndjson(sink))) };
        if mark {
            sink.write_all(BYTE_ORDER_MARK.as_bytes())?;
        }
        // Lines end as in RFC 4180, and as spreadsheets end them.
        let mut table = csv::WriterBuilder::new();
        let mut lines = table.terminator(csv::Terminator::CRLF).from_writer(sink);
        lines.write_record(R::OWN.iter().chain(&OF_CERTIFICATE))?;
        Ok(Self(Lines::Csv { zone, lines: Box::new(lines) }))
    }

    /// Writes one row.
    pub fn add<R: Row>(&mut self, row: &R) -> io::Result<()> {
        match &mut self.0 {
            Lines::Csv { zone, lines } => Ok(lines.write_record(row.cells(zone))?),
            Lines::Ndjson(sink) => {
                serde_json::to_writer(&mut *sink, row)?;
                sink.write_all(b"\n")
            }
        }
    }

    /// Hands everything on, and gives back what was written into.
    pub fn finish(self) -> io::Result<W> {
        let mut sink = match self.0 {
            Lines::Csv { lines, .. } => {
                lines.into_inner().map_err(csv::IntoInnerError::into_error)?
            }
            Lines::Ndjson(sink) => sink,
        };
        sink.flush()?;
        Ok(sink)
    }
}

/// A time as a spreadsheet reads one; the row says the offset elsewhere.
fn local(at: Option<Timestamp>, zone: &Zone) -> Cell {
    Cell::plain(at.map(|at| zone.show(at).chars().take(19).collect::<String>()))
}

/// Under the columns of [`OF_CERTIFICATE`], but for the last.
fn of_certificate(certificate: Option<&CertificateCells>, zone: &Zone) -> [Cell; 6] {
    [
        Cell::text(certificate.map(|cells| cells.certificate_sn)),
        Cell::text(certificate.map(|cells| cells.fingerprint_sha256)),
        Cell::plain(certificate.map(|cells| cells.certificate_state.as_str())),
        local(certificate.map(|cells| cells.not_after), zone),
        Cell::plain(certificate.map(|cells| cells.registration)),
        local(certificate.and_then(|cells| cells.registered_at), zone),
    ]
}

fn written(cells: Vec<Cell>, certificate: [Cell; 6], at: Timestamp, zone: &Zone) -> Vec<String> {
    let offset = Cell::plain(Some(zone.offset(at)));
    cells.into_iter().chain(certificate).chain([offset]).map(|cell| cell.written()).collect()
}

impl Row for AttemptRow {
    const OWN: &'static [&'static str] = &[
        "time",
        "serial",
        "slot",
        "operator",
        "device",
        "firmware",
        "outcome",
        "code",
        "attempt",
        "ended",
        "duration_ms",
        "step",
        "message",
        "work_order",
        "product",
        "model",
        "proof",
    ];

    fn cells(&self, zone: &Zone) -> Vec<String> {
        let cells = vec![
            local(Some(self.time), zone),
            Cell::text(Some(&self.serial)),
            Cell::text(Some(&self.slot)),
            Cell::text(self.operator.as_ref()),
            Cell::text(self.device.as_ref()),
            Cell::text(self.firmware.as_ref()),
            Cell::plain(Some(self.outcome)),
            Cell::text(self.code.as_ref()),
            Cell::plain(Some(self.attempt)),
            local(self.ended, zone),
            Cell::plain(self.duration_ms),
            Cell::text(self.step.as_ref()),
            Cell::text(self.message.as_ref()),
            Cell::text(self.work_order.as_ref()),
            Cell::text(self.product.as_ref()),
            Cell::text(self.model.as_ref()),
            Cell::plain(self.proof.map(|proof| proof.as_str())),
        ];
        written(cells, of_certificate(self.certificate.as_ref(), zone), self.time, zone)
    }
}

impl Row for UnitRow {
    const OWN: &'static [&'static str] = &[
        "time",
        "serial",
        "slot",
        "operator",
        "device",
        "firmware",
        "outcome",
        "code",
        "state",
        "attempts",
        "client_id",
        "work_order",
        "proof",
    ];

    fn cells(&self, zone: &Zone) -> Vec<String> {
        let cells = vec![
            local(Some(self.time), zone),
            Cell::text(Some(&self.serial)),
            Cell::text(self.slot.as_ref()),
            Cell::text(self.operator.as_ref()),
            Cell::text(self.device.as_ref()),
            Cell::text(self.firmware.as_ref()),
            Cell::plain(self.outcome),
            Cell::text(self.code.as_ref()),
            Cell::plain(Some(self.state)),
            Cell::plain(Some(self.attempts)),
            Cell::text(Some(&self.client_id)),
            Cell::text(self.work_order.as_ref()),
            Cell::plain(self.proof.map(|proof| proof.as_str())),
        ];
        written(cells, of_certificate(self.certificate.as_ref(), zone), self.time, zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::state::AttemptOutcome;

    fn hostile() -> AttemptRow {
        AttemptRow {
            time: Timestamp::from_rfc3339("2026-01-05T16:30:00Z").unwrap(),
            serial: "00012345".parse().unwrap(),
            slot: "A".parse().unwrap(),
            operator: Some("007".parse().unwrap()),
            device: None,
            firmware: Some("=HYPERLINK(\"http://x\",\"y\")".to_owned()),
            outcome: AttemptOutcome::Fail,
            code: Some("E-DEV-TIMEOUT".to_owned()),
            attempt: 1,
            ended: None,
            duration_ms: None,
            step: None,
            message: Some("a, \"b\"\n<script>\u{202e}".to_owned()),
            work_order: None,
            product: None,
            model: Some("@x".to_owned()),
            proof: None,
            certificate: None,
        }
    }

    fn table(form: Form) -> String {
        let mut table = Table::begin::<AttemptRow>(form, Vec::new()).unwrap();
        table.add(&hostile()).unwrap();
        String::from_utf8(table.finish().unwrap()).unwrap()
    }

    #[test]
    fn a_table_has_a_heading_and_a_cell_for_each_of_it() {
        let named = AttemptRow::OWN.len() + OF_CERTIFICATE.len();
        assert_eq!(hostile().cells(&Zone::UTC).len(), named);
        let text = table(Form::Csv { zone: "Asia/Shanghai".parse().unwrap(), mark: true });
        assert!(
            text.starts_with("\u{feff}time,serial,slot,operator,device,firmware,outcome,code,")
        );
        let row = text.lines().nth(1).unwrap();
        assert!(row.starts_with("2026-01-06 00:30:00,'00012345,A,'007,,\"'=HYPERLINK("), "{row}");
        assert!(row.ends_with("UTC+8"), "{row}");
    }

    #[test]
    fn hostile_texts_are_one_cell_of_one_line() {
        let text = table(Form::Csv { zone: Zone::UTC, mark: false });
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains(r#""a, ""b""\n<script>\u{202e}""#), "{text}");
        assert!(text.contains("'@x"), "{text}");
    }

    #[test]
    fn a_program_reads_what_was_said() {
        let row: serde_json::Value = serde_json::from_str(&table(Form::Ndjson)).unwrap();
        assert_eq!(
            (&row["serial"], &row["time"]),
            (&"00012345".into(), &"2026-01-05T16:30:00.000Z".into())
        );
        assert_eq!(row["message"], "a, \"b\"\n<script>\u{202e}");
    }
}
