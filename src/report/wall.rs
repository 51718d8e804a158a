//! The line as a wall screen shows it: slots, what was made today, what waits.

use maud::{Markup, PreEscaped, html};

use super::layout::{Look, outside};
use super::page::in_words;
use crate::domain::clock::Timestamp;
use crate::domain::figures::Holds;
use crate::domain::ids::WorkOrderId;
use crate::domain::pages::{OrderProgress, Pace};
use crate::domain::slot::SlotShows;
use crate::domain::story::{NamedBy, Outcomes};
use crate::domain::work_order::WorkOrderRow;
use crate::ledger::Backlog;
use crate::say;
use crate::text::named_by_word;

/// A slot as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WallSlot {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub shows: SlotShows,
    /// The newest unit there.
    pub serial: Option<String>,
    /// What was wrong with it, unless it passed.
    pub code: Option<String>,
    /// When that attempt began.
    pub since: Option<Timestamp>,
}

/// Everything that the screen shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Wall {
    /// Whether a line runs.
    pub line_runs: bool,
    /// The slots, in the order of station.toml.
    pub slots: Vec<WallSlot>,
    /// The open work orders.
    pub orders: Vec<OrderProgress>,
    /// Attempts that began today.
    pub today: Outcomes,
    /// The work order that the line works on: as on the operator's screen, yield and pace are of
    /// it where there is one.
    pub at_work: Option<WorkOrderId>,
    /// The first-pass yield of it, or of today.
    pub first_pass_yield: Option<f64>,
    /// How quickly units are made of it, or of all.
    pub pace: Option<Pace>,
    /// What is on HOLD.
    pub holds: Holds,
    /// What waits for the cloud.
    pub backlog: Backlog,
}

/// The script of the line's page.
pub const SCRIPT: &str = include_str!("live.js");

/// The line's page around its first state.
pub fn wall_page(wall: &Wall, look: Look<'_>) -> String {
    let title = look.say(say!("Line", "产线"));
    let line = PreEscaped(wall_html(wall, look));
    let gone = look.say(say!(
        "The station can't be reached; what stands here is not of now.",
        "无法连接工站；此处显示的不是当前状态。"
    ));
    look.page(
        &title,
        html! {
            (look.header(&title, &look.say(say!("as it is now", "当前状态"))))
            p id="gone" role="alert" hidden { b { (gone) } }
            main id="line" { (line) }
            script src="/live.js" defer {}
        },
    )
}

/// What of the page changes.
pub fn wall_html(wall: &Wall, look: Look<'_>) -> String {
    let Outcomes { passed, failed, interrupted } = wall.today;
    let tile = |class: &str, name: String, value: String| {
        html! { div class=(format!("tile {class}")) { dt { (name) } dd { (value) } } }
    };
    let pace = wall.pace.map_or_else(|| html! { "–" }, |pace| in_an_hour(pace, look));
    let of_order = |english: &str, chinese: &str| match &wall.at_work {
        Some(id) => look.say(say!("{english}, {id}", "{chinese}（{id}）")),
        None => look.say(say!("{english}", "{chinese}")),
    };
    let page = html! {
        // Always there, so that what stands below keeps its place, and a change of it is told.
        p class="note" role="status" { @if !wall.line_runs { (look.say(say!("No line runs.", "产线未运行。"))) } }
        dl class="tiles" {
            (tile("pass", look.say(say!("Passed today", "今日合格")), passed.to_string()))
            (tile(if failed > 0 { "fail" } else { "" }, look.say(say!("Failed today", "今日不合格")), failed.to_string()))
            @if interrupted > 0 { (tile("", look.say(say!("Cut off today", "今日中断")), interrupted.to_string())) }
            (tile("", of_order("First-pass yield", "一次通过率"), look.percent(wall.first_pass_yield)))
            div class="tile" { dt { (of_order("Units an hour", "每小时")) } dd { (pace) } }
            (tile(if wall.holds.count > 0 { "hold" } else { "" }, look.say(say!("On HOLD", "保留")), wall.holds.count.to_string()))
            (tile("", look.say(say!("Waiting for the cloud", "等待云端")), wall.backlog.count.to_string()))
        }
        section class="slots" aria-label=(look.say(say!("Slots", "工位"))) {
            @for slot in &wall.slots { (slot_card(slot, look)) }
        }
        @for order in &wall.orders { (order_card(order, look)) }
        @if !wall.holds.units.is_empty() {
            section class="card" {
                h2 { (look.say(say!("On HOLD now", "目前保留"))) }
                table { tbody { @for unit in &wall.holds.units {
                    tr { td { (look.unit(unit.serial.as_str())) } td { (outside(unit.slot.as_str())) } td { (look.time(unit.time)) } }
                } } }
            }
        }
    };
    page.into_string()
}

/// A pace with the time of work that it is of, as the operator's screen says it.
fn in_an_hour(pace: Pace, look: Look<'_>) -> Markup {
    let (units, minutes) = (pace.units_an_hour, pace.over.as_secs() / 60);
    html! {
        (format!("{units:.0}"))
        small { (look.say(say!("over {minutes} min of work", "近 {minutes} 分钟"))) }
    }
}

fn slot_card(slot: &WallSlot, look: Look<'_>) -> Markup {
    let (class, verdict) = match slot.shows {
        SlotShows::Nothing => ("", say!("–", "–")),
        SlotShows::Busy => ("busy", say!("under way", "处理中")),
        SlotShows::Pass => ("pass", say!("PASS", "合格")),
        SlotShows::Fail => ("fail", say!("FAIL", "不合格")),
        SlotShows::CutOff => ("", say!("cut off", "中断")),
        SlotShows::Hold => ("hold", say!("HOLD", "保留")),
    };
    html! {
        article class=(format!("slot {class}")) aria-label=(look.say({ let name = &slot.name; say!("Slot {name}", "工位 {name}") })) {
            b { (outside(&slot.name)) }
            div class="verdict" { (look.say(verdict)) }
            @if let Some(serial) = &slot.serial { div { (look.unit(serial)) } }
            @if let Some(since) = slot.since { div class="dim" { (look.zone().show_short(since)) } }
            @if let Some(code) = &slot.code { div class="dim" { (in_words(code, look)) " " span class="code" { (outside(code)) } } }
        }
    }
}

fn order_card(order: &OrderProgress, look: Look<'_>) -> Markup {
    let OrderProgress { id, quantity, proven, under_way } = order;
    let parts = [("pass", f64::from(*proven)), ("cut", f64::from(*under_way))];
    html! {
        section class="card" {
            h2 { (look.say(say!("Work order", "工单"))) " " a href=(format!("/report/work-order/{}", super::layout::in_a_path(id.as_str()))) { (outside(id.as_str())) } }
            p { (look.say(say!("{proven} of {quantity} proven, {under_way} under way", "已验证 {proven} / {quantity}，处理中 {under_way}"))) }
            (super::chart::bar(&parts, f64::from(*quantity)))
        }
    }
}

/// The work orders, each of which leads to its report.
pub fn orders_page(orders: &[WorkOrderRow], look: Look<'_>) -> String {
    let title = look.say(say!("Work orders", "工单"));
    look.page(
        &title,
        html! {
            (look.header(&title, ""))
            main class="card" {
                table {
                    thead { tr {
                        th { (look.say(say!("Work order", "工单"))) } th { (look.say(say!("Product", "产品"))) }
                        th class="n" { (look.say(say!("Proven", "已验证"))) } th class="n" { (look.say(say!("Quantity", "数量"))) } th {}
                    } }
                    tbody { @for row in orders {
                        @let id = row.work_order.id.as_str();
                        tr {
                            td { a href=(format!("/report/work-order/{}", super::layout::in_a_path(id))) { (outside(id)) } }
                            td { (outside(&row.work_order.product)) }
                            td class="n" { (row.proven) } td class="n" { (row.work_order.quantity) }
                            td { @if row.closed { (look.say(say!("closed", "已关闭"))) } }
                        }
                    } }
                }
            }
        },
    )
}

/// A page that says one thing.
pub fn message_page(title: &str, text: &str, look: Look<'_>) -> String {
    look.page(title, html! { (look.header(title, "")) main class="card" { p { (outside(text)) } } })
}

/// The units that a text means, where it means several.
pub fn choice_page(text: &str, units: &[(String, NamedBy)], look: Look<'_>) -> String {
    let title = look.say(say!("Several units", "多个单元"));
    look.page(
        &title,
        html! {
            (look.header(&title, text))
            main class="card" {
                table { tbody { @for (serial, by) in units {
                    @let by = look.word(named_by_word(*by));
                    tr { td { (look.unit(serial)) } td class="dim" { (look.say(say!("by its {by}", "按{by}"))) } }
                } } }
            }
        },
    )
}
