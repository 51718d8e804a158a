//! How many identities a second one core makes: a device's key in the vault, its
//! certificate signed by a CA from a file, read back and verified, and the key wiped. Then
//! the same by a CA whose key is in a token, in turns with it, for each token that `ISSUE_TOKENS`
//! names: `NAME,MODULE,LABEL,PIN`, one a line. `benches/tokens` makes some and names them.
//!
//! `cargo bench --bench issue` prints the median of some rounds, and what each part of one
//! identity takes. It counts the time that this thread was on a core, so that what else
//! the machine does changes little; of tokens also the time on the clock, since some work in other
//! processes. `docs/performance.md` says what was reached and what limits it.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't run has nothing to report")]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use provisioning_station::domain::clock::Timestamp;
use provisioning_station::domain::ids::ClientId;
use provisioning_station::domain::lender::KeyLender;
use provisioning_station::pki::{
    Authority, AuthorityPlace, AuthorityRequest, CA_BACKDATE, IssueRequest, JournalKey, KeyPlace,
    Passphrase, Profile, TokenKey, ValidFor, init, make_key, random_sn,
};
use provisioning_station::vault::Vault;

const ROUNDS: usize = 9;
const EACH_ROUND: u32 = 5_000;

/// How long a round of a slow token may be.
const ROUND: Duration = Duration::from_millis(700);

struct Line {
    authority: Authority,
    profile: Profile,
    vault: Vault,
    client_id: ClientId,
    now: Timestamp,
}

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let line = open_line(directory.path());
    one_identity(&line);
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| f64::from(EACH_ROUND) / timed(|| one_identity(&line)).as_secs_f64())
        .collect();
    rates.sort_by(f64::total_cmp);
    let (least, median, most) = (rates[0], rates[ROUNDS / 2], rates[ROUNDS - 1]);
    println!("identities a second on one core: {median:.0} ({least:.0} to {most:.0})");
    print_parts(&line);
    for token in tokens() {
        print_ratio(&line, &token, directory.path());
    }
}

/// A token that has no key of the benchmark's yet.
struct Token {
    name: String,
    key: TokenKey,
    pin: String,
}

fn tokens() -> Vec<Token> {
    let named = std::env::var("ISSUE_TOKENS").unwrap_or_default();
    let token = |line: &str| {
        let words: Vec<&str> = line.split(',').map(str::trim).collect();
        let [name, module, label, pin] = words[..] else { panic!("no token: {line}") };
        let (token, key) = (label.to_owned(), Some("benchmark".to_owned()));
        let key = TokenKey { module: module.into(), token, serial: None, label: key, id: None };
        Token { name: name.to_owned(), key, pin: pin.to_owned() }
    };
    named.lines().filter(|line| !line.trim().is_empty()).map(token).collect()
}

/// A line whose CA is in a token, where it was made if it is not there yet.
fn line_in(token: &Token, directory: &Path) -> Line {
    let certificate = directory.join(format!("{}.pem", token.key.token));
    line_of(
        &AuthorityPlace { certificate, key: KeyPlace::Token(token.key.clone()), chain: None },
        &token.pin,
    )
}

/// Rounds of both in turns, so that what else the machine does falls on both alike.
fn print_ratio(file: &Line, token: &Token, directory: &Path) {
    let name = &token.name;
    let token = line_in(token, directory);
    let begun = Instant::now();
    (0..5).for_each(|_| one_identity(&token));
    let each_round = (ROUND.as_secs_f64() * 5.0 / begun.elapsed().as_secs_f64()) as u32;
    let each_round = each_round.clamp(10, EACH_ROUND);
    let (mut on_core, mut on_clock) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let in_file = took(each_round, || one_identity(file));
        let in_token = took(each_round, || one_identity(&token));
        on_core.push(in_file.0.as_secs_f64() / in_token.0.as_secs_f64());
        on_clock.push(in_file.1.as_secs_f64() / in_token.1.as_secs_f64());
    }
    println!(
        "by {name}, {each_round} a round: {} of a file's on the core, {} by the clock",
        spread(on_core),
        spread(on_clock)
    );
}

/// The median, and the least and the most.
fn spread(mut ratios: Vec<f64>) -> String {
    ratios.sort_by(f64::total_cmp);
    let (least, median, most) = (ratios[0], ratios[ROUNDS / 2], ratios[ROUNDS - 1]);
    format!("{median:.3} ({least:.3} to {most:.3})")
}

fn open_line(directory: &Path) -> Line {
    let files = AuthorityPlace {
        certificate: directory.join("ca.pem"),
        key: KeyPlace::File(directory.join("ca.key")),
        chain: None,
    };
    let line = line_of(&files, "benchmark");
    print_journal_key(directory);
    line
}

/// Makes a CA, opens it, and tells how long that took.
fn line_of(place: &AuthorityPlace, secret: &str) -> Line {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = Timestamp(i64::try_from(now.as_micros()).unwrap());
    let secret = Passphrase::new(secret.to_owned()).unwrap();
    let profile =
        Profile::new(Some("Acme".into()), Some("TH".into()), ValidFor::Years(20), CA_BACKDATE / 2)
            .unwrap();
    let valid_for = profile.valid_for().of_its_authority();
    let common_name = "Benchmark CA".to_owned();
    let request = AuthorityRequest { common_name, valid_for, backdate: CA_BACKDATE, now };
    if !place.certificate.exists() {
        init(place, &secret, &request).unwrap();
    }
    let start = time_on_core();
    let authority = Authority::load(place, &secret).unwrap();
    let kind = place.key.kind();
    println!("opening the authority ({kind}): {} ms", (time_on_core() - start).as_millis());
    let client_id = "TH200-00000001".parse().unwrap();
    Line { authority, profile, vault: Vault::new(64).unwrap(), client_id, now }
}

/// Every command that writes to the ledger waits for this.
fn print_journal_key(directory: &Path) {
    let secret = Passphrase::new("5f".repeat(32)).unwrap();
    let path = directory.join("journal.key");
    JournalKey::load_or_create(&path, &secret).unwrap();
    let start = time_on_core();
    (0..20).for_each(|_| assert!(JournalKey::load(&path, &secret).unwrap().is_some()));
    println!("opening the journal key: {} ms", (time_on_core() - start).as_millis() / 20);
}

/// What the line does for each unit, without the device and the ledger.
fn one_identity(line: &Line) {
    let (key, public_key) = line.vault.make_key_by(&make_key).unwrap();
    let request = IssueRequest {
        public_key,
        client_id: line.client_id.clone(),
        sn: random_sn().unwrap(),
        now: line.now,
    };
    black_box(line.authority.issue(&request, &line.profile).unwrap());
    line.vault.forget(key);
}

fn print_parts(line: &Line) {
    let (key, public_key) = line.vault.make_key_by(&make_key).unwrap();
    let client_id = line.client_id.clone();
    let request = IssueRequest { public_key, client_id, sn: random_sn().unwrap(), now: line.now };
    let made_and_wiped = || line.vault.forget(line.vault.make_key_by(&make_key).unwrap().0);
    print_part("a key made and wiped", timed(made_and_wiped));
    let issued = || drop(black_box(line.authority.issue(&request, &line.profile).unwrap()));
    print_part("a certificate signed, read back and verified", timed(issued));
    print_part("a key lent", timed(|| line.vault.lend(key, &mut |_, _| ()).unwrap()));
}

fn print_part(name: &str, whole: Duration) {
    println!("  {name}: {:.1} µs", whole.as_secs_f64() * 1e6 / f64::from(EACH_ROUND));
}

fn timed(work: impl FnMut()) -> Duration {
    took(EACH_ROUND, work).0
}

/// What it takes on the core and on the clock.
fn took(times: u32, mut work: impl FnMut()) -> (Duration, Duration) {
    let (start, begun) = (time_on_core(), Instant::now());
    (0..times).for_each(|_| work());
    (time_on_core() - start, begun.elapsed())
}

/// How long this thread has been running; the kernel counts it in nanoseconds.
fn time_on_core() -> Duration {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(counted.split(' ').next().unwrap().parse().unwrap())
}
