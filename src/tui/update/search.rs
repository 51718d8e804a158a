//! What was typed on the history page: words that filter, and a text to search for.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::question::HistoryQuery;
use crate::domain::state::AttemptOutcome;

/// Reads what was typed; where a word can't be meant, the word.
pub(super) fn parse(text: &str) -> Result<HistoryQuery, String> {
    let mut query = HistoryQuery::default();
    for word in text.split_whitespace() {
        read(&mut query, word).ok_or_else(|| word.to_owned())?;
    }
    Ok(query)
}

fn read(query: &mut HistoryQuery, word: &str) -> Option<()> {
    match word.split_once(':') {
        Some(("slot", slot)) => query.slot = Some(slot.parse().ok()?),
        Some(("code", code)) => query.code = Some(code.to_uppercase().parse().ok()?),
        Some(("day", day)) => query.day = Some(day_of(day)?),
        _ => match outcome(word) {
            Some(outcome) => query.outcome = Some(outcome),
            None if query.text.is_empty() => query.text = word.to_owned(),
            None => return None,
        },
    }
    Some(())
}

fn outcome(word: &str) -> Option<AttemptOutcome> {
    word.to_lowercase().parse().ok()
}

/// A day in UTC, counted from 1970-01-01.
fn day_of(text: &str) -> Option<i64> {
    let date: Date = text.parse().ok()?;
    let midnight = TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
    Some(midnight.as_second().div_euclid(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::Code;

    #[test]
    fn words_filter_and_one_is_searched_for() {
        let query = parse("slot:A fail code:e-dev-timeout day:2026-01-05 TH200-0001").unwrap();
        assert_eq!(query.text, "TH200-0001");
        assert_eq!(query.slot.unwrap().as_str(), "A");
        assert_eq!(query.outcome, Some(AttemptOutcome::Fail));
        assert_eq!(query.code, Some(Code::DevTimeout));
        assert_eq!(query.day, Some(20_458));
        assert_eq!(parse("").unwrap(), HistoryQuery::default());
    }

    #[test]
    fn a_word_that_can_t_be_meant_is_named() {
        for (text, wrong) in [
            ("code:E-NONSENSE", "code:E-NONSENSE"),
            ("day:2026-13-01", "day:2026-13-01"),
            ("slot: TH", "slot:"),
            ("TH200 TH201", "TH201"),
        ] {
            assert_eq!(parse(text).unwrap_err(), wrong);
        }
    }
}
