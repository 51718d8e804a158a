//! Two scans that became one text, since the scanner sends nothing behind a scan.

/// The two, where a text is two serials one behind the other and is none itself.
pub(super) fn two_in(text: &str, accepts: impl Fn(&str) -> bool) -> Option<[String; 2]> {
    let split = |at: usize| {
        let (first, second) = text.split_at(at);
        [first, second.trim_start_matches(['\t', '\u{3}', '\u{2}'])]
    };
    let mut splits = (1..text.len()).filter(|_| text.is_ascii()).map(split);
    let both = splits.find(|[first, second]| accepts(first) && accepts(second))?;
    Some(both.map(str::to_owned))
}

/// The fewest letters with which serials that look alike begin.
const LETTERS: usize = 2;

/// The same of a text that a pattern without a fixed length takes for a serial. Only two
/// halves that look alike are told: both begin with the same letters, and have digits and
/// other characters at the same places.
pub(super) fn two_alike_in(text: &str, accepts: impl Fn(&str) -> bool) -> Option<[String; 2]> {
    let halves = text.is_ascii().then(|| text.split_at(text.len() / 2));
    let (first, second) = halves.filter(|(first, second)| first.len() == second.len())?;
    let letters = first.bytes().take_while(u8::is_ascii_alphabetic).count();
    let alike = |a: u8, b: u8| a == b || a.is_ascii_digit() && b.is_ascii_digit();
    let is_alike = letters >= LETTERS
        && first.bytes().any(|byte| byte.is_ascii_digit())
        && first.bytes().zip(second.bytes()).all(|(a, b)| alike(a, b));
    (is_alike && accepts(first) && accepts(second)).then(|| [first, second].map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_that_look_alike_are_two_scans() {
        let two = |text: &str| two_alike_in(text, |_| true).is_some();
        assert!(two("TH200-00000706TH200-00000707"));
        for one in ["TH200-00000706", "12341234", "A1A2", "AB12CD34", "ABAB", "TH200-1TH200-12"] {
            assert!(!two(one), "{one}");
        }
        assert_eq!(two_alike_in("TH200-1TH200-2", |text| text.len() > 7), None);
    }
}
