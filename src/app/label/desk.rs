//! A desk at which labels are made, sent and read back.

use sha2::{Digest, Sha256};

use crate::app::from_config;
use crate::config::{Config, LabelSettings, PrintVerify, PrintWhen};
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::{LabelDigest, Serial};
use crate::domain::label::LabelRule;
use crate::domain::labelling::{
    Delivery, LabelDelivered, LabelFacts, LabelScanned, LabelSent, LabelState, LabelsChosen,
};
use crate::domain::local::{Zone, day_to_text};
use crate::domain::person::Person;
use crate::domain::print::{Card, Facts, Printed, card};
use crate::domain::record::Record;
use crate::domain::say::Say;
use crate::domain::scan::{Reading, ScanRules};
use crate::domain::text::escaped;
use crate::ledger::{Reader, Writer};
use crate::printer::{self, Outgoing};
use crate::say;
use crate::shell::Failure;

/// What is needed to make labels, and to read them back.
pub struct Desk {
    pub(super) settings: LabelSettings,
    pub(super) zone: Zone,
    pub(super) rules: ScanRules,
    pub(super) rule: LabelRule,
    pub(super) reader: Reader,
    writer: Writer,
}

/// A label that could be sent now.
pub struct Job {
    facts: LabelFacts,
    printed: Printed,
    copy: u32,
    digest: LabelDigest,
}

/// What became of a label.
#[derive(Debug, Clone)]
pub struct Told {
    /// Which of the unit's labels it is.
    pub copy: u32,
    /// SHA-256 of its bytes.
    pub digest: LabelDigest,
    /// What became of them.
    pub delivery: Delivery,
    /// What was in the way.
    pub trouble: Option<Fault>,
    /// A label of an older certificate is to be taken back.
    pub has_older: bool,
}

/// What a label says that was scanned back.
#[derive(Debug, Clone)]
pub struct ReadBack {
    /// The unit whose label it is, or should be.
    pub serial: Serial,
    /// Why it is not the unit's label.
    pub wrong: Option<Fault>,
}

impl Desk {
    /// One over what station.toml says; refused where it says nothing of labels.
    pub fn new(config: &Config, reader: Reader, writer: Writer) -> Result<Desk, Failure> {
        Ok(Desk {
            settings: settings(config)?.clone(),
            zone: config.station.zone.clone(),
            rules: config.scanner.rules.clone(),
            rule: from_config::label_rule(config, None)?,
            reader,
            writer,
        })
    }

    /// Makes a unit's label; says why it gets none.
    pub fn prepare(&self, serial: &Serial) -> Result<Job, Fault> {
        let facts = self.reader.label_facts(serial)??;
        let day = day_to_text(self.zone.day_of(facts.proven_at));
        let printed = self.settings.design.label(&Facts {
            serial: facts.serial.clone(),
            client_id: facts.client_id.clone(),
            fingerprint: facts.fingerprint,
            work_order: facts.work_order.clone(),
            date: day,
        });
        let printed = printed.map_err(|error| {
            let why = Fault::told(Code::LabelValue, &error).sentence();
            Fault::said(Code::LabelValue, Say::same(serial.to_string()).then(&why))
        })?;
        if self.settings.verify == PrintVerify::Scan {
            self.can_be_read(serial, &printed.code)?;
        }
        let copy = match &facts.label {
            Some(label) if label.state == LabelState::Wanted => label.copy,
            _ => facts.next_copy,
        };
        let digest = LabelDigest::new(Sha256::digest(&printed.bytes).into());
        Ok(Job { facts, printed, copy, digest })
    }

    /// A label that is to be scanned back must be one that the station's own rules read.
    fn can_be_read(&self, serial: &Serial, code: &str) -> Result<(), Fault> {
        let refused = |why: Say| {
            let what = say!(
                "the label of {serial} would not be read from what it says",
                "{serial} 的标签按其内容读不出来"
            );
            Err(Fault::said(Code::LabelValue, what.then(&why)))
        };
        match self.rules.read(code, &self.rule).outcome {
            Ok(reading) if reading.serial == *serial => Ok(()),
            Ok(Reading { serial: other, .. }) => {
                refused(say!("it is read as {other}", "读出的是 {other}"))
            }
            Err(unread) => refused(Fault::from(unread).sentence()),
        }
    }

    /// Sends a label; a second one only for a reason. An error means that nothing was sent.
    pub fn send(&self, job: &Job, reason: Option<String>, by: Person) -> Result<Told, Fault> {
        let Job { facts, printed, copy, digest } = job;
        let place = &self.settings.printer;
        let printer = printer::open(place).map_err(|error| Fault::from(&error))?;
        let (serial, copy) = (facts.serial.clone(), *copy);
        let name = format!("{serial}-{copy}");
        self.record(Record::LabelSent(LabelSent {
            serial: serial.clone(),
            copy,
            certificate_sn: facts.certificate_sn,
            digest: *digest,
            printer: place.to_string(),
            verify: self.settings.verify == PrintVerify::Scan,
            reason,
            by,
        }))?;
        let language = self.settings.design.language();
        let sent = printer.send(Outgoing { name: &name, language, bytes: &printed.bytes });
        let trouble = sent.trouble.as_ref().map(Fault::from);
        let message = trouble.as_ref().map(|fault| escaped(&fault.detail));
        let delivery = sent.delivery;
        self.record(Record::LabelDelivered(LabelDelivered { serial, copy, delivery, message }))?;
        Ok(Told { copy, digest: *digest, delivery, trouble, has_older: facts.has_older })
    }

    /// Reads a label back, of the unit that is named, or of the one that it names itself.
    pub fn read_back(
        &self,
        text: &str,
        of: Option<&Serial>,
        by: Person,
    ) -> Result<ReadBack, Fault> {
        let found = self.rules.read(text, &self.rule);
        let serial = match (of, &found.outcome) {
            (Some(serial), _) => serial.clone(),
            (None, Ok(reading)) => reading.serial.clone(),
            (None, Err(unread)) => return Err(unread.clone().into()),
        };
        let job = self.prepare(&serial)?;
        let copy = self.sent_copy(&job)?;
        let wanted = self.rules.read(&job.printed.code, &self.rule);
        let right = found.outcome.is_ok()
            && found.outcome == wanted.outcome
            && found.fields == wanted.fields;
        let text = escaped(text);
        let scanned = LabelScanned { serial: serial.clone(), copy, right, text: text.clone(), by };
        self.record(Record::LabelScanned(scanned))?;
        let wrong = (!right).then(|| {
            let what = say!(
                "the label of {serial} says {text:?} and not {:?}",
                "{serial} 的标签写的是 {text:?}，应为 {:?}",
                job.printed.code
            );
            Fault::said(Code::LabelWrong, what)
        });
        Ok(ReadBack { serial, wrong })
    }

    fn sent_copy(&self, job: &Job) -> Result<u32, Fault> {
        let serial = &job.facts.serial;
        match &job.facts.label {
            Some(label) if label.state != LabelState::Wanted => Ok(label.copy),
            _ => Err(Fault::said(
                Code::UnitState,
                say!("no label of {serial} was sent yet", "{serial} 的标签还没有发送过"),
            )),
        }
    }

    fn record(&self, record: Record) -> Result<(), Fault> {
        let recorded = self.writer.record(record);
        recorded.map(drop).map_err(|refusal| refusal.fault().clone())
    }
}

/// Sends a card, which no ledger knows. An error means that nothing was sent; what comes back
/// is what was in the way of one that may have come out.
pub fn send_card(config: &Config, name: &str, said: &Card) -> Result<Option<Fault>, Failure> {
    let settings = settings(config)?;
    let language = settings.design.language();
    let bytes = card(language, said).map_err(|error| Failure::told(Code::LabelValue, &error))?;
    let printer = printer::open(&settings.printer);
    let printer = printer.map_err(|error| Failure::from(Fault::from(&error)))?;
    let sent = printer.send(Outgoing { name, language, bytes: &bytes });
    let trouble = sent.trouble.as_ref().map(Fault::from);
    match (sent.delivery, trouble) {
        (Delivery::NotSent, Some(fault)) => Err(fault.into()),
        (_, trouble) => Ok(trouble),
    }
}

/// What station.toml says of units that pass.
pub fn choice(config: &Config) -> LabelsChosen {
    let at_pass = |label: &&LabelSettings| label.when == PrintWhen::Pass;
    match config.label.as_ref().filter(at_pass) {
        Some(label) => LabelsChosen { at_pass: true, verify: label.verify == PrintVerify::Scan },
        None => LabelsChosen::default(),
    }
}

/// `[label]`, where station.toml has it.
pub fn settings(config: &Config) -> Result<&LabelSettings, Failure> {
    config.label.as_ref().ok_or_else(|| {
        let what = say!("{} has no section [label]", "{} 没有 [label] 一节", config.path.display());
        Failure::said(Code::ConfigValue, what).with_help(say!(
            "write [label] with a printer and a template; docs/labels.md has examples",
            "在 [label] 中写明打印机和模板；docs/labels.md 有例子"
        ))
    })
}
