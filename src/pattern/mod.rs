//! Go's regular expressions, translated to the `regex` crate, so that a pattern means the same here as in
//! sops.
//!
//! This module compiles a pattern, matches it, and reports its faults.
//!
//! A source text never reaches the `regex` crate unchanged. The two dialects differ silently (`\d` is ASCII in Go, `[a&&b]` is an intersection in Rust, `a++` is an
//! error in Go), so `translate` reads the source by Go's rules and writes an equal pattern in a
//! small, unambiguous part of Rust's syntax. Laziness and captures are dropped: they affect the
//! content of a match, not its existence.
//!
//! The reference is Go 1.25, which sops 3.11.0 was built with: its parser, its limits and its
//! Unicode 15.0 tables. Known differences, which do not affect sensible patterns:
//!
//! - case pairs that Unicode gained after 15.0 (U+0390 and U+1FD3, U+019B and U+A7DC) fold here
//!   and not in Go; U+1171E is `\p{Mn}` here and `\p{Mc}` in Go; `(?i)\p{LC}` has U+0345 here only;
//! - half of a surrogate pair matches nothing here, while `^\x{D800}` matches U+FFFD in Go;
//! - the nesting depth of alternations is counted before Go factors out their common prefixes;
//! - sources and programs past `MAX_SOURCE_BYTES` and `MAX_PROGRAM_BYTES` are refused, and so are those
//!   beyond the [`Budget`] of a config.

mod alternatives;
mod budget;
mod class;
mod cursor;
mod error;
mod escape;
pub mod globs;
mod node;
mod translate;
mod unicode;

use std::sync::OnceLock;
use std::thread;

pub use alternatives::alternatives;
pub use budget::Budget;
pub use error::PatternError;

use budget::LARGE_PROGRAM_COST;
use regex::{Regex, RegexBuilder};
use translate::Translation;

/// Maximum bytes of source text. A hand-written pattern has a hundred.
const MAX_SOURCE_BYTES: usize = 16 * 1024;

/// Maximum bytes of a compiled pattern. `.{1000}` fits, `\pL{1000}` does not.
const MAX_PROGRAM_BYTES: usize = 2 * 1024 * 1024;

/// Maximum bytes of a compiled pattern that was written by hand. Larger ones cost much of the budget.
const SMALL_PROGRAM_BYTES: usize = 128 * 1024;

/// Bytes of cache for the lazily built automaton of a thread. If the cache is full, the search clears it or
/// runs slower, but still in linear time.
const MAX_AUTOMATON_BYTES: usize = 1024 * 1024;

/// The same for a program that is larger than those of hand-written patterns. In the cache above, its automaton
/// does not fit, and the search takes as many steps for each character as the program has.
const LARGE_AUTOMATON_BYTES: usize = 4 * 1024 * 1024;

/// Maximum bytes of a translated pattern that is compiled when it is first needed: at up to a hundred bytes for
/// each, its program is small.
const SHORT_TEXT_BYTES: usize = 512;

/// The same for sets of characters, which take up to 1,500 bytes each.
const FEW_SETS: usize = 40;

/// Nesting limit of the `regex` crate's parser: each of the [`node::MAX_HEIGHT`] levels of
/// Go's syntax tree becomes at most a repetition, a group and a bracket.
const NEST_LIMIT: u32 = 4 * 1000;

/// Maximum height of a syntax tree that is compiled on the caller's stack.
const SHALLOW_HEIGHT: usize = 16;

/// Bytes of stack for a deeper tree: the `regex` crate's compiler recurses, at up to 16 KiB a level
/// in an unoptimised build.
const DEEP_STACK_BYTES: usize = 32 * 1024 * 1024;

/// A compiled pattern with its source text.
///
/// *Source*: `regexp.Compile` and `regexp.MatchString` of Go 1.25, as sops calls them for
/// `path_regex`, `encrypted_regex` and their relatives.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    /// Required start and end of a text. They exclude most rules of a config in a hundredth of the time of a
    /// search.
    start: Box<str>,
    end: Box<str>,
    /// The translated pattern, if it is short: most rules of a config are excluded by their edges, and a
    /// compiled pattern takes a hundred times the memory of its text.
    text: Box<str>,
    regex: OnceLock<Regex>,
}

impl Pattern {
    /// Compiles a pattern written in Go's syntax.
    ///
    /// *Errors*: [`PatternError`] when Go's `regexp.Compile` would refuse the source, or when it
    /// is too large for sops-lint.
    pub fn new(source: &str) -> Result<Self, PatternError> {
        Self::within(source, &mut Budget::default())
    }

    /// Like [`Pattern::new`], for one of many patterns that share a budget.
    pub fn within(source: &str, budget: &mut Budget) -> Result<Self, PatternError> {
        if source.len() > MAX_SOURCE_BYTES {
            let reason = format!(
                "the pattern is too large for sops-lint: {} bytes, and the limit is {MAX_SOURCE_BYTES}",
                source.len()
            );
            return Err(PatternError::new(reason, 0));
        }
        let Translation { root, start, end } = translate::translate(source)?;
        budget.pay(budget::cost(root.text()))?;
        let mut pattern = Self {
            source: source.to_owned(),
            start: start.into(),
            end: end.into(),
            text: Box::default(),
            regex: OnceLock::new(),
        };
        if is_surely_small(&root) {
            pattern.text = root.text().into();
        } else if root.height() <= SHALLOW_HEIGHT {
            pattern.regex = build(root.text(), budget)?.into();
        } else {
            pattern.regex = build_on_large_stack(root.text(), budget)?.into();
        }
        Ok(pattern)
    }

    /// Reports whether the pattern matches anywhere in the text, as Go's `MatchString` does.
    ///
    /// `^` and `$` match the ends of the text, not of its lines, unless the pattern has `(?m)`. Go reads each byte of a name that is not UTF-8 as one U+FFFD, so the caller must
    /// have replaced those bytes one by one.
    pub fn is_match(&self, text: &str) -> bool {
        text.starts_with(&*self.start) && text.ends_with(&*self.end) && self.regex().is_match(text)
    }

    fn regex(&self) -> &Regex {
        let compile = || {
            build(&self.text, &mut Budget::default()).expect("a short pattern is a small program")
        };
        self.regex.get_or_init(compile)
    }

    /// Returns the source text.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

/// Reports whether a pattern is certain to compile to a small program, so that no limit needs it compiled.
fn is_surely_small(root: &node::Node) -> bool {
    let text = root.text();
    let sets = text.bytes().filter(|byte| matches!(byte, b'.' | b'[')).count();
    text.len() <= SHORT_TEXT_BYTES
        && sets <= FEW_SETS
        && !text.contains('{')
        && budget::cost(text) == text.len()
        && root.height() <= SHALLOW_HEIGHT
}

fn build(text: &str, budget: &mut Budget) -> Result<Regex, PatternError> {
    let mut builder = RegexBuilder::new(text);
    builder.dfa_size_limit(MAX_AUTOMATON_BYTES).nest_limit(NEST_LIMIT);
    let built = match builder.size_limit(SMALL_PROGRAM_BYTES).build() {
        Err(regex::Error::CompiledTooBig(_)) => {
            budget.pay(LARGE_PROGRAM_COST)?;
            builder.dfa_size_limit(LARGE_AUTOMATON_BYTES).size_limit(MAX_PROGRAM_BYTES).build()
        }
        built => built,
    };
    built.map_err(|error| {
        let reason = match error {
            regex::Error::CompiledTooBig(limit) => format!(
                "the pattern is too large for sops-lint: it compiles to more than {limit} bytes"
            ),
            // No test reaches this. A strange pattern must not end the run.
            _ => "the pattern cannot be expressed in sops-lint".to_owned(),
        };
        PatternError::new(reason, 0)
    })
}

/// Compiles a deeply nested pattern on a separate thread: a stack overflow would abort the process, and the
/// pattern is untrusted.
fn build_on_large_stack(text: &str, budget: &mut Budget) -> Result<Regex, PatternError> {
    thread::scope(|scope| {
        thread::Builder::new()
            .stack_size(DEEP_STACK_BYTES)
            .spawn_scoped(scope, || build(text, budget))
            .ok()
            .and_then(|compiling| compiling.join().ok())
            .unwrap_or_else(|| {
                Err(PatternError::new(
                    "the pattern nests too deeply for sops-lint to compile it here",
                    0,
                ))
            })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn compile(source: &str) -> Pattern {
        match Pattern::new(source) {
            Ok(pattern) => pattern,
            Err(error) => panic!("`{source}`: {error}"),
        }
    }

    #[track_caller]
    fn check_matches(source: &str, texts: &[&str]) {
        let pattern = compile(source);
        for text in texts {
            assert!(pattern.is_match(text), "`{source}` must match {text:?}");
        }
    }

    #[track_caller]
    fn check_misses(source: &str, texts: &[&str]) {
        let pattern = compile(source);
        for text in texts {
            assert!(!pattern.is_match(text), "`{source}` must not match {text:?}");
        }
    }

    #[track_caller]
    fn check_refused(source: &str, offset: usize, reason: &str) {
        match Pattern::new(source) {
            Ok(_) => panic!("`{source}` must be refused"),
            Err(error) => assert_eq!((error.reason(), error.offset()), (reason, offset)),
        }
    }

    #[test]
    fn edges_rule_out_what_the_pattern_does_not_match_and_nothing_else() {
        let edges = |source| {
            let pattern = compile(source);
            (pattern.start.to_string(), pattern.end.to_string())
        };
        for (source, start, end) in [
            (r"^apps/.*\.yaml$", "apps/", ".yaml"),
            (r"\Aa\Q.b\E\x{e9}", "a.b\u{e9}", ""),
            ("abc", "", ""),
            ("^abc?", "ab", ""),
            ("^ab{2}c+$", "a", ""),
            ("^(ab)c$", "", "c"),
            ("^[a]b$", "", "b"),
            ("^ab$|c$", "", ""),
            ("^(?i)ab$", "", ""),
            ("(?m)^ab$", "", ""),
            ("(?i:x)ab$", "", "ab"),
            ("^^ab$$", "", ""),
            ("^*ab$", "", "ab"),
            ("^ab$c", "ab", ""),
            ("^ab$", "ab", "ab"),
        ] {
            assert_eq!(edges(source), (start.to_owned(), end.to_owned()), "`{source}`");
        }
        check_matches("^aba$", &["aba"]);
        check_misses("^ab.*ba$", &["aba", "ab", "ba"]);
    }

    #[test]
    fn a_short_pattern_is_compiled_when_it_is_needed() {
        let pattern = compile("^apps/.*$");
        assert!(!pattern.is_match("infra/a"));
        assert!(pattern.regex.get().is_none(), "its start excludes the text");
        assert!(pattern.is_match("apps/a"));
        assert!(pattern.regex.get().is_some());
        assert!(compile("^a{2}$").regex.get().is_some(), "a count may make a large program");
    }

    #[test]
    fn a_short_pattern_is_a_small_program_whatever_it_has() {
        let is_wrong = |text: &str| {
            let root = translate::translate(text).expect("valid").root;
            let mut builder = RegexBuilder::new(root.text());
            is_surely_small(&root) && builder.size_limit(SMALL_PROGRAM_BYTES).build().is_err()
        };
        let sets =
            r". (?s). [^a] .* (.|.) (.?.+) \W \S \D (?i)k (?i:[k-z]) [^k-z] \b. (?i:[^k]) (?i:ſ)";
        for set in sets.split(' ') {
            for rest in ["a", "a?", "é", "(a|é)*", r"\b"] {
                for count in (0..=FEW_SETS).step_by(4) {
                    let text =
                        set.repeat(count) + &rest.repeat(SHORT_TEXT_BYTES / rest.len() - count);
                    let texts = [text, set.repeat(count), rest.repeat(count)];
                    assert!(!texts.iter().any(|text| is_wrong(text)), "{texts:?}");
                }
            }
        }
        assert!(is_surely_small(
            &translate::translate(r"^a/[^/]+\.enc\.ya?ml$").expect("valid").root
        ));
    }

    #[test]
    fn keeps_its_source() {
        assert_eq!(compile(r"^\Qa.b\E$").as_str(), r"^\Qa.b\E$");
    }

    #[test]
    fn usual_patterns() {
        check_matches("^(data|stringData)$", &["data", "stringData"]);
        check_misses("^(data|stringData)$", &["metadata", "Data", "data\n", ""]);
        check_matches("data", &["data", "metadata"]);
        check_matches(r"secrets/[^/]+\.enc\.ya?ml$", &["app/secrets/db.enc.yaml"]);
        check_misses(r"secrets/[^/]+\.enc\.ya?ml$", &["secrets/a/db.enc.yaml", "db.enc.yaml"]);
        check_matches("", &["", "a"]);
    }

    #[test]
    fn every_compiling_pattern_of_the_sops_table() {
        for (source, text, is_match) in [
            (r"^\d$", "\u{0663}", false),
            (r"^\w$", "é", false),
            (r"^.$", "é", true),
            (r"^[^a]$", "é", true),
            (r"^\s$", "\u{a0}", false),
            (r"^a{,5}$", "a{,5}", true),
            (r"^a{$", "a{", true),
            (r"^[a&&b]+$", "&", true),
            (r"^[[]$", "[", true),
            (r"^[[a]b]$", "[b]", true),
            (r"^\Qa.b\E$", "a.b", true),
            (r"(?i)^É$", "é", true),
            (r"(?<n>a)", "a", true),
            (r"\<a", "<a", true),
            (r"\101", "A", true),
            (r"^a\z", "a", true),
            (r"\p{Greek}", "α", true),
            (r"(?U)a+", "a", true),
            (r"^a$", "a\n", false),
            (r"^]$", "]", true),
            (r"^[]a]$", "]", true),
            (r"^\/$", "/", true),
            (r"\bé", "é", false),
            (r"^\-$", "-", true),
            (r"^\_$", "_", true),
            ("secrets/{s,t}.yaml", "secrets/{s,t}.yaml", true),
            ("s{", "s{", true),
            ("[[]?x", "[x", true),
            ("[a-z&&[^b]]", "b]", true),
            ("[a~~b]", "~", true),
            (r"(?P<n>[[:alpha:]])\pL\x{41}[^]a]", "abAc", true),
        ] {
            assert_eq!(compile(source).is_match(text), is_match, "`{source}` on {text:?}");
        }
    }

    #[test]
    fn every_refused_pattern_of_the_sops_table() {
        check_refused("^[a--b]$", 2, "the range `a--` ends before it begins");
        check_refused("[a--z]", 1, "the range `a--` ends before it begins");
        let nested = "repeats a repetition, which Go's regular expressions do not allow";
        check_refused("^a**$", 3, &format!("`*` {nested}"));
        check_refused("a++", 2, &format!("`+` {nested}"));
        check_refused("a|*", 2, "`*` has nothing before it to repeat");
        check_refused("a{1001}", 1, "the count `{1001}` is too large: the limit is 1000");
        let unknown = "does not exist in Go's regular expressions";
        check_refused("(?x)a b", 0, &format!("flag group `(?x` {unknown}"));
        check_refused(r"\u0041", 0, &format!(r"`\u` {unknown}; write `\x{{10FFFF}}`"));
        check_refused(r"^a\Z", 2, &format!(r"`\Z` {unknown}; write `\z`"));
        check_refused(r"(a)\1", 3, &format!(r"back-reference `\1` {unknown}"));
        check_refused("a(?=b)", 1, &format!("look-ahead `(?=` {unknown}"));
        check_refused("^(?!x)(data)$", 1, &format!("look-ahead `(?!` {unknown}"));
        check_refused(r"^\y", 1, &format!(r"escape `\y` {unknown}"));
        check_refused(r"\C", 0, &format!(r"escape `\C` {unknown}"));
        let name =
            "`Alphabetic` is not a Unicode category or script that Go's regular expressions know";
        check_refused(r"é\p{Alphabetic}", 2, name);
        check_refused("^(data", 1, "the group opened by `(` has no closing `)`");
        check_refused("*.yaml", 0, "`*` has nothing before it to repeat");
    }

    #[test]
    fn messages_of_the_other_errors() {
        let unknown = "does not exist in Go's regular expressions";
        check_refused("(?<!x)y", 0, &format!("look-behind `(?<!` {unknown}"));
        check_refused("(?>x)", 0, &format!("atomic group `(?>` {unknown}"));
        check_refused("(?i", 0, "the group `(?i` is not complete");
        check_refused("(?P<a b>c)", 0, "`(?P<a b>` is not a named group such as `(?P<name>`");
        check_refused("a)", 1, "`)` closes a group that was not opened");
        check_refused("é[a", 2, "the set opened by `[` has no closing `]`");
        check_refused("[[:foo:]]", 1, &format!("the named set `[:foo:]` {unknown}"));
        let end = r"`\d` is a set of characters and cannot be the end of a range";
        check_refused(r"[a-\d]", 3, end);
        check_refused("[b-a]", 1, "the range `b-a` ends before it begins");
        check_refused(r"[\b]", 1, r"`\b` has no meaning in brackets; write `\x08` for a backspace");
        check_refused("a\\", 1, "a backslash at the end of the pattern escapes nothing");
        check_refused(r"\p{L", 0, r"`\p{` has no closing `}`");
        check_refused("a{3,2}", 1, "the count `{3,2}` ends before it begins");
        let copies = "the count `{11}` makes more than 1000 copies, together with those inside";
        check_refused("(a{100}){11}", 8, copies);
        let error = Pattern::new("a)").expect_err("the group was not opened");
        assert_eq!(error.to_string(), "`)` closes a group that was not opened (at byte 1)");
    }

    #[test]
    fn repetitions() {
        for refused in [
            "a*?*",
            "a+*",
            "a???",
            "a{2}{3}",
            "a{2}*",
            "a*{2}",
            "a{2}?+",
            "*",
            "(*)",
            "(?:+)",
            "^|?",
            "{2}",
            "(?i)*",
            "a{1,1001}",
            "a{99999999999}",
            "a{2,99999999999}",
            "(a{501}){2}",
            "((a{100})*){11}",
            "(a{1000,}){2,}",
            "(a{501}){0,2}",
            "a**?",
        ] {
            assert!(Pattern::new(refused).is_err(), "`{refused}` must be refused");
        }
        check_matches("^(?:(a*)*|(b+)+|(?:c?)?)$", &["", "aaa", "bbb", "c"]);
        check_matches(r"^*\b+a*?b+?c??d{2}?$+", &["bdd"]);
        check_matches("^(a{1000}){1}$", &[&"a".repeat(1000)]);
        check_matches("^(?:a{0}){1000}x{0,0}(|a)*$", &["", "aa"]);
        check_misses("^x{0}$", &["x"]);
        // An operator applies to what was read last, across anything that adds nothing.
        check_matches(r"^a\Q\E*(?i)+$", &["", "aaa"]);
        check_matches(r"^\Qab\E*$", &["a", "abbb"]);
        // A brace that opens no valid count is a character like any other.
        check_matches("^a{01}{,}{a}{-1}{ 2}}$", &["a{01}{,}{a}{-1}{ 2}}"]);
        check_matches("^{*$", &["", "{{"]);
    }

    #[test]
    fn groups_and_flags() {
        for refused in [
            "(?-)",
            "(?-:a)",
            "(?i-)",
            "(?i--s)",
            "(?u)",
            "(?P=n)",
            "(?P<>a)",
            "(?P<n",
            "(?<",
            "(?",
            "(?'n'a)",
            "(?#c)",
            "(?P<é>a)",
            "(?|a)",
            "(?R)",
        ] {
            assert!(Pattern::new(refused).is_err(), "`{refused}` must be refused");
        }
        check_matches("^(?)(?P<n>a)(?P<n>b)(?<1>c)(?ii-s)$", &["abc"]);
        check_matches("^a(?i)b|c$", &["aB", "xC"]);
        check_misses("^(?:(?i)a)b$", &["AB"]);
        check_matches("^(?i:a(?-i)b)c$", &["Abc"]);
        check_misses("^(?i:a(?-i)b)c$", &["ABc"]);
        check_matches("(?m)^a$", &["b\na\nc"]);
        check_misses(r"(?m)\Aa\z", &["b\na\nc", "a\n"]);
        check_misses("^a.b$", &["a\nb"]);
        check_matches("^(?s:a.b)$", &["a\nb"]);
        check_matches("^[^b]$", &["\n"]);
    }

    #[test]
    fn sets() {
        for refused in ["[]", "[^]", "[]a", "[a-[:digit:]]", r"[\Qa\E]", r"[\z]", "[a", "[[:a]x:]]"]
        {
            assert!(Pattern::new(refused).is_err(), "`{refused}` must be refused");
        }
        check_matches("^[a-]$", &["a", "-"]);
        check_matches("^[-a]$", &["a", "-"]);
        check_matches("^[a-c-e]$", &["b", "-", "e"]);
        check_misses("^[a-c-e]$", &["d"]);
        check_matches("^[--a]$", &["-", "Z"]);
        check_matches(r"^[\d-z]$", &["7", "-", "z"]);
        check_matches("^[[:a]$", &["[", ":", "a"]);
        check_matches("^[[:^digit:]]$", &["a", "é", "\n"]);
        check_matches(r"^[^]\n\]a^]$", &["b"]);
        check_misses(r"^[^]\n\]a^]$", &["]", "\n", "a", "^"]);
        check_misses(r"^\s$", &["\u{b}", "\u{85}"]);
        check_matches("^[[:space:]]$", &["\u{b}"]);
        // Without members, or without non-members.
        check_misses(r"[^\x00-\x{10FFFF}]", &["", "a", "\u{10FFFF}"]);
        check_matches(r"a|[^\x00-\x{10FFFF}]", &["a"]);
        check_matches(r"^[\x00-\x{10FFFF}]$", &["\0", "\u{10FFFF}"]);
        // Halves of surrogate pairs.
        check_misses(r"[\x{D800}-\x{DFFF}]|\x{D800}|\p{Cs}", &["", "a", "\u{FFFD}"]);
        check_matches(r"^[^\x{D800}]\PC[\x{D7FF}-\x{E000}]$", &["aa\u{E000}"]);
    }

    #[test]
    fn escapes() {
        check_matches(r"^\a\f\n\r\t\v\x7F\x{000041}\0\08$", &["\x07\x0c\n\r\t\x0b\x7fA\0\08"]);
        check_matches(r"^\123\1234\777$", &["SS4\u{1ff}"]);
        check_matches(r"^\Q*\Q[\\E\.\*\ \~$", &[r"*\Q[\.* ~"]);
        check_matches(r"\Qa.", &["a."]);
        for refused in [
            r"\8",
            r"\18",
            r"\xg0",
            r"\x4",
            r"\x{}",
            r"\x{110000}",
            r"\x{4",
            r"\x{4 1}",
            r"\é",
            r"\E",
            r"\G",
            r"\k",
            r"\p",
            r"\p{}",
            r"\p{^}",
            r"\p^",
            r"\p{^^L}",
            r"\pé",
            r"\p{sc=Greek}",
            r"\p{Grek}",
            r"\p{Old_Italic}",
            r"\p{Garay}",
            r"\p{L&}",
        ] {
            assert!(Pattern::new(refused).is_err(), "`{refused}` must be refused");
        }
    }

    #[test]
    fn unicode_sets() {
        check_matches(r"^\pL\PL\p{^Greek}\P{^Greek}\p{Lu}\pN$", &["a1aαA٣"]);
        check_matches(r"^\p{ greek }\p{LETTER}\p{lowercase-letter}\p{Any}$", &["αbc\n"]);
        check_matches(r"^[\p{ASCII}\p{Nd}]+\P{Cn}\p{Assigned}$", &["a٣bc"]);
        // U+1C89 is a letter since Unicode 16.
        check_misses(r"\pL|\p{Cyrillic}|\P{Cn}|\p{Assigned}|\PC", &["\u{1C89}"]);
        check_matches(r"^\p{Cn}\pC\P{Lu}$", &["\u{1C89}\u{1C89}\u{1C89}"]);
    }

    #[test]
    fn case_folding() {
        check_matches("(?i)^k$", &["k", "K", "\u{212A}"]);
        check_matches("(?i)^\u{17F}$", &["s", "S", "\u{17F}"]);
        check_matches("(?i)^S$", &["s", "S", "\u{17F}"]);
        check_matches("(?i)^[a-z]$", &["Q", "\u{212A}", "\u{17F}"]);
        check_matches(r"(?i)^\w$", &["Q", "\u{212A}"]);
        check_misses(r"(?i)^\W$", &["Q", "\u{212A}"]);
        check_misses("(?i)^[^k]$", &["K", "\u{212A}"]);
        check_misses("(?i)^[[:^lower:]]$", &["K", "\u{17F}"]);
        check_matches("(?i)^Σß1$", &["ςẞ1", "σß1"]);
        check_matches(r"(?i)^\p{Lu}\x61\Qa\E$", &["aAA"]);
        check_misses("(?i)^i$", &["İ", "ı"]);
    }

    #[test]
    fn boundaries_know_ascii_words_only() {
        check_matches(r"\Bé\B", &["é", "-é-"]);
        check_misses(r"\bé", &["é", "-é"]);
        check_matches(r"a\bé", &["aé"]);
        check_matches(r"\B", &["", "é", "ab", "𝔸"]);
        check_misses(r"\B", &["a"]);
        check_misses(r"\b", &["", "é", "𝔸"]);
        check_matches(r"^\B+é(?:\B)$", &["é"]);
        check_misses(r"(?i)\bſ", &["ſ"]);
    }

    #[test]
    fn nesting_is_refused_where_go_refuses_it() {
        let nested = |open: &str, close: &str, depth| {
            let source = [open.repeat(depth), "a".to_owned(), close.repeat(depth)].concat();
            Pattern::new(&source).map(|pattern| pattern.is_match("a"))
        };
        assert_eq!(nested("(", ")", 999), Ok(true));
        assert!(nested("(", ")", 1000).is_err());
        assert_eq!(nested("(?:", ")*", 999), Ok(true));
        assert!(nested("(?:", ")*", 1000).is_err());
        assert_eq!(nested("(", ")*", 499), Ok(true));
        assert!(nested("(", ")*", 500).is_err());
        assert_eq!(nested("(?:xx|y", ")", 500), Ok(false));
        assert!(nested("(?:xx|y", ")", 501).is_err());
        // Groups that Go dissolves have no depth.
        assert_eq!(nested("(?:", ")", 4000), Ok(true));
        assert_eq!(nested("(?:x*", ")", 2000), Ok(true));
        assert_eq!(nested("(?:x|", ")", 2000), Ok(true));
        assert_eq!(nested("", "(?i)*", 999), Ok(true));
        assert!(nested("", "(?i)*", 1000).is_err());
    }

    #[test]
    fn too_large_for_us() {
        let error = Pattern::new(r"(?:\pL\pN){500}").expect_err("a large program");
        assert!(error.reason().starts_with("the pattern is too large for sops-lint"), "{error}");
        let error = Pattern::new(&"a".repeat(MAX_SOURCE_BYTES + 1)).expect_err("a long source");
        assert!(error.reason().starts_with("the pattern is too large for sops-lint"), "{error}");
        assert!(Pattern::new(&"a".repeat(MAX_SOURCE_BYTES)).is_ok());
        check_misses("^.{1000}$", &["a"]);
    }

    #[test]
    fn hostile_patterns_take_linear_time() {
        let text = "a".repeat(50_000) + "!";
        check_misses("^(a+)+$", &[&text]);
        check_misses("^(a|aa)*$", &[&text]);
        check_misses("^(a*)*b", &[&text]);
    }

    /// Returns a pattern in Go's syntax that matches exactly this text.
    fn escape_for_go(text: &str) -> String {
        let mut source = String::new();
        for character in text.chars() {
            if character.is_ascii_punctuation() {
                source.push('\\');
            }
            source.push(character);
        }
        source
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_source_compiles_or_is_refused_with_a_place(
            source in prop_oneof![
                any::<String>(),
                r"[\[\](){}|*+?^$.\\:<>=!PpQEdDwsbBiUazZ0-9,&~_éſ\x{212a} -]{0,30}",
                // Mostly well formed.
                r"(a|b|é|[.]|\[a-?\]|\\[bBdDwWsSAz]|\\p[LN]|[(]([?](:|i:|s|<n>))?|[)]|[|]|[*+?]|[{][0-9]{1,4},?[}]){0,20}",
            ],
            text in any::<String>(),
        ) {
            match Pattern::new(&source) {
                Ok(pattern) => {
                    pattern.is_match(&text);
                    prop_assert_eq!(pattern.as_str(), &source);
                }
                Err(error) => {
                    prop_assert!(source.is_char_boundary(error.offset()));
                    prop_assert!(!error.reason().contains("cannot be expressed"));
                }
            }
        }

        #[test]
        fn escaped_text_is_found(
            text in any::<String>(),
            before in any::<String>(),
            after in any::<String>(),
        ) {
            let source = escape_for_go(&text);
            let surrounded = [before.as_str(), &text, &after].concat();
            let folded = compile(&format!("(?i){source}"));
            let whole = compile(&format!("^(?:{source})$"));
            prop_assert!(compile(&source).is_match(&surrounded));
            prop_assert!(folded.is_match(&surrounded));
            prop_assert_eq!(whole.is_match(&surrounded), surrounded == text);
        }

        #[test]
        fn a_set_or_its_negation_has_each_character(
            character in any::<char>(),
            flags in prop_oneof![Just(""), Just("(?i)")],
        ) {
            let text = character.to_string();
            for (set, negation) in [
                (r"\d", r"\D"),
                (r"\w", r"\W"),
                (r"\s", r"\S"),
                (r"\pL", r"\PL"),
                (r"\p{Latin}", r"\P{Latin}"),
                (r"[\p{Assigned}]", r"\p{Cn}"),
                ("[a-z]", "[^a-z]"),
                ("[[:word:]]", "[[:^word:]]"),
                (r"[\x{D7FF}-\x{F000}]", r"[^\x{D7FF}-\x{F000}]"),
            ] {
                let is_inside = compile(&format!("{flags}^{set}$")).is_match(&text);
                let is_outside = compile(&format!("{flags}^{negation}$")).is_match(&text);
                prop_assert_ne!(is_inside, is_outside);
            }
        }
    }
}
