//! What a pattern lets through, seen as a whole: for warnings before the first label.

use std::collections::BTreeSet;

use regex_automata::util::primitives::StateID;

use super::SerialPattern;
use crate::label::check::CheckCharacter;
use crate::label::range::SerialRange;

/// The most characters of a serial.
const LONGEST: usize = 64;

/// What a pattern takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// A place where it takes a letter in either case: the letter.
    pub either_case: Option<char>,
    /// The fewest and the most characters, up to 64; none where it takes no serial at all.
    pub lengths: Option<(usize, usize)>,
}

/// States of the automaton.
type States = BTreeSet<StateID>;

impl SerialPattern {
    /// Looks at everything that it takes.
    pub fn survey(&self) -> Survey {
        let layers = self.layers();
        let alive = self.alive(&layers);
        let ends = |states: &States| states.iter().any(|state| self.is_end(*state));
        let lengths: Vec<usize> = (1..=LONGEST).filter(|length| ends(&layers[*length])).collect();
        Survey {
            either_case: alive.windows(2).find_map(|pair| self.either_case(&pair[0], &pair[1])),
            lengths: lengths.first().copied().zip(lengths.last().copied()),
        }
    }

    /// Whether some serial of this pattern lies in a range.
    pub fn meets(&self, range: &SerialRange, check: CheckCharacter) -> bool {
        let ends = |state: StateID| match check {
            CheckCharacter::None => self.is_end(state),
            _ => printable().any(|c| self.is_end(self.advance(state, c))),
        };
        let (first, last) = range.bounds();
        let found = |from: States, digits: usize| {
            let digits = Digits::new(first, last, digits);
            digits.is_some_and(|digits| self.spell(from, &digits).into_iter().any(ends))
        };
        match range.prefix() {
            Some((prefix, digits)) => {
                let state = prefix.chars().fold(self.start, |state, c| self.advance(state, c));
                found(BTreeSet::from([state]), digits)
            }
            None => (1..=38).any(|digits| found(self.before_digits(), digits)),
        }
    }

    /// For each length the states that a text of this length leads to.
    fn layers(&self) -> Vec<States> {
        let mut layers = vec![BTreeSet::from([self.start])];
        for length in 0..LONGEST {
            layers.push(self.after(&layers[length], |_| true));
        }
        layers
    }

    fn after(&self, states: &States, allowed: impl Fn(char) -> bool) -> States {
        let characters: Vec<char> = printable().filter(|c| allowed(*c)).collect();
        let next = states.iter().flat_map(|state| {
            characters.iter().map(|c| self.advance(*state, *c)).collect::<Vec<_>>()
        });
        next.filter(|state| !self.is_dead(*state)).collect()
    }

    /// Of each layer the states from which an end can be reached.
    fn alive(&self, layers: &[States]) -> Vec<States> {
        let mut alive = vec![States::new(); layers.len()];
        for (length, states) in layers.iter().enumerate().rev() {
            let next = alive.get(length + 1).cloned().unwrap_or_default();
            let leads_on =
                |state: &StateID| printable().any(|c| next.contains(&self.advance(*state, c)));
            let is_alive = |state: &&StateID| self.is_end(**state) || leads_on(state);
            alive[length] = states.iter().filter(is_alive).copied().collect();
        }
        alive
    }

    fn either_case(&self, states: &States, next: &States) -> Option<char> {
        let takes = |state: StateID, c: char| next.contains(&self.advance(state, c));
        let both = |state: StateID| {
            ('A'..='Z').find(|c| takes(state, *c) && takes(state, c.to_ascii_lowercase()))
        };
        states.iter().find_map(|state| both(*state))
    }

    /// The states in which a serial's trailing digits may begin.
    fn before_digits(&self) -> States {
        let mut all = BTreeSet::from([self.start]);
        let mut layer = all.clone();
        for _ in 0..LONGEST {
            all.extend(self.after(&layer, |c| !c.is_ascii_digit()));
            layer = self.after(&layer, |_| true);
        }
        all
    }

    /// The states that numbers of a range lead to, written with all their digits.
    fn spell(&self, from: States, digits: &Digits) -> States {
        // Whether the digits so far are those of the first or of the last number.
        let mut now: BTreeSet<(StateID, bool, bool)> =
            from.into_iter().map(|state| (state, true, true)).collect();
        for (low, high) in digits.first.iter().zip(&digits.last) {
            let mut next = BTreeSet::new();
            for (state, is_first, is_last) in now {
                let least = if is_first { *low } else { b'0' };
                let most = if is_last { *high } else { b'9' };
                for digit in least..=most {
                    let state = self.advance(state, char::from(digit));
                    if !self.is_dead(state) {
                        let edges = (is_first && digit == *low, is_last && digit == *high);
                        next.insert((state, edges.0, edges.1));
                    }
                }
            }
            now = next;
        }
        now.into_iter().map(|(state, ..)| state).collect()
    }
}

/// The first and the last number of a range, with so many digits.
struct Digits {
    first: Vec<u8>,
    last: Vec<u8>,
}

impl Digits {
    /// None where no number of the range has so few.
    fn new(first: u128, last: u128, digits: usize) -> Option<Self> {
        let nines = 10_u128.checked_pow(u32::try_from(digits).ok()?).map_or(u128::MAX, |n| n - 1);
        let padded = |number: u128| format!("{number:0>digits$}").into_bytes();
        (first <= nines).then(|| Self { first: padded(first), last: padded(last.min(nines)) })
    }
}

fn printable() -> impl Iterator<Item = char> {
    '!'..='~'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(pattern: &str) -> Survey {
        SerialPattern::new(pattern).unwrap().survey()
    }

    fn meets(pattern: &str, range: &str) -> bool {
        let pattern = SerialPattern::new(pattern).unwrap();
        pattern.meets(&range.parse().unwrap(), CheckCharacter::None)
    }

    #[test]
    fn lengths_are_counted_up_to_the_longest_serial() {
        assert_eq!(survey("TH200-[0-9]{8}").lengths, Some((14, 14)));
        assert_eq!(survey("[A-Z0-9-]+").lengths, Some((1, 64)));
        assert_eq!(survey("AB?|ABCD").lengths, Some((1, 4)));
        assert_eq!(survey("A{65}").lengths, None);
    }

    #[test]
    fn a_letter_in_either_case_is_found_where_both_lead_to_a_serial() {
        assert_eq!(survey("TH200-[0-9]{8}").either_case, None);
        assert_eq!(survey("[0-9]{4}[A-Za-z]").either_case, Some('A'));
        assert_eq!(survey("(?i)th[0-9]").either_case, Some('T'));
        assert_eq!(survey("[A-Z]x[a-z]X").either_case, None);
    }

    #[test]
    fn a_range_meets_a_pattern_where_one_serial_lies_in_both() {
        assert!(meets("TH200-[0-9]{8}", "TH200-00000001..TH200-00999999"));
        assert!(!meets("TH200-[0-9]{8}", "TH200-0000001..TH200-0999999"));
        assert!(!meets("TH200-[0-9]{8}", "TH300-00000001..TH300-00999999"));
        assert!(!meets("TH200-0[0-9]{7}", "TH200-10000000..TH200-99999999"));
        assert!(meets("TH200-[0-9]{8}", "1..500"));
        assert!(!meets("TH200-[0-9]{2}", "500..600"));
        assert!(meets("[A-Z]{4}9", "9..9"));
        assert!(!meets("[A-Z]+", "0..9"));
    }

    #[test]
    fn a_check_character_stands_behind_the_range() {
        let pattern = SerialPattern::new("A[0-9]{4}").unwrap();
        let range = "A001..A500".parse().unwrap();
        assert!(pattern.meets(&range, CheckCharacter::Luhn));
        assert!(!pattern.meets(&range, CheckCharacter::None));
    }
}
