//! The command line as a contract: names, defaults and what is refused.

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;

fn parse(line: &str) -> Result<Cli, ErrorKind> {
    let words = std::iter::once("station").chain(line.split_whitespace());
    Cli::try_parse_from(words).map_err(|error| error.kind())
}

#[test]
fn the_definitions_hold_together() {
    Cli::command().debug_assert();
}

#[test]
fn the_lines_of_the_contract_are_understood() {
    for line in [
        "demo --units 24 --slots 4 --headless --no-sync --dir d --json",
        "batch --serials - --work-order W --operator p1 --json",
        "batch --scanner /dev/ttyACM0",
        "--config x.toml --data-dir d batch --serials f",
        "batch --serials f --config x.toml --data-dir d",
        "authority init --common-name CN --days 30",
        "authority show --json",
        "authority check",
        "authority register",
        "authority export",
        "work-order create W --quantity 5 --serial-pattern A+ --serial-range 1..9 \
         --check-character luhn --hardware-ids f",
        "work-order list",
        "work-order show W",
        "work-order close W",
        "work-order accept-profile W --reason r --by s1",
        "operator add s1 --role supervisor --name N --pin-file f --by s2",
        "operator list --json",
        "operator disable p1 --erase-name --by s1",
        "operator reset-pin p1 --pin-file f --by s1",
        "operator reset-pin s1 --with-authority",
        "config schema",
        "unit show S",
        "unit list --state proven --work-order W",
        "unit list 1f3c --from 2026-01-05 --to 2026-01-06 --operator p1 --slot A \
         --code E-DEV-TIMEOUT --device a0b1",
        "unit void S --reason r --by s1",
        "unit rework S --reason r --new-device",
        "unit scrap S --reason r",
        "ledger verify --json",
        "ledger stats",
        "ledger stats --day today --shift night",
        "ledger check",
        "report shift --name night --date yesterday --format json",
        "report shift",
        "view --listen 127.0.0.1:0 --json",
        "metrics --textfile f",
        "report day --date 2026-01-05 --format csv --out f",
        "report week --from 2026-01-05 --to 2026-01-06 --language zh-CN",
        "report work-order W --format html",
        "report unit S",
        "report work-order W --certificate-of-conformity --bundle f --out g",
        "report verify f --ca g",
        "export --format csv --out f --work-order W --all",
        "export attempts --format csv",
        "export attempts --format csv --bom --out f --from 2026-01-05 --slot A --state proven",
        "export units --format ndjson --work-order W",
        "ledger backup f",
        "ledger restore f",
        "ports",
        "sim device --link p --state d --baud 0 --units 3 --fault mute@2 --seed 7",
        "sim device --fault list",
        "sim cloud --listen 127.0.0.1:0 --state f",
        "sync",
        "unit ship S T --file f --by s1",
        "authority crl --out f --by s1",
        "sync --full --dry-run --deadline 6h --limit 1 --migrate --by s1 --json",
        "authority request --out f",
        "authority import f",
        "selftest --broker --crl f",
        "selftest --port p --baud 9600 --json",
        "selftest --port p --overwrite --lock --power-cut",
        "selftest --port p --power-cut 5",
        "doctor --json",
        "config check",
        "clock accept --reason r",
        "completions bash",
        "man",
        "-vv ports",
        "ports -q",
    ] {
        assert!(parse(line).is_ok(), "{line}: {:?}", parse(line).err());
    }
}

#[test]
fn a_self_test_is_of_one_thing() {
    for line in ["selftest", "selftest --broker --port p", "selftest --broker --lock"] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn an_export_is_of_certificates_or_of_a_table() {
    for line in ["export", "export --format csv", "export --out f"] {
        assert_eq!(parse(line).unwrap_err(), ErrorKind::MissingRequiredArgument, "{line}");
    }
    for line in ["export --format csv --out f units --format csv", "export units --format pem-zip"]
    {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn a_batch_reads_from_one_place() {
    assert_eq!(parse("batch").unwrap_err(), ErrorKind::MissingRequiredArgument);
    let both = parse("batch --serials f --scanner p");
    assert_eq!(both.unwrap_err(), ErrorKind::ArgumentConflict);
}

#[test]
fn values_are_of_the_domain_s_types() {
    for line in [
        "unit show a\u{7}b",
        "work-order show a/b",
        "work-order create W --quantity 0",
        "work-order create W --quantity 1 --serial-pattern (",
        "work-order create W --quantity 1 --serial-range 9..1",
        "work-order create W --quantity 1 --check-character crc",
        "unit list --state lost",
        "demo --slots 65",
    ] {
        let kind = parse(line).unwrap_err();
        assert!(matches!(kind, ErrorKind::ValueValidation | ErrorKind::InvalidValue), "{line}");
    }
}
