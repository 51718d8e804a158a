//! A report as a page.

use maud::{Markup, html};

use super::chart::{self, Column, Point};
use super::layout::{Look, date, length, outside};
use super::model::{CycleTimes, Report, Subject, cycle_times, share};
use crate::domain::figures::{Behind, Figures};
use crate::domain::local::day_to_text;
use crate::domain::story::Outcomes;
use crate::say;
use crate::text::meaning;

/// The whole page of a report.
pub fn html(report: &Report, look: Look<'_>) -> String {
    let title = title(report, look);
    look.page(&title, body(report, look, &title))
}

fn title(report: &Report, look: Look<'_>) -> String {
    look.say(match &report.subject {
        Subject::Shift(name, day) => {
            let day = date(*day);
            say!("Shift report: {name}, {day}", "班次报告：{name}，{day}")
        }
        Subject::Day(day) => {
            let day = date(*day);
            say!("Day report: {day}", "日报：{day}")
        }
        Subject::Week(day) => {
            let (first, last) = (date(*day), date(*day + 6));
            say!("Week report: {first} to {last}", "周报：{first} 至 {last}")
        }
        Subject::Time => say!("Report", "报告"),
        Subject::Order(id) => say!("Work order {id}", "工单 {id}"),
    })
}

fn body(report: &Report, look: Look<'_>, title: &str) -> Markup {
    let below = match report.span {
        Some(span) => {
            let (from, until) = (look.time(span.from), look.time(span.until));
            look.say(say!("{from} to {until}", "{from} 至 {until}"))
        }
        None => look.say(say!("nothing was made yet", "尚无记录")),
    };
    html! {
        (look.header(title, &below))
        main {
            (tiles(report, look))
            div class="cards" {
                (output(report, look))
                (trend(report, look))
                (causes(&report.figures, look))
                (slots(&report.figures, look))
                (named(&report.figures.by_operator, look, &look.say(say!("By person", "按人员")), &look.say(say!("nobody signed in", "未登记人员"))))
                (named(&report.figures.by_firmware, look, &look.say(say!("By firmware", "按固件版本")), &look.say(say!("no device was identified", "未识别到设备"))))
                (cycles(&report.figures, look))
                (holds(report, look))
                (cloud(report, look))
                (behind(&report.figures, look))
            }
        }
        (look.footer(report.made_at))
    }
}

fn tiles(report: &Report, look: Look<'_>) -> Markup {
    let Outcomes { passed, failed, interrupted } = report.figures.stats.attempts;
    let first = report.figures.stats.first_pass_yield;
    let tile = |class: &str, name: String, value: String, below: Option<String>| {
        html! { div class=(format!("tile {class}")) {
            dt { (name) }
            dd { (value) @if let Some(below) = below { small { (below) } } }
        } }
    };
    let of_plan = report.plan.filter(|plan| *plan > 0.0).map(|plan| {
        let done = report.order.as_ref().map_or(passed as f64, |order| f64::from(order.proven));
        let (done, share) = (done.round(), look.percent(Some(done / plan)));
        let plan = plan.round();
        (share, look.say(say!("{done} of {plan} units", "{done} / {plan} 台")))
    });
    let closed = report.order.as_ref().is_some_and(|order| order.closed);
    html! {
        dl class="tiles" {
            (tile("pass", look.say(say!("Passed", "合格")), passed.to_string(), None))
            (tile(if failed > 0 { "fail" } else { "" }, look.say(say!("Failed", "不合格")), failed.to_string(), None))
            (tile("", look.say(say!("First-pass yield", "一次通过率")), look.percent(first), None))
            @if let Some((share, below)) = of_plan {
                (tile("", look.say(if report.order.is_some() { say!("Work order", "工单进度") } else { say!("Plan", "计划完成") }), share,
                    Some(if closed { look.say(say!("{below}, closed", "{below}，已关闭")) } else { below })))
            }
            @if interrupted > 0 { (tile("", look.say(say!("Cut off", "中断")), interrupted.to_string(), None)) }
            (tile(if report.holds.count > 0 { "hold" } else { "" }, look.say(say!("On HOLD", "待判定")), report.holds.count.to_string(), None))
            (tile("", look.say(say!("Waiting for the cloud", "等待云端")), report.backlog.count.to_string(), None))
        }
    }
}

/// What an attempt's outcomes are called, in one line.
fn counted(outcomes: Outcomes, look: Look<'_>) -> String {
    let Outcomes { passed, failed, interrupted } = outcomes;
    look.say(say!(
        "{passed} passed, {failed} failed, {interrupted} cut off",
        "合格 {passed}，不合格 {failed}，中断 {interrupted}"
    ))
}

fn parts(outcomes: Outcomes) -> Vec<(&'static str, f64)> {
    let Outcomes { passed, failed, interrupted } = outcomes;
    vec![("pass", passed as f64), ("fail", failed as f64), ("cut", interrupted as f64)]
}

fn output(report: &Report, look: Look<'_>) -> Markup {
    let name = look.say(match report.by_day {
        true => say!("Output by day", "每日产量"),
        false => say!("Output by hour", "每小时产量"),
    });
    let column = |bar: &super::model::Bar| {
        let from = look.minute(bar.span.from);
        let label = match report.by_day {
            true => from.chars().take(5).collect(),
            false => look.clock(bar.span.from),
        };
        let outcomes = counted(bar.outcomes, look);
        let title = match bar.plan {
            None => format!("{from}: {outcomes}"),
            Some(plan) => look.say(say!(
                "{from}: {outcomes}, planned {plan:.0}",
                "{from}：{outcomes}，计划 {plan:.0}"
            )),
        };
        Column { label, title, parts: parts(bar.outcomes), plan: bar.plan }
    };
    let columns: Vec<Column> = report.bars.iter().map(column).collect();
    let has_plan = report.bars.iter().any(|bar| bar.plan.is_some_and(|plan| plan > 0.0));
    html! {
        figure class="card" {
            h2 { (name) }
            (chart::columns(&name, &columns))
            div class="legend" {
                span { i class="pass" {} (look.say(say!("passed", "合格"))) }
                span { i class="fail" {} (look.say(say!("failed", "不合格"))) }
                span { i class="cut" {} (look.say(say!("cut off", "中断"))) }
                @if has_plan { span { i class="plan" {} (look.say(say!("plan", "计划"))) } }
            }
        }
    }
}

fn trend(report: &Report, look: Look<'_>) -> Markup {
    let name = look.say(say!("First-pass yield by day", "每日一次通过率"));
    let point = |(day, first): (&i64, &Outcomes)| {
        let share = share(*first)?;
        let (date, percent, outcomes) =
            (day_to_text(*day), look.percent(Some(share)), counted(*first, look));
        let label = date.chars().skip(5).collect();
        Some(Point { label, title: format!("{date}: {percent} ({outcomes})"), share })
    };
    let points: Vec<Point> = report.trend.iter().filter_map(point).collect();
    html! {
        figure class="card" {
            h2 { (name) }
            @if points.is_empty() { (nothing(look)) } @else { (chart::line(&name, &points)) }
            figcaption { (look.say(say!("Of the units whose first attempt passed or failed, the share in which it passed.", "首次处理即合格的单元占首次处理有结果的单元的比例。"))) }
        }
    }
}

fn nothing(look: Look<'_>) -> Markup {
    html! { p class="dim" { (look.say(say!("Nothing.", "无。"))) } }
}

/// Codes, the most frequent first.
pub(super) fn by_frequency(figures: &Figures) -> Vec<(&str, u64)> {
    let mut codes: Vec<(&str, u64)> =
        figures.stats.by_code.iter().map(|(code, count)| (code.as_str(), *count)).collect();
    codes.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    codes
}

/// What a code means; one of an older program that this one does not know means itself.
pub(super) fn in_words(code: &str, look: Look<'_>) -> &'static str {
    code.parse().map_or("", |code| meaning(code, look.language))
}

fn causes(figures: &Figures, look: Look<'_>) -> Markup {
    let codes = by_frequency(figures);
    let all: u64 = codes.iter().map(|(_, count)| count).sum();
    let most = codes.first().map_or(0, |(_, count)| *count);
    let mut so_far = 0;
    html! {
        section class="card wide" {
            h2 { (look.say(say!("Why attempts did not pass", "未通过原因"))) }
            @if codes.is_empty() { (nothing(look)) } @else {
                table {
                    thead { tr {
                        th { (look.say(say!("Cause", "原因"))) }
                        th class="drawn" {}
                        th class="n" { (look.say(say!("Attempts", "次数"))) }
                        th class="n" { (look.say(say!("Together", "累计"))) }
                    } }
                    tbody { @for (code, count) in codes {
                        @let () = so_far += count;
                        tr {
                            td { a href=(anchor_link(code)) { (in_words(code, look)) } br; span class="code dim" { (outside(code)) } }
                            td class="drawn" { a href=(anchor_link(code)) aria-label=(look.say(say!("Units behind {code}", "{code} 涉及的单元"))) { (chart::bar(&[("fail", count as f64)], most as f64)) } }
                            td class="n" { (count) }
                            td class="n" { (look.percent(Some(so_far as f64 / all.max(1) as f64))) }
                        }
                    } }
                }
            }
        }
    }
}

fn anchor(code: &str) -> String {
    format!("code-{}", super::layout::in_a_path(code))
}

fn anchor_link(code: &str) -> String {
    format!("#{}", anchor(code).replace('%', "%25"))
}

/// A table of outcomes, a row for each name.
fn outcome_table(rows: &[(String, Outcomes)], look: Look<'_>, name: &str) -> Markup {
    let whole = |counts: &Outcomes| counts.passed + counts.failed + counts.interrupted;
    let most = rows.iter().map(|(_, counts)| whole(counts)).max().unwrap_or(0);
    html! {
        table {
            thead { tr {
                th { (name) } th class="drawn" {}
                th class="n" { (look.say(say!("Passed", "合格"))) }
                th class="n" { (look.say(say!("Failed", "不合格"))) }
                th class="n" { (look.say(say!("Yield", "合格率"))) }
            } }
            tbody { @for (row, counts) in rows {
                tr {
                    td { (outside(row)) }
                    td class="drawn" { (chart::bar(&parts(*counts), most as f64)) }
                    td class="n" { (counts.passed) }
                    td class="n" { (counts.failed) }
                    td class="n" { (look.percent(share(*counts))) }
                }
            } }
        }
    }
}

/// The slot with the lowest yield first: a worn contact shows at the top.
fn slots(figures: &Figures, look: Look<'_>) -> Markup {
    let mut rows: Vec<(String, Outcomes)> =
        figures.stats.by_slot.iter().map(|(slot, counts)| (slot.clone(), *counts)).collect();
    let of = |counts: &Outcomes| share(*counts).unwrap_or(1.0);
    rows.sort_by(|one, other| of(&one.1).total_cmp(&of(&other.1)).then(one.0.cmp(&other.0)));
    html! {
        section class="card" {
            h2 { (look.say(say!("By slot", "按工位"))) }
            @if rows.is_empty() { (nothing(look)) } @else {
                (outcome_table(&rows, look, &look.say(say!("Slot", "工位"))))
            }
        }
    }
}

fn named(
    table: &std::collections::BTreeMap<Option<String>, Outcomes>,
    look: Look<'_>,
    title: &str,
    none: &str,
) -> Markup {
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| none.to_owned());
    let rows: Vec<(String, Outcomes)> =
        table.iter().map(|(key, counts)| (name(key), *counts)).collect();
    html! {
        section class="card" {
            h2 { (title) }
            @if rows.is_empty() { (nothing(look)) } @else { (outcome_table(&rows, look, "")) }
        }
    }
}

fn cycles(figures: &Figures, look: Look<'_>) -> Markup {
    let name = look.say(say!("Cycle times of units that passed", "合格单元的处理时间"));
    html! {
        figure class="card" {
            h2 { (name) }
            @match cycle_times(&figures.durations_ms) {
                None => (nothing(look)),
                Some(times) => {
                    (chart::columns(&name, &bins(&times, look)))
                    figcaption { (summary_of(&times, look)) }
                }
            }
        }
    }
}

fn bins(times: &CycleTimes, look: Look<'_>) -> Vec<Column> {
    let column = |bin: &super::model::Bin| {
        let (from, count) = (length(bin.from_ms), bin.count);
        let title = match bin.until_ms.map(length) {
            Some(until) => {
                look.say(say!("{from} to {until}: {count}", "{from} 至 {until}：{count}"))
            }
            None => look.say(say!("{from} and longer: {count}", "{from} 及以上：{count}")),
        };
        Column { label: from, title, parts: vec![("time", count as f64)], plan: None }
    };
    times.bins.iter().map(column).collect()
}

fn summary_of(times: &CycleTimes, look: Look<'_>) -> String {
    let [shortest, median, slow, longest] =
        [times.shortest_ms, times.median_ms, times.slow_ms, times.longest_ms].map(length);
    look.say(say!(
        "Half took no longer than {median}, 95 % no longer than {slow}; {shortest} to {longest}.",
        "一半不超过 {median}，95 % 不超过 {slow}；范围 {shortest} 至 {longest}。"
    ))
}

fn holds(report: &Report, look: Look<'_>) -> Markup {
    let holds = &report.holds;
    let left = holds.count.saturating_sub(holds.units.len() as u64);
    html! {
        section class="card long" {
            h2 { (look.say(say!("On HOLD now", "目前待判定"))) }
            p class="note" { (look.say(say!("The device may hold its certificate, and only that device can tell: put it in again.", "设备可能已持有证书，只有该设备能说明：请重新插入。"))) }
            @if holds.units.is_empty() { (nothing(look)) } @else {
                table {
                    thead { tr {
                        th { (look.say(say!("Unit", "单元"))) } th { (look.say(say!("Slot", "工位"))) } th { (look.say(say!("Since", "开始"))) }
                    } }
                    tbody { @for unit in &holds.units {
                        tr { td { (look.unit(unit.serial.as_str())) } td { (outside(unit.slot.as_str())) } td { (look.time(unit.time)) } }
                    } }
                }
                @if left > 0 { p class="note" { (look.say(say!("and {left} more", "另有 {left} 台"))) } }
            }
        }
    }
}

fn cloud(report: &Report, look: Look<'_>) -> Markup {
    let count = report.backlog.count;
    html! {
        section class="card" {
            h2 { (look.say(say!("Waiting for the cloud now", "目前等待云端"))) }
            p { (look.say(say!("{count} certificates", "{count} 张证书"))) }
            @if let Some(oldest) = report.backlog.oldest {
                @let since: String = look.time(oldest);
                p class="dim" { (look.say(say!("the station's oldest since {since}", "本工位最早自 {since} 起"))) }
            }
        }
    }
}

/// The units behind each code.
fn behind(figures: &Figures, look: Look<'_>) -> Markup {
    let codes = by_frequency(figures);
    html! {
        @if !codes.is_empty() {
            section class="card wide long" {
                h2 { (look.say(say!("Units behind each cause", "各原因涉及的单元"))) }
                @for (code, count) in codes {
                    @let units: &[Behind] = figures.behind.get(code).map_or(&[], Vec::as_slice);
                    details id=(anchor(code)) open[count <= 20] {
                        summary { (outside(code)) ": " (in_words(code, look)) " (" (count) ")" }
                        (attempts(units, count, look))
                    }
                }
            }
        }
    }
}

fn attempts(units: &[Behind], count: u64, look: Look<'_>) -> Markup {
    let left = count.saturating_sub(units.len() as u64);
    html! {
        table {
            thead { tr {
                th { (look.say(say!("Time", "时间"))) }
                th { (look.say(say!("Unit", "单元"))) }
                th class="n" { (look.say(say!("Attempt", "次数"))) }
                th { (look.say(say!("Slot", "工位"))) }
                th { (look.say(say!("Person", "人员"))) }
            } }
            tbody { @for unit in units {
                tr {
                    td { (look.time(unit.time)) }
                    td { (look.unit(unit.serial.as_str())) }
                    td class="n" { (unit.attempt) }
                    td { (outside(unit.slot.as_str())) }
                    td { @if let Some(operator) = &unit.operator { (outside(operator.as_str())) } }
                }
            } }
        }
        @if left > 0 {
            p class="note" { (look.say(say!("The newest are shown; {left} more: station unit list --code", "仅显示最新的；另有 {left} 次：station unit list --code"))) }
        }
    }
}
