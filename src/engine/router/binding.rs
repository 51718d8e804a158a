//! Which device a scan is meant for, where a label is bound to its slot before it is burned.
//!
//! `slot`: the slot's own barcode comes first and the next label belongs to it. `insert`: a
//! label belongs to the one device that comes after it; where two come within a moment,
//! nobody can tell which one was meant, and both are left alone.

use super::*;
use crate::say;

/// A slot's barcode is this and its name; longer than five characters, so that a scanner is
/// told from a person.
const BARCODE: &str = "slot:";

/// How long a chosen slot waits for its label.
const CHOICE: Duration = Duration::from_secs(60);

/// So long after a device came another one may come and make it unclear which was meant.
/// Nothing is written before that.
const WINDOW: Duration = Duration::from_millis(500);

impl Router {
    /// The slot whose barcode this is.
    pub(crate) fn barcode(&self, text: &str) -> Option<usize> {
        if self.binding != Binding::Slot {
            return None;
        }
        let (head, name) = text.split_at_checked(BARCODE.len())?;
        let name: SlotName = name.parse().ok()?;
        if head.eq_ignore_ascii_case(BARCODE) { self.slot(&name) } else { None }
    }

    /// The next label is for this slot.
    pub(crate) fn choose(&mut self, slot: usize, now: Duration) {
        self.chosen = Some((slot, now));
    }

    /// The slot that was chosen for a label that names none; an error where one must be.
    pub(crate) fn chosen(&mut self) -> Result<Option<usize>, Fault> {
        match (self.binding, self.chosen.take()) {
            (Binding::Slot, Some((slot, _))) => Ok(Some(slot)),
            (Binding::Slot, None) => Err(Fault::said(
                Code::ScanSlot,
                say!("no slot was chosen for this label", "没有先为这张标签选定工位"),
            )),
            (Binding::Insert | Binding::Any, _) => Ok(None),
        }
    }

    /// Forgets a choice that was not followed by a label in time; says whether it did.
    pub(crate) fn forget_choice(&mut self, now: Duration) -> bool {
        self.chosen.take_if(|(_, since)| now >= *since + CHOICE).is_some()
    }

    /// Notes when the device of a slot came, or that it left.
    pub(super) fn note_arrival(&mut self, slot: usize, place: &Place, now: Duration) {
        match place {
            Place::Opening => self.arrived[slot] = Some(now),
            Place::Ready(hardware) => {
                // Another device in place of the one that waited has just come.
                let other = matches!(&self.places[slot], Place::Ready(old) if old != hardware);
                let unnoticed = matches!(self.places[slot], Place::Empty | Place::Done(_));
                if other || unnoticed {
                    self.arrived[slot] = Some(now);
                }
            }
            Place::Empty | Place::Held | Place::Out => self.arrived[slot] = None,
            Place::Silent | Place::Busy(..) | Place::Done(_) | Place::Twin(_) => {}
        }
    }

    /// Why a label must not wait: another one already waits for its device.
    pub(super) fn is_ahead(&self, slot: Option<usize>) -> Option<Fault> {
        let first = self.waiting.iter().find(|waiting| waiting.is_for_any())?;
        let waits = self.binding == Binding::Insert && slot.is_none();
        waits.then(|| {
            let first = &first.job.serial;
            let detail = say!("{first} still waits for its device", "{first} 还在等它的设备");
            Fault::said(Code::ScanAhead, detail)
        })
    }

    /// The slots whose devices came after this scan and are still there.
    fn came_after(&self, since: Duration) -> Vec<usize> {
        let present = |slot: &usize| {
            matches!(
                self.places[*slot],
                Place::Opening | Place::Ready(_) | Place::Silent | Place::Twin(_)
            )
        };
        let after = |slot: &usize| self.arrived[*slot].is_some_and(|at| at > since);
        (0..self.places.len()).filter(|slot| present(slot) && after(slot)).collect()
    }

    /// The label that waits for a device to be put in.
    fn awaited(&self) -> Option<usize> {
        if self.binding != Binding::Insert {
            return None;
        }
        self.waiting.iter().position(Waiting::is_for_any)
    }

    /// The label that waits and the slot of the one device that came for it, once nobody
    /// else can have been meant.
    pub(super) fn inserted(&self, now: Duration) -> Option<(usize, usize)> {
        let index = self.awaited()?;
        let [slot] = self.came_after(self.waiting[index].since)[..] else { return None };
        let settled = self.arrived[slot].is_some_and(|at| now >= at + WINDOW);
        let ready = matches!(self.places[slot], Place::Ready(_) | Place::Silent);
        (settled && ready).then_some((index, slot))
    }

    /// Refuses the label that waits where several devices came for it.
    pub(super) fn refuse_several(&mut self) -> Option<Decision> {
        let index = self.awaited()?;
        let came = self.came_after(self.waiting[index].since);
        let [one, other, ..] = came[..] else { return None };
        let waiting = self.waiting.remove(index)?;
        let (one, other) = (&self.names[one], &self.names[other]);
        let detail = say!(
            "a device came into slot {one} and one into slot {other}",
            "工位 {one} 和工位 {other} 各插入了一个设备"
        );
        let fault = Fault::said(Code::ScanTwoDevices, detail);
        Some(refuse(&waiting.job.serial, None, &fault))
    }

    /// When the window of a device that came closes.
    pub(crate) fn window_closes(&self, now: Duration) -> Option<Duration> {
        let index = self.awaited()?;
        let came = self.came_after(self.waiting[index].since);
        came.into_iter()
            .filter_map(|slot| self.arrived[slot])
            .map(|at| at + WINDOW)
            .filter(|at| *at > now)
            .min()
    }

    /// Looks again at what waits; time has gone by.
    pub(crate) fn look(&mut self, now: Duration) -> Vec<Decision> {
        match self.awaited() {
            Some(_) => self.settle(now),
            None => Vec::new(),
        }
    }
}
