//! Code 128 (ISO/IEC 15417): characters as three bars and three spaces each.

/// The widths of bars and spaces of each code word, and of the stop at the end.
#[rustfmt::skip]
const WIDTHS: [&str; 107] = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212",
    "221213", "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221",
    "223211", "221132", "221231", "213212", "223112", "312131", "311222", "321122", "321221",
    "312212", "322112", "322211", "212123", "212321", "232121", "111323", "131123", "131321",
    "112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331", "132131",
    "113123", "113321", "133121", "313121", "211331", "231131", "213113", "213311", "213131",
    "311123", "311321", "331121", "312113", "312311", "332111", "314111", "221411", "431111",
    "111224", "111422", "121124", "121421", "141122", "141221", "112214", "112412", "122114",
    "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111", "111242",
    "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
    "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311",
    "113141", "114131", "311141", "411131", "211412", "211214", "211232", "2331112",
];

const START_B: usize = 104;
const START_C: usize = 105;
const TO_C: usize = 99;
const TO_B: usize = 100;
const STOP: usize = 106;

/// From so many digits on, pairs of them are shorter than single characters.
const PAIRS_FROM: usize = 6;

/// The longest text: beyond it no scanner sees both ends.
const LONGEST: usize = 80;

/// The modules of a text of printable ASCII; none of another, or of one that is too long.
pub(super) fn modules(text: &str) -> Option<Vec<bool>> {
    let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if text.is_empty() || text.len() > LONGEST || !is_printable {
        return None;
    }
    let words = words(text.as_bytes());
    let widths = words.iter().filter_map(|word| WIDTHS.get(*word));
    Some(widths.flat_map(|widths| bars(widths)).collect())
}

fn bars(widths: &str) -> impl Iterator<Item = bool> {
    widths
        .bytes()
        .enumerate()
        .flat_map(|(index, width)| std::iter::repeat_n(index % 2 == 0, usize::from(width - b'0')))
}

fn words(text: &[u8]) -> Vec<usize> {
    let mut words = Vec::new();
    let mut rest = text;
    let mut in_pairs = false;
    while let Some(first) = rest.first() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let wants_pairs = if in_pairs { digits >= 2 } else { digits >= PAIRS_FROM };
        if words.is_empty() {
            words.push(if wants_pairs { START_C } else { START_B });
        } else if wants_pairs != in_pairs {
            words.push(if wants_pairs { TO_C } else { TO_B });
        }
        in_pairs = wants_pairs;
        rest = match (rest, wants_pairs) {
            ([tens, ones, behind @ ..], true) => {
                words.push(usize::from(tens - b'0') * 10 + usize::from(ones - b'0'));
                behind
            }
            _ => {
                words.push(usize::from(first - b' '));
                &rest[1..]
            }
        };
    }
    let sum: usize = words.iter().enumerate().map(|(at, word)| at.max(1) * word).sum();
    words.extend([sum % 103, STOP]);
    words
}
