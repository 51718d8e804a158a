//! URLs: GS1 Digital Links (`https://id.example/01/09506000134352/21/ABC`) and URLs that name
//! the serial among their parameters (`https://example.com/d?sn=ABC`).

use super::fields::{Fields, Misfit};
use super::gs1_table::{identifier, is_identifier};

/// The identifiers with which the path of a Digital Link may begin (GS1 Digital Link URI
/// Syntax, release 1.4, section 4.4).
const PRIMARY: &[&str] = &[
    "01", "8006", "8013", "8010", "410", "411", "412", "413", "414", "415", "416", "417", "8017",
    "8018", "255", "00", "253", "401", "402", "8003", "8004",
];

/// Words that stood for identifiers until release 1.2.
const WORDS: &[(&str, &str)] = &[
    ("gtin", "01"),
    ("itip", "8006"),
    ("gmn", "8013"),
    ("cpid", "8010"),
    ("sscc", "00"),
    ("giai", "8004"),
    ("grai", "8003"),
    ("cpv", "22"),
    ("lot", "10"),
    ("ser", "21"),
];

/// The identifiers of a URL's path and its parameters.
pub(super) fn read(text: &str) -> Result<Fields, Misfit> {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(Misfit::at(text, 0, "http:// or https:// is expected"));
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = place.split_once('/').map_or("", |(_, path)| path);
    let mut fields = Fields::default();
    identifiers(text, path, &mut fields)?;
    for pair in query.split(['&', ';']).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        fields.push(&decoded(text, name, true)?, &decoded(text, value, true)?);
    }
    Ok(fields)
}

/// A path's identifiers: the first that an item is known by, and all pairs behind it.
fn identifiers(text: &str, path: &str, fields: &mut Fields) -> Result<(), Misfit> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let is_primary = |segment: &&str| number(segment).is_some_and(|name| PRIMARY.contains(&name));
    let Some(first) = segments.iter().position(is_primary) else { return Ok(()) };
    for pair in segments[first..].chunks(2) {
        let &[name, value] = pair else { return Ok(()) };
        let Some(name) = number(name) else { return Ok(()) };
        let value = decoded(text, value, false)?;
        let is_item = matches!(name, "01");
        let value = if is_item { format!("{value:0>14}") } else { value };
        fields.push(name, &value);
    }
    Ok(())
}

fn number(segment: &str) -> Option<&str> {
    let word = WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(segment));
    match word {
        Some((_, number)) => Some(*number),
        None if is_identifier(segment) => identifier(segment).map(|(name, _)| name),
        None => None,
    }
}

/// Undoes percent encoding; in parameters `+` is a space too.
fn decoded(text: &str, part: &str, is_parameter: bool) -> Result<String, Misfit> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next(), rest.next()];
                hexadecimal(digits).ok_or_else(|| {
                    Misfit::at(text, offset(text, part), "a % without two hexadecimal digits")
                })?
            }
            b'+' if is_parameter => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| {
        Misfit::at(text, offset(text, part), "what is percent-encoded here is no text")
    })
}

fn hexadecimal([high, low]: [Option<u8>; 2]) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

fn offset(text: &str, part: &str) -> usize {
    text.find(part).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, name: &str) -> String {
        let fields = read(text).unwrap();
        fields.values(name).next().unwrap_or("nothing").to_owned()
    }

    #[test]
    fn a_digital_link_has_its_identifiers_in_the_path() {
        let link = "https://id.example.com/a/01/09506000134352/10/L%2F1/21/TH200-1?17=271231#x";
        assert_eq!(value(link, "01"), "09506000134352");
        assert_eq!(value(link, "10"), "L/1");
        assert_eq!(value(link, "21"), "TH200-1");
        assert_eq!(value(link, "17"), "271231");
        assert_eq!(value("HTTP://X.EXAMPLE/gtin/9506000134352/ser/A+1", "21"), "A+1");
        assert_eq!(value("HTTP://X.EXAMPLE/gtin/9506000134352/ser/A+1", "01"), "09506000134352");
    }

    #[test]
    fn any_url_may_have_the_serial_as_a_parameter() {
        assert_eq!(value("https://example.com/d?sn=TH200%2D1&x=y", "sn"), "TH200-1");
        assert_eq!(value("https://example.com?sn=A+B", "sn"), "A B");
        // No item is named, so numbers in the path are none of an item's.
        assert_eq!(value("https://example.com/21/A", "21"), "nothing");
    }

    #[test]
    fn what_is_no_url_says_so() {
        assert!(read("TH200-1").unwrap_err().to_string().contains("https:// is expected"));
        assert!(read("https://x/01/%4").unwrap_err().to_string().contains("two hexadecimal"));
        assert!(read("https://x/?a=%ff").unwrap_err().to_string().contains("no text"));
    }
}
