//! The application identifiers of GS1 and the form of what follows each: GS1 General
//! Specifications, release 24, figure 3.2-1, and section 7.8.5 for those whose end needs no
//! separator.

/// What follows an application identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    /// The fewest characters.
    pub(super) least: usize,
    /// The most.
    pub(super) most: usize,
    /// Digits alone, or any of the 82 characters of GS1.
    pub(super) digits: bool,
    /// Its length is known beforehand, so that no separator follows.
    pub(super) predefined: bool,
    /// Its last digit guards the others.
    pub(super) guarded: bool,
}

const fn fixed(length: usize) -> Format {
    Format { least: length, most: length, digits: true, predefined: true, guarded: false }
}

const fn key(length: usize) -> Format {
    Format { guarded: true, ..fixed(length) }
}

const fn digits(least: usize, most: usize) -> Format {
    Format { least, most, digits: true, predefined: false, guarded: false }
}

const fn text(most: usize) -> Format {
    Format { least: 1, most, digits: false, predefined: false, guarded: false }
}

/// Identifiers and formats; `n` stands for any digit. The first row that fits counts.
const TABLE: &[(&str, Format)] = &[
    ("00", key(18)),
    ("01", key(14)),
    ("02", key(14)),
    ("03", key(14)),
    ("10", text(20)),
    ("11", fixed(6)),
    ("12", fixed(6)),
    ("13", fixed(6)),
    ("15", fixed(6)),
    ("16", fixed(6)),
    ("17", fixed(6)),
    ("20", fixed(2)),
    ("21", text(20)),
    ("22", text(20)),
    ("235", text(28)),
    ("240", text(30)),
    ("241", text(30)),
    ("242", digits(1, 6)),
    ("243", text(20)),
    ("250", text(30)),
    ("251", text(30)),
    ("253", text(30)),
    ("254", text(20)),
    ("255", digits(13, 25)),
    ("30", digits(1, 8)),
    ("31nn", fixed(6)),
    ("32nn", fixed(6)),
    ("33nn", fixed(6)),
    ("34nn", fixed(6)),
    ("35nn", fixed(6)),
    ("36nn", fixed(6)),
    ("37", digits(1, 8)),
    ("390n", digits(1, 15)),
    ("391n", digits(4, 18)),
    ("392n", digits(1, 15)),
    ("393n", digits(4, 18)),
    ("394n", digits(4, 4)),
    ("395n", digits(6, 6)),
    ("400", text(30)),
    ("401", text(30)),
    ("402", digits(17, 17)),
    ("403", text(30)),
    ("41n", key(13)),
    ("420", text(20)),
    ("421", text(12)),
    ("422", digits(3, 3)),
    ("423", digits(3, 15)),
    ("424", digits(3, 3)),
    ("425", digits(3, 15)),
    ("426", digits(3, 3)),
    ("427", text(3)),
    ("43nn", text(70)),
    ("7001", digits(13, 13)),
    ("7002", text(30)),
    ("7003", digits(10, 10)),
    ("7004", digits(1, 4)),
    ("70nn", text(30)),
    ("71n", text(20)),
    ("72nn", text(90)),
    ("8001", digits(14, 14)),
    ("8002", text(20)),
    ("8003", text(30)),
    ("8004", text(30)),
    ("8005", digits(6, 6)),
    ("8006", digits(18, 18)),
    ("8007", text(34)),
    ("8008", digits(8, 12)),
    ("8009", text(50)),
    ("8010", text(30)),
    ("8011", digits(1, 12)),
    ("8012", text(20)),
    ("8013", text(30)),
    ("8017", digits(18, 18)),
    ("8018", digits(18, 18)),
    ("8019", digits(1, 10)),
    ("8020", text(25)),
    ("8026", digits(18, 18)),
    ("8030", text(90)),
    ("8110", text(70)),
    ("8111", digits(4, 4)),
    ("8112", text(70)),
    ("8200", text(70)),
    ("90", text(30)),
    ("9n", text(90)),
];

/// The identifier with which a text begins, and what must follow it.
pub(super) fn identifier(text: &str) -> Option<(&str, Format)> {
    let fits = |name: &str| {
        let head = text.as_bytes().get(..name.len())?;
        let same = |(wanted, found): (u8, &u8)| match wanted {
            b'n' => found.is_ascii_digit(),
            digit => digit == *found,
        };
        name.bytes().zip(head).all(same).then_some(name.len())
    };
    TABLE.iter().find_map(|(name, format)| Some((text.split_at(fits(name)?).0, *format)))
}

/// Whether a text is an identifier and nothing else.
pub(super) fn is_identifier(text: &str) -> bool {
    identifier(text).is_some_and(|(found, _)| found == text)
}

/// One of the 82 characters that an element of text may have.
pub(super) const fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(
            c,
            '!' | '"'
                | '%'
                | '&'
                | '\''
                | '('
                | ')'
                | '*'
                | '+'
                | ','
                | '-'
                | '.'
                | '/'
                | ':'
                | ';'
                | '<'
                | '='
                | '>'
                | '?'
                | '_'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_found_by_its_digits_alone() {
        let name = |text| identifier(text).map(|(name, _)| name);
        assert_eq!(name("0109506000134352"), Some("01"));
        assert_eq!(name("3103000500"), Some("3103"));
        assert_eq!(name("235X"), Some("235"));
        assert_eq!(name("91"), Some("91"));
        for wrong in ["", "2", "05123", "88", "A1", "310"] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
        assert!(is_identifier("8002") && !is_identifier("8002X"));
    }

    #[test]
    fn eighty_two_characters_are_allowed() {
        assert_eq!((' '..='~').filter(|c| is_allowed(*c)).count(), 82);
    }

    #[test]
    fn only_the_beginnings_of_the_specification_need_no_separator() {
        // Figure 7.8.5-2: the first two digits of identifiers of predefined length.
        const PREDEFINED: &[&str] = &[
            "00", "01", "02", "03", "04", "11", "12", "13", "14", "15", "16", "17", "18", "19",
            "20", "31", "32", "33", "34", "35", "36", "41",
        ];
        for (name, format) in TABLE {
            assert_eq!(format.predefined, PREDEFINED.contains(&&name[..2]), "{name}");
        }
    }
}
