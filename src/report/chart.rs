//! Charts as inline SVG: columns, a line of shares, bars. Colours come from the page's classes,
//! so that a chart is light, dark or printed as the page is.

use maud::{Markup, html};

const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 34.0;
const RIGHT: f64 = 6.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 20.0;

/// Labels below a chart, at most: more would run into each other.
const LABELS: usize = 9;

/// One column.
pub(super) struct Column {
    /// Below it.
    pub(super) label: String,
    /// What it says when pointed at, and to a screen reader.
    pub(super) title: String,
    /// From the bottom up: the class of each part, and its height.
    pub(super) parts: Vec<(&'static str, f64)>,
    /// A mark at what was planned.
    pub(super) plan: Option<f64>,
}

/// Columns over a common axis.
pub(super) fn columns(name: &str, columns: &[Column]) -> Markup {
    let sum = |column: &Column| column.parts.iter().map(|(_, value)| value).sum::<f64>();
    let highest = columns.iter().map(|column| sum(column).max(column.plan.unwrap_or(0.0)));
    let steps = Steps::up_to(highest.fold(1.0, f64::max));
    let room = (WIDTH - LEFT - RIGHT) / columns.len().max(1) as f64;
    let width = (room * 0.78).clamp(0.5, 40.0);
    let every = columns.len().div_ceil(LABELS).max(1);
    html! {
        svg class="chart" role="img" aria-label=(name) viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) {
            (steps.grid(|value| format!("{value}")))
            @for (index, column) in columns.iter().enumerate() {
                @let middle = LEFT + room * (index as f64 + 0.5);
                g {
                    title { (column.title) }
                    // Where nothing is, there still is something to point at.
                    rect class="hit" x=(n(middle - room / 2.0)) y=(TOP) width=(n(room)) height=(n(HEIGHT - TOP - BOTTOM)) {}
                    @for (class, from, until) in stacked(&column.parts) {
                        rect class=(class) x=(n(middle - width / 2.0)) width=(n(width))
                            y=(n(steps.y(until))) height=(n(steps.y(from) - steps.y(until))) {}
                    }
                    @if let Some(plan) = column.plan.filter(|plan| *plan > 0.0) {
                        line class="plan" x1=(n(middle - room / 2.0)) x2=(n(middle + room / 2.0))
                            y1=(n(steps.y(plan))) y2=(n(steps.y(plan))) {}
                    }
                }
                @if index % every == 0 {
                    text class="tick" text-anchor="middle" x=(n(middle)) y=(HEIGHT - 6.0) { (column.label) }
                }
            }
        }
    }
}

fn stacked(parts: &[(&'static str, f64)]) -> Vec<(&'static str, f64, f64)> {
    let mut from = 0.0;
    let mut stacked = Vec::new();
    for (class, value) in parts.iter().filter(|(_, value)| *value > 0.0) {
        stacked.push((*class, from, from + value));
        from += value;
    }
    stacked
}

/// A point of a line: its label, what it says, and its share of one.
pub(super) struct Point {
    pub(super) label: String,
    pub(super) title: String,
    pub(super) share: f64,
}

/// A line of shares, over an axis that ends at 100 %.
pub(super) fn line(name: &str, points: &[Point]) -> Markup {
    let lowest = points.iter().map(|point| point.share).fold(1.0, f64::min);
    // Never so narrow that a small change looks like a large one.
    let from = ((lowest * 5.0).floor() * 20.0).min(80.0);
    let steps = Steps { from, until: 100.0, step: (100.0 - from) / 4.0 };
    let room = (WIDTH - LEFT - RIGHT) / points.len().max(1) as f64;
    let x = |index: usize| LEFT + room * (index as f64 + 0.5);
    let y = |point: &Point| steps.y(point.share * 100.0);
    let path: Vec<String> = points
        .iter()
        .enumerate()
        .map(|(index, point)| format!("{},{}", n(x(index)), n(y(point))))
        .collect();
    let every = points.len().div_ceil(LABELS).max(1);
    html! {
        svg class="chart" role="img" aria-label=(name) viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) {
            (steps.grid(|value| format!("{value} %")))
            polyline class="trend" points=(path.join(" ")) {}
            @for (index, point) in points.iter().enumerate() {
                g {
                    title { (point.title) }
                    circle class="point" cx=(n(x(index))) cy=(n(y(point))) r="3" {}
                }
                @if index % every == 0 {
                    text class="tick" text-anchor="middle" x=(n(x(index))) y=(HEIGHT - 6.0) { (point.label) }
                }
            }
        }
    }
}

/// A bar within a row of a table: the class and the value of each part, of so much in all.
pub(super) fn bar(parts: &[(&'static str, f64)], whole: f64) -> Markup {
    let scale = if whole > 0.0 { 100.0 / whole } else { 0.0 };
    html! {
        svg class="bar" aria-hidden="true" viewBox="0 0 100 10" preserveAspectRatio="none" {
            @for (class, from, until) in stacked(parts) {
                rect class=(class) x=(n(from * scale)) width=(n((until - from) * scale)) y="0" height="10" {}
            }
        }
    }
}

/// An axis with its marks.
struct Steps {
    from: f64,
    until: f64,
    step: f64,
}

impl Steps {
    /// From nothing to a round number that is no less.
    fn up_to(highest: f64) -> Self {
        let mut power = 1.0;
        let step = loop {
            if let Some(step) = [1.0, 2.0, 5.0]
                .map(|step| step * power)
                .into_iter()
                .find(|step| step * 5.0 >= highest)
            {
                break step;
            }
            power *= 10.0;
        };
        Self { from: 0.0, until: (highest / step).ceil() * step, step }
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.from) / (self.until - self.from);
        HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
    }

    fn grid(&self, label: impl Fn(f64) -> String) -> Markup {
        let marks = ((self.until - self.from) / self.step).round() as i32;
        let values: Vec<f64> =
            (0..=marks).map(|mark| self.from + f64::from(mark) * self.step).collect();
        let rounded = |value: f64| (value * 10.0).round() / 10.0;
        html! {
            @for value in values {
                line class="grid" x1=(LEFT) x2=(WIDTH - RIGHT) y1=(n(self.y(value))) y2=(n(self.y(value))) {}
                text class="tick" text-anchor="end" x=(LEFT - 4.0) y=(n(self.y(value) + 3.5)) { (label(rounded(value))) }
            }
        }
    }
}

/// A coordinate, to the hundredth.
fn n(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        let end = |highest| Steps::up_to(highest).until;
        assert_eq!([end(1.0), end(7.0), end(23.0), end(101.0)], [1.0, 8.0, 25.0, 150.0]);
    }

    #[test]
    fn a_label_is_text_and_never_markup() {
        let column = Column {
            label: "<b>".to_owned(),
            title: "\"><script>".to_owned(),
            parts: vec![("pass", 3.0)],
            plan: Some(4.0),
        };
        let drawn = columns("a<b", &[column]).into_string();
        assert!(drawn.contains("&lt;b&gt;") && drawn.contains("aria-label=\"a&lt;b\""), "{drawn}");
        assert!(!drawn.contains("<script>"), "{drawn}");
        assert!(drawn.contains("class=\"plan\""));
        assert_eq!(drawn.matches("<rect").count(), drawn.matches("</rect>").count(), "{drawn}");
    }

    #[test]
    fn what_is_empty_is_drawn_too() {
        assert!(columns("none", &[]).into_string().starts_with("<svg"));
        assert!(line("none", &[]).into_string().contains("100 %"));
        assert!(bar(&[], 0.0).into_string().ends_with("</svg>"));
    }
}
