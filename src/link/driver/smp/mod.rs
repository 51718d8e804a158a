//! The driver of MCUmgr's SMP over serial, which Zephyr and MCUboot speak.
//!
//! An identity is four files in one directory of the device's file system; see `docs/smp.md`.
//! Start with [`Smp`]. Below it: `line` puts packets into lines, `message` is what they
//! carry, `session` asks and listens, `files` writes and hashes.
//!
//! The family differs from the framed one in three ways. It has no hardware id: a device is
//! told by the identity that it holds. It can't sign, so its proof is `read-back`. And it
//! has room for one identity: from the first byte that is staged the old one is gone, and
//! its certificate, written last and alone, is what makes a new one count.

mod files;
mod key_file;
mod line;
mod message;
mod session;

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::attempt::{self, Attempt, Staging, no_lock};
use super::contract::{Asked, DeviceFamily, Driver};
use super::pem;
use crate::domain::certificate::Proof;
use crate::domain::device::{Held, Security, Seen, ToldBy};
use crate::domain::identity::{Challenge, Identity, Response, SigningRequest};
use crate::domain::ids::{Fingerprint, HardwareId, ImageDigest};
use crate::domain::lender::KeyLender;
use crate::driver::gone::{self, Patience, Return, gone_is_fine};
use crate::error::LinkError;
use crate::port::{InputLine, OutputLine, Port};
use crate::settings::{RestartBy, SlotLink, SmpFiles};
use files::{Composed, File, Source};
use session::{Answer, Session};

/// How long a device may take from its restart until it answers again.
const BOOT: Duration = Duration::from_secs(10);

/// How long one question waits whether anybody is there.
const PING: Duration = Duration::from_millis(150);

/// A reset line is held that long; a capacitor on it needs a few milliseconds.
const PULSE: Duration = Duration::from_millis(100);

/// A device that speaks SMP.
struct Smp {
    session: Session,
    files: SmpFiles,
    restart: RestartBy,
    /// Until when a device at a port that was just opened may be silent.
    fresh_until: Option<Instant>,
    /// What a device that holds nothing is called as long as this driver watches it.
    stranger: HardwareId,
    about: Option<About>,
    /// The hash of a certificate's file, and the fingerprint of the certificate in it.
    known: Option<([u8; 32], Fingerprint)>,
    attempt: Attempt<Composed>,
}

/// What a device says of itself and does not change.
#[derive(Clone)]
struct About {
    model: String,
    firmware: String,
}

/// Where the family is registered.
pub(super) struct Family;

impl DeviceFamily for Family {
    fn drive(&self, port: Port, slot: &SlotLink) -> Result<Box<dyn Driver>, LinkError> {
        Ok(Box::new(Smp::new(port, slot)?))
    }

    fn ask(&self, port: Port, slot: &SlotLink) -> Result<Asked, LinkError> {
        let mut driver = Smp::new(port, slot)?;
        let answer = driver.probe();
        Asked::of(driver, answer, Smp::into_port)
    }
}

impl Smp {
    /// A driver over an open port.
    fn new(port: Port, slot: &SlotLink) -> Result<Self, LinkError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|why| LinkError::Random { why: why.to_string() })?;
        // So that it is never all zeros or all ones.
        random[0] = random[0] & 0x3f | 0x40;
        Ok(Self {
            session: Session::new(port),
            files: slot.smp.clone(),
            restart: slot.restart,
            fresh_until: Some(Instant::now() + slot.arrival),
            stranger: HardwareId::from_bytes(&random).map_err(LinkError::HardwareId)?,
            about: None,
            known: None,
            attempt: Attempt::default(),
        })
    }

    /// Gives the port back.
    fn into_port(self) -> Port {
        self.session.into_port()
    }

    fn path(&self, file: File) -> String {
        file.path(&self.files)
    }

    /// Who answers: twice in a row, since what was in the line may look like an answer.
    fn greet(&mut self) -> Result<(), LinkError> {
        let until = self.fresh_until.take().unwrap_or_else(|| Instant::now() + PING * 4);
        let mut sent = 0;
        loop {
            sent += 1;
            if self.session.ping(PING)? && self.session.ping(PING)? {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(self.session.silent("echo", PING, sent));
            }
        }
    }

    fn seen(&mut self) -> Result<Seen, LinkError> {
        let about = match self.about.take() {
            Some(about) => about,
            None => self.ask_about()?,
        };
        self.about = Some(about.clone());
        let holds = self.held()?;
        let hardware = match &holds {
            Some(held) => HardwareId::from_bytes(held.certificate.as_bytes())
                .map_err(LinkError::HardwareId)?,
            None => self.stranger.clone(),
        };
        Ok(Seen {
            hardware,
            told_by: ToldBy::Identity,
            model: about.model,
            firmware: about.firmware,
            factory_serial: None,
            holds,
            locked: false,
            security: Security::default(),
            best_proof: Proof::ReadBack,
            makes_keys: false,
            can_lock: false,
        })
    }

    fn ask_about(&mut self) -> Result<About, LinkError> {
        self.session.learn_limits()?;
        let model = self.session.os_info("i")?.unwrap_or_else(|| "unknown".to_owned());
        let firmware = self.session.os_info("srv")?.unwrap_or_else(|| "unknown".to_owned());
        Ok(About { model, firmware })
    }

    /// What it holds, as the hashes of its files say; nothing where its certificate's file
    /// is not a whole one.
    fn held(&mut self) -> Result<Option<Held>, LinkError> {
        let mut hashes = Vec::with_capacity(File::ALL.len());
        let Some(certificate) = self.session.hash(&self.path(File::Certificate))? else {
            return Ok(None);
        };
        let Some(fingerprint) = self.fingerprint(certificate)? else { return Ok(None) };
        for file in File::STAGED {
            let path = self.path(file);
            // A file that is missing is as good as an empty one.
            hashes.push(self.session.hash(&path)?.unwrap_or_else(|| Sha256::digest([]).into()));
        }
        hashes.push(certificate);
        Ok(Some(Held { certificate: fingerprint, image: files::image_of(&hashes) }))
    }

    /// The fingerprint of the certificate in the file of this hash; it is read only where
    /// this driver has not seen it before.
    fn fingerprint(&mut self, file: [u8; 32]) -> Result<Option<Fingerprint>, LinkError> {
        if let Some((_, fingerprint)) = self.known.filter(|(known, _)| *known == file) {
            return Ok(Some(fingerprint));
        }
        let Some(der) = self.download_certificate()? else { return Ok(None) };
        let fingerprint = Fingerprint::new(Sha256::digest(&der).into());
        self.known = Some((file, fingerprint));
        Ok(Some(fingerprint))
    }

    fn download_certificate(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        let file = self.session.download(&self.path(File::Certificate))?;
        Ok(file.and_then(|pem| pem::first_certificate(&pem)))
    }

    /// Writes one file and compares its hash with what was sent.
    fn write(
        &mut self,
        file: File,
        source: &Source<'_>,
        hash: [u8; 32],
        progress: &mut dyn FnMut(u32),
    ) -> Result<(), LinkError> {
        let path = self.path(file);
        self.session.upload(&path, source, progress)?;
        match self.session.hash(&path)? {
            Some(stored) if stored == hash => Ok(()),
            Some(_) => Err(LinkError::NotStored { why: format!("{path} has another hash") }),
            None => Err(LinkError::NotStored { why: format!("{path} is missing or empty") }),
        }
    }

    /// Makes the identity that it holds no longer count. The file system group has nothing
    /// that deletes, and takes no file of no bytes.
    fn drop_file(&mut self, file: File) -> Result<(), LinkError> {
        let path = self.path(file);
        self.session.upload(&path, &Source::Public(&[0]), &mut |_| {})
    }

    fn trigger(&mut self) -> Result<(), LinkError> {
        let line = match self.restart {
            RestartBy::Command => return self.session.reset(),
            RestartBy::Dtr => OutputLine::Dtr,
            RestartBy::Rts => OutputLine::Rts,
        };
        gone_is_fine(self.session.port().pulse(line, PULSE))
    }

    /// Waits until the device has restarted.
    fn await_return(&mut self) -> Result<(), LinkError> {
        let patience = Patience { ping: PING, leave: BOOT, boot: BOOT };
        match gone::await_return(&mut self.session, &patience)? {
            Return::Back => self.greet(),
            Return::Silent => Err(self.session.silent("reset", BOOT, 1)),
            Return::NeverLeft => Err(LinkError::NotRestarted { by: self.restart.as_str() }),
        }
    }
}

impl Driver for Smp {
    fn identify(&mut self) -> Result<Seen, LinkError> {
        self.greet()?;
        // Another device may stand where the last one did.
        self.about = None;
        self.seen()
    }

    fn probe(&mut self) -> Result<Option<Seen>, LinkError> {
        match self.session.ping(PING)? {
            true => self.seen().map(Some),
            false => Ok(None),
        }
    }

    fn make_key(&mut self) -> Result<SigningRequest, LinkError> {
        Err(LinkError::CannotRead { what: "a key that it made" })
    }

    fn compose(
        &mut self,
        identity: &Identity,
        keys: &dyn KeyLender,
    ) -> Result<ImageDigest, LinkError> {
        let composed = Composed::new(identity, &self.files, keys)?;
        let image = composed.image();
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
        self.trigger()?;
        self.await_return()?;
        self.seen()
    }

    fn prove(&mut self, _: &Challenge) -> Result<Response, LinkError> {
        Err(LinkError::CannotRead { what: "a signature" })
    }

    fn read_back(&mut self) -> Result<Option<Held>, LinkError> {
        self.held()
    }

    fn read_certificate(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        self.download_certificate()
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

impl Staging for Smp {
    type Composed = Composed;

    fn attempt(&mut self) -> &mut Attempt<Composed> {
        &mut self.attempt
    }

    fn is_of(&self, composed: &Composed, identity: &Identity) -> bool {
        composed.is_of(identity)
    }

    fn image_of(&mut self, composed: &Composed) -> Result<ImageDigest, LinkError> {
        Ok(composed.image())
    }

    fn activate(&mut self, composed: &Composed) -> Result<(), LinkError> {
        let certificate = Source::Public(composed.content(File::Certificate));
        let hash = composed.hash(File::Certificate);
        self.write(File::Certificate, &certificate, hash, &mut |_| {})
    }

    fn wipe(&mut self) -> Result<(), LinkError> {
        self.drop_file(File::Key)
    }

    fn take_aside(
        &mut self,
        composed: &Composed,
        keys: &dyn KeyLender,
        progress: &mut dyn FnMut(u32, u32),
    ) -> Result<(), LinkError> {
        let certificate = self.path(File::Certificate);
        if self.session.status(&certificate)? != Answer::Missing {
            self.drop_file(File::Certificate)?;
        }
        let (total, mut before) = (composed.total(), 0);
        for file in File::STAGED {
            let source = match file {
                File::Key => composed.key_source(keys),
                _ => Source::Public(composed.content(file)),
            };
            let hash = composed.hash(file);
            self.write(file, &source, hash, &mut |done| progress(before + done, total))?;
            before += composed.length(file);
        }
        Ok(())
    }
}
