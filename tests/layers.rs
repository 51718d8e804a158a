//! The house rules as data: who may use whom, who owns which crate, where `unsafe` stands.
//!
//! Every file under `src` is parsed, and every path in it that leaves its own module is
//! held against [`MAY_USE`] and [`OWNED`]. A finding here means that code stands in the
//! wrong place; change the tables only together with `docs/architecture.md`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails here is right to")]

#[path = "layers/circles.rs"]
mod circles;
#[path = "layers/imports.rs"]
mod imports;
#[path = "layers/spoken.rs"]
mod spoken;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use syn::visit::{self, Visit};

/// Each module at the top of the crate and the others that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    // Nothing at all, but in a build for tests.
    ("cut", &[]),
    ("flow", &["domain"]),
    // Adapters know the domain and never each other.
    ("link", &["cut", "domain"]),
    ("pki", &["domain"]),
    ("ledger", &["cut", "domain"]),
    ("cloud", &["domain"]),
    ("vault", &["domain"]),
    ("printer", &["domain"]),
    ("broker", &["domain"]),
    // Front ends see plain data: commands, events, questions, answers.
    ("batch", &["domain", "text"]),
    ("tui", &["domain", "text"]),
    // What people read, in every language.
    ("text", &["domain"]),
    ("engine", &["domain", "flow", "link", "pki", "ledger", "vault"]),
    ("sync", &["domain", "ledger", "cloud", "pki"]),
    ("fleet", &["domain", "ledger", "pki", "cut"]),
    ("enrol", &["domain", "ledger", "cloud", "pki"]),
    ("handoff", &["domain", "ledger", "pki"]),
    // The way to a browser; what is shown there is given to it.
    ("view", &["domain"]),
    ("checks", &["domain", "ledger", "cloud", "pki", "link", "vault", "text"]),
    // The simulation contradicts the link, so it shares nothing with it.
    ("sim", &["domain"]),
    ("config", &["domain"]),
    // Whoever takes a secret into memory shuts others out of it first.
    ("secret", &["domain", "vault"]),
    ("report", &["domain", "ledger", "text"]),
    ("shell", &["domain", "text"]),
    ("cli", &["domain"]),
    (
        "app",
        &[
            "domain", "flow", "link", "pki", "ledger", "cloud", "vault", "batch", "tui", "engine",
            "sync", "enrol", "handoff", "checks", "sim", "config", "secret", "report", "shell",
            "text", "broker", "printer", "view", "fleet",
        ],
    ),
    (
        "command",
        &[
            "domain", "flow", "link", "pki", "ledger", "cloud", "vault", "batch", "tui", "engine",
            "sync", "enrol", "handoff", "checks", "sim", "config", "secret", "report", "shell",
            "text", "cli", "app", "view", "fleet",
        ],
    ),
];

/// Each heavy crate and the modules in which alone it may be named.
const OWNED: &[(&str, &[&str])] = &[
    ("firmware_interface", &["link::driver::framed", "sim"]),
    ("serialport", &["link"]),
    // Others' types can have no trait of SQLite's but where they are.
    ("rusqlite", &["ledger", "domain::sql"]),
    ("zstd", &["ledger"]),
    // The emulated cloud's tests need CAs of their own.
    ("rcgen", &["pki", "sim::cloud::tests"]),
    ("ring", &["pki"]),
    // The emulated cloud verifies certificates itself, so that it can contradict the pki.
    ("x509_parser", &["pki", "sim::cloud"]),
    ("pkcs8", &["pki"]),
    ("time", &["pki"]),
    // The ledger asks others to sign; its tests sign with a key of their own.
    ("p256", &["pki", "sim", "ledger::tests"]),
    ("clap", &["cli", "command"]),
    ("clap_complete", &["cli", "command"]),
    ("clap_mangen", &["command"]),
    ("tracing_subscriber", &["command"]),
    ("rpassword", &["secret"]),
    ("argon2", &["secret"]),
    ("toml", &["config"]),
    ("schemars", &["config"]),
    ("signal_hook", &["app", "command"]),
    ("reqwest", &["cloud", "fleet::client"]),
    ("hyper", &["sim", "view", "fleet::serve"]),
    ("tokio_postgres", &["fleet::store", "fleet::error"]),
    ("tokio_postgres_rustls", &["fleet::store"]),
    ("ratatui", &["tui"]),
    ("crossterm", &["tui"]),
    ("cryptoki", &["pki"]),
    ("maud", &["report"]),
    ("zip", &["handoff"]),
    ("csv", &["handoff", "report"]),
    ("qrcode", &["domain::print", "report"]),
    ("datamatrix", &["domain::print"]),
];

/// The only module that may say `unsafe`.
const UNSAFE: &str = "vault";

/// Ways to open a file that wait for whoever is to write into a pipe. What a person, a setting or a
/// directory names is opened by `domain::bounds`, which refuses what is no file.
const OPENS: &[&str] = &["File::open", "fs::read", "fs::read_to_string", "fs::copy"];

/// Who may use them all the same, and for what.
const MAY_OPEN: &[(&str, &str)] = &[
    ("app::demo", "files of its own"),
    ("app::fleet_demo::postgres", "/etc/passwd"),
    ("app::labels", "a list, and a pipe in the thread that waits for labels"),
    ("app::signals", "/proc"),
    ("checks::surroundings", "/proc and /sys"),
    ("fleet::heard", "a directory, to sync it"),
    ("handoff::export", "what it has just written"),
    ("ledger::backup::unfinished", "what it has just made"),
    ("ledger::keep::files", "a directory, and what was seen to be a file"),
    ("ledger::keep::lock", "/proc"),
    ("link::discovery", "/sys"),
    ("link::permission", "/etc/group"),
    ("pki::file", "a directory, to sync it"),
    ("secret", "a directory, to sync it"),
];

/// What may stand at the top of the repository, besides dotfiles.
const TOP: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "firmware-interface",
    "station.toml",
    "tests",
    "benches",
    "docs",
    // What outside parts do that one would not guess; and what makes the packages.
    "findings",
    "packaging",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
];

/// What one file was found to do.
#[derive(Default)]
struct Findings {
    /// Where the file, or the inline module being read, stands: `["link", "port"]`.
    here: Vec<String>,
    /// Whole paths into the crate, from its root.
    inside: BTreeSet<Vec<String>>,
    /// First segments of paths that leave the crate, or might.
    outside: BTreeSet<String>,
    says_unsafe: bool,
    /// Uses one of [`OPENS`] outside tests.
    opens: bool,
    has_doc: bool,
}

impl Findings {
    fn of(here: &[&str], source: &str) -> Self {
        let file = syn::parse_file(source).expect("the compiler takes it too");
        let here = here.iter().map(ToString::to_string).collect();
        let is_doc = |attribute: &syn::Attribute| attribute.path().is_ident("doc");
        let has_doc = file.attrs.iter().any(is_doc);
        let mut findings = Self { here, has_doc, ..Self::default() };
        findings.visit_file(&file);
        findings
    }

    fn add(&mut self, path: &[String]) {
        let mut resolved = match path.first().map(String::as_str) {
            Some("crate" | "$crate") => imports::crate_of(&self.here, path.get(1)),
            Some("self" | "super") => self.here.clone(),
            Some(first) => {
                // A module by the name of its crate.
                if let Some(module) = first.strip_prefix("station_").filter(|name| known(name)) {
                    self.inside.insert(vec![module.to_owned()]);
                }
                self.outside.insert(first.to_owned());
                return;
            }
            None => return,
        };
        for segment in path {
            match segment.as_str() {
                "crate" | "$crate" | "self" => {}
                "super" => drop(resolved.pop()),
                name => resolved.push(name.to_owned()),
            }
        }
        self.inside.insert(resolved);
    }

    fn add_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let mut path = before.to_vec();
        match tree {
            syn::UseTree::Path(next) => {
                path.push(next.ident.to_string());
                self.add_tree(&path, &next.tree);
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.add_tree(before, item));
            }
            syn::UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.add(&path);
            }
            syn::UseTree::Rename(name) => {
                path.push(name.ident.to_string());
                self.add(&path);
            }
            syn::UseTree::Glob(_) => self.add(&path),
        }
    }

    /// Modules of this crate that are used, other than the file's own.
    fn modules(&self) -> BTreeSet<&str> {
        let own = self.here.first().map(String::as_str);
        let roots = self.inside.iter().filter_map(|path| path.first()).map(String::as_str);
        roots.filter(|root| Some(*root) != own && known(root)).collect()
    }

    /// What breaks the rules, in words.
    fn broken(&self) -> Vec<String> {
        let own = self.here.first().map_or("lib", String::as_str);
        let place = self.here.join("::");
        let mut broken = Vec::new();
        if own != "lib" && own != "main" {
            let allowed = MAY_USE.iter().find(|(name, _)| *name == own).map(|(_, to)| *to);
            let Some(allowed) = allowed else {
                return vec![format!("{own} stands in no row of MAY_USE")];
            };
            let wrong = self.modules().into_iter().filter(|module| !allowed.contains(module));
            broken.extend(wrong.map(|module| format!("{place} uses {module}")));
        }
        for (name, owners) in OWNED {
            let within = |owner: &&str| place == *owner || place.starts_with(&format!("{owner}::"));
            if self.outside.contains(*name) && !owners.iter().any(within) {
                broken.push(format!("{place} uses the crate {name}"));
            }
        }
        if self.says_unsafe && own != UNSAFE {
            broken.push(format!("{place} says unsafe"));
        }
        let may_open = own == "sim" || MAY_OPEN.iter().any(|(name, _)| *name == place);
        if self.opens && !may_open {
            broken.push(format!("{place} opens a file, and not by domain::bounds"));
        }
        if !self.has_doc {
            broken.push(format!("{place} has no //! at its top"));
        }
        broken
    }
}

fn known(module: &str) -> bool {
    MAY_USE.iter().any(|(name, _)| *name == module)
}

impl<'ast> Visit<'ast> for Findings {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        // A single name was brought in by a `use`, which was seen.
        if path.segments.len() > 1 {
            let names: Vec<String> =
                path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.add(&names);
            let way = names[names.len() - 2..].join("::");
            let in_test = self.here.iter().any(|name| name.contains("test"));
            self.opens |= OPENS.contains(&way.as_str()) && !in_test;
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        // What stands in a macro is not parsed; its words are looked through.
        let text = item.tokens.to_string();
        let words: Vec<&str> = text.split_whitespace().collect();
        for (at, window) in words.windows(3).enumerate() {
            // Only where a path begins: `tokio::time::sleep` does not name the crate `time`.
            let begins = at == 0 || words[at - 1] != "::";
            if window[1] == "::" && begins {
                self.add(&[window[0].to_owned(), window[2].to_owned()]);
            }
        }
        self.says_unsafe |= words.contains(&"unsafe");
        visit::visit_macro(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.here.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.here.pop();
    }

    fn visit_expr_unsafe(&mut self, item: &'ast syn::ExprUnsafe) {
        self.says_unsafe = true;
        visit::visit_expr_unsafe(self, item);
    }

    fn visit_signature(&mut self, item: &'ast syn::Signature) {
        self.says_unsafe |= item.unsafety.is_some();
        visit::visit_signature(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.says_unsafe |= item.unsafety.is_some();
        visit::visit_item_impl(self, item);
    }

    fn visit_item_foreign_mod(&mut self, item: &'ast syn::ItemForeignMod) {
        self.says_unsafe = true;
        visit::visit_item_foreign_mod(self, item);
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(below: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(rust_files(&path)),
            false if path.extension().is_some_and(|ending| ending == "rs") => files.push(path),
            false => {}
        }
    }
    files.sort();
    files
}

/// `src/link/port.rs` is `["link", "port"]`, `src/link/mod.rs` is `["link"]`.
fn module_of(file: &Path) -> Vec<String> {
    let path = file.strip_prefix(root().join("src")).unwrap().with_extension("");
    let mut names: Vec<String> =
        path.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|last| last == "mod") {
        names.pop();
    }
    names
}

fn all_findings() -> Vec<Findings> {
    let files = rust_files(&root().join("src"));
    assert!(files.len() > 10, "the sources were not found");
    let read = |file: &PathBuf| {
        let module = module_of(file);
        let names: Vec<&str> = module.iter().map(String::as_str).collect();
        Findings::of(&names, &fs::read_to_string(file).unwrap())
    };
    files.iter().map(read).collect()
}

#[test]
fn every_file_keeps_the_rules_of_the_house() {
    let broken: Vec<String> = all_findings().iter().flat_map(Findings::broken).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Modules that stand together in the crate at the top; every other is a crate of its own.
const AT_THE_TOP: &[&str] = &["app", "command", "shell"];

#[test]
fn a_module_s_manifest_asks_for_those_alone_that_it_may_use() {
    for (module, allowed) in MAY_USE.iter().filter(|(name, _)| !AT_THE_TOP.contains(name)) {
        let manifest = root().join("src").join(module).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).expect("a module is a crate");
        let asked = text.lines().filter_map(|line| line.strip_prefix("station-"));
        let names: BTreeSet<&str> =
            asked.filter_map(|rest| rest.split(['.', ' ']).next()).collect();
        let wrong: Vec<&&str> = names.iter().filter(|name| !allowed.contains(name)).collect();
        assert!(wrong.is_empty(), "{} asks for {wrong:?}", manifest.display());
    }
}

#[test]
fn every_module_of_the_tables_is_spelt_as_in_the_tables() {
    for (name, to) in MAY_USE {
        assert!(to.iter().all(|other| known(other) && other != name), "{name}");
    }
    for (name, owners) in OWNED {
        let roots = owners.iter().filter_map(|owner| owner.split("::").next());
        assert!(roots.into_iter().all(known), "{name}");
    }
}

#[test]
fn only_what_belongs_there_stands_at_the_top() {
    let listed = Command::new("git").args(["ls-files"]).current_dir(root()).output();
    let tracked = listed.ok().filter(|output| output.status.success());
    let names: BTreeSet<String> = match tracked {
        Some(output) => String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|path| path.split('/').next().map(str::to_owned))
            .collect(),
        None => fs::read_dir(root())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name != "target")
            .collect(),
    };
    let wrong: Vec<&String> = names
        .iter()
        .filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?} should stand elsewhere");
}

/// What the rules say of a file that holds this.
fn said_of(module: &[&str], source: &str) -> String {
    Findings::of(module, &format!("//! Doc.\n{source}")).broken().join("; ")
}

#[test]
fn a_use_of_a_forbidden_module_is_found_however_it_is_written() {
    for source in [
        "use crate::pki::Authority;",
        "use station_pki::Authority;",
        "use crate::{domain::ids, pki::{self, Authority}};",
        "pub(crate) use crate::pki as authority;",
        "use crate::pki::*;",
        "fn f() { crate::pki::check(); }",
        "fn f(x: crate::pki::Authority) {}",
        "impl crate::pki::Trait for X {}",
        "use super::super::pki;",
        "mod inner { use super::super::super::pki; }",
        "fn f() { println!(\"{}\", crate::pki::NAME); }",
        "macro_rules! m { () => { $crate::pki::check() } }",
    ] {
        assert_eq!(said_of(&["link", "port"], source), "link::port uses pki", "{source}");
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    for source in [
        "use crate::domain::ids::Serial;",
        "use super::settings::PortSettings;",
        "use self::inner::X;",
        "use serialport::SerialPort;",
        "fn f() { crate::link::open(); }",
    ] {
        assert_eq!(said_of(&["link", "port"], source), "", "{source}");
    }
}

#[test]
fn a_heavy_crate_in_a_wrong_module_is_found() {
    let wanted = "engine uses the crate rusqlite";
    assert_eq!(said_of(&["engine"], "use rusqlite::Connection;"), wanted);
    assert_eq!(said_of(&["engine"], "fn f() -> rusqlite::Result<()> { todo!() }"), wanted);
    assert_eq!(said_of(&["engine"], "fn f() { x!(rusqlite::open()) }"), wanted);
    let framed = "use firmware_interface::frame::Frame;";
    assert_eq!(said_of(&["link", "driver", "framed", "session"], framed), "");
    let wanted = "link::driver uses the crate firmware_interface";
    assert_eq!(said_of(&["link", "driver"], framed), wanted);
}

#[test]
fn a_file_that_is_opened_past_the_one_door_is_found() {
    let wanted = "link opens a file, and not by domain::bounds";
    for source in ["fn f() { std::fs::File::open(p); }", "fn f() { p.map(fs::read_to_string); }"] {
        assert_eq!(said_of(&["link"], source), wanted, "{source}");
        assert_eq!(said_of(&["link", "discovery"], source), "");
        assert_eq!(said_of(&["link"], &format!("mod tests {{ {source} }}")), "");
    }
}

#[test]
fn unsafe_code_outside_the_vault_is_found() {
    for source in [
        "fn f() { unsafe { g() } }",
        "unsafe fn f() {}",
        "unsafe impl Send for X {}",
        "unsafe extern \"C\" { fn f(); }",
        "fn f() { m!(unsafe { g() }) }",
    ] {
        assert_eq!(said_of(&["link"], source), "link says unsafe", "{source}");
        assert_eq!(said_of(&["vault"], source), "", "{source}");
    }
}

#[test]
fn a_file_without_a_word_about_itself_and_a_module_without_a_row_are_found() {
    let nothing = Findings::of(&["link"], "fn f() {}").broken();
    assert_eq!(nothing, ["link has no //! at its top"]);
    assert_eq!(said_of(&["utils"], ""), "utils stands in no row of MAY_USE");
}
