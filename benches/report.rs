//! What a manager's questions cost on a large ledger: a day, a work order of 50,000 units, the
//! view's first page, a table of everything.
//!
//! `cargo bench --bench report` makes a ledger of a million units, 5,000 a day, which takes a
//! quarter of an hour; another number of units after `--`. `docs/performance.md` says what was
//! reached.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't run has nothing to report")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use provisioning_station::app::demo::Factory;
use provisioning_station::app::view::Shown;
use provisioning_station::app::{from_config, report_of};
use provisioning_station::config::Config;
use provisioning_station::domain::certificate::{Certificate, Proof};
use provisioning_station::domain::clock::{Clock, Now, Timestamp};
use provisioning_station::domain::code::Code;
use provisioning_station::domain::ids::{
    CertificateSn, Fingerprint, HardwareId, ImageDigest, PublicKey, Serial, WorkOrderId,
};
use provisioning_station::domain::label::CheckCharacter;
use provisioning_station::domain::person::Person;
use provisioning_station::domain::record::{
    AttemptRef, AuthoritySeen, Begun, End, Ended, Finished, Issued, ProvenRecord, Record, Step,
    WorkOrderCreated,
};
use provisioning_station::domain::work_order::WorkOrder;
use provisioning_station::ledger::Reader;
use provisioning_station::ledger::views::UnitFilter;
use provisioning_station::report::{self, Asked, Look, Place, Report};
use provisioning_station::text::Language;
use provisioning_station::view::{self, Content};
use sha2::{Digest, Sha256};

const UNITS: u32 = 1_000_000;
const OF_A_DAY: u32 = 5_000;
const OF_AN_ORDER: u32 = 50_000;

/// Units whose records are handed in before their ends are waited for.
const AT_ONCE: u32 = 100;

/// How often each thing is done; the median is told.
const ROUNDS: usize = 9;

/// A clock that stands where it was put.
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Now {
        let wall = Timestamp(self.0.load(Ordering::Relaxed));
        Now { monotonic: std::time::Duration::from_micros(wall.0.unsigned_abs()), wall }
    }
}

fn main() {
    let named = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let units = named.unwrap_or(UNITS);
    let factory = Factory::lay_out(None, 0, 1).unwrap();
    let config = Config::load(&factory.config(), None).unwrap();
    let begin = Timestamp::from_rfc3339("2025-01-06T00:00:00Z").unwrap();
    let hands = Arc::new(Hands(AtomicI64::new(begin.0)));
    let begun = Instant::now();
    make(&config, &hands, units);
    println!("{units} units made in {:.0} s", begun.elapsed().as_secs_f64());
    let reader = Reader::open(&config.station.data_dir, None).unwrap();
    let (house, now) = (report_of::factory(&config), hands.now().wall);
    let look = Look { language: Language::English, factory: &house, place: Place::File };
    let middle = house.zone.day_of(Timestamp(begin.0.midpoint(now.0)));
    let made = |asked: Asked| {
        let report = Report::make(asked, &house, &reader, now).unwrap();
        assert!(report.figures.stats.attempts.passed > 0, "a report of nothing costs nothing");
        report::html(&report, look).len()
    };
    time("report day", || made(report_of::of_day(middle, &house.zone)));
    time("report week", || made(report_of::of_week(middle, &house.zone)));
    let order = order(0);
    time("report work-order of 50,000 units", || {
        made(report_of::of_order(&reader, order.clone()).unwrap())
    });
    let shown = Shown::new(config.clone(), hands).unwrap();
    let first = view::Asked { path: Vec::new(), query: Vec::new() };
    time("the view's first page", || shown.page(&first).body.len());
    time("a page of 1,000 attempts of a table", || {
        reader.attempt_rows(&UnitFilter::default(), None, 1_000).unwrap().len()
    });
    let failed = UnitFilter { work_order: Some(order), ..UnitFilter::default() };
    time("a page of 1,000 attempts of a work order", || {
        reader.attempt_rows(&failed, None, 1_000).unwrap().len()
    });
}

fn time(name: &str, mut work: impl FnMut() -> usize) {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            std::hint::black_box(work());
            begun.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{name:<44} {:>8.3} s", times[ROUNDS / 2]);
}

fn make(config: &Config, hands: &Arc<Hands>, units: u32) {
    let clock: Arc<dyn Clock> = Arc::clone(hands) as Arc<dyn Clock>;
    let (ledger, _) = from_config::open_ledger(config, &clock).unwrap();
    let writer = ledger.writer();
    let issuer = Fingerprint::new(Sha256::digest([0]).into());
    writer
        .record(Record::AuthoritySeen(AuthoritySeen { fingerprint: issuer, der: "00".to_owned() }))
        .unwrap();
    for number in 0..units.div_ceil(OF_AN_ORDER) {
        let work_order = WorkOrder {
            id: order(number),
            product: config.product.name.clone(),
            quantity: OF_AN_ORDER,
            serial_pattern: None,
            serial_range: None,
            check_character: CheckCharacter::None,
            hardware_ids: Vec::new(),
            profile: config.profile_digest().unwrap(),
        };
        let by = Person { operator: None, uid: 0 };
        writer.record(Record::WorkOrderCreated(WorkOrderCreated { work_order, by })).unwrap();
    }
    let step = 86_400_000_000 / i64::from(OF_A_DAY) * i64::from(AT_ONCE);
    for first in (0..units).step_by(AT_ONCE as usize) {
        let numbers = first..units.min(first + AT_ONCE);
        let records = numbers.flat_map(|number| way_of(number, issuer));
        let tickets: Vec<_> = records.map(|record| writer.submit(record)).collect();
        for ticket in tickets {
            ticket.wait().unwrap();
        }
        hands.0.fetch_add(step, Ordering::Relaxed);
    }
}

fn order(number: u32) -> WorkOrderId {
    format!("WO-{number}").parse().unwrap()
}

/// The records of a unit: one in thirty fails.
fn way_of(number: u32, issuer: Fingerprint) -> Vec<Record> {
    let serial: Serial = format!("TH200-{number:08}").parse().unwrap();
    let certificate = made_up(number, issuer);
    let (sn, attempt) = (certificate.sn, AttemptRef { serial: serial.clone(), attempt: 1 });
    let begun = Begun {
        serial: serial.clone(),
        client_id: serial.as_str().parse().unwrap(),
        hardware: HardwareId::from_bytes(&[b"SIM-".as_slice(), &number.to_be_bytes()].concat())
            .unwrap(),
        model: "SIM-1".to_owned(),
        firmware: if number.is_multiple_of(5) { "1.1.0" } else { "1.0.0" }.to_owned(),
        certificate_sn: sn,
        slot: ["A", "B", "C", "D"][number as usize % 4].parse().unwrap(),
        product: Some("TH200".to_owned()),
        label: None,
        work_order: Some(order(number / OF_AN_ORDER)),
        grant: None,
        operator: Some(if number.is_multiple_of(2) { "p1" } else { "p2" }.parse().unwrap()),
    };
    let image = ImageDigest::new(Sha256::digest(sn.as_bytes()).into());
    let issued = Issued { attempt: attempt.clone(), certificate: Arc::new(certificate), image };
    let mut way = vec![Record::Begun(begun), Record::Issued(issued)];
    if number % 30 == 7 {
        let (step, code, message) = (Step::Write, Code::DevTimeout, "no answer".to_owned());
        let end = End::Failed { step, code, message };
        way.push(Record::Ended(Ended { attempt, end, void: true }));
        return way;
    }
    let (proof, restart) = (Proof::Possession, "command".to_owned());
    way.extend([
        Record::CommitAsked(attempt.clone()),
        Record::Proven(ProvenRecord { attempt: attempt.clone(), proof, restart }),
        Record::Finished(Finished { serial, certificate_sn: sn }),
        Record::Ended(Ended { attempt, end: End::Passed, void: false }),
    ]);
    way
}

/// No certificate: nobody looks into it here.
fn made_up(number: u32, issuer: Fingerprint) -> Certificate {
    let der: Arc<[u8]> = Arc::from(format!("no certificate, but number {number}").into_bytes());
    let (mut key, mut sn) = ([4; 65], [0x1f; 16]);
    key[61..].copy_from_slice(&number.to_be_bytes());
    sn[12..].copy_from_slice(&number.to_be_bytes());
    Certificate {
        sn: CertificateSn::from_bytes(&sn).unwrap(),
        fingerprint: Fingerprint::new(Sha256::digest(&der).into()),
        der,
        public_key: PublicKey::new(key),
        issuer,
        not_before: Timestamp(0),
        not_after: Timestamp::NO_EXPIRY,
    }
}
