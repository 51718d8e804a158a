//! Places for those who come in from a network: so many in all, so many from one address.
//!
//! Every listener of the station has them, so that nobody who connects can keep everybody
//! else out, or have a thread made for each connection that he can open.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Places that are taken and given back.
#[derive(Debug, Clone)]
pub struct Places {
    all: usize,
    from_one: usize,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One place; it is given back when this is dropped.
#[derive(Debug)]
pub struct Place {
    from: IpAddr,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Places {
    /// `all` places, of which one address may hold `from_one`.
    pub fn new(all: usize, from_one: usize) -> Self {
        Self { all, from_one, taken: Arc::default() }
    }

    /// A place for somebody at this address, where there is one.
    pub fn take(&self, address: IpAddr) -> Option<Place> {
        let from = network(address);
        let mut taken = lock(&self.taken);
        if taken.values().sum::<usize>() >= self.all {
            return None;
        }
        let own = taken.entry(from).or_default();
        if *own >= self.from_one {
            return None;
        }
        *own += 1;
        Some(Place { from, taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        let left = taken.get(&self.from).map_or(0, |own| own.saturating_sub(1));
        match left {
            0 => drop(taken.remove(&self.from)),
            _ => drop(taken.insert(self.from, left)),
        }
    }
}

fn lock(taken: &Mutex<HashMap<IpAddr, usize>>) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whom an address stands for: one host has a whole /64 of IPv6 to choose from.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_can_not_take_all_places() {
        let places = Places::new(4, 2);
        let held: Vec<Place> = (0..2).filter_map(|_| places.take(at("10.0.0.1"))).collect();
        assert_eq!(held.len(), 2);
        assert!(places.take(at("10.0.0.1")).is_none());
        assert!(places.take(at("::ffff:10.0.0.1")).is_none(), "the same address, written as IPv6");
        let other = places.take(at("10.0.0.2"));
        assert!(other.is_some());
        drop(held);
        assert!(places.take(at("10.0.0.1")).is_some());
    }

    #[test]
    fn there_are_no_more_places_than_there_are() {
        let places = Places::new(3, 2);
        let hosts = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"];
        let held: Vec<Place> = hosts.iter().filter_map(|host| places.take(at(host))).collect();
        assert_eq!(held.len(), 3);
    }

    #[test]
    fn a_host_with_many_addresses_of_one_network_is_one_host() {
        let places = Places::new(9, 1);
        let _held = places.take(at("2001:db8:1:2::1"));
        assert!(places.take(at("2001:db8:1:2:ffff::9")).is_none());
        assert!(places.take(at("2001:db8:1:3::1")).is_some());
    }
}
