//! What commands print for people is a sentence in every language: in `src/command` no English
//! prose stands outside of `say!`, and no sentence goes where only values do.

use std::fs;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::{root, rust_files};

/// Words that stand one behind the other: fewer are a name, a value, a key of a format.
const PROSE: usize = 3;

/// Macros whose texts no person reads on standard output, or in each language already.
const APART: &[&str] =
    &["say", "json", "info", "warn", "error", "debug", "trace", "write", "matches"];

/// Texts that are read or shown as they are, and what they are.
const KNOWN: &[(&str, &str)] = &[
    (" is not in ", "what clap says of a number, to be told in Chinese"),
    ("  station ", "a command line to copy"),
];

/// English prose outside of `say!`, and sentences that are written as values.
#[derive(Default)]
struct Spoken {
    found: Vec<String>,
}

impl Spoken {
    fn of(source: &str) -> Vec<String> {
        let mut spoken = Self::default();
        spoken.visit_file(&syn::parse_file(source).expect("the compiler takes it too"));
        spoken.found
    }

    fn look(&mut self, text: &str) {
        let is_known = KNOWN.iter().any(|(known, _)| text.starts_with(known));
        if is_prose(text) && !is_known {
            self.found.push(text.to_owned());
        }
    }

    /// What stands in a macro is not parsed: its texts are looked through, but for sentences in it.
    fn look_through(&mut self, tokens: TokenStream) {
        let mut name = None;
        let mut is_apart = false;
        for token in tokens {
            match &token {
                TokenTree::Group(_) if is_apart => {}
                TokenTree::Group(group) => self.look_through(group.stream()),
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                        self.look(&text.value());
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
            let is_mark = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '!');
            is_apart = is_mark && name.as_deref().is_some_and(|name| APART.contains(&name));
            name = match token {
                TokenTree::Ident(ident) => Some(ident.to_string()),
                _ => None,
            };
        }
    }
}

impl<'ast> Visit<'ast> for Spoken {
    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.look(&text.value());
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let name = item.path.segments.last().map(|last| last.ident.to_string());
        if !name.is_some_and(|name| APART.contains(&name.as_str())) {
            self.look_through(item.tokens.clone());
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        // A sentence that is displayed is in English.
        let is_said = |argument: &syn::Expr| match argument {
            syn::Expr::Macro(of) => of.mac.path.is_ident("say"),
            syn::Expr::Reference(to) => matches!(&*to.expr,
                syn::Expr::Macro(of) if of.mac.path.is_ident("say")),
            _ => false,
        };
        if call.method == "line" && call.args.iter().any(is_said) {
            self.found.push("a sentence is written by `line`, and not by `say`".to_owned());
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            visit::visit_item_mod(self, item);
        }
    }
}

/// Whether a text has three words of letters alone behind each other; what stands in braces or
/// between marks is a value.
fn is_prose(text: &str) -> bool {
    let mut depth = 0_usize;
    let outside = text.chars().map(|c| {
        depth = if c == '{' { depth + 1 } else { depth };
        let is_value = depth > 0 || matches!(c, '`' | '"');
        depth = if c == '}' { depth.saturating_sub(1) } else { depth };
        if is_value { '|' } else { c }
    });
    let outside: String = outside.collect();
    let mut run = 0;
    for word in outside.split_whitespace() {
        let bare = word.trim_end_matches([',', ';', ':', '.']);
        let is_word =
            !bare.is_empty() && bare.chars().all(|c| c.is_ascii_alphabetic() || c == '\'');
        run = if is_word { run + 1 } else { 0 };
        if run >= PROSE {
            return true;
        }
    }
    false
}

#[test]
fn what_commands_print_is_said_in_every_language() {
    let mut found = Vec::new();
    for file in rust_files(&root().join("src/command")) {
        let place = file.strip_prefix(root()).unwrap().display().to_string();
        let spoken = Spoken::of(&fs::read_to_string(&file).unwrap());
        found.extend(spoken.into_iter().map(|text| format!("{place}: {text}")));
    }
    assert!(found.is_empty(), "say it by `say!`:\n{}", found.join("\n"));
}

#[test]
fn prose_outside_of_a_sentence_is_found_however_it_is_written() {
    for source in [
        "fn f() { out.line(format!(\"{entries} entries hold here\")) }",
        "fn f() { out.line(format_args!(\"{n} entries all hold\")) }",
        "fn f() { let next = \"the line is closed\"; out.line(next) }",
        "const NEXT: &str = \"the line is closed\";",
        "fn f() { vec![format!(\"the line is closed\")] }",
        "fn f() { out.line(say!(\"the line is closed\", \"产线已关闭\")) }",
        "fn f() { out.line(&say!(\"closed\", \"已关闭\")) }",
    ] {
        assert!(!Spoken::of(source).is_empty(), "{source}");
    }
}

#[test]
fn sentences_and_values_are_not_found() {
    for source in [
        "fn f() { out.say(&say!(\"the line is closed\", \"产线已关闭\")) }",
        "fn f() { out.line(format!(\"{seq} {at} {kind} {payload}\")) }",
        "fn f() { out.line(format!(\"  station --config {dir}/station.toml unit list\")) }",
        "fn f() { tracing::info!(\"the line is closed\") }",
        "fn f() { vec![say!(\"the line is closed\", \"产线已关闭\")] }",
        "/// The line is closed.\nfn f() {}",
        "mod tests { fn f() { \"the line is closed\" } }",
    ] {
        assert_eq!(Spoken::of(source), Vec::<String>::new(), "{source}");
    }
}
