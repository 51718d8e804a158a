//! What was typed on the history page: words that filter, and a text to search for.

use crate::domain::local::{Zone, day_from_text};
use crate::domain::pages::HistoryQuery;
use crate::domain::state::AttemptOutcome;

/// Reads what was typed; where a word can't be meant, the word.
pub(super) fn parse(text: &str, zone: &Zone) -> Result<HistoryQuery, String> {
    let mut query = HistoryQuery::default();
    for word in text.split_whitespace() {
        read(&mut query, word, zone).ok_or_else(|| word.to_owned())?;
    }
    Ok(query)
}

fn read(query: &mut HistoryQuery, word: &str, zone: &Zone) -> Option<()> {
    match word.split_once(':') {
        Some(("slot", slot)) => query.slot = Some(slot.parse().ok()?),
        Some(("code", code)) => query.code = Some(code.to_uppercase().parse().ok()?),
        Some(("day", day)) => query.within = Some(zone.day(day_from_text(day)?)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::Code;

    #[test]
    fn words_filter_and_one_is_searched_for() {
        let query =
            parse("slot:A fail code:e-dev-timeout day:2026-01-05 TH200-0001", &Zone::UTC).unwrap();
        assert_eq!(query.text, "TH200-0001");
        assert_eq!(query.slot.unwrap().as_str(), "A");
        assert_eq!(query.outcome, Some(AttemptOutcome::Fail));
        assert_eq!(query.code, Some(Code::DevTimeout));
        assert_eq!(query.within, Some(Zone::UTC.day(20_458)));
        assert_eq!(parse("", &Zone::UTC).unwrap(), HistoryQuery::default());
    }

    #[test]
    fn a_word_that_can_t_be_meant_is_named() {
        for (text, wrong) in [
            ("code:E-NONSENSE", "code:E-NONSENSE"),
            ("day:2026-13-01", "day:2026-13-01"),
            ("slot: TH", "slot:"),
            ("TH200 TH201", "TH201"),
        ] {
            assert_eq!(parse(text, &Zone::UTC).unwrap_err(), wrong);
        }
    }
}
