//! A station of a few lines: one request at a time, with deadlines and resends.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use firmware_interface::codec::{self, Frame, Header, MAX_FRAME};
use firmware_interface::frame::FullFrameReader;
use firmware_interface::ids::{ERROR_TYPE, KeyAlgorithm};
use firmware_interface::message::{
    BeginReply, Chunk, Commit, Csr, ErrorReply, Finish, FinishResult, Identify, IdentifyReply,
    Keygen, Message, Prove, Reply, Request,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::identity::Identity;

/// Longer than any busy time of the firmware, with eight machines on two processors.
const DEADLINE: Duration = Duration::from_secs(5);
const RESENDS: usize = 3;

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// The far end hung up: the machine has ended.
    Gone,
    /// It did not answer in time.
    TimedOut,
    /// It refused.
    Refused(ErrorReply),
}

pub(crate) struct Wire {
    line: OwnedFd,
    reader: FullFrameReader,
    session: u32,
    seq: u16,
    reply: Vec<u8>,
    reply_type: u8,
}

type Answer<T> = Result<T, Silence>;

impl Wire {
    pub(crate) fn new(line: impl Into<OwnedFd>) -> Self {
        let reader = FullFrameReader::new();
        Self { line: line.into(), reader, session: 0, seq: 0, reply: Vec::new(), reply_type: 0 }
    }

    /// Over a serial port.
    pub(crate) fn open(port: &Path) -> Self {
        Self::new(File::options().read(true).write(true).open(port).unwrap())
    }

    pub(crate) fn ask(&mut self, request: &Request<'_>) -> Answer<Reply<'_>> {
        self.seq = self.seq.wrapping_add(1);
        let message_type = request.message_type();
        let header = Header { version: 1, message_type, seq: self.seq, session: self.session };
        let mut bytes = [0; MAX_FRAME];
        let length = codec::encode(header, request, &mut bytes).unwrap();
        let answered = (0..=RESENDS).any(|_| self.exchange(&bytes[..length]).is_some_and(|a| a));
        if !answered {
            return Err(if self.is_gone() { Silence::Gone } else { Silence::TimedOut });
        }
        let header = Header { message_type: self.reply_type, ..header };
        match Reply::from_frame(&Frame { header, body: &self.reply }).unwrap() {
            Reply::Error(error) => {
                assert_eq!(self.reply_type, ERROR_TYPE);
                Err(Silence::Refused(error))
            }
            reply => Ok(reply),
        }
    }

    /// Sends and waits for the answer; `None` if the far end is gone.
    fn exchange(&mut self, bytes: &[u8]) -> Option<bool> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = &rest[rustix::io::write(&self.line, rest).ok()?..];
        }
        let until = Instant::now() + DEADLINE;
        while let left = until.saturating_duration_since(Instant::now())
            && !left.is_zero()
        {
            if self.wait(left) && self.receive()? {
                return Some(true);
            }
        }
        Some(false)
    }

    fn wait(&self, time: Duration) -> bool {
        let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
        poll(&mut [PollFd::new(&self.line, PollFlags::IN)], Some(&time)) == Ok(1)
    }

    /// Takes what came; true if the answer is among it.
    fn receive(&mut self) -> Option<bool> {
        let mut bytes = [0; 1024];
        let count = rustix::io::read(&self.line, &mut bytes).ok().filter(|count| *count > 0)?;
        let mut input = &bytes[..count];
        while let Some(frame) = self.reader.next_frame(&mut input) {
            if frame.header.seq == self.seq && frame.header.session == self.session {
                self.reply = frame.body.to_vec();
                self.reply_type = frame.header.message_type;
                return Some(true);
            }
        }
        Some(false)
    }

    fn is_gone(&self) -> bool {
        let mut polled = [PollFd::new(&self.line, PollFlags::IN)];
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok()
            && polled[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
    }

    pub(crate) fn identify(&mut self, session: u32) -> Answer<IdentifyReply> {
        self.session = session;
        match self.ask(&Request::Identify(Identify { min: 1, max: 1 }))? {
            Reply::Identify(reply) => Ok(reply),
            other => panic!("{other:?}"),
        }
    }

    /// BEGIN and every chunk.
    pub(crate) fn stage(&mut self, identity: &Identity, max_chunk: usize) -> Answer<()> {
        match self.ask(&Request::Begin(identity.begin))? {
            Reply::Begin(BeginReply { next: 0 }) => {}
            other => panic!("{other:?}"),
        }
        for (offset, data) in identity.chunks(max_chunk) {
            let Reply::Chunk(reply) = self.ask(&Request::Chunk(Chunk { offset, data }))? else {
                panic!("another answer to CHUNK");
            };
            assert_eq!(reply.next as usize, offset as usize + data.len());
        }
        Ok(())
    }

    /// Stages and commits; the generation.
    pub(crate) fn burn(&mut self, identity: &Identity, max_chunk: usize) -> Answer<u32> {
        self.stage(identity, max_chunk)?;
        match self.ask(&Request::Commit(Commit { digest: identity.digest() }))? {
            Reply::Commit(reply) => {
                assert_eq!(reply.digest, identity.digest());
                Ok(reply.generation)
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn prove(&mut self, nonce: [u8; 32]) -> Answer<[u8; 64]> {
        match self.ask(&Request::Prove(Prove { nonce }))? {
            Reply::Prove(reply) => Ok(reply.signature),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn finish(&mut self, lock: bool) -> Answer<()> {
        self.ask(&Request::Finish(Finish { result: FinishResult::Pass, lock })).map(|_| ())
    }

    /// Restarts the device and waits until it answers again, under a new session.
    pub(crate) fn restart(&mut self, session: u32) -> Answer<IdentifyReply> {
        self.ask(&Request::Restart)?;
        let seen = self.identify(session)?;
        assert_eq!(seen.replaced, 0, "it did not restart");
        Ok(seen)
    }

    pub(crate) fn make_key(&mut self, number: u32) -> Answer<[u8; 65]> {
        let algorithm = KeyAlgorithm::P256;
        match self.ask(&Request::Keygen(Keygen { algorithm, number }))? {
            Reply::Keygen(reply) => Ok(reply.public_key),
            other => panic!("{other:?}"),
        }
    }

    /// The signing request, read in pieces.
    pub(crate) fn signing_request(&mut self) -> Answer<Vec<u8>> {
        let mut read = Vec::new();
        loop {
            let offset = read.len() as u32;
            let Reply::Csr(reply) = self.ask(&Request::Csr(Csr { offset, max: 100 }))? else {
                panic!("another answer to CSR");
            };
            read.extend(reply.data);
            if read.len() >= reply.total as usize {
                return Ok(read);
            }
        }
    }
}
