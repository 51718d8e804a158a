//! The pages of a fleet: all stations on one wall, one unit wherever it was made, conflicts,
//! work orders, what was made by day. Nothing can be changed there; a conflict says the command
//! that settles it.

use maud::{Markup, html};

use super::layout::{Look, date, in_a_path, outside};
use crate::domain::clock::Timestamp;
use crate::domain::say::Say;
use crate::say;
use crate::text::unit_word;

/// A station of a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetStation {
    /// Its id.
    pub station: String,
    /// Whether it is let in.
    pub is_active: bool,
    /// When it was last heard of.
    pub seen: Timestamp,
    /// Whether that is too long ago.
    pub is_silent: bool,
    /// Entries that the fleet has.
    pub entries: u64,
    /// Its units.
    pub units: u64,
    /// Of those, the uncertain ones.
    pub uncertain: u64,
    /// Attempts that ended today: passed, failed.
    pub today: (u64, u64),
    /// Conflicts that nobody settled.
    pub conflicts: u64,
}

/// A conflict of a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetConflict {
    /// Its id.
    pub id: String,
    /// Which kind of value.
    pub kind: Say,
    /// The value.
    pub value: String,
    /// What contradicts what.
    pub detail: Say,
    /// When it was noticed.
    pub noticed: Timestamp,
    /// When, by whom, for which station and why it was settled.
    pub settled: Option<(Timestamp, String, String, String)>,
}

/// A work order at one station, with its units by their state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetOrder {
    /// The work order.
    pub work_order: String,
    /// The station.
    pub station: String,
    /// How many are wanted; 0 where it was not said.
    pub quantity: u64,
    /// Units by state.
    pub units: Vec<(String, u64)>,
}

/// A grant: one that the fleet keeps for a station, one that a station took, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetGrant {
    /// The work order.
    pub work_order: String,
    /// The station.
    pub station: String,
    /// Its number.
    pub number: u64,
    /// For how many units it is.
    pub quantity: u64,
    /// Units that were proven under it; none where the station did not take it yet.
    pub used: Option<u64>,
    /// Units that were given back.
    pub given_back: u64,
    /// When the fleet got it; none where the station has it from elsewhere.
    pub given: Option<Timestamp>,
}

/// Attempts of one day at one station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetDay {
    /// The day, counted from 1970, in UTC.
    pub day: i64,
    /// The station.
    pub station: String,
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Interrupted.
    pub interrupted: u64,
}

/// What a fleet made over so many days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetPeriod {
    /// How many days, today included.
    pub days: u32,
    /// Each day of each station, the newest first.
    pub rows: Vec<FleetDay>,
    /// Work orders.
    pub orders: Vec<FleetOrder>,
    /// When this was looked up.
    pub at: Timestamp,
}

/// What a person says who settles a conflict.
const SETTLED_BY: [&str; 3] = ["--for STATION", "--reason WHY", "--by ID"];

/// How many days a report may be of.
pub const FLEET_DAYS: [u32; 4] = [1, 7, 30, 365];

/// All of a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetWall {
    /// Its stations.
    pub stations: Vec<FleetStation>,
    /// Conflicts, those that nobody settled first.
    pub conflicts: Vec<FleetConflict>,
    /// Work orders.
    pub orders: Vec<FleetOrder>,
    /// Grants.
    pub grants: Vec<FleetGrant>,
    /// When this was looked up.
    pub at: Timestamp,
}

/// A unit of a fleet: what is said of it, name and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetUnit {
    /// Its serial.
    pub serial: String,
    /// Its station.
    pub station: String,
    /// Where it stands.
    pub state: String,
    /// What else is known.
    pub facts: Vec<FleetFact>,
}

/// One thing that is known of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetFact {
    /// What it is.
    pub name: Say,
    /// Its value.
    pub value: String,
    /// Whether units are found by it.
    pub is_id: bool,
}

/// The script of the fleet's page.
pub const FLEET_SCRIPT: &str = include_str!("fleet.js");

/// All stations at a glance, and kept up.
pub fn fleet_page(wall: &FleetWall, look: Look<'_>) -> String {
    let title = look.say(say!("Fleet", "总库"));
    let gone = look.say(say!(
        "The fleet can't be reached; what stands here is not of now.",
        "无法连接总库；此处显示的不是当前状态。"
    ));
    look.page(
        &title,
        html! {
            (look.header(&title, &look.say(say!("all stations, as they were last heard of", "各工站，按最近一次上报"))))
            p id="gone" role="alert" hidden { b { (gone) } }
            main id="fleet" { (wall_middle(wall, look)) }
            script src="/live.js" defer {}
        },
    )
}

/// What of that page changes.
pub fn fleet_middle(wall: &FleetWall, look: Look<'_>) -> String {
    wall_middle(wall, look).into_string()
}

fn wall_middle(wall: &FleetWall, look: Look<'_>) -> Markup {
    let open = wall.conflicts.iter().filter(|conflict| conflict.settled.is_none()).count();
    let sum = |of: fn(&FleetStation) -> u64| wall.stations.iter().map(of).sum::<u64>();
    let silent = wall.stations.iter().filter(|station| station.is_silent).count();
    let tile = |class: &str, name: String, value: String| {
        html! { div class=(format!("tile {class}")) { dt { (name) } dd { (value) } } }
    };
    let failed = sum(|station| station.today.1);
    html! {
        dl class="tiles" {
            (tile("", look.say(say!("Stations", "工站数")), wall.stations.len().to_string()))
            (tile("pass", look.say(say!("Passed today", "今日合格")), sum(|station| station.today.0).to_string()))
            (tile(if failed > 0 { "fail" } else { "" }, look.say(say!("Failed today", "今日不合格")), failed.to_string()))
            (tile("", look.say(say!("Units", "单元数")), sum(|station| station.units).to_string()))
            (tile(if silent > 0 { "hold" } else { "" }, look.say(say!("Silent", "失联")), silent.to_string()))
            (tile(if open > 0 { "fail" } else { "" }, look.say(say!("Conflicts", "冲突")), open.to_string()))
        }
        section class="slots" aria-label=(look.say(say!("Stations", "工站"))) {
            @for station in &wall.stations { (station_card(station, look)) }
        }
        div class="cards" {
            @if open > 0 { (conflicts(&wall.conflicts, true, look)) }
            (orders(&wall.orders, look))
            @if !wall.grants.is_empty() { (grants(&wall.grants, look)) }
        }
        (footer(wall.at, look))
    }
}

fn footer(at: Timestamp, look: Look<'_>) -> Markup {
    let (at, version) = (look.time(at), env!("CARGO_PKG_VERSION"));
    html! {
        footer {
            (look.say(say!(
                "Made {at} from the fleet's store by provisioning-station {version}.",
                "{at} 由 provisioning-station {version} 根据总库生成。"
            )))
        }
    }
}

fn station_card(station: &FleetStation, look: Look<'_>) -> Markup {
    let (class, verdict) = match station {
        FleetStation { is_active: false, .. } => ("", say!("revoked", "已禁止")),
        FleetStation { conflicts: 1.., .. } => ("fail", say!("conflict", "冲突")),
        FleetStation { is_silent: true, .. } => ("hold", say!("silent", "失联")),
        _ => ("pass", say!("heard", "正常")),
    };
    let (passed, failed) = station.today;
    let (units, uncertain) = (station.units, station.uncertain);
    let seen = look.minute(station.seen);
    html! {
        div class=(format!("slot {class}")) {
            b { (outside(&station.station)) }
            p class="verdict" { (look.say(verdict)) }
            p { (look.say(say!("today {passed} passed, {failed} failed", "今日合格 {passed}，不合格 {failed}"))) }
            p { (look.say(say!("{units} units, {uncertain} uncertain", "{units} 个单元，未定 {uncertain}"))) }
            p class="dim" { (look.say(say!("heard of {seen}", "最近上报 {seen}"))) }
        }
    }
}

fn conflicts(all: &[FleetConflict], only_open: bool, look: Look<'_>) -> Markup {
    let shown = all.iter().filter(|conflict| !only_open || conflict.settled.is_none());
    html! {
        section class="card wide" {
            h2 { (look.say(say!("Conflicts", "冲突"))) }
            div class="scroll" { table {
                thead { tr {
                    th { (look.say(say!("Noticed", "发现时间"))) }
                    th { (look.say(say!("What", "内容"))) }
                    th { (look.say(say!("Decided", "裁定"))) }
                } }
                tbody { @for conflict in shown { tr {
                    td { (look.minute(conflict.noticed)) }
                    td { b { (outside(&look.say(conflict.kind.clone()))) } " " span class="code" { (outside(&conflict.value)) } br; (outside(&look.say(conflict.detail.clone()))) }
                    td { @match &conflict.settled {
                        Some((at, by, station, why)) => {
                            (look.minute(*at)) " " (outside(by)) ": " (outside(station)) br; (outside(why))
                        }
                        None => { span class="code" { "station fleet settle " (outside(&conflict.id)) @for option in SETTLED_BY { " " span class="whole" { (option) } } } }
                    } }
                } } }
            } }
        }
    }
}

fn orders(orders: &[FleetOrder], look: Look<'_>) -> Markup {
    html! {
        section class="card" {
            h2 { (look.say(say!("Work orders", "工单"))) }
            table {
                thead { tr {
                    th { (look.say(say!("Work order", "工单"))) }
                    th { (look.say(say!("Station", "工站"))) }
                    th class="n" { (look.say(say!("Wanted", "计划"))) }
                    th { (look.say(say!("Units", "单元"))) }
                } }
                tbody { @for order in orders { tr {
                    td { @if order.work_order.is_empty() { "–" } @else { (outside(&order.work_order)) } }
                    td { (outside(&order.station)) }
                    td class="n" { @if order.quantity > 0 { (order.quantity) } }
                    td { (standing(&order.units, look)) }
                } } }
            }
        }
    }
}

/// A state of the store as a page has it.
fn state_word(state: &str, look: Look<'_>) -> String {
    let known = state.parse().map(|state| look.word(unit_word(state)).to_owned());
    known.unwrap_or_else(|_| state.to_owned())
}

/// How many units stand where.
fn standing(units: &[(String, u64)], look: Look<'_>) -> Markup {
    let said = |(state, count): &(String, u64)| {
        let state = state_word(state, look);
        look.say(say!("{count} {state}", "{state} {count}"))
    };
    let said: Vec<String> = units.iter().map(said).collect();
    outside(&said.join(&look.say(say!(", ", "，"))))
}

fn grants(grants: &[FleetGrant], look: Look<'_>) -> Markup {
    html! {
        section class="card" {
            h2 { (look.say(say!("Grants", "授权"))) }
            table {
                thead { tr {
                    th { (look.say(say!("Work order", "工单"))) }
                    th { (look.say(say!("Station", "工站"))) }
                    th class="n" { (look.say(say!("Units", "单元数"))) }
                    th class="n" { (look.say(say!("Used", "已用"))) }
                    th class="n" { (look.say(say!("Given back", "退回"))) }
                    th { (look.say(say!("Given", "下发时间"))) }
                } }
                tbody { @for grant in grants { tr {
                    td { (outside(&grant.work_order)) } td { (outside(&grant.station)) }
                    td class="n" { (grant.quantity) }
                    td class="n" { @match grant.used {
                        Some(used) => (used),
                        None => (look.say(say!("not taken", "未领取"))),
                    } }
                    td class="n" { @if grant.given_back > 0 { (grant.given_back) } }
                    td { @match grant.given {
                        Some(given) => (look.minute(given)),
                        None => (look.say(say!("by file", "文件"))),
                    } }
                } } }
            }
        }
    }
}

/// What was made over some days, at which station, and for which work order.
pub fn fleet_report_page(period: &FleetPeriod, look: Look<'_>) -> String {
    let title = look.say(say!("Report", "报表"));
    let FleetPeriod { days, rows, orders: of_orders, at } = period;
    let below = look.say(match days {
        1 => say!("today, in UTC", "今天（UTC）"),
        _ => say!("the last {days} days, in UTC", "最近 {days} 天（UTC）"),
    });
    let choice_of = |days: u32| match days {
        1 => say!("today", "今天"),
        _ => say!("{days} days", "{days} 天"),
    };
    let sum = |of: fn(&FleetDay) -> u64| rows.iter().map(of).sum::<u64>();
    let (passed, failed) = (sum(|row| row.passed), sum(|row| row.failed));
    let interrupted = sum(|row| row.interrupted);
    let share = |passed: u64, failed: u64| {
        let ended = passed + failed;
        // Rounded down: a share that is not whole does not read as if it were.
        look.percent((ended > 0).then(|| (passed * 1_000 / ended) as f64 / 1_000.0))
    };
    let row = |name: Markup, station: Markup, (passed, failed, interrupted): (u64, u64, u64)| {
        html! { tr {
            td { (name) } td { (station) } td class="n" { (passed) } td class="n" { (failed) }
            td class="n" { (interrupted) } td class="n" { (share(passed, failed)) }
        } }
    };
    look.page(
        &title,
        html! {
            (look.header(&title, &below))
            main class="cards" {
                section class="card wide" {
                    p { @for choice in FLEET_DAYS {
                        a href=(format!("/report/{choice}")) aria-current=[(choice == *days).then_some("page")] { (look.say(choice_of(choice))) } " "
                    } }
                    table {
                        thead { tr {
                            th { (look.say(say!("Day", "日期"))) }
                            th { (look.say(say!("Station", "工站"))) }
                            th class="n" { (look.say(say!("Passed", "合格"))) }
                            th class="n" { (look.say(say!("Failed", "不合格"))) }
                            th class="n" { (look.say(say!("Cut off", "中断"))) }
                            th class="n" { (look.say(say!("Yield", "合格率"))) }
                        } }
                        tbody {
                            (row(html! { b { (look.say(say!("All", "合计"))) } }, html! {}, (passed, failed, interrupted)))
                            @for day in rows {
                                (row(html! { (date(day.day)) }, outside(&day.station), (day.passed, day.failed, day.interrupted)))
                            }
                        }
                    }
                }
                (orders(of_orders, look))
            }
            (footer(*at, look))
        },
    )
}

/// Every conflict, the settled ones too.
pub fn fleet_conflicts_page(wall: &FleetWall, look: Look<'_>) -> String {
    let title = look.say(say!("Conflicts", "冲突"));
    look.page(
        &title,
        html! {
            (look.header(&title, ""))
            main class="cards" { (conflicts(&wall.conflicts, false, look)) }
            (footer(wall.at, look))
        },
    )
}

/// The units that a text names, each with its story in short, and the conflicts that they are in.
pub fn fleet_unit_page(
    text: &str,
    units: &[FleetUnit],
    wall: &FleetWall,
    look: Look<'_>,
) -> String {
    let says = |unit: &FleetUnit, value: &str| {
        unit.facts.iter().any(|fact| fact.is_id && fact.value == value)
    };
    let theirs = |conflict: &&FleetConflict| units.iter().any(|unit| says(unit, &conflict.value));
    let theirs: Vec<FleetConflict> = wall.conflicts.iter().filter(theirs).cloned().collect();
    let title = look.say(say!("Unit", "单元"));
    look.page(
        &title,
        html! {
            (look.header(&title, text))
            main class="cards" {
                @if units.is_empty() {
                    section class="card" { p { (look.say(say!("The fleet knows none of this name.", "总库中没有此单元。"))) } }
                }
                @if !theirs.is_empty() { (conflicts(&theirs, false, look)) }
                @for unit in units {
                    section class="card sheet" {
                        h2 { (outside(&unit.serial)) ": " (outside(&state_word(&unit.state, look))) }
                        dl {
                            dt { (look.say(say!("Station", "工站"))) } dd { (outside(&unit.station)) }
                            @for FleetFact { name, value, is_id } in &unit.facts {
                                dt { (look.say(name.clone())) }
                                @if *is_id {
                                    dd class="code" { a href=(format!("/find?q={}", in_a_path(value))) { (outside(value)) } }
                                } @else { dd { (outside(value)) } }
                            }
                        }
                    }
                }
            }
            (footer(wall.at, look))
        },
    )
}
