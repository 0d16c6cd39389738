//! Manifests: a Secret, or nearly one, twisted, wrapped and written down.

use super::{Case, base64, canary, twists, wraps};
use crate::differential::Dice;

/// A key token and its value.
pub(super) type Field = (String, Tree);

/// What a manifest is written from. Tokens stand in the file as they are.
#[derive(Clone)]
pub(super) enum Tree {
    Map(Vec<Field>),
    List(Vec<Tree>),
    Token(String),
}

/// A Secret whose parts can still be changed.
pub(super) struct Draft {
    pub(super) is_json: bool,
    /// YAML in braces.
    pub(super) is_flow: bool,
    pub(super) file_name: String,
    /// True if a kustomization next to the file names it.
    pub(super) is_listed: bool,
    /// In front of all others, for anchors.
    pub(super) first: Vec<Field>,
    pub(super) version: Option<Field>,
    pub(super) kind: Option<Field>,
    pub(super) metadata: Option<Field>,
    /// `data` or `stringData`.
    pub(super) values: Option<Field>,
    /// Behind all others, for duplicates.
    pub(super) last: Vec<Field>,
    /// The password.
    pub(super) canary: String,
}

impl Draft {
    fn new(at: usize, dice: &mut Dice) -> Self {
        let is_json = dice.chance(4);
        let canary = canary(at);
        let quote = |text: &str| if is_json { format!("\"{text}\"") } else { text.to_owned() };
        let token = |text: &str| Tree::Token(quote(text));
        let key = quote(dice.pick::<&str>(&["password", "tls.key", "a", "PASSWORD"]));
        let values = if dice.chance(2) {
            (quote("stringData"), Tree::Map(vec![(key, token(&canary))]))
        } else {
            (quote("data"), Tree::Map(vec![(key, token(&base64(&canary)))]))
        };
        let name = (quote("name"), token(&format!("a{at}")));
        let ending = if is_json {
            "json"
        } else if dice.chance(4) {
            "yml"
        } else {
            "yaml"
        };
        Self {
            is_json,
            is_flow: is_json || dice.chance(6),
            file_name: format!("file.{ending}"),
            is_listed: false,
            first: Vec::new(),
            version: Some((quote("apiVersion"), token("v1"))),
            kind: Some((quote("kind"), token("Secret"))),
            metadata: Some((quote("metadata"), Tree::Map(vec![name]))),
            values: Some(values),
            last: Vec::new(),
            canary,
        }
    }

    /// A text as a key or as a value.
    pub(super) fn quote(&self, text: &str) -> String {
        if self.is_json { format!("\"{text}\"") } else { text.to_owned() }
    }

    pub(super) fn token(&self, text: &str) -> Tree {
        Tree::Token(self.quote(text))
    }

    /// A map of texts.
    pub(super) fn map(&self, fields: &[(&str, &str)]) -> Tree {
        let field = |(key, value): &(&str, &str)| (self.quote(key), self.token(value));
        Tree::Map(fields.iter().map(field).collect())
    }

    /// An object that is no Secret.
    pub(super) fn other(&self, name: &str) -> Tree {
        let Tree::Map(mut fields) = self.map(&[("apiVersion", "v1"), ("kind", "ConfigMap")]) else {
            unreachable!("it is a map")
        };
        fields.push((self.quote("metadata"), self.map(&[("name", name)])));
        fields.push((self.quote("data"), self.map(&[("a", "b")])));
        Tree::Map(fields)
    }

    /// The object, its fields in some order.
    fn object(&mut self, dice: &mut Dice) -> Tree {
        let middle =
            [self.version.take(), self.kind.take(), self.metadata.take(), self.values.take()];
        let mut middle: Vec<Field> = middle.into_iter().flatten().collect();
        if dice.chance(2) {
            for at in 1..middle.len() {
                middle.swap(at, dice.below(at + 1));
            }
        }
        let first = std::mem::take(&mut self.first);
        let last = std::mem::take(&mut self.last);
        Tree::Map(first.into_iter().chain(middle).chain(last).collect())
    }
}

/// A manifest with up to three twists.
pub(super) fn make(at: usize, dice: &mut Dice) -> Case {
    let mut draft = Draft::new(at, dice);
    let mut shape = Vec::new();
    let mut late = Vec::new();
    for _ in 0..dice.below(4).min(1 + dice.below(3)) {
        let at = dice.below(twists::TWISTS.len());
        let (name, twist) = &twists::TWISTS[at];
        if shape.contains(name) {
            continue;
        }
        match twist {
            twists::Twist::Draft(twist) if twist(&mut draft, dice) => shape.push(*name),
            twists::Twist::Draft(_) => {}
            twists::Twist::Bytes(twist) => late.push((at, *name, *twist)),
        }
    }
    // Accidents happen to what is written already.
    late.sort_by_key(|(at, ..)| *at);
    late.dedup_by_key(|(at, ..)| *at);
    let object = draft.object(dice);
    // Most Secrets are alone.
    let (name, wrap) = if dice.chance(3) { dice.pick(wraps::WRAPS) } else { &wraps::WRAPS[0] };
    shape.insert(0, name);
    let documents = wrap(&draft, object, dice);
    let mut bytes = written(&draft, &documents).into_bytes();
    for (_, name, twist) in late {
        // A line deleted may have been all.
        if bytes.len() > 8 && twist(&mut bytes, dice) {
            shape.push(name);
        }
    }
    let mut files = vec![(draft.file_name.clone(), bytes)];
    if draft.is_listed {
        let listing = format!("resources:\n  - \"{}\"\n", draft.file_name);
        files.push(("kustomization.yaml".to_owned(), listing.into_bytes()));
    }
    Case { shape, files, is_kustomization: false }
}

fn written(draft: &Draft, documents: &[Tree]) -> String {
    let write = |document: &Tree| {
        let mut text = String::new();
        if draft.is_flow {
            flow(document, &mut text);
            text.push('\n');
        } else {
            block(document, 0, &mut text);
        }
        text
    };
    let documents: Vec<String> = documents.iter().map(write).collect();
    documents.join(if draft.is_json { "" } else { "---\n" })
}

fn flow(tree: &Tree, out: &mut String) {
    match tree {
        Tree::Token(token) => out.push_str(token),
        Tree::Map(fields) => {
            out.push('{');
            for (at, (key, value)) in fields.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                out.push_str(key);
                out.push_str(": ");
                flow(value, out);
            }
            out.push('}');
        }
        Tree::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                flow(item, out);
            }
            out.push(']');
        }
    }
}

fn block(tree: &Tree, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match tree {
        Tree::Token(token) => out.push_str(&format!("{indent}{token}\n")),
        Tree::Map(fields) if fields.is_empty() => out.push_str(&format!("{indent}{{}}\n")),
        Tree::List(items) if items.is_empty() => out.push_str(&format!("{indent}[]\n")),
        Tree::Map(fields) => {
            for (key, value) in fields {
                if let Tree::Token(token) = value {
                    out.push_str(&format!("{indent}{key}: {token}\n"));
                } else {
                    out.push_str(&format!("{indent}{key}:\n"));
                    block(value, depth + 1, out);
                }
            }
        }
        Tree::List(items) => {
            for item in items {
                let mut text = String::new();
                block(item, depth + 1, &mut text);
                // The dash takes the place of the indentation of the first line.
                out.push_str(&format!("{indent}- {}", &text[2 * (depth + 1)..]));
            }
        }
    }
}
