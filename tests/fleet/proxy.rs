//! A network that cuts, delays and drops: a TCP proxy that does so by a seed.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Where connections go on, and how far they come.
pub(crate) struct Proxy {
    pub(crate) url: String,
    to: Arc<Mutex<String>>,
    faults: Arc<AtomicU64>,
}

impl Proxy {
    pub(crate) fn start(to: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let to = Arc::new(Mutex::new(to.to_owned()));
        let faults = Arc::new(AtomicU64::new(0));
        let (target, seed) = (Arc::clone(&to), Arc::clone(&faults));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (target, seed) = (target.lock().unwrap().clone(), next(&seed));
                thread::spawn(move || carry(&stream, &target, seed));
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
        self.faults.store(seed, Ordering::SeqCst);
    }
}

fn next(seed: &AtomicU64) -> u64 {
    let step = |seed: u64| (seed != 0).then(|| dice(seed).max(1));
    seed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).unwrap_or(0)
}

/// The next number of a seed (splitmix64).
pub(crate) fn dice(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Carries both ways; by an odd seed one of them is cut after so many bytes.
fn carry(client: &TcpStream, to: &str, seed: u64) {
    let Ok(server) = TcpStream::connect(to) else { return };
    let cut = |bit: u64| match seed >> bit & 3 {
        1 => (dice(seed ^ bit) % 3_000) as usize,
        _ => usize::MAX,
    };
    let (up, down) = (cut(8), cut(16));
    let other = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let upwards = thread::spawn(move || pass(&other.0, &other.1, up));
    pass(&server, client, down);
    let _ = upwards.join();
}

fn pass(mut from: &TcpStream, mut to: &TcpStream, most: usize) {
    let mut buffer = [0; 4096];
    let mut passed = 0;
    while let Ok(count) = from.read(&mut buffer) {
        let count = count.min(most - passed);
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
        passed += count;
    }
    for stream in [from, to] {
        // One that is closed already is what is wanted.
        let _ = stream.shutdown(Shutdown::Both);
    }
}
