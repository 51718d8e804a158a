//! Who imports whom, file by file: every path in a file that leads to another file.
//!
//! A path that is named leads to the file of its longest known module, however it is written:
//! from the crate's root, by `super`, from a child's name, through the name that a `use`
//! brought in, or in a macro. `mod` alone imports nothing; `pub use` does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// A crate's files by their modules: `src/link/port.rs` is `["link", "port"]`.
pub(crate) struct Sources(BTreeMap<Vec<String>, String>);

/// For each file's module, the files' modules that it imports.
pub(crate) type Imports = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

impl Sources {
    /// Reads all files below a crate's `src`.
    pub(crate) fn below(src: &Path) -> Self {
        let read = |file: &PathBuf| (module_of(src, file), fs::read_to_string(file).unwrap());
        Sources(super::rust_files(src).iter().map(read).collect())
    }

    /// Files that are written out, for the tests of the tests.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let split = |module: &str| module.split("::").map(str::to_owned).collect();
        Sources(files.iter().map(|(module, text)| (split(module), (*text).to_owned())).collect())
    }

    pub(crate) fn imports(&self) -> Imports {
        let of =
            |(module, text): (&Vec<String>, &String)| (module.clone(), self.of_file(module, text));
        self.0.iter().map(of).collect()
    }

    fn of_file(&self, module: &[String], text: &str) -> BTreeSet<Vec<String>> {
        let file = syn::parse_file(text).expect("the compiler takes it too");
        let mut names = Names { here: module.to_vec(), ..Names::default() };
        names.visit_file(&file);
        let mut paths = Paths { here: module.to_vec(), names: names.brought, found: names.used };
        paths.visit_file(&file);
        let lead = paths.found.iter().filter_map(|path| self.file_of(path));
        lead.filter(|file| *file != module).map(<[String]>::to_vec).collect()
    }

    /// The file of the longest module that a path from the crate's root begins with; the root
    /// itself is nobody's import.
    fn file_of<'a>(&'a self, path: &[String]) -> Option<&'a [String]> {
        let known =
            |length| self.0.get_key_value(&path[..length]).map(|(module, _)| module.as_slice());
        (1..=path.len()).rev().find_map(known)
    }
}

fn module_of(src: &Path, file: &Path) -> Vec<String> {
    let path = file.strip_prefix(src).unwrap().with_extension("");
    let mut names: Vec<String> =
        path.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    names.pop_if(|last| last == "mod");
    names
}

/// Where a path's `crate` leads, by what follows it. In the crate at the top to the root of all
/// modules. In a module that is a crate of its own to this module, but for the names of others,
/// which its `mod.rs` brings in, as it brings in the domain's macro.
pub(crate) fn crate_of(here: &[String], next: Option<&String>) -> Vec<String> {
    let (Some(module), Some(next)) = (here.first(), next) else { return Vec::new() };
    let folder = super::root().join("src").join(module);
    if !folder.join("Cargo.toml").exists() {
        return Vec::new();
    }
    let own = folder.join(next).is_dir() || folder.join(next).with_extension("rs").exists();
    match next.as_str() {
        "say" if !own => vec!["domain".to_owned()],
        other if super::known(other) && !own => Vec::new(),
        _ => vec![module.clone()],
    }
}

/// What a path says from where it stands, from the crate's root; `names` are those that are
/// brought into the file.
fn resolved(
    here: &[String],
    path: &[String],
    names: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    let mut from = match path.first().map(String::as_str) {
        Some("crate" | "$crate") => crate_of(here, path.get(1)),
        Some("self" | "super") | None => here.to_vec(),
        Some(first) => match names.get(first) {
            Some(whole) => return [whole, &path[1..]].concat(),
            None => here.to_vec(),
        },
    };
    for segment in path {
        match segment.as_str() {
            "crate" | "$crate" | "self" => {}
            "super" => drop(from.pop()),
            name => from.push(name.to_owned()),
        }
    }
    from
}

/// First look: the names that each `use` brings in, and where they lead.
#[derive(Default)]
struct Names {
    here: Vec<String>,
    brought: BTreeMap<String, Vec<String>>,
    used: BTreeSet<Vec<String>>,
}

impl Names {
    fn add(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(next) => self.add(&with(&next.ident), &next.tree),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.add(before, item))
            }
            syn::UseTree::Name(name) if name.ident == "self" => {
                let last = before.last().cloned().unwrap_or_default();
                self.bring(last, before);
            }
            syn::UseTree::Name(name) => self.bring(name.ident.to_string(), &with(&name.ident)),
            syn::UseTree::Rename(name) => self.bring(name.rename.to_string(), &with(&name.ident)),
            syn::UseTree::Glob(_) => {
                self.used.insert(resolved(&self.here, before, &BTreeMap::new()));
            }
        }
    }

    fn bring(&mut self, name: String, path: &[String]) {
        let whole = resolved(&self.here, path, &BTreeMap::new());
        self.used.insert(whole.clone());
        self.brought.insert(name, whole);
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add(&[], &item.tree);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.here.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.here.pop();
    }
}

/// Second look: all other paths.
struct Paths {
    here: Vec<String>,
    names: BTreeMap<String, Vec<String>>,
    found: BTreeSet<Vec<String>>,
}

impl Paths {
    fn add(&mut self, path: &[String]) {
        self.found.insert(resolved(&self.here, path, &self.names));
    }

    /// What stands in a macro is not parsed; its paths are found by their colons.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(name) if colons == 2 => path.push(name.to_string()),
                TokenTree::Ident(name) => {
                    self.add_long(&std::mem::replace(&mut path, vec![name.to_string()]))
                }
                // `pub(in crate::ledger)` says who may look, and takes nothing.
                TokenTree::Group(_) if path == ["pub"] => path.clear(),
                other => {
                    self.add_long(&std::mem::take(&mut path));
                    if let TokenTree::Group(group) = other {
                        self.add_tokens(group.stream());
                    }
                }
            }
            colons = 0;
        }
        self.add_long(&path);
    }

    /// A single name was brought in by a `use`, which was seen.
    fn add_long(&mut self, path: &[String]) {
        if path.len() > 1 {
            self.add(path);
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, _: &'ast syn::ItemUse) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.add_long(&names);
        visit::visit_path(self, path);
    }

    /// The same where it is no macro.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.add_tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.here.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.here.pop();
    }
}
