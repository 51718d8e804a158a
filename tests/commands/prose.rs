//! English prose in what a person reads in Chinese: words of Latin letters, one behind the other.

/// Words that stand one behind the other: fewer are a name, a value, a word of a format.
const PROSE: usize = 3;

/// Texts that nobody here can say in Chinese, and whose they are.
const FOREIGN: &[(&str, &str)] = &[
    ("in database main", "SQLite's own check of its pages, of which there are a hundred texts"),
    ("reference to page", "the same"),
];

/// The pieces of English prose in the lines that a person reads.
pub(crate) fn prose_in(text: &str) -> Vec<String> {
    text.lines().flat_map(prose).collect()
}

/// Runs of words of Latin letters alone, three or more one behind the other. What stands between
/// marks is quoted: a command, a value, a key of station.toml, the text of another program.
fn prose(line: &str) -> Vec<String> {
    let mut line = line.to_owned();
    for (foreign, _) in FOREIGN {
        line = line.replace(foreign, " | ");
    }
    for mark in ['`', '"', '\''] {
        let parts: Vec<&str> = line.split(mark).collect();
        line = parts.iter().step_by(2).copied().collect::<Vec<_>>().join(" | ");
    }
    // How a command is written: `station`, its command, its options.
    let line = match line.split_once("用法：") {
        Some((before, _)) => before.to_owned(),
        None => line,
    };
    let apart = |c: char| if c.is_ascii() { c.to_string() } else { " | ".to_owned() };
    let line: String = line.chars().map(apart).collect();
    let mut found = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    for word in line.split_whitespace().chain(["|"]) {
        let bare = word.trim_end_matches([',', ';', ':', '.']);
        let is_word = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_alphabetic());
        if is_word {
            run.push(word);
            if bare.len() == word.len() {
                continue;
            }
        }
        if run.len() >= PROSE {
            found.push(run.join(" "));
        }
        run.clear();
    }
    found
}

#[test]
fn prose_is_told_from_values() {
    let table = [
        ("error[E-USAGE]: 没有选项 '--unit'", None),
        ("help: 运行 `station ledger verify all of it`", None),
        ("error[E-X]: 端口 /dev/ttyUSB0 无法打开 (os error 2)", None),
        ("error[E-X]: 无法访问云端（the cloud is silent）", Some("cloud is silent）")),
        ("caused by: the instance does not run", Some("the instance does not run")),
    ];
    for (line, wanted) in table {
        let found = prose(line);
        assert_eq!(!found.is_empty(), wanted.is_some(), "{line}: {found:?}");
    }
}
