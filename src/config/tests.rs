//! What station.toml may and may not say.

use std::time::Duration;

use super::*;
use crate::domain::certificate::Proof;
use crate::domain::code::Code;
use crate::domain::identity::TlsVersion;
use crate::domain::scan::End;

const DAY: Duration = Duration::from_secs(86_400);

/// The smallest file that is right, one section a line group, so that a test can change one.
const SMALLEST: &str = r#"
[station]
id = "line-1"
data_dir = "data"

[product]
name = "TH200"
serial_pattern = "TH200-[0-9]{8}"
client_id = "{serial}"

[certificate]
valid_for = "20y"

[authority]
certificate = "ca.pem"
key = "ca.key"

[broker]
host = "mqtt.example.com"
server_root = "root.pem"

[[slots]]
name = "A"
port = "/dev/ttyUSB0"
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new("station.toml"), "/etc/station".into(), text.as_bytes())
}

fn refused(old: &str, new: &str) -> (Code, String) {
    assert!(SMALLEST.contains(old), "{old}");
    let error = parse(&SMALLEST.replacen(old, new, 1)).unwrap_err();
    (error.code(), error.to_string())
}

#[test]
fn everything_further_has_a_default() {
    let config = parse(SMALLEST).unwrap();
    assert_eq!(config.station.data_dir, Path::new("/etc/station/data"));
    assert_eq!(config.station.max_clock_gap, 30 * DAY);
    assert_eq!(config.station.unit_deadline, Duration::from_secs(120));
    assert_eq!(config.station.device_wait, Duration::from_secs(600));
    assert_eq!(config.product.required_proof, Proof::Possession);
    assert_eq!(config.certificate.backdate, DAY);
    assert_eq!((config.broker.port, config.broker.tls_max), (8_883, TlsVersion::V1_3));
    assert_eq!((config.slots[0].baud, config.slots[0].presence), (115_200, Presence::Port));
    assert_eq!(config.scanner.kind, ScannerKind::Keyboard);
    assert_eq!(config.ledger.reserve, 256 << 20);
    assert!(config.cloud.is_none());
}

#[test]
fn the_contract_s_table_of_names_is_enough() {
    let text = r#"
        [station]
        id = "line-1"
        language = "zh-CN"
        data_dir = "/var/lib/station"
        [product]
        name = "TH200"
        serial_pattern = "TH200-[0-9]{8}"
        client_id = "{serial}"
        key_origin = "station"
        [certificate]
        organization = "Example"
        organizational_unit = "Line"
        valid_for = "no-expiry"
        backdate = "24h"
        [authority]
        kind = "file"
        certificate = "ca.pem"
        key = "ca.key"
        chain = "chain.pem"
        [broker]
        host = "mqtt.example.com"
        port = 8883
        server_root = "root.pem"
        tls_min = "1.2"
        tls_max = "1.3"
        [[slots]]
        name = "A"
        port = "usb:1-2.3"
        baud = 921600
        driver = "auto"
        [scanner]
        kind = "serial"
        port = "/dev/ttyACM0"
        [cloud]
        kind = "tdmq"
        endpoint = "https://mqtt.tencentcloudapi.com"
        region = "ap-guangzhou"
        instance_id = "mqtt-abcdefgh"
        registration = "manual"
        rate_per_second = 10
        initial_status = "INACTIVE"
    "#;
    let config = parse(text).unwrap();
    assert_eq!(config.slots[0].port, PortPlace::Physical("usb:1-2.3".into()));
    assert_eq!(config.cloud.unwrap().initial_status, InitialStatus::Inactive);
}

#[test]
fn an_unknown_key_names_its_place_and_the_nearest_known_one() {
    let (code, text) = refused("port = \"/dev", "buad = 9600\nport = \"/dev");
    assert_eq!(code, Code::ConfigKey);
    assert_eq!(text, "station.toml:24:1: slots[0].buad: unknown key, did you mean \"baud\"?");
    let (code, text) = refused("[broker]", "[brokre]");
    assert_eq!(code, Code::ConfigKey);
    assert_eq!(text, "station.toml:18:2: brokre: unknown key, did you mean \"broker\"?");
}

#[test]
fn a_wrong_type_says_what_was_expected() {
    let (code, text) = refused("name = \"A\"", "name = \"A\"\nbaud = \"fast\"");
    assert_eq!(code, Code::ConfigSyntax);
    assert_eq!(text, "station.toml:24:8: slots[0].baud: expected a whole number, found a text");
    let (code, text) = refused("[[slots]]", "[slots]");
    assert_eq!(code, Code::ConfigSyntax);
    assert!(text.contains("expected tables, each under [[slots]], found a table"), "{text}");
    assert_eq!(refused("id = \"line-1\"", "id = 1").0, Code::ConfigSyntax);
    let (_, text) = refused("name = \"TH200\"", "name = \"TH200\"\nlock = \"yes\"");
    assert!(text.contains("product.lock: expected true or false, found a text"), "{text}");
    let (_, text) = refused("name = \"TH200\"", "name = \"TH200\"\nrequire = [1]");
    assert!(text.contains("product.require[0]: expected a text, found a whole number"), "{text}");
}

#[test]
fn a_list_is_no_section_even_where_its_items_would_do() {
    let (code, text) = refused("[[slots]]", "[[scanner]]\n[[slots]]");
    assert_eq!(code, Code::ConfigSyntax);
    assert_eq!(text, "station.toml:22:1: scanner: expected a table, found a list");
    let first = format!("scanner = [\"keyboard\"]\n{SMALLEST}");
    let text = parse(&first).unwrap_err().to_string();
    assert_eq!(text, "station.toml:1:11: scanner: expected a table, found a list");
}

#[test]
fn an_item_of_a_list_has_a_place_of_its_own() {
    let require = "client_id = \"{serial}\"\nrequire = [\"secure-boot\", \"tpm\"]";
    let (_, text) = refused("client_id = \"{serial}\"", require);
    assert!(text.starts_with("station.toml:10:27: product.require[1]: \"tpm\" is none"), "{text}");
}

#[test]
fn what_is_no_toml_says_where() {
    let (code, text) = refused("id = \"line-1\"", "id = \"line-1");
    assert_eq!(code, Code::ConfigSyntax);
    assert!(text.starts_with("station.toml:3:"), "{text}");
    let error = Config::parse(Path::new("s"), PathBuf::new(), b"a = 1\nb = \"\xff\"").unwrap_err();
    assert_eq!(error.to_string(), "s:2:6: a byte here is no part of UTF-8 text");
}

#[test]
fn a_missing_key_shows_a_line_that_would_do() {
    let (code, text) = refused("id = \"line-1\"\n", "");
    assert_eq!(code, Code::ConfigValue);
    assert_eq!(text, "station.toml:2:1: station.id is missing; write for example id = \"line-1\"");
    let (_, text) = refused("[certificate]\nvalid_for = \"20y\"", "");
    let wanted = "station.toml: certificate.valid_for is missing; \
                  write for example [certificate] valid_for = \"20y\"";
    assert_eq!(text, wanted);
}

#[test]
fn each_value_that_is_not_allowed_is_refused() {
    let cases = [
        ("id = \"line-1\"", "id = \"line 1\"", "station.id: station id: character 5 is ' '"),
        ("id = \"line-1\"", "id = \"x\"\nlanguage = \"fr\"", "\"fr\" is none of en, zh-CN"),
        ("id = \"line-1\"", "id = \"x\"\nserial_range = \"9..1\"", "lies behind"),
        ("id = \"line-1\"", "id = \"x\"\nmax_clock_gap = \"1 month\"", "no length of time"),
        ("data_dir = \"data\"", "data_dir = \"\"", "the path is empty"),
        ("client_id = \"{serial}\"", "client_id = \"x\"", "must contain {serial} exactly once"),
        ("client_id", "key_origin = \"cloud\"\nclient_id", "none of station, device"),
        ("client_id", "key_format = \"sec1\"\nclient_id", "none of scalar, pkcs8"),
        (
            "client_id",
            "key_origin = \"device\"\nkey_format = \"pkcs8\"\nclient_id",
            "no key is given to a device that makes its own",
        ),
        ("client_id", "key_encoding = \"text\"\nclient_id", "none of der, pem"),
        ("client_id", "key_file = \"../key\"\nclient_id", "a file's name is 1 to 32"),
        ("client_id", "key_file = \"..\"\nclient_id", "not only dots"),
        ("client_id", "key_file = \"ca.pem\"\nclient_id", "another file of the identity"),
        ("client_id", "required_proof = \"hope\"\nclient_id", "none of possession, connect"),
        ("client_id", "require = [\"tpm\"]\nclient_id", "none of secure-boot"),
        ("client_id", "check_character = \"crc\"\nclient_id", "no kind of check character"),
        ("client_id", "model = \"\"\nclient_id", "1 to 32 printable ASCII"),
        ("\"20y\"", "\"forever\"", "no validity"),
        ("valid_for", "organization = \"\"\nvalid_for", "the text is empty"),
        ("valid_for", "backdate = \"-1d\"\nvalid_for", "no length of time"),
        ("name = \"A\"", "name = \"A\"\ndirectory = \"/lfs1\"", "driver \"smp\""),
        ("[authority]", "[authority]\nkind = \"pkcs11\"", "key_label"),
        ("[authority]", "[authority]\nkind = \"pkcs11\"\nkey_label = \"ca\"", "module"),
        ("[authority]", "[authority]\nkind = \"pkcs11\"\nkey_id = \"0g\"", "hexadecimal"),
        ("[authority]", "[authority]\nkind = \"pkcs11\"\npassphrase_file = \"p\"", "`pin_file`"),
        ("[authority]", "[authority]\nkey_label = \"ca\"", "belongs to a CA in an HSM"),
        ("mqtt.example.com", "mqtts://mqtt.example.com:1", "without scheme or port"),
        ("[broker]", "[broker]\nport = 0", "0 is not within 1 to 65535"),
        ("[broker]", "[broker]\ntls_min = \"1.1\"", "none of 1.2, 1.3"),
        ("[broker]", "[broker]\ntls_min = \"1.3\"\ntls_max = \"1.2\"", "lies above tls_max"),
        ("name = \"A\"", "name = \"A\"\ndriver = \"usb\"", "none of framed, smp, at, esp, auto"),
        ("name = \"A\"", "name = \"A\"\nbaud = 300", "300 is not within 1200"),
        ("name = \"A\"", "name = \"A\"\npresence = \"usb\"", "none of port, poll"),
        ("name = \"A\"", "name = \"slot A\"", "slot name: character 5 is ' '"),
        ("port = \"/dev/ttyUSB0\"", "port = \"usb:here\"", "no physical place"),
        ("[[slots]]", "[scanner]\nport = \"/dev/x\"\n[[slots]]", "a keyboard scanner has no port"),
        ("[[slots]]", "[scanner]\nkind = \"serial\"\n[[slots]]", "scanner.port is missing"),
        ("[[slots]]", "[ledger]\nreserve = \"much\"\n[[slots]]", "no size"),
    ];
    for (old, new, wanted) in cases {
        let (code, text) = refused(old, new);
        assert_eq!(code, Code::ConfigValue, "{text}");
        assert!(text.contains(wanted), "{text}");
    }
}

#[test]
fn shifts_cover_no_time_twice() {
    let shifts = |text: &str| {
        let all = format!("{SMALLEST}{text}");
        parse(&all).map(|config| config.shifts).map_err(|error| error.to_string())
    };
    let shift = |name: &str, from: &str, to: &str| {
        format!("[[shifts]]\nname = \"{name}\"\nfrom = \"{from}\"\nto = \"{to}\"\n")
    };
    let [early, late] = [shift("early", "06:00", "14:00"), shift("late", "14:00", "22:00")];
    let all = shifts(&(early.clone() + &late + &shift("night", "22:00", "06:00"))).unwrap();
    assert_eq!(all.len(), 3);
    let cases = [
        (early.clone() + &early, "shifts[1].name is the name \"early\", which shifts[0].name"),
        (early.clone() + &shift("x", "13:59", "15:00"), "shifts[1].from: overlaps with early"),
        (shift("x", "06:00", "06:00"), "shifts[0].to: the shift ends when it begins"),
        (shift("x", "6:00", "14:00"), "shifts[0].from: \"6:00\" is no time of the day"),
        (shift("", "06:00", "14:00"), "1 to 32 characters"),
    ];
    for (text, wanted) in cases {
        let error = shifts(&text).unwrap_err();
        assert!(error.contains(wanted), "{error}");
    }
    let (_, text) = refused("id = \"line-1\"", "id = \"x\"\ntimezone = \"Mars/Olympus\"");
    assert!(text.contains("station.timezone: \"Mars/Olympus\" is no time zone"), "{text}");
}

#[test]
fn a_station_has_at_least_one_slot_and_at_most_64() {
    let slot = "[[slots]]\nname = \"A\"\nport = \"/dev/ttyUSB0\"\n";
    assert!(refused(slot, "").1.contains("slots is missing"));
    let many = |count| -> String {
        (0..count).map(|i| format!("[[slots]]\nname = \"S{i}\"\nport = \"/dev/x{i}\"\n")).collect()
    };
    assert_eq!(parse(&SMALLEST.replace(slot, &many(64))).unwrap().slots.len(), 64);
    assert!(refused(slot, &many(65)).1.contains("at most 64 slots"));
}

#[test]
fn a_pattern_that_does_not_compile_has_its_own_code() {
    let (code, text) = refused("TH200-[0-9]{8}", "TH200-[0-9");
    assert_eq!(code, Code::ConfigPattern);
    assert_eq!(text, "station.toml:8:18: product.serial_pattern");
}

#[test]
fn a_port_or_name_that_stands_there_twice_is_refused() {
    let second = |name: &str, port: &str| {
        let text = format!("{SMALLEST}[[slots]]\nname = \"{name}\"\nport = \"{port}\"\n");
        parse(&text).map(|_| ()).map_err(|error| (error.code(), error.to_string()))
    };
    assert_eq!(second("B", "/dev/ttyUSB1"), Ok(()));
    let (code, text) = second("B", "/dev/ttyUSB0").unwrap_err();
    assert_eq!(code, Code::ConfigPortTwice);
    let wanted = "station.toml:27:8: slots[1].port is the port /dev/ttyUSB0, \
                  which slots[0].port has already";
    assert_eq!(text, wanted);
    assert_eq!(second("A", "/dev/ttyUSB1").unwrap_err().0, Code::ConfigPortTwice);
    let scanner = "[scanner]\nkind = \"serial\"\nport = \"/dev/ttyUSB0\"\n[[slots]]";
    assert_eq!(refused("[[slots]]", scanner).0, Code::ConfigPortTwice);
}

#[test]
fn two_names_of_one_device_file_are_one_port() {
    let dir = tempfile::tempdir().unwrap();
    let (port, link) = (dir.path().join("port"), dir.path().join("link"));
    std::fs::write(&port, "").unwrap();
    std::os::unix::fs::symlink(&port, &link).unwrap();
    let text = SMALLEST.replace("/dev/ttyUSB0", port.to_str().unwrap());
    let second = format!("[[slots]]\nname = \"B\"\nport = \"{}\"\n", link.display());
    let error = parse(&(text + &second)).unwrap_err();
    assert_eq!(error.code(), Code::ConfigPortTwice);
}

#[test]
fn a_file_that_is_not_there_says_where_it_was_looked_for() {
    let error = Config::load(Path::new("/nowhere/station.toml"), None).unwrap_err();
    assert_eq!(error.code(), Code::ConfigMissing);
    let help = error.help().unwrap();
    for wanted in ["/nowhere/station.toml", "station demo", "--config"] {
        assert!(help.english.contains(wanted), "{help}");
    }
}

#[test]
fn a_data_dir_on_the_command_line_takes_precedence() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("station.toml");
    std::fs::write(&path, SMALLEST).unwrap();
    let config = Config::load(&path, None).unwrap();
    assert_eq!(config.station.data_dir, dir.path().join("data"));
    assert_eq!(config.authority.key.place(), dir.path().join("ca.key").display().to_string());
    let config = Config::load(&path, Some(Path::new("/elsewhere"))).unwrap();
    assert_eq!(config.station.data_dir, Path::new("/elsewhere"));
}

#[test]
fn the_profile_s_digest_is_of_what_defines_the_product_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("root.pem"), "one root").unwrap();
    let digest = |text: &str| {
        let path = Path::new("station.toml");
        let config = Config::parse(path, dir.path().to_owned(), text.as_bytes()).unwrap();
        config.profile_digest().unwrap()
    };
    let first = digest(SMALLEST);
    assert_eq!(digest(&SMALLEST.replace("[product]", "# a comment\n[product]")), first);
    assert_eq!(digest(&SMALLEST.replace("ttyUSB0", "ttyUSB9")), first);
    assert_eq!(digest(&SMALLEST.replace("[broker]", "[broker]\nport = 8883")), first);
    assert_ne!(digest(&SMALLEST.replace("20y", "21y")), first);
    assert_ne!(digest(&SMALLEST.replace("mqtt.example", "mqtt2.example")), first);
    assert_ne!(digest(&SMALLEST.replace("client_id", "lock = true\nclient_id")), first);
    std::fs::write(dir.path().join("root.pem"), "another root").unwrap();
    assert_ne!(digest(SMALLEST), first);
    std::fs::remove_file(dir.path().join("root.pem")).unwrap();
    let config = Config::parse(Path::new("s"), dir.path().to_owned(), SMALLEST.as_bytes()).unwrap();
    assert_eq!(config.profile_digest().unwrap_err().code(), Code::ConfigValue);
}

fn cloud(endpoint: &str, lines: &str) -> Result<Cloud, String> {
    let text = format!(
        "{SMALLEST}[cloud]\nendpoint = \"{endpoint}\"\nregion = \"r\"\ninstance_id = \"i\"\n\
         {lines}\n"
    );
    parse(&text).map(|config| config.cloud.unwrap()).map_err(|error| error.to_string())
}

#[test]
fn the_cloud_is_checked_where_it_is_there() {
    let there = |lines: &str| cloud("https://x.example", lines);
    let defaults = there("").unwrap();
    assert_eq!((defaults.rate_per_second, defaults.call_limit.as_secs()), (10, 30));
    assert_eq!(defaults.max_backlog, 3 * DAY);
    assert_eq!(there("max_backlog = \"36h\"").unwrap().max_backlog, DAY * 3 / 2);
    assert_eq!(defaults.registration, RegistrationMode::Manual);
    assert!(!defaults.own_broker_name && defaults.root.is_none() && defaults.proxy.is_none());
    let cases = [
        ("registration = \"none\"", "manual, automatic"),
        ("max_backlog = \"10000\"", "no length of time"),
        ("call_limit = \"1s\"", "expected \"2s\" to \"5m\""),
        ("call_limit = \"6m\"", "expected \"2s\" to \"5m\""),
        ("proxy = \"socks5://x:1\"", "http://host:port"),
        ("proxy = \"http://user:secret@x:1\"", "http://host:port"),
        ("proxy = \"http://x\"", "http://host:port"),
    ];
    for (lines, wanted) in cases {
        let error = there(lines).unwrap_err();
        assert!(error.contains(wanted), "{lines}: {error}");
    }
    let proxied = there("proxy = \"http://proxy.factory:3128/\"").unwrap();
    assert_eq!(proxied.proxy.as_deref(), Some("http://proxy.factory:3128/"));
    let http = format!("{SMALLEST}[cloud]\nendpoint = \"http://example.com\"\n");
    assert!(parse(&http).unwrap_err().to_string().contains("for this machine alone"));
}

#[test]
fn more_than_the_cloud_s_rate_is_for_an_emulation_on_this_machine() {
    let error = cloud("https://x.example", "rate_per_second = 16").unwrap_err();
    assert!(error.contains("16 is not within 1 to 15"), "{error}");
    let here = cloud("http://127.0.0.1:9", "rate_per_second = 500").unwrap();
    assert_eq!(here.rate_per_second, 500);
    assert!(cloud("http://[::1]:9", "rate_per_second = 500").is_ok());
    assert!(cloud("https://127.0.0.1.example.com", "rate_per_second = 500").is_err());
}

/// `[scanner]` with these lines behind it.
fn scanner(lines: &str) -> Result<crate::Scanner, String> {
    let parsed = parse(&format!("{SMALLEST}[scanner]\n{lines}\n"));
    parsed.map(|config| config.scanner).map_err(|error| error.to_string())
}

#[test]
fn labels_have_rules_in_the_order_of_the_file() {
    let scanner = scanner(
        r#"
        [[scanner.label]]
        form = "gs1"
        require = { "01" = "09506000134352" }
        [[scanner.label]]
        form = "link"
        query = "sn"
        [[scanner.label]]
        form = "json"
        serial = "SN"
        hardware_id = "MAC"
        [[scanner.label]]
        form = "text"
        text = "SN:{serial};MAC:{hardware_id}"
        require = { serial = "X" }
    "#,
    );
    let rules = scanner.unwrap().rules.rules;
    let forms: Vec<(&str, bool)> =
        rules.iter().map(|rule| (rule.form().as_str(), rule.names_device())).collect();
    assert_eq!(forms, [("gs1", false), ("link", false), ("json", true), ("text", true)]);
}

#[test]
fn a_scan_ends_with_one_word_or_with_several() {
    let ends = |lines: &str| scanner(lines).map(|scanner| scanner.ends);
    assert_eq!(ends(""), Ok(vec![End::Cr, End::Lf]));
    assert_eq!(ends("ends = \"tab\""), Ok(vec![End::Tab]));
    assert_eq!(ends(r#"ends = "\t""#), Ok(vec![End::Tab]));
    assert_eq!(ends("ends = [\"etx\", \"cr\"]"), Ok(vec![End::Etx, End::Cr]));
    for lines in ["ends = \"crlf\"", "ends = [\"cr\", \"crlf\"]"] {
        let error = ends(lines).unwrap_err();
        assert!(error.contains("scanner.ends") && error.contains("cr, lf, tab"), "{error}");
    }
}

#[test]
fn a_rule_that_can_t_be_one_says_why() {
    let cases = [
        ("form = \"qr\"", "none of gs1, link, json, text"),
        ("form = \"gs1\"\nserial = \"SN\"", "no application identifier of GS1"),
        ("form = \"gs1\"\nrequire = { \"SN\" = \"x\" }", "no application identifier of GS1"),
        ("form = \"gs1\"\nhardware_id = \"MAC\"", "no application identifier of GS1"),
        ("form = \"gs1\"\ntext = \"{serial}\"", "only form = \"text\" has a text"),
        ("form = \"json\"", "scanner.label[0].serial is missing"),
        ("form = \"json\"\nserial = \"SN\"\nquery = \"sn\"", "only form = \"link\" has a query"),
        ("form = \"link\"\nserial = \"21\"\nquery = \"sn\"", "has a place already"),
        ("form = \"text\"", "scanner.label[0].text is missing"),
        ("form = \"text\"\ntext = \"SN\"", "{serial} exactly once"),
        ("form = \"text\"\ntext = \"{serial}\"\nserial = \"21\"", "by its place {serial}"),
        ("form = \"text\"\ntext = \"{serial}\"\nhardware_id = \"m\"", "no place {m}"),
    ];
    for (lines, wanted) in cases {
        let error = scanner(&format!("[[scanner.label]]\n{lines}")).unwrap_err();
        assert!(error.contains(wanted), "{lines}: {error}");
        assert!(error.contains("station.toml:"), "{lines}: {error}");
    }
}

#[test]
fn what_came_later_changes_the_profile_and_nothing_does_by_being_new() {
    let digest = |config: &Config| {
        product::digest(&config.product, &config.certificate, &config.broker, b"")
    };
    let without = digest(&parse(SMALLEST).unwrap());
    let with = |line: &str| {
        let text = SMALLEST.replace("[product]", &format!("[product]\n{line}"));
        digest(&parse(&text).unwrap())
    };
    for line in [
        "check_part = \"[0-9]{8}\"",
        "key_format = \"pkcs8\"",
        "key_file = \"key.pem\"",
        "key_encoding = \"pem\"",
    ] {
        assert_ne!(with(line), without, "{line}");
    }
    assert_eq!(with("key_format = \"scalar\"\nkey_encoding = \"der\""), without);
}
