//! Stations over a clock that is moved by hand: what they ask is on its way for a while, what they
//! are told comes late or never, and some vanish.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const LIMIT: u32 = 15;
const SECOND: i64 = 1_000_000;

/// What a station used, and when: by its own clock, which goes as the fleet's does.
#[derive(Debug, Clone, Copy)]
struct Use {
    rate: u32,
    from: i64,
    until: i64,
}

/// A station, as `sync::share` behaves.
#[derive(Debug, Default)]
struct Station {
    uses: Vec<Use>,
    has: Option<i64>,
    /// The question that it waits for the answer of.
    awaits: u64,
}

impl Station {
    fn lets_go(&mut self, now: i64) {
        for earlier in &mut self.uses {
            earlier.until = earlier.until.min(now);
        }
    }

    /// When its calls came to the cloud, had it as many as it might: as `cloud::pace` spreads
    /// them. Each waits for nothing, for a moment, or long, as `idle` has it; and each is a little
    /// on its way.
    fn calls(&self, idle: &[i64]) -> Vec<i64> {
        let (mut calls, mut last, mut ended) = (Vec::new(), i64::MIN / 2, i64::MIN);
        for used in self.uses.iter().filter(|used| used.rate > 0) {
            let apart = SECOND * 102 / 100 / i64::from(used.rate);
            // Who had none begins with a pause.
            last = if ended < used.from { last.max(used.from) } else { last };
            loop {
                let wait = idle.get(calls.len() % idle.len().max(1)).copied().unwrap_or(0);
                let at = (last + apart).max(used.from) + wait;
                if at >= used.until {
                    break;
                }
                last = at;
                calls.push(at + wait % 20_000);
            }
            ended = used.until;
        }
        calls
    }

    fn uses(&self, now: i64) -> u32 {
        self.uses.last().filter(|used| used.until > now).map_or(0, |used| used.rate)
    }
}

/// One question on its way.
#[derive(Debug, Clone, Copy)]
struct Way {
    station: u8,
    want: u32,
    has: Option<i64>,
    number: u64,
    asked: i64,
    /// How long the answer takes back; none where it is lost.
    back: Option<i64>,
}

#[derive(Debug)]
enum Happens {
    Asked(Way),
    Answered(Way, Given),
}

/// Who deals out, the stations, and what is under way between them.
#[derive(Default)]
struct Fleet {
    held: BTreeMap<u8, Held<u8>>,
    stations: BTreeMap<u8, Station>,
    under_way: BTreeMap<(i64, u64), Happens>,
    count: u64,
    now: i64,
}

impl Fleet {
    /// A station asks; its question takes so long, and the answer so long back.
    fn send(&mut self, station: u8, want: u32, there: i64, back: Option<i64>) {
        self.count += 1;
        let asks = self.stations.entry(station).or_default();
        asks.awaits = self.count;
        if want == 0 {
            asks.lets_go(self.now);
        }
        let (number, asked) = (self.count, self.now);
        let way = Way { station, want, has: asks.has, number, asked, back };
        self.under_way.insert((self.now + there, number), Happens::Asked(way));
    }

    /// A station that is started anew: what it had is gone with it.
    fn restart(&mut self, station: u8) {
        let before = self.stations.entry(station).or_default();
        before.lets_go(self.now);
        (before.has, before.awaits) = (None, 0);
    }

    /// Time goes on until then, and what is under way arrives.
    fn pass_until(&mut self, then: i64) {
        while let Some(next) = self.under_way.first_entry()
            && next.key().0 <= then
        {
            let ((at, _), happens) = next.remove_entry();
            self.now = at;
            match happens {
                Happens::Asked(way) => {
                    self.deal(way);
                }
                Happens::Answered(way, given) => self.answer(way, given),
            }
        }
        self.now = then;
    }

    fn deal(&mut self, way: Way) -> Dealt<u8> {
        let held: Vec<Held<u8>> = self.held.values().cloned().collect();
        let asked = (way.want, way.has);
        let dealt = divide(LIMIT, &held, &way.station, asked, Timestamp(self.now));
        let newest = dealt.held.newest;
        assert!(newest.rate <= way.want);
        assert!(dealt.held.earlier.len() <= LIMIT as usize, "{dealt:?}");
        self.held.insert(way.station, dealt.held.clone());
        if let Some(back) = way.back {
            let arrives = Happens::Answered(way, newest);
            self.under_way.insert((self.now + back, way.number), arrives);
        }
        dealt
    }

    fn answer(&mut self, way: Way, given: Given) {
        let station = self.stations.get_mut(&way.station).unwrap();
        // Whoever asked again, or lets go, hears no answer to what was before.
        if station.awaits != way.number || way.want == 0 {
            return;
        }
        station.has = Some(given.until.0);
        station.lets_go(self.now);
        let until = way.asked + i64::try_from(TERM.as_micros()).unwrap();
        station.uses.push(Use { rate: given.rate, from: self.now, until });
    }

    /// Asks and is answered at once; gives what is used then, and after how long it asks again.
    fn ask(&mut self, station: u8, want: u32) -> (u32, Duration) {
        self.send(station, want, 0, None);
        let Some((_, Happens::Asked(way))) = self.under_way.pop_last() else { panic!("it asked") };
        let dealt = self.deal(way);
        self.answer(way, dealt.held.newest);
        (self.stations[&station].uses(self.now), dealt.again)
    }

    fn sum(&self) -> u32 {
        self.stations.values().map(|station| station.uses(self.now)).sum()
    }

    /// The most calls of all together within any second.
    fn most(&self, idle: &[i64]) -> u32 {
        let all = self.stations.values().flat_map(|station| station.calls(idle));
        let mut all: Vec<i64> = all.collect();
        all.sort_unstable();
        let within =
            |(first, at): (usize, &i64)| all[first..].partition_point(|other| *other < at + SECOND);
        u32::try_from(all.iter().enumerate().map(within).max().unwrap_or(0)).unwrap()
    }
}

/// Steps of a run, 50 ms each.
const STEP: i64 = SECOND / 20;

/// Stations that sync at once, each with so many registrations to make.
struct Syncs {
    fleet: Fleet,
    left: BTreeMap<u8, f64>,
    next: BTreeMap<u8, i64>,
}

impl Syncs {
    fn of(left: &[f64]) -> Self {
        let left: BTreeMap<u8, f64> = (0..).zip(left.iter().copied()).collect();
        let next = left.keys().map(|station| (*station, 0)).collect();
        Self { fleet: Fleet::default(), left, next }
    }

    /// One step: who is due asks, who is done lets go; gives what was made in it.
    fn step(&mut self) -> f64 {
        let stations: Vec<u8> = self.left.keys().copied().collect();
        for station in stations {
            let open = self.left[&station].ceil().min(f64::from(LIMIT)) as u32;
            // What it has it keeps until it is done.
            let has = self.fleet.stations.get(&station);
            let want = open.max(has.map_or(0, |has| has.uses(self.fleet.now)));
            if open == 0 {
                self.left.remove(&station);
                self.fleet.ask(station, 0);
            } else if self.next[&station] <= self.fleet.now {
                let (_, again) = self.fleet.ask(station, want);
                let again = self.fleet.now + i64::try_from(again.as_micros()).unwrap();
                self.next.insert(station, again);
            }
        }
        let mut made = 0.0;
        for (station, left) in &mut self.left {
            // Calls are spread a little more slowly than the rate.
            let rate = f64::from(self.fleet.stations[station].uses(self.fleet.now)) / 1.02;
            let one = (rate * STEP as f64 / SECOND as f64).min(*left);
            *left -= one;
            made += one;
        }
        self.fleet.now += STEP;
        made
    }

    fn go(&mut self, steps: u32) -> f64 {
        (0..steps).map(|_| self.step()).sum()
    }

    /// Vanishes with what it has.
    fn kill(&mut self, station: u8) {
        self.left.remove(&station);
        let killed = self.fleet.stations.get_mut(&station).unwrap();
        killed.lets_go(self.fleet.now);
    }
}

#[test]
fn five_stations_reach_nearly_the_limit_until_the_last_is_done_also_when_one_is_killed() {
    let mut syncs = Syncs::of(&[500.0; 5]);
    let mut made = syncs.go(40);
    syncs.kill(4);
    while !syncs.left.is_empty() {
        made += syncs.step();
    }
    let share = made / (f64::from(LIMIT) * syncs.fleet.now as f64 / SECOND as f64);
    assert!(share >= 0.95, "{share}");
    assert!(syncs.fleet.most(&[]) <= LIMIT);
}

#[test]
fn one_station_has_all_of_it_and_a_second_one_half_within_seconds() {
    let mut syncs = Syncs::of(&[1e6; 2]);
    let second = syncs.left.remove(&1).unwrap();
    syncs.go(100);
    assert_eq!(syncs.fleet.sum(), LIMIT);
    syncs.left.insert(1, second);
    syncs.go(100);
    let [one, two] = [0, 1].map(|station| syncs.fleet.stations[&station].uses(syncs.fleet.now));
    assert_eq!(one + two, LIMIT);
    assert_eq!(one.abs_diff(two), 1, "{one} {two}");
}

#[test]
fn what_one_does_not_want_goes_to_the_others() {
    let mut fleet = Fleet::default();
    assert_eq!(fleet.ask(1, 2).0, 2);
    assert_eq!(fleet.ask(2, 15).0, 13);
}

#[test]
fn what_a_station_lets_go_of_is_another_s_as_the_second_that_the_cloud_counts_goes_by() {
    let ms = |ms: i64| ms * 1_000;
    let mut fleet = Fleet::default();
    assert_eq!(fleet.ask(1, 15), (15, AGAIN));
    assert_eq!(fleet.ask(2, 15), (0, SHORT));
    fleet.ask(1, 0);
    // It is told when it is worth to ask: what was sent may be on its way, and counts for a second.
    assert_eq!(fleet.ask(2, 15), (0, Duration::from_millis(200)));
    for (later, wanted) in [(166, 0), (1, 1), (83, 2), (350, 7), (400, 13), (99, 14), (1, 15)] {
        fleet.now += ms(later);
        assert_eq!(fleet.ask(2, 15).0, wanted, "at {}", fleet.now);
    }
}

#[test]
fn of_what_was_lowered_the_lower_rate_counts_on() {
    let now = Timestamp(100 * SECOND);
    let given = |rate, ago: i64| Given { rate, until: Timestamp(now.0 - ago * 1_000) };
    let held =
        |newest, earlier: &[Given]| Held { station: 1, want: 15, newest, earlier: earlier.into() };
    let table = [
        (given(3, -2_000), vec![], 3),
        (given(3, -2_000), vec![given(15, -500)], 15),
        // Half a second of 15 and half of 3, in whole calls.
        (given(3, -2_000), vec![given(15, 600)], 10),
        (given(3, -2_000), vec![given(15, 800), given(9, 400)], 10),
        (given(3, -2_000), vec![given(15, 1_100)], 3),
        (given(4, 350), vec![], 4),
        (given(4, 351), vec![], 3),
        (given(4, 1_099), vec![], 1),
        (given(4, 1_100), vec![], 0),
    ];
    for (newest, earlier, wanted) in table {
        assert_eq!(held(newest, &earlier).in_use(now), wanted, "{newest:?} {earlier:?}");
    }
}

#[test]
fn what_is_taken_from_a_station_is_another_s_only_when_it_has_heard_of_it() {
    let mut fleet = Fleet::default();
    fleet.ask(1, 15);
    fleet.ask(2, 15);
    // The answer that says less is lost.
    fleet.send(1, 15, 0, None);
    fleet.pass_until(2 * SECOND);
    assert_eq!(fleet.held[&1].newest.rate, 8);
    assert_eq!(fleet.ask(2, 15).0, 0, "the first one goes on with all of it");
    assert_eq!(fleet.ask(1, 15).0, 8);
    assert_eq!(fleet.ask(2, 15).0, 0);
    fleet.ask(1, 15);
    fleet.pass_until(4 * SECOND);
    assert_eq!(fleet.ask(2, 15).0, 7);
}

#[test]
fn a_clock_that_went_back_makes_no_share_longer() {
    let now = Timestamp(1_000 * SECOND);
    let ahead = Given::read(15, Timestamp(now.0 + 3_600 * SECOND), now);
    assert_eq!(ahead.until, after(now, TERM));
    let (right, until) = (Timestamp(now.0 + SECOND), Timestamp(now.0 + SECOND));
    assert_eq!(Given::read(15, right, now).until, until);
}

#[test]
fn more_stations_than_registrations_take_turns() {
    let mut syncs = Syncs::of(&[1e6; 20]);
    let mut had: BTreeMap<u8, u32> = BTreeMap::new();
    // Five are out at a time, and the next one a minute later.
    for _ in 0..20 * 60 * 7 {
        syncs.step();
        for station in 0..20 {
            *had.entry(station).or_default() +=
                syncs.fleet.stations[&station].uses(syncs.fleet.now);
        }
    }
    assert!(had.values().all(|sum| *sum > 0), "{had:?}");
    assert!(syncs.fleet.most(&[]) <= LIMIT);
}

/// What a station does next: it asks, lets go, or is started anew.
fn act() -> impl Strategy<Value = (u8, u32, i64, i64, Option<i64>, bool)> {
    (
        0_u8..6,
        prop_oneof![1 => Just(0_u32), 6 => 1_u32..20],
        prop_oneof![0_i64..300, 0_i64..3_000],
        prop_oneof![4 => 0_i64..50, 1 => 0_i64..9_000],
        prop_oneof![4 => (0_i64..50).prop_map(Some), 2 => (0_i64..9_000).prop_map(Some), 1 => Just(None)],
        prop::bool::weighted(0.05),
    )
}

proptest! {
    /// Whoever asks when, for how much, however late questions and answers are, whichever is lost
    /// and whoever vanishes: what is used within any second never adds up to more than the limit.
    #[test]
    fn what_is_in_use_is_never_more_than_the_limit(
        acts in prop::collection::vec(act(), 1..150),
        idle in prop::collection::vec(prop_oneof![2 => Just(0_i64), 1 => 0..20_000_i64, 1 => 0..600_000_i64], 1..20),
    ) {
        let mut fleet = Fleet::default();
        for (station, want, pause, there, back, restarts) in acts {
            fleet.pass_until(fleet.now + pause * 1_000);
            if restarts {
                fleet.restart(station);
            }
            fleet.send(station, want, there * 1_000, back.map(|ms| ms * 1_000));
        }
        fleet.pass_until(fleet.now + 20 * SECOND);
        for idle in [&[][..], &idle] {
            let most = fleet.most(idle);
            prop_assert!(most <= LIMIT, "{} {:?}", most, fleet.stations);
        }
    }

    /// Where all want something and ask again when they are told to, nothing lies idle for long.
    #[test]
    fn nothing_lies_idle_for_long(
        wants in prop::collection::vec(1_u32..20, 1..12),
        start in 0_i64..1_000,
    ) {
        let mut syncs = Syncs::of(&vec![1e9; wants.len()]);
        let stations: Vec<u8> = syncs.left.keys().copied().collect();
        syncs.fleet.now = start * SECOND;
        let mut idle = 0;
        let wanted = wants.iter().sum::<u32>().min(LIMIT);
        for _ in 0..60 * 20 {
            for station in &stations {
                if syncs.next[station] <= syncs.fleet.now {
                    let (_, again) = syncs.fleet.ask(*station, wants[usize::from(*station)]);
                    let again = syncs.fleet.now + i64::try_from(again.as_micros()).unwrap();
                    syncs.next.insert(*station, again);
                }
            }
            idle += wanted.saturating_sub(syncs.fleet.sum());
            syncs.fleet.now += STEP;
        }
        prop_assert!(syncs.fleet.most(&[]) <= LIMIT);
        prop_assert!(f64::from(idle) <= 0.05 * f64::from(wanted) * 60.0 * 20.0, "{}", idle);
    }
}
