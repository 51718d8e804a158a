//! The language in which the program speaks to a person: that of station.toml once it is
//! read, before that the one of the terminal's surroundings.

use std::sync::OnceLock;

use crate::text::Language;

static SPOKEN: OnceLock<Language> = OnceLock::new();

/// From now on the program speaks this language. The first one that is set counts.
pub fn speak(language: Language) {
    // Set twice only where two configurations were read, and then by the first.
    let _ = SPOKEN.set(language);
}

/// The language that the program speaks.
pub fn language() -> Language {
    SPOKEN.get().copied().unwrap_or_else(|| of_surroundings(&|name| std::env::var(name).ok()))
}

/// As the system's own programs find it out: the first of these that is set.
fn of_surroundings(variable: &dyn Fn(&str) -> Option<String>) -> Language {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let found = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set);
    match found {
        Some(value) if value.to_ascii_lowercase().starts_with("zh") => Language::Chinese,
        _ => Language::English,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let of = |set: &'static [(&str, &str)]| {
            of_surroundings(&move |name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[]), Language::English);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8")]), Language::Chinese);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C.UTF-8")]), Language::English);
        assert_eq!(of(&[("LC_ALL", ""), ("LC_MESSAGES", "zh_TW")]), Language::Chinese);
    }
}
