//! What every page has: its head, its style, and how a text from outside is shown.

use std::borrow::Cow;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::model::Factory;
use crate::domain::clock::Timestamp;
use crate::domain::local::{Zone, day_to_text};
use crate::domain::say::Say;
use crate::domain::story::percent;
use crate::domain::text::printable;
use crate::say;
use crate::text::{Language, Word, said};

/// How all pages look; a page in a file carries it, the view serves it once.
pub const STYLE: &str = include_str!("style.css");

/// Nothing is fetched and nothing is run, whatever a label or a device put into the page.
const FILE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// Where a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A file by itself: it carries its style, and a unit in it leads nowhere.
    File,
    /// In the view: style and units are other pages of it.
    View,
    /// In the page of a fleet.
    Fleet,
}

/// In which language, by whose clock and for which place a page is written.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The language.
    pub language: Language,
    /// The factory.
    pub factory: &'a Factory,
    /// The place.
    pub place: Place,
}

impl Look<'_> {
    /// A sentence in the page's language.
    pub(super) fn say(&self, sentence: Say) -> String {
        said(&sentence, self.language).to_owned()
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.factory.zone
    }

    /// The page's language as HTML names it.
    fn tag(&self) -> &'static str {
        match self.language {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }

    /// Date, time and offset.
    pub(super) fn time(&self, at: Timestamp) -> String {
        self.zone().show(at)
    }

    /// A word of the operator's screen.
    pub(super) fn word(&self, word: Word) -> &'static str {
        word.text(self.language)
    }

    /// `01-05 14:03`, for a list whose zone is said elsewhere.
    pub(super) fn minute(&self, at: Timestamp) -> String {
        let minute: String = self.zone().show_short(at).chars().take(11).collect();
        match self.zone().comes_twice(at) {
            true => format!("{minute} {}", self.zone().offset(at)),
            false => minute,
        }
    }

    /// `14:00`.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        self.zone().show_short(at).chars().skip(6).take(5).collect()
    }

    /// A share as every screen shows it.
    pub(super) fn percent(&self, share: Option<f64>) -> String {
        share.map_or_else(|| "–".to_owned(), percent)
    }

    /// A unit's serial; in the view it leads to the unit.
    pub(super) fn unit(&self, serial: &str) -> Markup {
        match self.place {
            Place::File => html! { span class="code" { (outside(serial)) } },
            Place::View | Place::Fleet => {
                html! { a class="code" href=(format!("/unit/{}", in_a_path(serial))) { (outside(serial)) } }
            }
        }
    }

    /// A whole page around its body.
    pub fn page(&self, title: &str, body: Markup) -> String {
        let page = html! {
            (DOCTYPE)
            html lang=(self.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    @match self.place {
                        Place::File => {
                            meta http-equiv="Content-Security-Policy" content=(FILE_POLICY);
                            meta name="referrer" content="no-referrer";
                            style { (PreEscaped(STYLE)) }
                        }
                        Place::View | Place::Fleet => { link rel="stylesheet" href="/style.css"; }
                    }
                    title { (printable(title)) }
                }
                body {
                    a class="skip" href="#page" { (self.say(say!("Skip to the page", "跳到正文"))) }
                    @match self.place {
                        Place::File => {}
                        Place::View => { (self.navigation()) }
                        Place::Fleet => { (self.fleet_navigation()) }
                    }
                    (body)
                }
            }
        };
        page.into_string()
    }

    /// The way to the view's other pages, and its look-up.
    fn navigation(&self) -> Markup {
        let ask = self.say(say!(
            "Serial, client id, certificate, fingerprint or device",
            "序列号、客户端 ID、证书号、指纹或设备"
        ));
        html! {
            nav aria-label=(self.say(say!("Pages", "页面"))) {
                a href="/" { (self.say(say!("Line", "产线"))) }
                a href="/report/shift" { (self.say(say!("Shift", "班次"))) }
                a href="/report/day" { (self.say(say!("Day", "日"))) }
                a href="/report/week" { (self.say(say!("Week", "周"))) }
                a href="/orders" { (self.say(say!("Work orders", "工单"))) }
                form action="/find" method="get" role="search" {
                    input type="search" name="q" aria-label=(ask) placeholder=(ask) required autocomplete="off" maxlength="200";
                    button type="submit" { (self.say(say!("Find", "查找"))) }
                }
            }
        }
    }

    /// The same of a fleet's pages.
    fn fleet_navigation(&self) -> Markup {
        let ask = self.say(say!(
            "Serial, client id, certificate, fingerprint or device, as a whole",
            "完整的序列号、客户端 ID、证书号、指纹或设备"
        ));
        html! {
            nav aria-label=(self.say(say!("Pages", "页面"))) {
                a href="/" { (self.say(say!("Stations", "工站"))) }
                a href="/report" { (self.say(say!("Report", "报表"))) }
                a href="/conflicts" { (self.say(say!("Conflicts", "冲突"))) }
                form action="/find" method="get" role="search" {
                    input type="search" name="q" aria-label=(ask) placeholder=(ask) required autocomplete="off" maxlength="200";
                    button type="submit" { (self.say(say!("Find", "查找"))) }
                }
            }
        }
    }

    /// What stands over every page: its title, a line below, and whose it is.
    pub(super) fn header(&self, title: &str, below: &str) -> Markup {
        let Factory { station, product, .. } = self.factory;
        html! {
            header id="page" tabindex="-1" {
                div { h1 { (outside(title)) } p class="dim" { (outside(below)) } }
                div class="about" {
                    p { b { (outside(product)) } }
                    // A fleet's page is no one station's.
                    @if !matches!(self.place, Place::Fleet) {
                        p class="dim" { (self.say(say!("Station", "工站"))) " " (outside(station)) }
                    }
                }
            }
        }
    }

    /// What stands below every page.
    pub(super) fn footer(&self, made_at: Timestamp) -> Markup {
        let (at, zone) = (self.time(made_at), self.zone().name());
        let version = env!("CARGO_PKG_VERSION");
        html! {
            footer {
                (self.say(say!(
                    "Made {at} from the station's ledger by provisioning-station {version}. Times are those of {zone}.",
                    "{at} 由 provisioning-station {version} 根据工站账本生成。时间为 {zone} 时间。"
                )))
            }
        }
    }
}

/// A text from outside: nothing in it moves, hides or reorders what stands around it.
pub(super) fn outside(text: &str) -> Markup {
    html! { bdi { (printable(text)) } }
}

/// A date.
pub(super) fn date(day: i64) -> String {
    day_to_text(day)
}

/// A text as one segment of a path.
pub fn in_a_path(text: &str) -> Cow<'_, str> {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if text.bytes().all(is_plain) && !matches!(text, "." | "..") {
        return Cow::Borrowed(text);
    }
    let written = text.bytes().map(|byte| match byte {
        byte if byte != b'.' && is_plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    Cow::Owned(written.collect())
}

/// A length of time: `840 ms`, `2.4 s`.
pub(super) fn length(milliseconds: i64) -> String {
    match milliseconds {
        short if short < 1_000 => format!("{short} ms"),
        long => format!("{:.1} s", long as f64 / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_a_path_is_one_segment_of_it() {
        assert_eq!(in_a_path("TH200-00000001"), "TH200-00000001");
        assert_eq!(in_a_path("a/b?c#d\"<"), "a%2Fb%3Fc%23d%22%3C");
        assert_eq!(in_a_path(".."), "%2E%2E");
    }

    #[test]
    fn what_comes_from_outside_is_shown_and_never_markup() {
        let shown = outside("<img src=x onerror=alert(1)>\u{202e}\u{1b}").into_string();
        assert_eq!(shown, "<bdi>&lt;img src=x onerror=alert(1)&gt;\\u{202e}\\u{1b}</bdi>");
    }
}
