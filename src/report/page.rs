//! A report as a page.

use maud::{Markup, html};

use super::chart::{self, Column, Point};
use super::layout::{Look, Place, date, in_a_path, length, outside};
use super::model::{Bar, Bin, CycleTimes, Report, Subject, cycle_times, share};
use crate::domain::figures::{Behind, Figures};
use crate::domain::local::day_to_text;
use crate::domain::say::Say;
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
            @if look.place == Place::View { (turn(report, look)) }
            (tiles(report, look))
            div class="cards" {
                (output(report, look))
                (trend(report, look))
                (causes(&report.figures, look))
                (slots(&report.figures, look))
                (named(&report.figures.by_operator, look, [say!("By person", "按人员"), say!("Person", "人员"), say!("nobody signed in", "未登记人员")]))
                (named(&report.figures.by_firmware, look, [say!("By firmware", "按固件版本"), say!("Firmware", "固件版本"), say!("no device was identified", "未识别到设备")]))
                (cycles(&report.figures, look))
                (holds(report, look))
                (cloud(report, look))
                (behind(&report.figures, look))
            }
        }
        (look.footer(report.made_at))
    }
}

/// The way to the report before this one, to the one behind it and to any other day's.
fn turn(report: &Report, look: Look<'_>) -> Markup {
    let (of, day, days) = match &report.subject {
        Subject::Shift(name, day) => (format!("shift?name={}&", in_a_path(name)), *day, 1),
        Subject::Day(day) => ("day?".to_owned(), *day, 1),
        Subject::Week(day) => ("week?".to_owned(), *day, 7),
        Subject::Time | Subject::Order(_) => return html! {},
    };
    let to = |day: i64| format!("/report/{of}date={}", date(day));
    let (path, name) = (of.split('?').next().unwrap_or_default(), look.say(say!("Day", "日期")));
    html! {
        nav class="turn" aria-label=(look.say(say!("Other days", "其他日期"))) {
            a href=(to(day - days)) rel="prev" { (look.say(say!("← earlier", "← 之前"))) }
            a href=(to(day + days)) rel="next" { (look.say(say!("later →", "之后 →"))) }
            form action=(format!("/report/{path}")) method="get" {
                @if let Subject::Shift(..) = &report.subject { (shift_choice(report, look)) }
                input type="date" name="date" aria-label=(name) value=(date(day)) required;
                button type="submit" { (look.say(say!("Show", "查看"))) }
            }
        }
    }
}

fn shift_choice(report: &Report, look: Look<'_>) -> Markup {
    html! {
        select name="name" aria-label=(look.say(say!("Shift", "班次"))) {
            @for shift in &look.factory.shifts {
                @let is_shown = matches!(&report.subject, Subject::Shift(name, _) if *name == shift.name);
                option value=(shift.name) selected[is_shown] { (shift.name) }
            }
        }
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
            (tile(if report.holds.count > 0 { "hold" } else { "" }, look.say(say!("On HOLD", "保留")), report.holds.count.to_string(), None))
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
    let column = |bar: &Bar| {
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
            (values(report, look))
            div class="legend" {
                span { i class="pass" {} (look.say(say!("passed", "合格"))) }
                span { i class="fail" {} (look.say(say!("failed", "不合格"))) }
                span { i class="cut" {} (look.say(say!("cut off", "中断"))) }
                @if has_plan { span { i class="plan" {} (look.say(say!("plan", "计划"))) } }
            }
        }
    }
}

/// What the columns say, for whoever can't point at one.
fn values(report: &Report, look: Look<'_>) -> Markup {
    let plan = |bar: &Bar| bar.plan.map_or_else(String::new, |plan| format!("{plan:.0}"));
    let rows = report.bars.iter().map(|bar| {
        let Outcomes { passed, failed, interrupted } = bar.outcomes;
        let counts = [passed, failed, interrupted].map(|count| count.to_string());
        (look.minute(bar.span.from), counts.into_iter().chain([plan(bar)]).collect())
    });
    let heads = [
        say!("From", "开始"),
        say!("Passed", "合格"),
        say!("Failed", "不合格"),
        say!("Cut off", "中断"),
        say!("Plan", "计划"),
    ];
    value_table(&heads, rows.collect(), look)
}

/// A chart's values as a table that opens: each row's name, and what it has.
fn value_table(heads: &[Say], rows: Vec<(String, Vec<String>)>, look: Look<'_>) -> Markup {
    html! {
        details class="values" {
            summary { (look.say(say!("Values", "数值"))) }
            table {
                thead { tr { @for (index, head) in heads.iter().enumerate() {
                    th class=[(index > 0).then_some("n")] { (look.say(head.clone())) }
                } } }
                tbody { @for (name, values) in rows { tr {
                    th scope="row" { (name) }
                    @for value in values { td class="n" { (value) } }
                } } }
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
    let row = |(day, first): (&i64, &Outcomes)| {
        let share = look.percent(Some(share(*first)?));
        let counts = [first.passed, first.failed].map(|count| count.to_string());
        Some((day_to_text(*day), [share].into_iter().chain(counts).collect()))
    };
    let rows = report.trend.iter().filter_map(row).collect();
    let heads = [
        say!("Day", "日期"),
        say!("Yield", "合格率"),
        say!("Passed", "合格"),
        say!("Failed", "不合格"),
    ];
    html! {
        figure class="card" {
            h2 { (name) }
            @if points.is_empty() { (nothing(look)) } @else {
                (chart::line(&name, &points))
                (value_table(&heads, rows, look))
            }
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
                        td class="drawn" {}
                        th class="n" { (look.say(say!("Attempts", "次数"))) }
                        th class="n" { (look.say(say!("Together", "累计"))) }
                    } }
                    tbody { @for (code, count) in codes {
                        @let () = so_far += count;
                        tr {
                            th scope="row" { a href=(anchor_link(code)) { (in_words(code, look)) } br; span class="code dim" { (outside(code)) } }
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
    format!("code-{}", in_a_path(code))
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
                th { (name) } td class="drawn" {}
                th class="n" { (look.say(say!("Passed", "合格"))) }
                th class="n" { (look.say(say!("Failed", "不合格"))) }
                th class="n" { (look.say(say!("Yield", "合格率"))) }
            } }
            tbody { @for (row, counts) in rows {
                tr {
                    th scope="row" { (outside(row)) }
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
    words: [Say; 3],
) -> Markup {
    let [title, head, none] = words.map(|word| look.say(word));
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| none.clone());
    let rows: Vec<(String, Outcomes)> =
        table.iter().map(|(key, counts)| (name(key), *counts)).collect();
    html! {
        section class="card" {
            h2 { (title) }
            @if rows.is_empty() { (nothing(look)) } @else { (outcome_table(&rows, look, &head)) }
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
                    @let bins = bins(&times, look);
                    @let rows = bins.iter().zip(&times.bins).map(|(column, bin)| (column.label.clone(), vec![bin.count.to_string()]));
                    (chart::columns(&name, &bins))
                    (value_table(&[say!("From", "从"), say!("Units", "单元")], rows.collect(), look))
                    figcaption { (summary_of(&times, look)) }
                }
            }
        }
    }
}

fn bins(times: &CycleTimes, look: Look<'_>) -> Vec<Column> {
    let column = |bin: &Bin| {
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
            h2 { (look.say(say!("On HOLD now", "目前保留"))) }
            p class="note" { (look.say(say!("The device may hold its certificate, and only that device can tell: put it in again.", "设备可能已持有证书，只有该设备能说明：请重新插入。"))) }
            @if holds.units.is_empty() { (nothing(look)) } @else {
                table {
                    thead { tr {
                        th { (look.say(say!("Unit", "单元"))) } th { (look.say(say!("Slot", "工位"))) } th { (look.say(say!("Since", "开始"))) }
                    } }
                    tbody { @for unit in &holds.units {
                        tr { th scope="row" { (look.unit(unit.serial.as_str())) } td { (outside(unit.slot.as_str())) } td { (look.time(unit.time)) } }
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
                p class="dim" { (look.say(say!("the oldest since {since}", "最早自 {since} 起"))) }
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
