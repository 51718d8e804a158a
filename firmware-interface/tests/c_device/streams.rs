//! Random streams: what a station, a bad line, a bad flash and power cuts do to a board.
//!
//! Purely random bytes hardly ever pass a CRC, so most streams begin as a sensible
//! attempt and are then spoilt a little in one of many ways.

use super::frames::{Head, Identity, chunk, delimited, frame, raw_frame, stuff};
use super::script::{ComingFault, FactBits, Fault, Op};

/// SplitMix64: small, and the same on every machine.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// Identities that streams use: allowed ones, and ones that break each rule.
fn identities() -> Vec<Identity> {
    let tables: [&[(u8, u16)]; 18] = [
        &[(1, 32), (3, 40), (6, 28)],
        &[(7, 138), (3, 40), (6, 28)],
        &[(1, 32), (3, 100), (4, 80), (5, 60), (6, 40)],
        &[(1, 32), (3, 1)],
        &[(1, 32), (3, 480)],
        &[(1, 32), (3, 481)],
        &[(1, 32), (3, 64), (5, 64)],
        &[(1, 32), (3, 200), (6, 9)],
        &[(2, 65), (3, 40)],
        &[(1, 31), (3, 40)],
        &[(3, 40), (6, 28)],
        &[(1, 32), (6, 28)],
        &[(1, 32), (3, 40), (3, 40)],
        &[(1, 32), (3, 40), (6, 8)],
        &[(1, 32), (3, 40), (9, 8)],
        &[(1, 32), (4, 40), (3, 8)],
        &[(1, 32), (3, 0)],
        &[(1, 32)],
    ];
    let mut all: Vec<Identity> = tables
        .iter()
        .enumerate()
        .map(|(number, objects)| Identity::new(objects, (0x11 * number) as u8))
        .collect();
    // A key that can't sign, and an image that is not what its digest says.
    let mut image = all[0].image.clone();
    image[..32].fill(0xff);
    all.push(Identity::of(&[(1, 32), (3, 40), (6, 28)], image));
    all.push(Identity { digest: [0x77; 32], ..all[0].clone() });
    all
}

/// The first of [`identities`] are mostly used.
const SOUND_IDENTITIES: usize = 8;

pub(crate) struct Streams {
    identities: Vec<Identity>,
    longest_settings: u16,
}

impl Streams {
    pub(crate) fn new() -> Self {
        Self { identities: identities(), longest_settings: 324 }
    }

    /// The stream of a seed: always the same.
    pub(crate) fn stream(&self, seed: u64) -> Vec<Op> {
        let dice = Dice::new(seed);
        let mut stream =
            Stream { all: self, dice, ops: Vec::new(), session: 0, seq: 0, bits: FactBits::USUAL };
        stream.make();
        stream.ops
    }
}

struct Stream<'a> {
    all: &'a Streams,
    dice: Dice,
    ops: Vec<Op>,
    session: u32,
    seq: u16,
    bits: FactBits,
}

impl Stream<'_> {
    fn make(&mut self) {
        self.choose_board();
        self.ops.push(Op::PowerOn);
        self.seq = self.dice.next() as u16;
        for _ in 0..=self.dice.below(4) {
            self.act();
        }
        self.ops.push(Op::End);
    }

    fn choose_board(&mut self) {
        if self.dice.one_in(4) {
            // Not KEYGEN, which the Rust device lacks, and not the page's capacity.
            self.bits = FactBits(self.dice.next() as u8 & 0x7f);
            self.ops.push(Op::Facts(self.bits));
        }
    }

    fn act(&mut self) {
        match self.dice.below(16) {
            0..=7 => self.provision(),
            8..=10 => self.random_requests(),
            11 => self.noise(),
            12 => self.boundaries(),
            13 => self.damage_storage(),
            14 => self.break_flash(),
            _ => self.power_on(),
        }
    }

    fn identity(&mut self) -> Identity {
        let count = if self.dice.one_in(4) { self.all.identities.len() } else { SOUND_IDENTITIES };
        let number = self.dice.below(count);
        self.all.identities[number].clone()
    }

    fn power_on(&mut self) {
        self.ops.push(Op::PowerOn);
    }

    fn identify(&mut self) {
        self.session = match self.dice.below(8) {
            0 => self.session,
            1 => self.dice.below(3) as u32,
            _ => self.dice.next() as u32,
        };
        let range = if self.dice.one_in(10) { self.dice.bytes(2) } else { vec![1, 1] };
        self.ask(0x01, &range);
    }

    /// An attempt from its first request to its last, with an end at any point.
    fn provision(&mut self) {
        let identity = self.identity();
        if self.dice.one_in(6) {
            self.break_flash();
        }
        self.identify();
        self.ask(0x02, &identity.begin());
        if self.dice.one_in(12) {
            return;
        }
        self.send_chunks(&identity);
        if self.dice.one_in(12) {
            return;
        }
        self.ask(0x04, &identity.digest);
        if self.dice.one_in(3) {
            self.ask(0x04, &identity.digest);
        }
        self.restart();
        self.close(&identity);
    }

    fn send_chunks(&mut self, identity: &Identity) {
        let mut size = self.bits.max_chunk();
        if self.dice.one_in(3) {
            size = 1 + self.dice.below(usize::from(size)) as u16;
        }
        for body in identity.chunks(size) {
            match self.dice.below(24) {
                // Lost, resent, or another one in between.
                0 => continue,
                1 => self.ask(0x03, &body),
                2 => self.random_chunk(identity),
                _ => {}
            }
            self.ask(0x03, &body);
        }
    }

    fn random_chunk(&mut self, identity: &Identity) {
        let from = self.dice.below(identity.image.len() + 1);
        let end = from + self.dice.below(identity.image.len() - from + 1);
        let mut data = identity.image[from..end].to_vec();
        if self.dice.one_in(4) {
            let extra = self.dice.below(4);
            data.extend(self.dice.bytes(extra));
        }
        self.ask(0x03, &chunk(from as u32, &data));
    }

    fn restart(&mut self) {
        match self.dice.below(4) {
            0 => {}
            1 => self.power_on(),
            _ => {
                self.ask(0x05, &[]);
                if !self.dice.one_in(8) {
                    self.power_on();
                }
            }
        }
        if !self.dice.one_in(8) {
            self.identify();
        }
    }

    /// Proves, reads and finishes.
    fn close(&mut self, identity: &Identity) {
        let nonce = self.dice.bytes(32);
        self.ask(0x06, &nonce);
        if self.dice.one_in(2) {
            self.read(identity);
        }
        let ending = self.dice.pick(&[[1, 0], [1, 0], [0, 0], [1, 1], [0, 1]]);
        match self.dice.below(8) {
            0 => self.ask(0x08, &[]),
            1 => self.ask(0x09, &[]),
            2 => {}
            _ => self.ask(0x07, &ending),
        }
    }

    fn read(&mut self, identity: &Identity) {
        let kind = self.dice.pick(&[1, 2, 3, 3, 3, 4, 5, 6, 7, 0]);
        let offset = self.dice.below(identity.image.len() + 4) as u32;
        let max = self.dice.pick(&[0_u16, 1, 16, 255, 256, 257, 65535]);
        let mut body = vec![kind];
        body.extend(offset.to_le_bytes());
        body.extend(max.to_le_bytes());
        self.ask(0x0a, &body);
    }

    /// Requests in any order, with fields that are often allowed.
    fn random_requests(&mut self) {
        for _ in 0..=self.dice.below(8) {
            let identity = self.identity();
            match self.dice.below(14) {
                0 => self.identify(),
                1 => self.begin_with_any_table(),
                2 => self.ask(0x02, &identity.begin()),
                3 => self.random_chunk(&identity),
                4 => self.ask(0x04, &identity.digest),
                5 => self.restart(),
                6 => self.close(&identity),
                7 => self.read(&identity),
                8 => self.ask(0x08, &[]),
                9 => self.ask(0x09, &[]),
                10 => {
                    let (algorithm, number) = (self.dice.below(8).min(2), self.dice.below(2));
                    let algorithm = u8::from(algorithm > 0) * if algorithm == 1 { 2 } else { 1 };
                    self.ask(0x0b, &[algorithm, number as u8, 0, 0, 0]);
                }
                11 => {
                    let offset = self.dice.pick(&[0, 1, 100, 255, 256]) as u16;
                    let [low, high] = offset.to_le_bytes();
                    let most = self.dice.pick(&[0, 1, 40, 255]) as u8;
                    self.ask(0x0c, &[low, high, 0, 0, most, 0]);
                }
                _ => self.any_request(),
            }
        }
    }

    fn any_request(&mut self) {
        let kind = self.dice.next() as u8 & if self.dice.one_in(4) { 0xff } else { 0x0f };
        let length = self.dice.pick(&[0, 1, 2, 4, 5, 6, 7, 31, 32, 33, 36, 37, 40, 43, 46, 52, 55]);
        let mut body = self.dice.bytes(length);
        if self.dice.one_in(2) {
            body.iter_mut().for_each(|byte| *byte &= 3);
        }
        self.ask(kind, &body);
    }

    fn begin_with_any_table(&mut self) {
        let count = self.dice.below(8);
        let mut objects = Vec::new();
        for place in 0..count {
            let usual =
                [(1, 32), (3, 30), (4, 30), (5, 30), (6, 30), (7, 1), (8, 1), (9, 1)][place];
            let length =
                self.dice.pick(&[0, 1, 8, 9, 32, 65, 138, self.all.longest_settings, 325, 65535]);
            let kind = self.dice.below(9) as u8;
            objects.push(match self.dice.below(8) {
                0 => (kind, usual.1),
                1 => (usual.0, length),
                _ => usual,
            });
        }
        let mut body = Identity { objects, image: Vec::new(), digest: [9; 32] }.begin();
        let sum: u32 =
            body[37..].chunks(3).map(|o| u32::from(u16::from_le_bytes([o[1], o[2]]))).sum();
        let total = sum.wrapping_add(u32::from(self.dice.one_in(8)));
        body[..4].copy_from_slice(&total.to_le_bytes());
        if self.dice.one_in(12) {
            body[36] = self.dice.next() as u8;
        }
        self.ask(0x02, &body);
    }

    fn noise(&mut self) {
        let length = self.dice.pick(&[1, 3, 12, 40, 300, 1021, 1022, 1023, 1100, 2100]);
        let mut bytes = self.dice.bytes(length);
        if self.dice.one_in(2) {
            bytes.iter_mut().for_each(|byte| *byte |= u8::from(*byte == 0));
        }
        self.ops.push(Op::Receive(bytes));
        if self.dice.one_in(2) {
            self.ops.push(Op::Receive(vec![0]));
        }
    }

    /// Bodies and blocks at the sizes where receivers go wrong.
    fn boundaries(&mut self) {
        let length = self
            .dice
            .pick(&[0, 241, 242, 243, 253, 496, 750, 997, 1000, 1001, 1004, 1005, 1006, 1010]);
        let fill = self.dice.pick(&[0_u8, 1, 0x55, 0xff]);
        let mut body = vec![fill; length];
        if self.dice.one_in(2) && length > 0 {
            let at = self.dice.below(length);
            body[at] = 0;
        }
        let kind = self.dice.pick(&[0x03, 0x05, 0x7f, 0x01]);
        self.ask(kind, &body);
    }

    fn damage_storage(&mut self) {
        let place = self.dice.pick(&[0, 0, 0, 1, 1, 1, 2]);
        let offset = if self.dice.one_in(2) { self.dice.below(96) } else { self.dice.below(608) };
        let mask = 1 << self.dice.below(8);
        self.ops.push(Op::Flip(place, offset as u16, mask));
    }

    fn break_flash(&mut self) {
        use Fault::{FailsDone, FailsUndone, Forgets, LockReadFails, PowerCut, ReadsFail};
        let all = [
            FailsUndone,
            FailsDone,
            PowerCut,
            PowerCut,
            PowerCut,
            Forgets,
            ReadsFail,
            LockReadFails,
        ];
        let how = self.dice.pick(&all);
        let done = match how {
            ReadsFail => self.dice.below(2),
            _ => self.dice.pick(&[0, 1, 31, 91, 92, 95, 96, 97, 200, 607, 608, 65535]),
        };
        let garbage = self.dice.pick(&[0xff, 0x00, 0xa5]);
        let after = self.dice.below(9) as u16;
        self.ops.push(Op::Fault(ComingFault { how, after, done: done as u16, garbage }));
    }

    /// Sends a request, now and then spoilt.
    fn ask(&mut self, kind: u8, body: &[u8]) {
        self.seq = self.seq.wrapping_add(1);
        let head = Head { version: 1, kind, seq: self.seq, session: self.session };
        if self.dice.one_in(10) {
            self.ask_spoilt(head, body.to_vec());
        } else {
            self.receive(frame(head, body));
        }
    }

    fn receive(&mut self, bytes: Vec<u8>) {
        if self.dice.one_in(16) && bytes.len() > 1 {
            let at = 1 + self.dice.below(bytes.len() - 1);
            self.ops.push(Op::Receive(bytes[..at].to_vec()));
            self.ops.push(Op::Receive(bytes[at..].to_vec()));
        } else {
            self.ops.push(Op::Receive(bytes));
        }
    }

    fn ask_spoilt(&mut self, mut head: Head, mut body: Vec<u8>) {
        match self.dice.below(8) {
            0 => head.session = self.dice.pick(&[0, 1, head.session ^ 0x100]),
            1 => head.version = self.dice.pick(&[0, 2, 255]),
            2 => head.kind = self.dice.next() as u8,
            3 => body.push(self.dice.next() as u8),
            4 => body.truncate(body.len().saturating_sub(1)),
            5 if !body.is_empty() => {
                let at = self.dice.below(body.len());
                body[at] ^= 1 << self.dice.below(8);
            }
            _ => return self.receive_spoilt(raw_frame(head, &body)),
        }
        self.receive(frame(head, &body));
    }

    /// Damage to the frame and not to what it says.
    fn receive_spoilt(&mut self, mut raw: Vec<u8>) {
        let sound = delimited(&stuff(&raw));
        let bytes = match self.dice.below(9) {
            0 => [sound.clone(), sound].concat(),
            1 => sound[..self.dice.below(sound.len())].to_vec(),
            2 => sound[1 + self.dice.below(sound.len() - 1)..].to_vec(),
            3 => [sound, vec![0; 3]].concat(),
            4 => [b"booting...\r\n".to_vec(), sound].concat(),
            5 => delimited(&[stuff(&raw), vec![1]].concat()),
            6 => {
                let last = raw.len() - 1;
                raw[last] ^= 0x80;
                delimited(&stuff(&raw))
            }
            7 => {
                raw.truncate(self.dice.below(raw.len()));
                delimited(&stuff(&raw))
            }
            _ => {
                let mut flipped = sound;
                let at = self.dice.below(flipped.len());
                flipped[at] ^= 1 << self.dice.below(8);
                flipped
            }
        };
        self.receive(bytes);
    }
}
