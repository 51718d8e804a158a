//! What a scan says: from the text that one pull of a trigger sent to a serial.
//!
//! One way for every live scanner: what stands around the text is taken off
//! ([`content`](Content)), the rules of `[[scanner.label]]` find fields in it
//! ([`rule`](Rule)), and what stands where the serial is to be must be one that the product
//! has ([`LabelRule`]). Exactly one serial must come out. Where a text could mean two, none
//! is taken: a wrong serial is burned for good, a refused scan is repeated.
//!
//! All of it is pure. Where a scan ends among the bytes of a serial port is [`Framer`]'s to
//! say, and among a terminal's keys the screen's.

mod case;
mod content;
mod fields;
mod frame;
mod gs1;
mod gs1_table;
mod hint;
mod json;
mod link;
mod refusal;
mod rule;
mod template;
mod twice;

use super::ids::{ClientId, HardwareId, Serial};
use super::label::LabelRule;

pub use case::LetterCase;
pub use content::{Aim, Content, LONGEST, NO_READ, Parity};
pub use fields::{Fields, Misfit};
pub use frame::{End, Framed, Framer, SILENCE, UnknownEnd, drop_parity, text_of};
pub use refusal::Unread;
pub use rule::{Form, Rule, RuleError};
pub use template::{Template, TemplateError};

/// How this product's labels are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanRules {
    /// Tried in this order; without any, a label is a serial and nothing else.
    pub rules: Vec<Rule>,
    /// What becomes of letters.
    pub case: LetterCase,
}

/// A scan that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The unit.
    pub serial: Serial,
    /// Its client id.
    pub client_id: ClientId,
    /// The device that the label is for, where it names one.
    pub hardware: Option<HardwareId>,
}

/// What became of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The AIM identifier, where there was one.
    pub aim: Option<Aim>,
    /// The rule that found the fields, counted from one.
    pub rule: Option<usize>,
    /// What it found.
    pub fields: Fields,
    /// What stands where the serial is to be.
    pub serial: Option<String>,
    /// The unit, or why there is none.
    pub outcome: Result<Reading, Unread>,
}

/// One serial that a text may mean.
struct Candidate {
    rule: Option<usize>,
    aim: Option<Aim>,
    fields: Fields,
    serial: String,
    hardware: Option<HardwareId>,
    /// It shows only where elements are split as no separator says.
    is_hidden: bool,
}

/// Everything that a text may mean.
#[derive(Default)]
struct Candidates {
    all: Vec<Candidate>,
    misfits: Vec<(&'static str, Misfit)>,
    other_product: Option<Unread>,
    two_serials: Option<Unread>,
}

impl ScanRules {
    /// Reads one scan.
    pub fn read(&self, scan: &str, label: &LabelRule) -> Verdict {
        let content = Content::of(scan);
        let failed = |unread| Verdict {
            aim: content.aim,
            rule: None,
            fields: Fields::default(),
            serial: None,
            outcome: Err(unread),
        };
        if let Err(unread) = Unread::unless_label(scan) {
            return failed(unread);
        }
        let mut candidates = Candidates::default();
        self.collect(content, &mut candidates);
        self.decide(candidates, content, label).unwrap_or_else(failed)
    }

    fn collect(&self, Content { aim, text }: Content<'_>, into: &mut Candidates) {
        let has_lines = text.contains(['\r', '\n']);
        if self.rules.is_empty() && !has_lines {
            into.all.push(Candidate {
                rule: None,
                aim,
                fields: Fields::default(),
                serial: self.case.of(text),
                hardware: None,
                is_hidden: false,
            });
        }
        for (index, rule) in self.rules.iter().enumerate() {
            if has_lines && !rule.reads_lines() {
                let misfit = Misfit::whole("it reads no label of several lines");
                into.misfits.push((rule.form().as_str(), misfit));
                continue;
            }
            match rule.read(text, self.case) {
                Ok(fits) => fits.into_iter().for_each(|fit| into.add(index + 1, aim, fit)),
                Err(misfit) => into.misfits.push((rule.form().as_str(), misfit)),
            }
        }
    }

    fn decide(
        &self,
        found: Candidates,
        content: Content<'_>,
        label: &LabelRule,
    ) -> Result<Verdict, Unread> {
        if let Some(unread) = found.two_serials {
            return Err(unread);
        }
        let accepted = |candidate: &&Candidate| label.accept(&candidate.serial).is_ok();
        let possible: Vec<&Candidate> = found.all.iter().filter(accepted).collect();
        let serials = rule::distinct(possible.iter().map(|c| c.serial.clone()));
        match possible[..] {
            [_, ..] if possible.iter().any(|candidate| candidate.is_hidden) => {
                Err(Unread::Separators(serials))
            }
            [first, ..] if serials.len() == 1 => {
                match twice::two_alike_in(&first.serial, |text| label.accept(text).is_ok()) {
                    Some(both) => Err(Unread::TwoScans(both)),
                    None => Ok(first.verdict(label)),
                }
            }
            [_, ..] => Err(Unread::Ambiguous(serials)),
            [] => self.refuse(found, content, label),
        }
    }

    /// Nothing that the text may mean is a serial of this product.
    fn refuse(
        &self,
        found: Candidates,
        content: Content<'_>,
        label: &LabelRule,
    ) -> Result<Verdict, Unread> {
        if let Some(unread) = found.other_product {
            return Err(unread);
        }
        if let Some(first) = found.all.iter().find(|candidate| !candidate.is_hidden) {
            let accepts = |text: &str| label.accept(text).is_ok();
            if let Some(both) = twice::two_in(&first.serial, accepts) {
                return Err(Unread::TwoScans(both));
            }
            let mut verdict = first.verdict(label);
            if let Err(Unread::Serial(_, hint)) = &mut verdict.outcome {
                *hint = hint::for_refused(&self.rules, &first.serial, content, label);
            }
            return Ok(verdict);
        }
        let hidden: Vec<String> = found.all.iter().map(|c| c.serial.clone()).collect();
        if !hidden.is_empty() {
            return Err(Unread::Separators(hidden));
        }
        match content.lines() {
            0 | 1 => Err(Unread::NoRule(content.text.to_owned(), found.misfits)),
            lines => Err(Unread::Lines(lines)),
        }
    }
}

impl Candidates {
    fn add(&mut self, rule: usize, aim: Option<Aim>, fit: rule::Fit) {
        if let Some((field, wanted, found)) = fit.other {
            let other = Unread::OtherProduct { rule, field, wanted, found };
            self.other_product.get_or_insert(other);
            return;
        }
        if fit.serials.len() > 1 {
            self.two_serials.get_or_insert(Unread::Ambiguous(fit.serials));
            return;
        }
        let serials = fit.serials.into_iter().map(|serial| (serial, false));
        let hidden = fit.hidden.into_iter().map(|serial| (serial, true));
        self.all.extend(serials.chain(hidden).map(|(serial, is_hidden)| Candidate {
            rule: Some(rule),
            aim,
            fields: fit.fields.clone(),
            serial,
            hardware: fit.hardware.clone(),
            is_hidden,
        }));
    }
}

impl Candidate {
    fn verdict(&self, label: &LabelRule) -> Verdict {
        let outcome = match label.accept(&self.serial) {
            Ok((serial, client_id)) => {
                Ok(Reading { serial, client_id, hardware: self.hardware.clone() })
            }
            Err(error) => Err(Unread::Serial(Box::new(error), None)),
        };
        Verdict {
            aim: self.aim,
            rule: self.rule,
            fields: self.fields.clone(),
            serial: Some(self.serial.clone()),
            outcome,
        }
    }
}

#[cfg(test)]
mod tests;
