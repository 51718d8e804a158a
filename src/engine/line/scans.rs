//! A scan: whom it is for, and whether a unit may begin with it.

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{Event, Scan, ScanSource, UnitReport};
use crate::domain::ids::Serial;
use crate::domain::record::{LabelRead, Open};
use crate::domain::text::escaped;
use crate::ledger::LedgerError;
use crate::router::Job;
use crate::say;

use super::faults::{binding_warning, takes_none};
use super::state::LineThread;

impl LineThread {
    /// Takes a scan, or says why not.
    pub(super) fn scan(&mut self, scan: Scan) {
        if let Err(fault) = self.accept(&scan) {
            let broken = (fault.code == Code::LedgerCorrupt).then(|| fault.clone());
            self.refuse_scan(&scan, fault);
            let decisions = self.router.spent(self.now());
            self.carry_out(decisions);
            if let Some(fault) = broken {
                self.stop(&fault.clone(), Some(fault));
            }
        }
    }

    /// Says why a scan is not taken.
    pub(super) fn refuse_scan(&self, scan: &Scan, fault: Fault) {
        let report = UnitReport::refused(scan.shown(), scan.slot.clone(), fault);
        self.say(Event::Unit(Box::new(report)));
    }

    /// Why a scan is not taken that comes while no slot is free. What is wrong with the label
    /// comes first: it would be refused for that later too.
    pub(super) fn why_not_now(&self, scan: &Scan) -> Fault {
        let is_a_label = self.router.barcode(scan.shown()).is_none();
        let own = is_a_label.then(|| self.read(scan).err()).flatten();
        own.unwrap_or_else(takes_none)
    }

    fn accept(&mut self, scan: &Scan) -> Result<(), Fault> {
        if let Some(slot) = self.router.barcode(scan.shown()) {
            self.choose(slot);
            return Ok(());
        }
        if self.must_choose {
            let detail = say!(
                "several work orders are open, and none was chosen yet",
                "有多个未关闭的工单，还没有选择"
            );
            return Err(Fault::said(Code::WorkOrderAmbiguous, detail));
        }
        let job = self.read(scan)?;
        let slot = match &scan.slot {
            None => self.take_choice()?,
            Some(name) => Some(self.router.slot(name).ok_or_else(|| {
                Fault::said(Code::ScanSlot, say!("there is no slot {name}", "没有工位 {name}"))
            })?),
        };
        if slot.is_none() && !self.warned && self.router.is_ambiguous() {
            self.warned = true;
            self.say(Event::Warning(binding_warning()));
        }
        let wanted = job.serial.clone();
        let order = self.shared.lot.work_order();
        // Who scans hears at once that the lot is full. Labels of a list wait for places that
        // units under way may give back.
        let ahead = (scan.from == ScanSource::Scanner).then(|| {
            let mut ahead = self.router.units();
            ahead.retain(|other| *other != wanted);
            ahead
        });
        let now = self.shared.clock.now().wall;
        let (standing, refusal) = self.shared.inquiries.ask(move |reader| {
            let refusal = order.map(|order| match &ahead {
                Some(ahead) => reader.refusal_behind(&wanted, &order, ahead, now),
                None => reader.refusal_of_label(&wanted, &order, now),
            });
            Ok::<_, LedgerError>((reader.standing(&wanted)?, refusal.transpose()?.flatten()))
        })??;
        // A unit with a device of its own is told what became of that.
        let has_device = standing.proven.is_some() || standing.open != Open::None;
        if let Some(fault) = refusal.filter(|_| !has_device && !standing.scrapped) {
            return Err(fault);
        }
        let scanned = job.serial.clone();
        let job = Job { named: slot.is_some(), ..job };
        let decisions = self.router.scan(job, slot, &standing, self.now());
        self.carry_out(decisions);
        if let Some(slot) = self.router.waits(&scanned) {
            self.say(Event::Waiting { serial: scanned.to_string(), slot });
        }
        Ok(())
    }

    /// The unit that a scan means. What a scanner sent is read by the rules of station.toml; a
    /// list has serials.
    fn read(&self, scan: &Scan) -> Result<Job, Fault> {
        if scan.from == ScanSource::List {
            let (serial, client_id) = self.rule.accept(&scan.text)?;
            return Ok(Job::new(serial, client_id));
        }
        let verdict = self.scan.read(&scan.text, &self.rule);
        let rule = verdict.rule.and_then(|rule| u32::try_from(rule).ok());
        let says_more = rule.is_some() || verdict.aim.is_some();
        let reading = verdict.outcome?;
        let label = says_more.then(|| LabelRead { text: escaped(&scan.text), rule });
        let hardware = reading.hardware;
        Ok(Job { hardware, label, ..Job::new(reading.serial, reading.client_id) })
    }

    /// A slot's own barcode was scanned: the next label is for it.
    fn choose(&mut self, slot: usize) {
        self.router.choose(slot, self.now());
        self.say(Event::Chosen(Some(self.router.name(slot).clone())));
        let decisions = self.router.spent(self.now());
        self.carry_out(decisions);
    }

    fn take_choice(&mut self) -> Result<Option<usize>, Fault> {
        let chosen = self.router.chosen()?;
        if chosen.is_some() {
            self.say(Event::Chosen(None));
        }
        Ok(chosen)
    }

    /// Scans that wait are taken back.
    pub(super) fn withdraw(&mut self) {
        let (withdrawn, decisions) = self.router.withdraw(self.now());
        for serial in withdrawn {
            self.say(Event::Withdrawn(serial.to_string()));
        }
        self.say(Event::Chosen(None));
        self.carry_out(decisions);
    }

    /// A work order that was closed or filled meanwhile takes none of the labels that wait.
    pub(super) fn refuse_what_waits_in_vain(&mut self) {
        let units = self.router.waiting_units();
        let Some(order) = self.shared.lot.work_order().filter(|_| !units.is_empty()) else {
            return;
        };
        let now = self.shared.clock.now().wall;
        let asked = self.shared.inquiries.ask(move |reader| {
            let refusal = |serial: &Serial| reader.refusal_of_label(serial, &order, now);
            let mut refused = Vec::new();
            for serial in units {
                refused.extend(refusal(&serial)?.map(|fault| (serial, fault)));
            }
            Ok::<_, LedgerError>(refused)
        });
        // A ledger that can't say it now says so where a unit begins.
        let Ok(Ok(refused)) = asked else { return };
        let decisions = self.router.refuse(&refused, self.now());
        self.carry_out(decisions);
    }
}
