//! The driver of modems that are spoken to in AT commands.
//!
//! An identity is three texts in PEM, which each maker keeps in its own place; see
//! `docs/modems.md`. Start with [`At`]. Below it: `session` asks and listens, `parts` are the
//! texts, `maker` is what a maker's description says, and each maker has one.
//!
//! A modem has a hardware id, its IMEI. It has room for one identity: from the first byte that is
//! staged the old one is gone, and its certificate, written last, is what makes a new one count.
//! It can't sign, so its proof is what it lets one read back. An OK is no proof of anything:
//! each part is looked at when it was written, and all of them after the restart.

mod esp_at;
mod maker;
mod nrf91;
mod parts;
mod quectel;
mod session;
mod simcom;

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::attempt::{self, Attempt, Staging, no_lock};
use super::contract::{Asked, DeviceFamily, Driver};
use super::pem;
use crate::domain::device::{Held, Security, Seen, ToldBy};
use crate::domain::identity::{Challenge, Identity, Response, SigningRequest};
use crate::domain::ids::{Fingerprint, ImageDigest};
use crate::domain::lender::KeyLender;
use crate::domain::modem::Modem;
use crate::driver::gone::{self, Patience, Return, gone_is_fine};
use crate::error::LinkError;
use crate::port::{InputLine, OutputLine, Port};
use crate::settings::{RestartBy, SlotLink};
use esp_at::EspAt;
use maker::{About, Kept, Maker, Text, Written, plain};
use nrf91::Nrf91;
use parts::{Composed, Part, Stored};
use quectel::Quectel;
use session::{FLASH, Session, silent};
use simcom::Simcom;

/// How long a modem may take from its restart until it answers again.
const BOOT: Duration = Duration::from_secs(30);

/// How long it may go on answering after it was told to restart.
const LEAVE: Duration = Duration::from_secs(6);

/// How long one question waits whether anybody is there.
const PING: Duration = Duration::from_millis(250);

/// A reset line is held that long; modules want up to half a second.
const PULSE: Duration = Duration::from_millis(500);

/// How often a part is written before it counts as one that can't be. Only where the modem did
/// not answer: one that refuses, or says OK and keeps something else, is not asked again.
const WRITES: u32 = 3;

/// Ends whatever an interrupted command waits for: a text in quotes, or so many bytes.
const UNSTICK: usize = 6 * 1024;

/// A modem.
struct At {
    session: Session,
    modem: Option<Modem>,
    tag: u32,
    restart: RestartBy,
    /// Until when a modem at a port that was just opened may be silent.
    fresh_until: Option<Instant>,
    maker: Option<Box<dyn Maker>>,
    about: Option<About>,
    /// What it says of a certificate, and the fingerprint of that.
    known: Option<(Stored, Fingerprint)>,
    /// What it says of the key that it made for this attempt.
    made: Option<Stored>,
    attempt: Attempt<Composed>,
    /// Whether it was sent all that an interrupted command may wait for.
    unstuck: bool,
}

/// Where the family is registered.
pub(super) struct Family;

impl DeviceFamily for Family {
    fn drive(&self, port: Port, slot: &SlotLink) -> Result<Box<dyn Driver>, LinkError> {
        Ok(Box::new(At::new(port, slot)))
    }

    fn ask(&self, port: Port, slot: &SlotLink) -> Result<Asked, LinkError> {
        // A flood would be noise to the others for too long.
        let mut driver = At { unstuck: true, ..At::new(port, slot) };
        let answer = driver.probe();
        Asked::of(driver, answer, |driver| driver.session.into_port())
    }
}

impl At {
    /// A driver over an open port.
    fn new(port: Port, slot: &SlotLink) -> Self {
        Self {
            session: Session::new(port),
            modem: slot.modem,
            tag: slot.sec_tag,
            restart: slot.restart,
            fresh_until: Some(Instant::now() + slot.arrival),
            maker: None,
            about: None,
            known: None,
            made: None,
            attempt: Attempt::default(),
            unstuck: false,
        }
    }

    /// Who answers: twice in a row, since what was in the line may look like an answer.
    fn greet(&mut self) -> Result<(), LinkError> {
        let mut until = self.fresh_until.take().unwrap_or_else(|| Instant::now() + PING * 4);
        let (mut sent, mut unstuck) = (0, false);
        loop {
            sent += 1;
            if self.session.ping(PING)? && self.session.ping(PING)? {
                if sent > 1 {
                    // Answers to what was asked before come late, and must not pass for others.
                    self.session.settle()?;
                }
                return self.first_words();
            }
            if Instant::now() < until {
                continue;
            }
            if std::mem::replace(&mut unstuck, true) {
                return Err(silent("AT", PING, sent));
            }
            self.unstick()?;
            // The rest of the text may be kept now, and flash takes its time.
            until = Instant::now() + FLASH;
        }
    }

    /// A station that was killed in the middle of a write leaves a modem that takes everything
    /// for the rest of it.
    fn unstick(&mut self) -> Result<(), LinkError> {
        let until = Instant::now() + BOOT;
        self.session.send(b"\"\r\n", until)?;
        self.session.send(&b"\r\n".repeat(UNSTICK / 2), until)?;
        self.session.settle()
    }

    /// Whether a modem that was silent answers once what it waits for has ended. What other
    /// families are asked may hold a quotation mark too, and begins a text.
    ///
    /// In one that waits for nothing this begins one, and ends it when it is asked the next time.
    fn is_freed(&mut self) -> Result<bool, LinkError> {
        if std::mem::replace(&mut self.unstuck, true) {
            self.session.send(b"\"\r\n", Instant::now() + PING)?;
        } else {
            self.unstick()?;
        }
        // Twice: one may be a late answer to what was asked before.
        let freed = self.session.ping(PING)? && self.session.ping(PING)?;
        self.session.is_met &= freed;
        Ok(freed)
    }

    /// No echo, and errors in numbers; a modem that knows neither is as good.
    fn first_words(&mut self) -> Result<(), LinkError> {
        self.session.ask("ATE0", "ATE0")?;
        self.session.ask("AT+CMEE=1", "AT+CMEE=1").map(drop)
    }

    /// Whose modem it is, as it says itself.
    fn recognize(&mut self) -> Result<(), LinkError> {
        let reply = self.session.ask("AT+CGMI", "AT+CGMI")?;
        let said = plain(reply.text().filter(|_| reply.refusal.is_none()).unwrap_or_default());
        let found = match modem_of(&said) {
            Some(modem) => Some(modem),
            None if self.is_esp_at()? => Some(Modem::EspAt),
            None => None,
        };
        let modem = match (self.modem, found) {
            (Some(wanted), Some(found)) if wanted != found => {
                let (expected, found) = (wanted.as_str(), found.as_str());
                return Err(LinkError::OtherModem { expected, found });
            }
            // A module under another brand: station.toml knows better.
            (Some(wanted), _) => wanted,
            (None, Some(found)) => found,
            (None, None) => return Err(LinkError::UnknownModem { maker: said }),
        };
        let maker = maker_of(modem, self.tag);
        self.session.end_with(maker.line_end());
        self.maker = Some(maker);
        Ok(())
    }

    fn is_esp_at(&mut self) -> Result<bool, LinkError> {
        let reply = self.session.ask("AT+GMR", "AT+GMR")?;
        Ok(reply.lines.iter().any(|line| line.starts_with("AT version:")))
    }

    fn maker(&mut self) -> Result<(&dyn Maker, &mut Session), LinkError> {
        let missing = LinkError::Order { operation: "a command", missing: "the modem is known" };
        let maker = self.maker.as_deref().ok_or(missing)?;
        Ok((maker, &mut self.session))
    }

    fn seen(&mut self) -> Result<Seen, LinkError> {
        let about = match self.about.take() {
            Some(about) => about,
            None => self.ask_about()?,
        };
        self.about = Some(about.clone());
        let holds = self.held()?;
        let (maker, _) = self.maker()?;
        Ok(Seen {
            hardware: about.hardware,
            told_by: ToldBy::HardwareId,
            model: about.model,
            firmware: about.firmware,
            factory_serial: None,
            holds,
            locked: false,
            security: Security::default(),
            best_proof: maker.best_proof(),
            makes_keys: maker.makes_keys(),
            can_lock: false,
        })
    }

    fn ask_about(&mut self) -> Result<About, LinkError> {
        self.recognize()?;
        let (maker, line) = self.maker()?;
        maker.about(line)
    }

    /// What it holds, as it says itself; nothing where its certificate is not a whole one.
    fn held(&mut self) -> Result<Option<Held>, LinkError> {
        let (maker, line) = self.maker()?;
        let stored = maker.stored(line)?;
        let [_, _, certificate] = stored;
        if certificate == Stored::Missing {
            return Ok(None);
        }
        let Some(fingerprint) = self.fingerprint(certificate)? else { return Ok(None) };
        Ok(Some(Held { certificate: fingerprint, image: parts::image_of(stored, &fingerprint) }))
    }

    /// The fingerprint of the certificate that it keeps; it is read only where this driver has
    /// not seen it before.
    fn fingerprint(&mut self, stored: Stored) -> Result<Option<Fingerprint>, LinkError> {
        let is_told = matches!(stored, Stored::Hash(_));
        if let Some((_, known)) = self.known.filter(|(known, _)| is_told && *known == stored) {
            return Ok(Some(known));
        }
        let (maker, line) = self.maker()?;
        let found = match maker.certificate(line)? {
            Kept::Text(text) => pem::certificate_in(&text).map(|der| fingerprint_of(&der)),
            Kept::Marked(fingerprint) => Some(fingerprint),
            Kept::Nothing => None,
        };
        self.known = found.map(|found| (stored, found));
        Ok(found)
    }

    /// Empties a part's place, writes it and looks at what is there then.
    fn put(
        &mut self,
        composed: &Composed,
        part: Part,
        keys: Option<&dyn KeyLender>,
    ) -> Result<(), LinkError> {
        let Some(measure) = composed.measure(part) else { return self.expect_made(composed) };
        let (maker, line) = self.maker()?;
        for _ in 0..WRITES {
            maker.delete(line, part)?;
            if measure.length == 0 {
                return Ok(());
            }
            let mut written = Written::Silent;
            composed.lend(part, keys, &mut |bytes, scratch| {
                written = maker.write(line, part, &mut Text { bytes, measure, scratch })?;
                Ok(())
            })?;
            match written {
                Written::Refused(refusal) => return Err(not_stored(part, &refusal.words)),
                Written::Silent => line.settle()?,
                Written::Said => {}
            }
            let now = maker.look(line, part)?;
            match now == maker.promises(part, measure) {
                true => return Ok(()),
                false if matches!(written, Written::Silent) => {}
                false => return Err(not_stored(part, in_words(now))),
            }
        }
        Err(not_stored(part, "the modem does not answer the write"))
    }

    /// The key that the modem made is still the one that it made.
    fn expect_made(&mut self, composed: &Composed) -> Result<(), LinkError> {
        let (maker, line) = self.maker()?;
        let now = maker.look(line, Part::Key)?;
        match Some(now) == composed.made() {
            true => Ok(()),
            false => Err(not_stored(Part::Key, "the modem has another than it made")),
        }
    }

    fn trigger(&mut self) -> Result<(), LinkError> {
        let line = match self.restart {
            RestartBy::Command => {
                let (maker, line) = self.maker()?;
                return maker.restart(line);
            }
            RestartBy::Dtr => OutputLine::Dtr,
            RestartBy::Rts => OutputLine::Rts,
        };
        gone_is_fine(self.session.port().pulse(line, PULSE))
    }

    /// Waits until the modem has restarted.
    fn await_return(&mut self) -> Result<(), LinkError> {
        let patience = Patience { ping: PING, leave: LEAVE, boot: BOOT };
        match gone::await_return(&mut self.session, &patience)? {
            Return::Back => self.greet(),
            Return::Silent => Err(silent("AT", BOOT, 1)),
            Return::NeverLeft => Err(LinkError::NotRestarted { by: self.restart.as_str() }),
        }
    }
}

/// The maker that a modem names.
fn modem_of(maker: &str) -> Option<Modem> {
    let maker = maker.to_ascii_lowercase();
    let known = [
        ("nordic", Modem::Nrf91),
        ("quectel", Modem::Quectel),
        ("simcom", Modem::Simcom),
        ("espressif", Modem::EspAt),
    ];
    known.into_iter().find(|(name, _)| maker.contains(name)).map(|(_, modem)| modem)
}

fn maker_of(modem: Modem, tag: u32) -> Box<dyn Maker> {
    match modem {
        Modem::Nrf91 => Box::new(Nrf91 { tag }),
        Modem::Quectel => Box::new(Quectel),
        Modem::Simcom => Box::new(Simcom),
        Modem::EspAt => Box::new(EspAt),
    }
}

fn fingerprint_of(der: &[u8]) -> Fingerprint {
    Fingerprint::new(Sha256::digest(der).into())
}

fn in_words(stored: Stored) -> &'static str {
    match stored {
        Stored::Missing => "the modem says OK and has nothing there",
        Stored::Hash(_) => "the modem says OK and has another hash",
        Stored::Checked { .. } => "the modem says OK and has another check sum",
        Stored::Present => "the modem says OK and does not say what it has: its firmware is old",
    }
}

fn not_stored(part: Part, why: &str) -> LinkError {
    LinkError::NotStored { why: format!("{}: {why}", part.name()) }
}

impl Driver for At {
    fn identify(&mut self) -> Result<Seen, LinkError> {
        self.greet()?;
        // Another modem may stand where the last one did.
        self.about = None;
        self.seen()
    }

    fn probe(&mut self) -> Result<Option<Seen>, LinkError> {
        let mut was_met = self.session.is_met;
        if !self.session.ping(PING)? {
            // Whoever answers now may be another one.
            (was_met, self.session.is_met) = (false, false);
            if !self.is_freed()? {
                return Ok(None);
            }
        }
        if !was_met {
            self.first_words()?;
            self.about = None;
        }
        self.seen().map(Some)
    }

    fn make_key(&mut self) -> Result<SigningRequest, LinkError> {
        let about = self.about.clone();
        let about = about.ok_or(LinkError::Order {
            operation: "making a key",
            missing: "the modem was identified",
        })?;
        let (maker, line) = self.maker()?;
        maker.open(line)?;
        maker.delete(line, Part::Certificate)?;
        maker.delete(line, Part::Key)?;
        let request = maker.make_key(line, &about.hardware)?;
        match maker.look(line, Part::Key)? {
            Stored::Missing => Err(not_stored(Part::Key, in_words(Stored::Missing))),
            made => {
                self.made = Some(made);
                Ok(request)
            }
        }
    }

    fn compose(
        &mut self,
        identity: &Identity,
        keys: &dyn KeyLender,
    ) -> Result<ImageDigest, LinkError> {
        let composed = Composed::new(identity, keys, self.made)?;
        let image = self.image_of(&composed)?;
        self.attempt.composed = Some(composed);
        Ok(image)
    }

    fn stage(
        &mut self,
        identity: &Identity,
        keys: &dyn KeyLender,
        progress: &mut dyn FnMut(u32, u32),
    ) -> Result<(), LinkError> {
        attempt::stage(self, identity, keys, progress)
    }

    fn commit(&mut self, image: ImageDigest) -> Result<(), LinkError> {
        attempt::commit(self, image)
    }

    fn restart(&mut self) -> Result<Seen, LinkError> {
        self.session.has_started = false;
        self.trigger()?;
        self.await_return()?;
        self.about = None;
        self.seen()
    }

    fn prove(&mut self, _: &Challenge) -> Result<Response, LinkError> {
        Err(LinkError::CannotRead { what: "a signature" })
    }

    fn read_back(&mut self) -> Result<Option<Held>, LinkError> {
        self.held()
    }

    fn read_certificate(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        let (maker, line) = self.maker()?;
        match maker.certificate(line)? {
            Kept::Text(text) => Ok(pem::certificate_in(&text)),
            Kept::Nothing => Ok(None),
            Kept::Marked(_) => Err(LinkError::CannotRead { what: "its certificate" }),
        }
    }

    fn finish(&mut self, lock: bool) -> Result<Seen, LinkError> {
        no_lock(lock)?;
        self.attempt.ends();
        self.seen()
    }

    fn release(&mut self) -> Result<(), LinkError> {
        attempt::release(self)
    }

    fn restart_kind(&self) -> &'static str {
        self.restart.as_str()
    }

    fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.session.port().set_deadline(deadline);
    }

    fn level(&mut self, line: InputLine) -> Result<bool, LinkError> {
        self.session.port().level(line)
    }

    fn idle(&mut self, time: Duration) -> Result<(), LinkError> {
        self.session.discard(time)
    }
}

impl Staging for At {
    type Composed = Composed;

    fn attempt(&mut self) -> &mut Attempt<Composed> {
        &mut self.attempt
    }

    fn is_of(&self, composed: &Composed, identity: &Identity) -> bool {
        composed.is_of(identity)
    }

    fn image_of(&mut self, composed: &Composed) -> Result<ImageDigest, LinkError> {
        let (maker, _) = self.maker()?;
        let stored = Part::ALL.map(|part| match composed.measure(part) {
            Some(measure) if measure.length == 0 => Stored::Missing,
            Some(measure) => maker.promises(part, measure),
            None => composed.made().unwrap_or(Stored::Missing),
        });
        Ok(parts::image_of(stored, &composed.fingerprint()))
    }

    fn take_aside(
        &mut self,
        composed: &Composed,
        keys: &dyn KeyLender,
        progress: &mut dyn FnMut(u32, u32),
    ) -> Result<(), LinkError> {
        let (maker, line) = self.maker()?;
        maker.open(line)?;
        maker.delete(line, Part::Certificate)?;
        let (total, mut done) = (composed.total(), 0);
        for part in [Part::Key, Part::Roots] {
            self.put(composed, part, Some(keys))?;
            done += composed.measure(part).map_or(0, |measure| measure.length);
            progress(done, total);
        }
        Ok(())
    }

    fn activate(&mut self, composed: &Composed) -> Result<(), LinkError> {
        self.put(composed, Part::Certificate, None)?;
        let fingerprint = composed.fingerprint();
        let (maker, line) = self.maker()?;
        maker.mark(line, &fingerprint)?;
        // A text of this hash has this certificate in front: it need not be read again.
        let promised = composed.measure(Part::Certificate);
        let promised = promised.map(|measure| maker.promises(Part::Certificate, measure));
        self.known = promised.map(|promised| (promised, fingerprint));
        Ok(())
    }

    fn wipe(&mut self) -> Result<(), LinkError> {
        let (maker, line) = self.maker()?;
        maker.delete(line, Part::Key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modem_is_known_by_its_maker() {
        let of = |maker| modem_of(maker);
        assert_eq!(of("Nordic Semiconductor ASA"), Some(Modem::Nrf91));
        assert_eq!(of("Quectel"), Some(Modem::Quectel));
        assert_eq!(of("SIMCOM INCORPORATED"), Some(Modem::Simcom));
        assert_eq!(of("Acme"), None);
    }
}
