//! A network that drops, doubles, delays and cuts: a TCP proxy that does so by a seed.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// So long a piece is held back at most, where nobody else sends anything meanwhile.
const HELD: Duration = Duration::from_secs(2);

/// Where connections go on, and how far they come.
pub(crate) struct Proxy {
    pub(crate) url: String,
    to: Arc<Mutex<String>>,
    faults: Arc<Faults>,
}

/// What is done to connections, and how often it was.
#[derive(Default)]
struct Faults {
    seed: AtomicU64,
    /// Connections so far: one that is held back waits for others.
    came: Mutex<u64>,
    another: Condvar,
    done: [AtomicU64; 4],
}

/// One fault; its number is its place in what was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Dropped,
    Doubled,
    Delayed,
    Cut,
}

/// What becomes of one connection.
struct Fate {
    is_dropped: bool,
    /// Everything that is asked reaches the server a second time, over a connection of its own.
    is_doubled: bool,
    /// For how many other connections the first piece of a direction waits: upwards, downwards.
    delays: [u64; 2],
    /// After how many bytes a direction is cut.
    cuts: [usize; 2],
}

impl Fate {
    fn of(seed: u64) -> Self {
        let one_in = |bit: u64, many: u64| seed != 0 && dice(seed ^ bit).is_multiple_of(many);
        let delay = |bit| if one_in(bit, 6) { 1 + dice(seed ^ bit ^ 1) % 3 } else { 0 };
        let cut = |bit| match one_in(bit, 4) {
            true => (dice(seed ^ bit ^ 1) % 3_000) as usize,
            false => usize::MAX,
        };
        Self {
            is_dropped: one_in(0x100, 12),
            is_doubled: one_in(0x200, 4),
            delays: [delay(0x300), delay(0x400)],
            cuts: [cut(0x500), cut(0x600)],
        }
    }
}

impl Proxy {
    pub(crate) fn start(to: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let to = Arc::new(Mutex::new(to.to_owned()));
        let faults = Arc::new(Faults::default());
        let (target, shared) = (Arc::clone(&to), Arc::clone(&faults));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (target, faults) = (target.lock().unwrap().clone(), Arc::clone(&shared));
                let fate = Fate::of(faults.next());
                faults.one_more();
                thread::spawn(move || carry(&stream, &target, &fate, &faults));
            }
        });
        Self { url, to, faults }
    }

    /// Where it leads from now on.
    pub(crate) fn lead_to(&self, address: &str) {
        *self.to.lock().unwrap() = address.to_owned();
    }

    /// From now on connections break, by this seed; by 0 none does.
    pub(crate) fn break_by(&self, seed: u64) {
        self.faults.seed.store(seed, Ordering::SeqCst);
        self.faults.another.notify_all();
    }

    /// How often what was done: dropped, doubled, delayed, cut.
    pub(crate) fn done(&self) -> [u64; 4] {
        self.faults.done.each_ref().map(|count| count.load(Ordering::SeqCst))
    }
}

impl Faults {
    fn next(&self) -> u64 {
        let step = |seed: u64| (seed != 0).then(|| dice(seed).max(1));
        self.seed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).unwrap_or(0)
    }

    fn did(&self, fault: Fault) {
        self.done[fault as usize].fetch_add(1, Ordering::SeqCst);
    }

    fn one_more(&self) {
        *self.came.lock().unwrap() += 1;
        self.another.notify_all();
    }

    /// Until so many others came, or nobody did for a while, or nothing breaks any more.
    fn let_pass(&self, others: u64) {
        let came = self.came.lock().unwrap();
        let until = *came + others;
        let waits = |came: &mut u64| *came < until && self.seed.load(Ordering::SeqCst) != 0;
        drop(self.another.wait_timeout_while(came, HELD, waits).unwrap());
    }
}

/// The next number of a seed (splitmix64).
pub(crate) fn dice(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Carries both ways, as far as this connection's fate has it.
fn carry(client: &TcpStream, to: &str, fate: &Fate, faults: &Faults) {
    if fate.is_dropped {
        return faults.did(Fault::Dropped);
    }
    let Ok(server) = TcpStream::connect(to) else { return };
    let double = fate.is_doubled.then(|| TcpStream::connect(to).ok()).flatten();
    if let Some(double) = &double {
        faults.did(Fault::Doubled);
        swallow(double.try_clone().unwrap());
    }
    thread::scope(|scope| {
        let up = Way { delay: fate.delays[0], cut: fate.cuts[0], double, faults };
        let server = &server;
        scope.spawn(move || up.pass(client, server));
        let down = Way { delay: fate.delays[1], cut: fate.cuts[1], double: None, faults };
        down.pass(server, client);
    });
}

/// What is answered to what was doubled is nobody's.
fn swallow(mut from: TcpStream) {
    thread::spawn(move || std::io::copy(&mut from, &mut std::io::sink()));
}

/// One direction of a connection.
struct Way<'a> {
    delay: u64,
    cut: usize,
    double: Option<TcpStream>,
    faults: &'a Faults,
}

impl Way<'_> {
    fn pass(&self, mut from: &TcpStream, mut to: &TcpStream) {
        let mut buffer = [0; 4096];
        let mut passed = 0;
        while let Ok(count) = from.read(&mut buffer) {
            if passed == 0 && count > 0 && self.delay > 0 {
                self.faults.did(Fault::Delayed);
                self.faults.let_pass(self.delay);
            }
            if let Some(mut double) = self.double.as_ref() {
                // It may be gone: it is the one more that nobody needs.
                let _ = double.write_all(&buffer[..count]);
            }
            let whole = count;
            let count = count.min(self.cut - passed);
            if count < whole {
                self.faults.did(Fault::Cut);
            }
            if count == 0 || to.write_all(&buffer[..count]).is_err() {
                break;
            }
            passed += count;
        }
        let ends = [Some(from), Some(to), self.double.as_ref()];
        for (stream, how) in ends.into_iter().flatten().zip([
            Shutdown::Both,
            Shutdown::Both,
            // What was asked twice is answered in its own time.
            Shutdown::Write,
        ]) {
            // One that is closed already is what is wanted.
            let _ = stream.shutdown(how);
        }
    }
}
