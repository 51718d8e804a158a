//! What the journal says, replayed by an auditor who knows its kinds from `docs/ledger.md`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::journal::Entry;
use super::unhex;

/// All units and certificates.
#[derive(Debug, Default, Clone)]
pub(crate) struct Model {
    pub(crate) units: BTreeMap<String, Unit>,
    /// By serial number.
    pub(crate) certificates: BTreeMap<String, Certificate>,
    /// Line sessions that began.
    pub(crate) sessions: usize,
    /// Grants, by work order and number.
    pub(crate) grants: BTreeMap<(String, u64), Grant>,
    /// Labels that may have come out, by serial and copy.
    pub(crate) labels: BTreeSet<(String, u32)>,
    /// The last entry.
    pub(crate) last: u64,
}

/// One unit.
#[derive(Debug, Default, Clone)]
pub(crate) struct Unit {
    pub(crate) client_id: String,
    /// How each attempt ended; none while it is open.
    pub(crate) attempts: BTreeMap<u32, Option<String>>,
    pub(crate) open: Option<Open>,
    pub(crate) proven: Option<String>,
    /// It was PASS at some time: an attempt passed, or its device finished later.
    pub(crate) passed: bool,
    /// A person allowed it to move to another device.
    pub(crate) moved: bool,
    /// A person said that a device of it is lost.
    pub(crate) given_up: bool,
}

/// An attempt without an end.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) attempt: u32,
    pub(crate) position: Position,
    pub(crate) sn: String,
}

/// So many units of a work order that may be made.
#[derive(Debug, Default, Clone)]
pub(crate) struct Grant {
    pub(crate) quantity: u64,
    pub(crate) given_back: u64,
    /// Units that were proven under it at some time.
    pub(crate) used: BTreeSet<String>,
    /// Units under way.
    pub(crate) under_way: BTreeSet<String>,
}

impl Grant {
    fn is_kept(&self) -> bool {
        let taken = self.used.union(&self.under_way).count() as u64;
        taken + self.given_back <= self.quantity
    }
}

/// How far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    Begun,
    Issued,
    Asked,
    Proven,
}

impl Position {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Position::Begun => "begun",
            Position::Issued => "issued",
            Position::Asked => "asked",
            Position::Proven => "proven",
        }
    }
}

/// One certificate.
#[derive(Debug, Default, Clone)]
pub(crate) struct Certificate {
    pub(crate) serial: String,
    pub(crate) attempt: u32,
    pub(crate) state: &'static str,
    pub(crate) der: Vec<u8>,
    pub(crate) image: Vec<u8>,
    pub(crate) public_key: Vec<u8>,
    /// A person made it void, whatever its device holds.
    pub(crate) by_person: bool,
    /// Its device was asked for a proof and gave another.
    pub(crate) disproved: bool,
}

impl Model {
    /// What these entries add up to.
    pub(crate) fn replay(entries: &[Entry], findings: &mut Vec<String>) -> Self {
        let mut model = Self::default();
        for entry in entries {
            model.last = entry.seq;
            if model.apply(entry).is_none() {
                findings
                    .push(format!("entry {} (kind {}) makes no sense here", entry.seq, entry.kind));
            }
        }
        model
    }

    fn apply(&mut self, entry: &Entry) -> Option<()> {
        let record = &entry.payload["record"];
        match entry.kind {
            2 => self.sessions += 1,
            4 => self.begun(record, number(&entry.payload["attempt"])?)?,
            5 => self.failed_early(record, number(&entry.payload["attempt"])?)?,
            6 => self.issued(record)?,
            7 => self.advance(record, Position::Issued, Position::Asked, "uncertain")?,
            8 => self.proven(record)?,
            9 => self.finished(record)?,
            10 => self.ended(record)?,
            11 => self.voided(record)?,
            12 => self.unit(record)?.moved |= record["new_device"].as_bool()?,
            13 => self.scrapped(record)?,
            31 => self.adopted(record, number(&entry.payload["attempt"])?)?,
            46 => self.label_sent(record)?,
            47 => self.label_delivered(record)?,
            56 => self.grant_taken(record)?,
            57 => self.grant_given_back(record)?,
            // What says nothing about attempts and certificates.
            1 | 3 | 14..=30 | 32..=45 | 48..=49 => {}
            _ => return None,
        }
        self.free_places();
        self.grants.values().all(Grant::is_kept).then_some(())
    }

    fn grant_taken(&mut self, record: &Value) -> Option<()> {
        let grant = &record["grant"];
        let quantity = grant["quantity"].as_u64()?;
        let new = Grant { quantity, ..Grant::default() };
        self.grants.insert(name_of(grant)?, new).is_none().then_some(())
    }

    fn grant_given_back(&mut self, record: &Value) -> Option<()> {
        self.grants.get_mut(&name_of(record)?)?.given_back += record["quantity"].as_u64()?;
        Some(())
    }

    /// A unit begins under a grant: the one that it has already, if it has one.
    fn begun_under(&mut self, record: &Value) -> Option<()> {
        if record["grant"].is_null() {
            return Some(());
        }
        let (order, number) = (record["work_order"].as_str()?, record["grant"].as_u64()?);
        let serial = record["serial"].as_str()?.to_owned();
        let others = self.grants.iter().filter(|((of, other), _)| of == order && *other != number);
        let mut others = others.map(|(_, grant)| grant);
        let twice = others.any(|grant| grant.used.contains(&serial));
        self.grants.get_mut(&(order.to_owned(), number))?.under_way.insert(serial);
        (!twice).then_some(())
    }

    /// What is proven has used its place up; what is not under way any more gives it back.
    fn free_places(&mut self) {
        for grant in self.grants.values_mut() {
            for serial in grant.under_way.clone() {
                let open = self.units.get(&serial).and_then(|unit| unit.open.as_ref());
                if open.is_some_and(|open| open.position == Position::Proven) {
                    grant.used.insert(serial);
                } else if open.is_none() {
                    grant.under_way.remove(&serial);
                }
            }
        }
    }

    fn unit(&mut self, record: &Value) -> Option<&mut Unit> {
        self.units.get_mut(record["serial"].as_str()?)
    }

    fn begun(&mut self, record: &Value, attempt: u32) -> Option<()> {
        let unit = self.units.entry(record["serial"].as_str()?.to_owned()).or_default();
        let is_next = unit.open.is_none() && unit.attempts.len() as u64 + 1 == u64::from(attempt);
        unit.client_id = record["client_id"].as_str()?.to_owned();
        let sn = record["certificate_sn"].as_str()?.to_owned();
        unit.attempts.insert(attempt, None);
        unit.open = Some(Open { attempt, position: Position::Begun, sn });
        self.begun_under(record)?;
        is_next.then_some(())
    }

    fn failed_early(&mut self, record: &Value, attempt: u32) -> Option<()> {
        let unit = self.units.entry(record["serial"].as_str()?.to_owned()).or_default();
        unit.client_id = record["client_id"].as_str()?.to_owned();
        unit.attempts.insert(attempt, Some(outcome(&record["end"])?));
        Some(())
    }

    /// The open attempt that a record names, if it stands there.
    fn open(&mut self, attempt: &Value, at: &[Position]) -> Option<(String, Open)> {
        let unit = self.unit(attempt)?;
        let open = unit.open.clone()?;
        let named = number(&attempt["attempt"])? == open.attempt && at.contains(&open.position);
        named.then(|| (attempt["serial"].as_str().unwrap_or_default().to_owned(), open))
    }

    fn issued(&mut self, record: &Value) -> Option<()> {
        let (serial, open) = self.open(&record["attempt"], &[Position::Begun])?;
        let sn = record["certificate_sn"].as_str()?.to_owned();
        // The same one again, for the key that its device kept, moves to the newer attempt.
        self.void_left(&serial, Some(&sn));
        let certificate = read(record, serial.clone(), open.attempt)?;
        if self.certificates.get(&sn).is_some_and(|old| old.der != certificate.der) {
            return None;
        }
        self.certificates.insert(sn.clone(), certificate);
        let unit = self.units.get_mut(&serial)?;
        unit.open = Some(Open { position: Position::Issued, sn, ..open });
        Some(())
    }

    fn void_left(&mut self, serial: &str, but: Option<&str>) {
        for (sn, certificate) in &mut self.certificates {
            let left = certificate.serial == serial && certificate.state == "issued";
            if left && but != Some(sn) {
                certificate.state = "void";
            }
        }
    }

    fn advance(
        &mut self,
        attempt: &Value,
        from: Position,
        to: Position,
        state: &'static str,
    ) -> Option<()> {
        let (serial, open) = self.open(attempt, &[from])?;
        self.certificates.get_mut(&open.sn)?.state = state;
        self.units.get_mut(&serial)?.open = Some(Open { position: to, ..open });
        Some(())
    }

    fn proven(&mut self, record: &Value) -> Option<()> {
        let attempt = &record["attempt"];
        self.advance(attempt, Position::Asked, Position::Proven, "proven")?;
        let unit = self.unit(attempt)?;
        let new = unit.open.as_ref()?.sn.clone();
        if let Some(old) = unit.proven.replace(new) {
            self.certificates.get_mut(&old)?.state = "superseded";
        }
        Some(())
    }

    /// One label is sent once, and a further one only with a reason.
    fn label_sent(&mut self, record: &Value) -> Option<()> {
        let (serial, copy) = (record["serial"].as_str()?.to_owned(), number(&record["copy"])?);
        let unit = self.units.get(&serial)?;
        let is_its_own = unit.proven.as_deref() == record["certificate_sn"].as_str();
        let has_reason = record["reason"].is_string();
        let others = self.labels.iter().filter(|(other, _)| *other == serial).count();
        let is_due = others == 0 || has_reason;
        (self.labels.insert((serial, copy)) && is_its_own && is_due).then_some(())
    }

    fn label_delivered(&mut self, record: &Value) -> Option<()> {
        let label = (record["serial"].as_str()?.to_owned(), number(&record["copy"])?);
        match record["delivery"].as_str()? {
            // Nothing left, so it is sent anew.
            "not-sent" => self.labels.remove(&label).then_some(()),
            _ => self.labels.contains(&label).then_some(()),
        }
    }

    fn ended(&mut self, record: &Value) -> Option<()> {
        use Position::{Asked, Begun, Issued, Proven};
        let (serial, open) = self.open(&record["attempt"], &[Begun, Issued, Asked, Proven])?;
        let end = outcome(&record["end"])?;
        if record["void"].as_bool()? {
            let certificate = self.certificates.get_mut(&open.sn)?;
            certificate.state = "void";
            certificate.disproved = open.position == Asked && record["end"]["step"] == "prove";
        }
        let unit = self.units.get_mut(&serial)?;
        let legal = end != "pass" || open.position == Proven;
        unit.passed |= end == "pass";
        unit.attempts.insert(open.attempt, Some(end));
        unit.open = None;
        legal.then_some(())
    }

    fn finished(&mut self, record: &Value) -> Option<()> {
        let sn = record["certificate_sn"].as_str()?;
        let unit = self.unit(record)?;
        unit.passed = true;
        (unit.proven.as_deref() == Some(sn)).then_some(())
    }

    fn voided(&mut self, record: &Value) -> Option<()> {
        let serial = record["serial"].as_str()?;
        self.void_left(serial, None);
        if !self.void_open(serial)? {
            self.void_proven(serial)?;
        }
        Some(())
    }

    fn scrapped(&mut self, record: &Value) -> Option<()> {
        let serial = record["serial"].as_str()?;
        self.void_open(serial)?;
        self.void_proven(serial)?;
        self.void_left(serial, None);
        Some(())
    }

    /// A device brought back what the ledger had lost: proven, in an attempt of its own.
    fn adopted(&mut self, record: &Value, attempt: u32) -> Option<()> {
        let serial = record["serial"].as_str()?.to_owned();
        self.void_left(&serial, None);
        let sn = record["certificate_sn"].as_str()?.to_owned();
        let unit = self.units.entry(serial.clone()).or_default();
        let client_id = record["client_id"].as_str()?;
        unit.client_id = client_id.to_owned();
        unit.attempts.insert(attempt, Some("pass".to_owned()));
        let old = unit.proven.replace(sn.clone());
        if let Some(old) = old {
            self.certificates.get_mut(&old)?.state = "superseded";
        }
        let certificate = Certificate { state: "proven", ..read(record, serial, attempt)? };
        self.certificates.insert(sn, certificate).is_none().then_some(())
    }

    fn void_open(&mut self, serial: &str) -> Option<bool> {
        let unit = self.units.get_mut(serial)?;
        let Some(open) = unit.open.take() else { return Some(false) };
        unit.attempts.insert(open.attempt, Some("fail".to_owned()));
        unit.given_up = true;
        self.void_by_person(&open.sn).map(|()| true)
    }

    fn void_proven(&mut self, serial: &str) -> Option<()> {
        match self.units.get_mut(serial)?.proven.take() {
            Some(sn) => self.void_by_person(&sn),
            None => Some(()),
        }
    }

    fn void_by_person(&mut self, sn: &str) -> Option<()> {
        let certificate = self.certificates.get_mut(sn)?;
        (certificate.state, certificate.by_person) = ("void", true);
        Some(())
    }
}

/// A certificate as a record has it, just issued.
fn read(record: &Value, serial: String, attempt: u32) -> Option<Certificate> {
    Some(Certificate {
        serial,
        attempt,
        state: "issued",
        der: unhex(record["der"].as_str()?)?,
        image: unhex(record["image"].as_str()?)?,
        public_key: unhex(record["public_key"].as_str()?)?,
        ..Certificate::default()
    })
}

/// A grant's work order and number.
fn name_of(record: &Value) -> Option<(String, u64)> {
    Some((record["work_order"].as_str()?.to_owned(), record["number"].as_u64()?))
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn outcome(end: &Value) -> Option<String> {
    Some(match end["outcome"].as_str()? {
        "passed" => "pass".to_owned(),
        "failed" => "fail".to_owned(),
        other => other.to_owned(),
    })
}
