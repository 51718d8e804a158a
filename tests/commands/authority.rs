//! The CA: made, shown, checked and written out; each way in which it can't be used.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;

use crate::station::{PASSPHRASE, Run, Station, openssl};

/// A station with a CA.
fn with_ca() -> Station {
    let station = Station::new();
    station.ok("authority init --common-name 'Line 1 CA'");
    station
}

/// Has OpenSSL issue another certificate for the CA's own key, with these extensions.
fn reissue(station: &Station, extensions: &str, days: &str) {
    station.write("extensions", extensions);
    let pass = format!("-passin 'pass:{PASSPHRASE}'");
    let request = format!("req -new -key ca.key {pass} -subj /CN=other -out ca.csr");
    let issue = format!(
        "x509 -req -in ca.csr -key ca.key {pass} -days {days} -extfile extensions -out ca.pem"
    );
    for line in [request, issue] {
        let run = openssl(&station.path("."), &line);
        assert_eq!(run.status, 0, "{line}: {run:?}");
    }
}

const CA_EXTENSIONS: &str = "basicConstraints=critical,CA:TRUE,pathlen:0\n\
    keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n";

#[test]
fn init_makes_a_ca_that_openssl_takes_and_a_key_that_is_encrypted() {
    let station = with_ca();
    let verified = openssl(&station.path("."), "verify -x509_strict -CAfile ca.pem ca.pem");
    assert_eq!(verified.status, 0, "{verified:?}");
    let key = fs::read_to_string(station.path("ca.key")).unwrap();
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let mode = fs::metadata(station.path("ca.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn init_never_overwrites() {
    let station = with_ca();
    let before = fs::read(station.path("ca.key")).unwrap();
    station.fails("authority init", "E-CA-EXISTS", 7);
    fs::remove_file(station.path("ca.pem")).unwrap();
    station.fails("authority init", "E-CA-EXISTS", 7);
    assert_eq!(fs::read(station.path("ca.key")).unwrap(), before);
}

#[test]
fn init_makes_a_ca_that_serves_a_profile_without_end() {
    let station = Station::with("\"20y\"", "\"no-expiry\"");
    let shown = station.ok("authority init --json").json_line();
    assert_eq!(shown["not_after"], "9999-12-31T23:59:59.000Z");
    station.ok("authority check");
    station.ok("config check");
}

#[test]
fn show_tells_what_the_contract_names() {
    let station = with_ca();
    let shown = station.ok("authority show --json").json_line();
    assert_eq!(shown["subject"], "CN=Line 1 CA");
    assert_eq!(shown["key"], "file");
    assert!(shown["chain_pem"].is_null() && shown["ca_sn"].is_null());
    assert_eq!(shown["certificate_pem"], fs::read_to_string(station.path("ca.pem")).unwrap());
    assert_eq!(shown["fingerprint_sha256"].as_str().unwrap().len(), 64);
    for time in ["not_before", "not_after"] {
        assert!(shown[time].as_str().unwrap().ends_with('Z'), "{shown}");
    }
}

#[test]
fn export_writes_the_certificate_and_never_over_a_file() {
    let station = with_ca();
    let pem = fs::read_to_string(station.path("ca.pem")).unwrap();
    assert_eq!(station.ok("authority export").stdout, pem);
    station.ok("authority export --out console.pem");
    assert_eq!(fs::read_to_string(station.path("console.pem")).unwrap(), pem);
    station.fails("authority export --out ca.key", "E-OUTPUT", 1);
    station.ok("authority check");
}

#[test]
fn a_ca_that_is_not_there_is_told() {
    let station = Station::new();
    for line in ["authority show", "authority check", "authority export"] {
        station.fails(line, "E-CA-MISSING", 7).says("station authority init");
    }
}

#[test]
fn a_wrong_passphrase_is_told_and_not_printed() {
    let station = with_ca();
    let mut command = station.command("authority check");
    let run = Run::of(command.env("STATION_AUTHORITY_PASSPHRASE", "mellon"));
    let run = run.failed("E-CA-PASSPHRASE", 7);
    assert!(!run.stderr.contains("mellon"), "{run:?}");
}

#[test]
fn no_passphrase_names_all_the_ways_to_give_it() {
    let station = with_ca();
    let run = Run::of(&mut station.command("authority check")).failed("E-SECRET-MISSING", 7);
    run.says("STATION_AUTHORITY_PASSPHRASE").says("passphrase_file").says("credential");
}

#[test]
fn a_passphrase_comes_from_a_private_file_or_a_credential() {
    let station = with_ca();
    station.change("key = \"ca.key\"", "key = \"ca.key\"\npassphrase_file = \"secret\"");
    station.write("secret", &format!("{PASSPHRASE}\n"));
    assert_eq!(Run::of(&mut station.command("authority check")).status, 0);

    fs::set_permissions(station.path("secret"), fs::Permissions::from_mode(0o640)).unwrap();
    let run = Run::of(&mut station.command("authority check"));
    run.failed("E-SECRET-MODE", 7).says("640");

    station.change("\npassphrase_file = \"secret\"", "");
    station.write("station_authority_passphrase", PASSPHRASE);
    let mut command = station.command("authority check");
    assert_eq!(Run::of(command.env("CREDENTIALS_DIRECTORY", station.path("."))).status, 0);
}

#[test]
fn a_key_in_clear_is_refused() {
    let station = with_ca();
    let line = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca.key";
    assert_eq!(openssl(&station.path("."), line).status, 0);
    station.fails("authority check", "E-CA-KEY", 7);
}

#[test]
fn a_certificate_that_is_no_ca_is_refused() {
    let station = with_ca();
    reissue(&station, "basicConstraints=CA:FALSE\n", "20000");
    station.fails("authority check", "E-CA-PROFILE", 7);
}

#[test]
fn a_key_of_another_ca_is_refused() {
    let station = with_ca();
    fs::rename(station.path("ca.pem"), station.path("first.pem")).unwrap();
    fs::remove_file(station.path("ca.key")).unwrap();
    station.ok("authority init");
    fs::rename(station.path("first.pem"), station.path("ca.pem")).unwrap();
    station.fails("authority check", "E-CA-MISMATCH", 7);
}

#[test]
fn a_ca_that_has_expired_is_refused() {
    let station = with_ca();
    reissue(&station, CA_EXTENSIONS, "-1");
    station.fails("authority check", "E-CA-EXPIRED", 7);
}

#[test]
fn a_profile_beyond_the_ca_is_refused_wherever_it_is_looked_at() {
    let station = Station::new();
    station.ok("authority init --days 365");
    station.fails("authority check", "E-CA-TOO-SHORT", 7);
    station.fails("config check", "E-CA-TOO-SHORT", 7);
    station.change("\"20y\"", "\"364d\"");
    station.ok("authority check");
    station.ok("config check");
}

/// The CA's key, with other bytes where these stand in its DER.
fn patch_key(station: &Station, was: &[u8], becomes: &[u8]) {
    let pem = fs::read_to_string(station.path("ca.key")).unwrap();
    let lines: Vec<&str> = pem.lines().collect();
    let mut der = STANDARD.decode(lines[1..lines.len() - 1].concat()).unwrap();
    let at = der.windows(was.len()).position(|part| part == was).unwrap();
    der[at..at + was.len()].copy_from_slice(becomes);
    let body = STANDARD.encode(der);
    let mut pem = lines[0].to_owned();
    for line in body.as_bytes().chunks(64) {
        pem = format!("{pem}\n{}", std::str::from_utf8(line).unwrap());
    }
    fs::write(station.path("ca.key"), format!("{pem}\n{}\n", lines[lines.len() - 1])).unwrap();
}

#[test]
fn a_key_that_takes_too_long_to_try_is_refused_before_it_is_tried() {
    let station = with_ca();
    // INTEGER r = 8 and p = 5 of scrypt; then 127 of each, which is minutes.
    patch_key(&station, &[2, 1, 8, 2, 1, 5], &[2, 1, 127, 2, 1, 127]);
    station.fails("authority check", "E-CA-KEY", 7).says("takes too long to try");
}

#[test]
fn a_key_that_takes_more_memory_than_there_is_is_told_and_ends_nothing() {
    let station = with_ca();
    // 254 MiB of it, which is taken where it can be had.
    patch_key(&station, &[2, 1, 8, 2, 1, 5], &[2, 1, 127, 2, 1, 1]);
    let inner = station.command("authority check");
    let words: Vec<_> = inner.get_args().map(|word| word.to_string_lossy()).collect();
    let program = inner.get_program().to_string_lossy();
    let script = format!("ulimit -v 260000; exec {program} {}", words.join(" "));
    let mut shell = std::process::Command::new("sh");
    shell.current_dir(station.path(".")).args(["-c", &script]).env_remove("STATION_CONFIG");
    let run = Run::of(shell.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE));
    run.failed("E-SHORTAGE", 1).says("254 MiB of memory");
}
