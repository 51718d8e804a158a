//! What stands behind each code, at length, in Simplified Chinese: `explained_zh.md`, with the
//! headings of `docs/errors.md`. In English that page itself says it.

use crate::domain::code::Code;

const TEXT: &str = include_str!("explained_zh.md");

/// What `code` means, why, and what to do; as Markdown. Empty where it has no text yet,
/// which a test refuses.
pub fn explained(code: Code) -> &'static str {
    below("### ", code.as_str())
}

/// What holds for a whole group of codes, by its title. Empty where nothing does.
pub fn about_group(title: &str) -> &'static str {
    below("## ", title)
}

/// What stands between this heading and the next.
fn below(level: &str, heading: &str) -> &'static str {
    let begins_here = |line: &str| line.strip_prefix(level) == Some(heading);
    let mut at = 0;
    for line in TEXT.split_inclusive('\n') {
        at += line.len();
        if begins_here(line.trim_end()) {
            let rest = TEXT.get(at..).unwrap_or_default();
            let end = rest.find("\n#").unwrap_or(rest.len());
            return rest.get(..end).unwrap_or_default().trim();
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn headings() -> Vec<&'static str> {
        TEXT.lines().filter_map(|line| line.strip_prefix("### ")).collect()
    }

    #[test]
    fn every_code_is_explained_once_and_in_the_order_of_the_codes() {
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(headings(), codes);
    }

    #[test]
    fn every_explanation_is_chinese_and_of_its_own() {
        let mut seen = BTreeSet::new();
        for code in Code::ALL {
            let text = explained(*code);
            let chinese = text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
            assert!(chinese >= 8, "{code}: {text}");
            assert!(seen.insert(text), "{code} has another code's text");
        }
    }

    /// What a reader types or looks for reads the same in both languages.
    #[test]
    fn commands_keys_and_numbers_are_those_of_the_english_page() {
        let english = include_str!("../../docs/errors.md");
        for code in Code::ALL {
            let (_, rest) = english.split_once(&format!("### {code}\n")).unwrap();
            let section = rest.split("\n#").next().unwrap();
            let (named, said) = (spans(section), spans(explained(*code)));
            let odd: Vec<_> = said.symmetric_difference(&named).collect();
            assert!(odd.is_empty(), "{code}: {odd:?}");
        }
    }

    /// What stands between backticks, without what is a word for people in it.
    fn spans(text: &str) -> BTreeSet<String> {
        let spans = text.split('`').skip(1).step_by(2);
        spans.filter(|span| !has_a_place(span)).map(str::to_owned).collect()
    }

    fn has_a_place(span: &str) -> bool {
        span.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
            || ["PORT", "DIR", "TIME"].iter().any(|place| span.contains(place))
    }
}
