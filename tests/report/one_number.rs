//! One figure has one value wherever it is told: a line works with faults, a repeated unit and one
//! on HOLD, and then everybody is asked what came of it.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use provisioning_station::app::clock::SystemClock;
use provisioning_station::app::demo::{Factory, serials};
use provisioning_station::config::Config;
use provisioning_station::domain::clock::Clock;
use provisioning_station::domain::local::day_to_text;
use provisioning_station::domain::story::{Outcomes, percent};
use provisioning_station::ledger::Reader;
use provisioning_station::sim::FaultSpec;
use serde_json::Value;

use crate::view::View;

/// What everybody must say alike.
#[derive(Debug, PartialEq)]
struct Told {
    passed: u64,
    failed: u64,
    interrupted: u64,
    uncertain: u64,
    first_pass_yield: String,
    waiting: u64,
}

/// A station whose clock shows about noon, so that its day does not end meanwhile.
struct Station {
    factory: Factory,
    _dir: tempfile::TempDir,
}

impl Station {
    fn lay_out() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let faults = "lie-key@2,unplug=prove:1@4,lie-forget@6";
        let faults = FaultSpec::parse(faults).unwrap();
        let place = dir.path().join("station");
        let factory = Factory::lay_out_with(Some(&place), 8, 1, &mut |_, options| {
            options.faults = faults.clone();
        })
        .unwrap();
        let hour = SystemClock::start().now().wall.seconds().div_euclid(3600).rem_euclid(24);
        // The zone's name says how far UTC is ahead of it.
        let zone = format!("[station]\ntimezone = \"Etc/GMT{:+}\"\n", hour - 12);
        let toml = std::fs::read_to_string(factory.config()).unwrap();
        std::fs::write(factory.config(), toml.replacen("[station]\n", &zone, 1)).unwrap();
        Self { factory, _dir: dir }
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
        command.arg("--config").arg(self.factory.config()).args(line.split_whitespace());
        command
    }

    fn says(&self, line: &str) -> String {
        let output = self.command(line).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.says(line)).unwrap()
    }

    /// What a batch of these units says in the end.
    fn batch(&self, serials: &[String]) -> String {
        let list = self.factory.dir.join("serials.txt");
        std::fs::write(&list, serials.join("\n")).unwrap();
        let mut batch = self.command(&format!("batch --serials {}", list.display()));
        let output = batch.stderr(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "some failed");
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().last().unwrap().to_owned()
    }
}

/// The number that stands before a word: `3` before `failed`.
fn before(text: &str, word: &str) -> u64 {
    let at = text.find(&format!(" {word}")).unwrap_or_else(|| panic!("{word} in {text}"));
    text[..at].rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

/// The value of a page's tile; 0 where a page has none.
fn tile(page: &str, name: &str) -> String {
    let found = page.split_once(&format!("<dt>{name}</dt><dd>"));
    found.map_or("0", |(_, rest)| rest.split('<').next().unwrap()).to_owned()
}

fn of_page(page: &str, words: [&str; 6]) -> Told {
    let count = |index: usize| tile(page, words[index]).parse().unwrap();
    Told {
        passed: count(0),
        failed: count(1),
        interrupted: count(2),
        uncertain: count(3),
        first_pass_yield: tile(page, words[4]),
        waiting: count(5),
    }
}

fn of_report(report: &Value) -> Told {
    let count = |value: &Value| value.as_u64().unwrap();
    Told {
        passed: count(&report["passed"]),
        failed: count(&report["failed"]),
        interrupted: count(&report["interrupted"]),
        uncertain: count(&report["uncertain"]),
        first_pass_yield: percent(report["first_pass_yield"].as_f64().unwrap()),
        waiting: count(&report["waiting_for_cloud"]["count"]),
    }
}

/// The value of a metric with such labels beside the station's; 0 where there is none.
fn metric(text: &str, name: &str, label: &str) -> u64 {
    let begins = format!("{name}{{station=\"demo\"{label}}} ");
    let value = text.lines().find_map(|line| line.strip_prefix(&begins));
    value.map_or(0, |value| value.parse().unwrap())
}

#[test]
fn a_figure_has_one_value_wherever_it_is_told() {
    let station = Station::lay_out();
    let mut labels = serials(6);
    // The unit that failed is tried again with another device, and passes.
    labels.push(labels[1].clone());
    let sum = station.batch(&labels);
    let config = Config::load(&station.factory.config(), None).unwrap();
    let zone = &config.station.zone;
    let day = zone.day_of(SystemClock::start().now().wall);
    let date = day_to_text(day);

    let report = station.json(&format!("report day --date {date} --format json"));
    let told = of_report(&report);
    let counts = (told.passed, told.failed, told.uncertain);
    assert_eq!(counts, (4, 2, 1), "{sum}: three at once, one again; two failures, a HOLD");

    // A batch's own sentence.
    for (word, count) in [
        ("passed", told.passed),
        ("failed", told.failed),
        ("cut off", told.interrupted),
        ("uncertain", told.uncertain),
    ] {
        assert_eq!(before(&sum, word), count, "{word}: {sum}");
    }

    // The report's page and table.
    let words =
        ["Passed", "Failed", "Cut off", "On HOLD", "First-pass yield", "Waiting for the cloud"];
    let page = station.says(&format!("report day --date {date}"));
    assert_eq!(of_page(&page, words), told, "the report's page");
    let csv = station.says(&format!("report day --date {date} --format csv"));
    let total: Vec<&str> = csv.lines().nth(1).unwrap().split(',').collect();
    let counts = [told.passed, told.failed, told.interrupted].map(|count| count.to_string());
    assert_eq!(total[2..5], counts, "{csv}");

    // The wall's page.
    let view = View::at(&mut station.command("view --listen 127.0.0.1:0 --json"));
    let words = [
        "Passed today",
        "Failed today",
        "Cut off today",
        "On HOLD",
        "First-pass yield",
        "Waiting for the cloud",
    ];
    assert_eq!(of_page(&view.get("/"), words), told, "the wall");

    // What monitoring fetches and what it finds in a file.
    for text in [view.get("/metrics"), station.says("metrics")] {
        let attempts = |outcome: &str| {
            metric(&text, "station_attempts_total", &format!(",outcome=\"{outcome}\""))
        };
        assert_eq!(attempts("pass"), told.passed, "{text}");
        assert_eq!(attempts("fail"), told.failed);
        assert_eq!(attempts("interrupted"), told.interrupted);
        assert_eq!(metric(&text, "station_units", ",state=\"uncertain\""), told.uncertain);
        assert_eq!(metric(&text, "station_backlog", ""), told.waiting);
    }

    // What the screen asks: its header, F4 of a day and of all, F6, Ctrl-K.
    let reader = Reader::open(&config.station.data_dir, Some(&config.station.id)).unwrap();
    let today = zone.day(day);
    let Told { passed, failed, interrupted, .. } = told;
    let outcomes = Outcomes { passed, failed, interrupted };
    assert_eq!(reader.outcomes_within(today).unwrap(), outcomes, "the header");
    let yielded = reader.yield_within(today).unwrap().unwrap();
    assert_eq!(percent(yielded), told.first_pass_yield, "the header");
    assert_eq!(reader.uncertain(10).unwrap().count, told.uncertain);
    assert_eq!(reader.backlog().unwrap().count, told.waiting);
    let open: u64 = reader.registrations().unwrap().counts.iter().map(|(_, count)| count).sum();
    assert_eq!(open, told.waiting, "F6");
    let (of_day, recent) =
        (reader.stats_within(today, zone).unwrap(), reader.recent_stats(zone).unwrap());

    // Every command and page that counts by slot, code and hour.
    let all: Value = station.json("ledger stats --json");
    let command = station.json(&format!("ledger stats --day {date} --json"));
    assert_eq!(all["units"]["uncertain"], told.uncertain);
    let of_screen = [&of_day, &recent].map(|stats| serde_json::to_value(stats).unwrap());
    for stats in [&all, &command, &of_screen[0], &of_screen[1]] {
        for name in ["passed", "failed", "interrupted"] {
            assert_eq!(stats["attempts"][name], report[name], "{name} in {stats}");
        }
        assert_eq!(stats["first_pass_yield"], report["first_pass_yield"]);
        let of = |table: &str, key: &str| -> BTreeMap<String, [Value; 3]> {
            let rows = report[table].as_array().unwrap().iter();
            let row = |row: &Value| {
                let counts = ["passed", "failed", "interrupted"].map(|name| row[name].clone());
                (row[key].as_str().unwrap().to_owned(), counts)
            };
            rows.map(row).filter(|(_, counts)| counts.iter().any(|count| *count != 0)).collect()
        };
        let named = |table: &str| -> BTreeMap<String, [Value; 3]> {
            let rows = stats[table].as_object().unwrap().iter();
            let row = |(name, row): (&String, &Value)| {
                (name.clone(), ["passed", "failed", "interrupted"].map(|name| row[name].clone()))
            };
            rows.map(row).collect()
        };
        assert_eq!(named("by_slot"), of("by_slot", "slot"));
        assert_eq!(named("by_hour"), of("by_hour", "from"));
        let codes: BTreeMap<&str, &Value> = report["by_code"]
            .as_array()
            .unwrap()
            .iter()
            .map(|cause| (cause["code"].as_str().unwrap(), &cause["count"]))
            .collect();
        let counted = stats["by_code"].as_object().unwrap().iter();
        assert_eq!(
            counted.map(|(code, count)| (code.as_str(), count)).collect::<BTreeMap<_, _>>(),
            codes
        );
    }
    let words = station.says("ledger stats");
    assert!(words.contains(&format!("first pass yield {}", told.first_pass_yield)), "{words}");
}
