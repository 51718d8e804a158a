//! What a monitoring system reads: whole, in the form that it takes, and of the same figures.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::history::History;

/// The value of the one line that begins so.
fn value(text: &str, begin: &str) -> f64 {
    let mut lines = text.lines().filter(|line| line.starts_with(begin));
    let line = lines.next().unwrap_or_else(|| panic!("no {begin} in {text}"));
    assert!(lines.next().is_none(), "{begin} stands twice");
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn the_text_is_what_ledger_stats_says_in_the_form_of_open_metrics() {
    let history = History::whole();
    let out = history.dir().join("station.prom");
    assert_eq!(history.says(&format!("metrics --textfile {}", out.display())), "");
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o644);
    let text = fs::read_to_string(out).unwrap();
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    let stats = history.json("ledger stats --json");
    let is = |begin: &str, wanted: &serde_json::Value| {
        assert_eq!(value(&text, begin), wanted.as_f64().unwrap(), "{begin}");
    };
    is("station_attempts_total{station=\"demo\",outcome=\"pass\"}", &stats["attempts"]["passed"]);
    is("station_attempts_total{station=\"demo\",outcome=\"fail\"}", &stats["attempts"]["failed"]);
    is("station_units{station=\"demo\",state=\"uncertain\"}", &stats["units"]["uncertain"]);
    let code = "station_attempts_not_passed_total{station=\"demo\",code=\"E-DEV-TIMEOUT\"}";
    is(code, &stats["by_code"]["E-DEV-TIMEOUT"]);
    assert_eq!(value(&text, "station_line_up"), 0.0);
    assert!(value(&text, "station_authority_days_left") > 300.0);
    assert!(value(&text, "station_disk_free_bytes") > 1e6);
    // A family is announced once, and nothing stands outside one.
    let families: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let names: BTreeSet<&str> = families.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names.len(), families.len());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split('{').next().unwrap();
        assert!(names.contains(name.trim_end_matches("_total")), "{line}");
    }
}

#[test]
fn the_examples_ask_for_what_there_is() {
    let history = History::whole();
    let text = history.says("metrics");
    let announced: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, kind)| format!("{name}{}", if kind == "counter" { "_total" } else { "" }))
        .collect();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring");
    for name in ["alerts.yml", "dashboard.json"] {
        let example = fs::read_to_string(docs.join(name)).unwrap();
        let is_of_a_name = |c: char| c.is_ascii_lowercase() || c == '_';
        let asked = example.split(|c| !is_of_a_name(c)).filter(|word| word.starts_with("station_"));
        let unknown: Vec<&str> = asked.filter(|name| !announced.contains(*name)).collect();
        assert!(unknown.is_empty(), "{name} asks for {unknown:?}");
    }
}
