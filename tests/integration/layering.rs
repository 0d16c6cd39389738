//! The order of modules and files: a module imports only from modules above it in `src/lib.rs`, and the
//! files of a module form no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::project;

/// Lines of a file, its tests not counted.
const MAX_LINES: usize = 400;

#[test]
fn modules_import_only_leftwards() {
    let source = Source::read();
    let rank = |module: &str| source.order.iter().position(|name| name == module);
    let mut seen = 0;
    for (name, file) in &source.files {
        let Some(own) = file.module.first().and_then(|module| rank(module)) else { continue };
        for import in &file.imports {
            let Some(module) = import.path.first() else {
                panic!("{name}:{}: a list behind crate:: hides its modules", import.line);
            };
            let Some(other) = rank(module) else {
                panic!("{name}:{} names crate::{module}, which lib.rs does not", import.line);
            };
            seen += usize::from(other != own);
            assert!(other <= own, "{name}:{} imports {module}, to its right", import.line);
            let is_banned = is_banned(&file.module[0], module, import.is_test);
            assert!(!is_banned, "{name}:{} must not import {module}", import.line);
        }
    }
    assert!(seen > 500, "only {seen} imports were found");
}

/// A reporter cannot print what it cannot name; rules do no I/O; few know the command line.
fn is_banned(module: &str, import: &str, is_test: bool) -> bool {
    match module {
        "report" if import == "rules" => !is_test,
        "report" => ["document", "keys", "sops", "kubernetes", "redact", "input"].contains(&import),
        "rules" => import == "host",
        "settings" | "commands" | "cli" => false,
        _ => import == "cli",
    }
}

#[test]
fn files_form_no_circle() {
    let source = Source::read();
    let mut circles = Vec::new();
    for module in &source.order {
        if let Some(circle) = source.edges(module).circle() {
            circles.push(circle.join(" -> "));
        }
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn files_are_short() {
    let source = Source::read();
    let long = source.files.iter().filter(|(_, file)| file.lines > MAX_LINES);
    let long: Vec<String> = long.map(|(name, file)| format!("{name}: {}", file.lines)).collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn every_implementation_of_an_extension_point_is_listed() {
    let keys = sops_lint::keys::KEY_SERVICES.len();
    let formats = sops_lint::document::FORMATS.len();
    let reporters = sops_lint::report::REPORTERS.len() + sops_lint::report::STATISTICS.len();
    let rules = sops_lint::rules::FILE_RULES.len();
    let repo_rules = sops_lint::rules::REPO_RULES.len();
    let source = project().join("src");
    for (folder, implementation, listed) in [
        ("rules", "impl FileRule for ", rules),
        ("rules", "impl RepoRule for ", repo_rules),
        ("keys", "impl KeyService for ", keys),
        ("document", "impl Format for ", formats),
        ("report", "impl Reporter for ", reporters),
    ] {
        let files = rust_files(&source.join(folder));
        let texts = files.iter().map(|path| fs::read_to_string(path).expect("readable"));
        let written: usize = texts.map(|text| text.matches(implementation).count()).sum();
        assert_eq!(listed, written, "src/{folder}/mod.rs does not list every `{implementation}`");
    }
}

/// All files of `src`.
struct Source {
    /// The modules of `lib.rs`, in its order.
    order: Vec<String>,
    files: BTreeMap<String, File>,
}

impl Source {
    fn read() -> Self {
        let source = project().join("src");
        let mut files = BTreeMap::new();
        for path in rust_files(&source) {
            let name = path.strip_prefix(&source).expect("below src").to_string_lossy();
            let text = fs::read_to_string(&path).expect("readable");
            files.insert(name.replace('\\', "/"), File::read(&name.replace('\\', "/"), &text));
        }
        let order = files["lib.rs"].children.iter().map(|child| child.name.clone()).collect();
        Self { order, files }
    }

    /// Returns the file of the module in which a path lies.
    fn home(&self, path: &[String]) -> Option<&str> {
        let of = |module: &[String]| {
            self.files.iter().find(|(_, file)| file.module == module).map(|(name, _)| name.as_str())
        };
        (1..=path.len()).rev().find_map(|length| of(&path[..length]))
    }

    /// Returns the edges between the files of a module. The tests of a file are a node of their own.
    fn edges(&self, module: &str) -> Edges {
        let mut edges = Edges::default();
        let is_inside = |file: &File| file.module.first().is_some_and(|first| first == module);
        for (name, file) in self.files.iter().filter(|(_, file)| is_inside(file)) {
            let tests = tests_of(name);
            edges.add(&tests, name);
            for import in &file.imports {
                let home = self.home(&import.path).expect("every import has a file");
                edges.add(if import.is_test { &tests } else { name }, home);
            }
            for child in &file.children {
                let path = [&file.module[..], std::slice::from_ref(&child.name)].concat();
                let home = self.home(&path).expect("every module has a file");
                edges.add(if child.is_test { &tests } else { name }, home);
                edges.add(name, &tests_of(home));
            }
        }
        edges
    }
}

fn tests_of(file: &str) -> String {
    format!("{file} (tests)")
}

/// Who imports whom.
#[derive(Default)]
struct Edges(BTreeMap<String, BTreeSet<String>>);

impl Edges {
    fn add(&mut self, from: &str, to: &str) {
        if from != to {
            self.0.entry(from.to_owned()).or_default().insert(to.to_owned());
        }
    }

    /// Returns a circle, beginning and ending with the same file.
    fn circle(&self) -> Option<Vec<&str>> {
        let mut done = BTreeSet::new();
        self.0.keys().find_map(|start| self.circle_from(start, &mut Vec::new(), &mut done))
    }

    fn circle_from<'e>(
        &'e self,
        file: &'e str,
        path: &mut Vec<&'e str>,
        done: &mut BTreeSet<&'e str>,
    ) -> Option<Vec<&'e str>> {
        if let Some(at) = path.iter().position(|earlier| *earlier == file) {
            return Some([&path[at..], &[file]].concat());
        }
        if !done.insert(file) {
            return None;
        }
        path.push(file);
        let mut next = self.0.get(file).into_iter().flatten();
        let circle = next.find_map(|next| self.circle_from(next, path, done));
        path.pop();
        circle
    }
}

/// A file, as far as its place among others goes.
#[derive(Debug, Default)]
struct File {
    /// The path of its module from the root of the crate.
    module: Vec<String>,
    imports: Vec<Import>,
    /// The modules that it declares in files of their own.
    children: Vec<Child>,
    /// Its length without its tests.
    lines: usize,
}

#[derive(Debug)]
struct Import {
    /// The path from the root of the crate.
    path: Vec<String>,
    is_test: bool,
    line: usize,
}

#[derive(Debug)]
struct Child {
    name: String,
    is_test: bool,
}

impl File {
    fn read(name: &str, text: &str) -> Self {
        let stem = name.trim_end_matches(".rs").trim_end_matches("mod").trim_end_matches('/');
        let module: Vec<String> = match stem {
            "lib" => Vec::new(),
            stem => stem.split('/').map(str::to_owned).collect(),
        };
        let tokens = tokens(text);
        let file = Self { lines: text.lines().count(), module: module.clone(), ..Self::default() };
        let mut reader = Reader { tokens: &tokens, module, file };
        reader.items(0, tokens.len(), false);
        reader.file
    }
}

struct Reader<'t> {
    tokens: &'t [Token],
    /// The path of the module that is being read, with modules inside the file.
    module: Vec<String>,
    file: File,
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    /// Reads the tokens from `at` to `end`.
    fn items(&mut self, mut at: usize, end: usize, is_test: bool) {
        while at < end {
            if !is_test && self.is_test_attribute(at) {
                let behind = self.item_end(at);
                let line = |at: usize| self.tokens.get(at).map_or(0, |token| token.line);
                self.file.lines -= 1 + line(behind - 1) - line(at);
                self.items(at + 1, behind, true);
                at = behind;
                continue;
            }
            at = match (self.text(at), self.text(at + 1), self.text(at + 2)) {
                ("pub", "(", _) => self.closing(at + 1) + 1,
                ("mod", name, ";") => {
                    let name = name.to_owned();
                    self.file.children.push(Child { name, is_test });
                    at + 3
                }
                ("mod", name, "{") => {
                    let (name, behind) = (name.to_owned(), self.closing(at + 2) + 1);
                    self.module.push(name);
                    self.items(at + 3, behind, is_test);
                    self.module.pop();
                    behind
                }
                ("crate" | "super" | "self", "::", _) => {
                    self.paths(&self.module.clone(), at, is_test)
                }
                _ => at + 1,
            };
        }
    }

    /// Reports whether `#[cfg(test)]` or the like begins here.
    fn is_test_attribute(&self, at: usize) -> bool {
        let is_cfg = ["#", "[", "cfg"].iter().enumerate().all(|(n, t)| self.text(at + n) == *t);
        let end = if is_cfg { self.closing(at + 1) } else { at };
        let mut words = self.tokens[at..end].iter().map(|token| &*token.text);
        words.clone().any(|word| word == "test") && !words.any(|word| word == "not")
    }

    /// Returns where the item with the attribute at `at` ends: behind its `;` or its closing brace.
    fn item_end(&self, mut at: usize) -> usize {
        loop {
            at = match self.text(at) {
                "{" => return self.closing(at) + 1,
                ";" | "" => return at + 1,
                "(" | "[" => self.closing(at) + 1,
                _ => at + 1,
            }
        }
    }

    /// Returns the place of the bracket that closes the one at `at`.
    fn closing(&self, mut at: usize) -> usize {
        let mut depth = 0;
        loop {
            match self.text(at) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                "" => return at,
                _ => {}
            }
            if depth == 0 {
                return at;
            }
            at += 1;
        }
    }

    /// Reads a path, or all paths of a group, that continue `prefix`. Returns where they end.
    fn paths(&mut self, prefix: &[String], mut at: usize, is_test: bool) -> usize {
        let mut path = prefix.to_vec();
        let line = self.tokens[at].line;
        loop {
            match self.text(at) {
                "{" if path.is_empty() => break,
                "{" => {
                    let end = self.closing(at);
                    at += 1;
                    while at < end {
                        at = self.paths(&path, at, is_test);
                        at += usize::from(self.text(at) == ",");
                    }
                    return end + 1;
                }
                "crate" => path.clear(),
                "super" => drop(path.pop()),
                "self" => {}
                name => path.push(name.to_owned()),
            }
            let goes_on = self.text(at + 1) == "::" && self.text(at + 2) != "<";
            if !goes_on {
                break;
            }
            at += 2;
        }
        self.file.imports.push(Import { path, is_test, line });
        at + if self.text(at + 1) == "as" { 3 } else { 1 }
    }
}

/// A word, `::`, or another character that is no blank.
#[derive(Debug)]
struct Token {
    text: String,
    line: usize,
}

/// Returns the tokens of a file without comments, texts, characters and lifetimes.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while at < chars.len() {
        let end = token_end(&chars, at);
        let token: String = chars[at..end].iter().collect();
        let is_kept = token == "::"
            || token.starts_with(|c: char| c.is_alphanumeric() || "_#[](){};,*<>&=.:!".contains(c));
        if is_kept && !token.contains('"') {
            tokens.push(Token { text: token.clone(), line });
        }
        line += token.matches('\n').count();
        at = end;
    }
    tokens
}

fn token_end(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    let starts = |with: &str| with.chars().enumerate().all(|(n, c)| rest.get(n) == Some(&c));
    let find = |what: char| rest.iter().position(|c| *c == what).unwrap_or(rest.len());
    let word = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
    if starts("//") {
        return at + find('\n');
    }
    if starts("::") {
        return at + 2;
    }
    if starts("'") {
        let is_escape = rest.get(1) == Some(&'\\');
        let is_char = is_escape || rest.get(2) == Some(&'\'');
        let closing = || rest[3..].iter().position(|c| *c == '\'').unwrap_or(0);
        return at
            + if is_escape {
                4 + closing()
            } else if is_char {
                3
            } else {
                1
            };
    }
    // A text may have one of these words before it: r, b, br, c; and a raw one hashes.
    let hashes = rest[word..].iter().take_while(|c| **c == '#').count();
    let prefix: String = rest[..word].iter().collect();
    let is_raw = prefix.ends_with('r') && prefix.len() < 3;
    if rest.get(word + if is_raw { hashes } else { 0 }) == Some(&'"') && prefix.len() < 3 {
        return at + text_end(rest, word, is_raw.then_some(hashes));
    }
    at + word.max(1)
}

/// Returns where the text ends whose quote comes after `before` characters and the hashes of a raw text.
fn text_end(rest: &[char], before: usize, raw: Option<usize>) -> usize {
    let mut at = before + raw.unwrap_or(0) + 1;
    while at < rest.len() {
        match (rest[at], raw) {
            ('\\', None) => at += 1,
            ('"', None) => return at + 1,
            ('"', Some(hashes)) => {
                let behind = &rest[at + 1..];
                if behind.len() >= hashes && behind[..hashes].iter().all(|c| *c == '#') {
                    return at + 1 + hashes;
                }
            }
            _ => {}
        }
        at += 1;
    }
    rest.len()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("src can be listed") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

/// The imports of a file, as `path` or `path (test)`.
fn imports(name: &str, text: &str) -> Vec<String> {
    let shown = |import: &Import| {
        let tests = if import.is_test { " (test)" } else { "" };
        format!("{}{tests}", import.path.join("::"))
    };
    File::read(name, text).imports.iter().map(shown).collect()
}

#[test]
fn imports_are_found_wherever_they_are() {
    let text = r##"
        //! A comment about crate::comments.
        use crate::text::Span;
        use super::{a::X, b::{self, c as d}, *};
        use std::io::{self, Write};
        pub(in crate::visibility) fn f<'a>(x: &'a str) -> char {
            /// crate::docs
            let text = "crate::strings \" crate::strings";
            let raw = r#"crate::raw " crate::raw"#;
            let quote = ('"', '\'', b'"');
            super::e::f();
            crate::g::Generic::<u8>::new();
            self::own()
        }
        mod inner { use super::super::up; }
        #[cfg(test)]
        mod tests {
            use super::*;
            use crate::only_in_tests;
        }
    "##;
    assert_eq!(
        imports("keys/age.rs", text),
        [
            "text::Span",
            "keys::a::X",
            "keys::b",
            "keys::b::c",
            "keys::*",
            "keys::e::f",
            "g::Generic",
            "keys::age::own",
            "keys::up",
            "keys::age::* (test)",
            "only_in_tests (test)",
        ]
    );
    let file = File::read("keys/mod.rs", text);
    assert_eq!((file.module, file.lines), (vec!["keys".to_owned()], text.lines().count() - 5));
    let list = File::read("keys/age.rs", "use crate::{cli, report};");
    assert!(list.imports[0].path.is_empty(), "a list of modules cannot pass by");
}

#[test]
fn circles_are_found() {
    let circle = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(name, text)| {
            let file = File::read(name, text);
            ((*name).to_owned(), file)
        });
        let source = Source { order: Vec::new(), files: files.collect() };
        let edges = source.edges("a");
        edges.circle().map(|circle| circle.join(" -> "))
    };
    let parent = ("a/mod.rs", "mod b; mod c; pub use c::T; pub struct P;");
    let c = ("a/c.rs", "pub trait T {}");
    let of = |b: &str| circle(&[parent, ("a/b.rs", b), c]);
    assert_eq!(of("use super::c::T;"), None);
    assert_eq!(of("#[cfg(test)] mod tests { use super::*; use crate::a::c::T; }"), None);
    // The struct of the parent, a re-export of the parent, and both in tests.
    assert!(of("use super::P;").is_some_and(|circle| circle.contains("a/b.rs -> a/mod.rs")));
    assert!(of("use crate::a::T;").is_some());
    assert!(of("fn f() { super::P.g() }").is_some());
    assert!(of("#[cfg(test)] mod tests { use crate::a::T; }").is_some());
    // Two siblings.
    let siblings = [
        ("a/mod.rs", "mod b; mod c;"),
        ("a/b.rs", "use super::c::T;"),
        ("a/c.rs", "use super::b;"),
    ];
    assert_eq!(circle(&siblings).expect("a circle"), "a/b.rs -> a/c.rs -> a/b.rs");
}
