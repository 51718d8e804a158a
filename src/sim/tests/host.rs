//! A host of a few lines: asks one question after the other and resends like a station.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use firmware_interface::codec::{self, Header, MAX_FRAME};
use firmware_interface::frame::FullFrameReader;
use firmware_interface::ids::{ErrorCode, ObjectKind, RequestType};
use firmware_interface::image::{Object, ObjectTable};
use firmware_interface::message::{
    Begin, Chunk, Commit, Finish, FinishResult, Identify, IdentifyReply, Message, Prove,
    ProveReply, Reply, Request,
};
use firmware_interface::prove::ProveText;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, SigningKey};
use rustix::event::{PollFd, PollFlags, Timespec};
use sha2::{Digest, Sha256};

use super::super::foreign;

/// Longer than anything here takes on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// After so long without a reply a request is sent again.
const RESEND_AFTER: Duration = Duration::from_millis(60);

/// What a host gets instead of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing came.
    Silence,
    /// The port hung up.
    Unplugged,
    /// The device refused.
    Refused(u16),
}

impl Trouble {
    pub(super) fn refused(code: ErrorCode) -> Self {
        Self::Refused(code.to_wire())
    }
}

pub(super) struct Identity {
    pub(super) key: SigningKey,
    pub(super) objects: ObjectTable,
    pub(super) image: Vec<u8>,
    pub(super) certificate: Vec<u8>,
}

impl Identity {
    /// One that follows from a number.
    pub(super) fn number(number: u64) -> Self {
        let key = foreign::key(number, "host");
        let certificate = vec![0xc0; 150];
        let parts = [
            (ObjectKind::Key, key.to_bytes().to_vec()),
            (ObjectKind::ClientCertificate, certificate.clone()),
            (ObjectKind::ServerRoots, vec![0x40; 120]),
            (ObjectKind::Settings, b"\x01\x03\x04\xb3\x22\x04TH-1\x04mqtt".to_vec()),
        ];
        let objects: Vec<_> = parts
            .iter()
            .map(|(kind, bytes)| Object { kind: *kind, length: bytes.len() as u16 })
            .collect();
        let image = parts.into_iter().flat_map(|(_, bytes)| bytes).collect();
        Self { key, objects: ObjectTable::new(&objects).unwrap(), image, certificate }
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.image).into()
    }
}

/// What was seen while provisioning.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proven {
    /// The session that the one after the restart replaced; 0 if there was a restart.
    pub(super) replaced: u32,
    pub(super) hardware_id_kept: bool,
    pub(super) image_claimed: bool,
    pub(super) signature_good: bool,
}

impl Proven {
    pub(super) const WELL: Self =
        Self { replaced: 0, hardware_id_kept: true, image_claimed: true, signature_good: true };
}

pub(super) struct Host {
    file: File,
    reader: FullFrameReader,
    received: Vec<u8>,
    session: u32,
    seq: u16,
    tries: u32,
}

impl Host {
    pub(super) fn open(link: &Path) -> Self {
        let mut options = File::options();
        options.read(true).write(true);
        let flags = rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK;
        let file = options.custom_flags(flags.bits() as i32).open(link).unwrap();
        let reader = FullFrameReader::new();
        Self { file, reader, received: Vec::new(), session: 0x1000, seq: 0, tries: 8 }
    }

    /// Asks once and waits for so long.
    pub(super) fn ask_once<T>(
        &mut self,
        request: &Request<'_>,
        wait: Duration,
        take: impl FnOnce(Reply<'_>) -> T,
    ) -> Result<T, Trouble> {
        self.send(request)?;
        self.receive(wait, take)
    }

    /// Asks and resends until there is a reply.
    pub(super) fn ask<T>(
        &mut self,
        request: &Request<'_>,
        take: impl Fn(Reply<'_>) -> T,
    ) -> Result<T, Trouble> {
        self.seq += 1;
        for _ in 0..self.tries {
            match self.ask_once(request, RESEND_AFTER, &take) {
                Err(Trouble::Silence) => {}
                answered => return answered,
            }
        }
        Err(Trouble::Silence)
    }

    pub(super) fn send(&mut self, request: &Request<'_>) -> Result<(), Trouble> {
        let (seq, session) = (self.seq, self.session);
        let header = Header { version: 1, message_type: request.message_type(), seq, session };
        let mut out = [0; MAX_FRAME];
        let length = codec::encode(header, request, &mut out).unwrap();
        self.file.write_all(&out[..length]).map_err(|_| Trouble::Unplugged)
    }

    fn receive<T>(
        &mut self,
        wait: Duration,
        take: impl FnOnce(Reply<'_>) -> T,
    ) -> Result<T, Trouble> {
        let deadline = Instant::now() + wait;
        loop {
            let received = std::mem::take(&mut self.received);
            let mut input = received.as_slice();
            while let Some(frame) = self.reader.next_frame(&mut input) {
                if frame.header.seq != self.seq || frame.header.session != self.session {
                    continue;
                }
                self.received = input.to_vec();
                return match Reply::from_frame(&frame).unwrap() {
                    Reply::Error(error) => Err(Trouble::Refused(error.code)),
                    reply => Ok(take(reply)),
                };
            }
            self.read(deadline)?;
        }
    }

    /// Waits for bytes, at most until the deadline.
    pub(super) fn read(&mut self, deadline: Instant) -> Result<(), Trouble> {
        let left = deadline.checked_duration_since(Instant::now()).ok_or(Trouble::Silence)?;
        let timeout =
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
        if rustix::event::poll(&mut fds, Some(&timeout)).unwrap() == 0 {
            return Err(Trouble::Silence);
        }
        let mut bytes = [0; 256];
        match self.file.read(&mut bytes) {
            Ok(0) | Err(_) => Err(Trouble::Unplugged),
            Ok(count) => {
                self.received.extend_from_slice(&bytes[..count]);
                Ok(())
            }
        }
    }

    /// Everything that comes until the port is silent for so long or has sent so much.
    pub(super) fn listen(&mut self, wait: Duration, most: usize) -> Vec<u8> {
        while self.received.len() < most && self.read(Instant::now() + wait).is_ok() {}
        std::mem::take(&mut self.received)
    }

    pub(super) fn identify(&mut self) -> Result<IdentifyReply, Trouble> {
        let request = Request::Identify(Identify { min: 1, max: 1 });
        self.ask(&request, |reply| match reply {
            Reply::Identify(reply) => reply,
            other => panic!("{other:?}"),
        })
    }

    pub(super) fn new_session(&mut self) {
        self.session += 1;
    }

    pub(super) fn begin(&mut self, identity: &Identity) -> Result<(), Trouble> {
        let begin = Begin { digest: identity.digest(), objects: identity.objects };
        self.ask(&Request::Begin(begin), |_| ())
    }

    pub(super) fn stage(&mut self, identity: &Identity) -> Result<(), Trouble> {
        let mut next = 0;
        while next < identity.image.len() {
            let end = if next == 0 { 32 } else { identity.image.len().min(next + 100) };
            let chunk = Chunk { offset: next as u32, data: &identity.image[next..end] };
            next = self.ask(&Request::Chunk(chunk), |reply| match reply {
                Reply::Chunk(reply) => reply.next as usize,
                other => panic!("{other:?}"),
            })?;
        }
        Ok(())
    }

    pub(super) fn commit(&mut self, identity: &Identity) -> Result<(), Trouble> {
        self.ask(&Request::Commit(Commit { digest: identity.digest() }), |_| ())
    }

    /// Restarts the device; a lost answer is no trouble, the next identify tells.
    pub(super) fn restart(&mut self) -> Result<(), Trouble> {
        self.seq += 1;
        match self.ask_once(&Request::Restart, RESEND_AFTER, |_| ()) {
            Ok(()) | Err(Trouble::Silence) => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }

    pub(super) fn prove(&mut self, nonce: [u8; 32]) -> Result<[u8; 64], Trouble> {
        self.ask(&Request::Prove(Prove { nonce }), |reply| match reply {
            Reply::Prove(ProveReply { signature }) => signature,
            other => panic!("{other:?}"),
        })
    }

    pub(super) fn finish(&mut self) -> Result<(), Trouble> {
        let finish = Finish { result: FinishResult::Pass, lock: false };
        self.ask(&Request::Finish(finish), |_| ())
    }

    /// From identify to commit.
    pub(super) fn burn(&mut self, identity: &Identity) -> Result<IdentifyReply, Trouble> {
        let seen = self.identify()?;
        self.begin(identity)?;
        self.stage(identity)?;
        self.commit(identity)?;
        Ok(seen)
    }

    fn identify_restarted(&mut self) -> Result<IdentifyReply, Trouble> {
        self.restart()?;
        self.new_session();
        self.identify()
    }

    /// From restart to proof.
    pub(super) fn verify(
        &mut self,
        identity: &Identity,
        before: &IdentifyReply,
    ) -> Result<Proven, Trouble> {
        // The request itself may be lost, which the device can't say: a session that it still
        // knew did not end with a restart. As often as any other request is sent.
        let mut after = self.identify_restarted()?;
        for _ in 1..self.tries {
            if after.replaced == 0 {
                break;
            }
            after = self.identify_restarted()?;
        }
        let nonce = [0x4e; 32];
        let signature = self.prove(nonce)?;
        let text = ProveText {
            nonce,
            hardware_id: before.hardware_id,
            image: identity.digest(),
            certificate: Sha256::digest(&identity.certificate).into(),
        };
        let signature = Signature::from_slice(&signature).unwrap();
        let good = identity.key.verifying_key().verify_prehash(&text.digest(), &signature);
        Ok(Proven {
            replaced: after.replaced,
            hardware_id_kept: after.hardware_id == before.hardware_id,
            image_claimed: after.image == identity.digest(),
            signature_good: good.is_ok(),
        })
    }

    /// A whole session.
    pub(super) fn provision(&mut self, identity: &Identity) -> Result<Proven, Trouble> {
        let before = self.burn(identity)?;
        let proven = self.verify(identity, &before)?;
        self.finish()?;
        Ok(proven)
    }

    /// Asks until the wanted trouble comes.
    pub(super) fn identify_until(&mut self, wanted: &Trouble) {
        let deadline = Instant::now() + PATIENCE;
        while self.identify().as_ref().err() != Some(wanted) {
            assert!(Instant::now() < deadline);
        }
    }

    pub(super) fn request_type(kind: RequestType) -> u8 {
        kind.to_wire()
    }
}
