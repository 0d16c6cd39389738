//! Lines of a file that may be shown: every byte that could be part of a secret becomes `*`.
//!
//! Closed by default. A line starts out masked; then indentation, punctuation between values,
//! keys, and the few values that are never secret are shown. What is not understood stays
//! masked, so a file that cannot be parsed shows nothing but its indentation.

use crate::document::{Document, Element, Member, Node, Scalar, Shape, Value};
use crate::kubernetes;
use crate::policy::Shown;
use crate::private_key;
use crate::sops::flat;
use crate::sops::walk::{METADATA_KEY, METADATA_PREFIX, is_name};
use crate::text::{Span, printable};

/// One `*` per byte keeps the columns right.
const MASK: u8 = b'*';

/// Longest private key on one line, in bytes, with room to spare.
const LONGEST_KEY: usize = 256;

/// The bytes of one file, and which of them may be shown.
pub struct Redactor<'t> {
    text: &'t [u8],
    /// Keys and harmless values, sorted.
    open: Vec<Span>,
    /// Values and comments, sorted; only punctuation is between them.
    closed: Vec<Span>,
    is_understood: bool,
}

/// Shows nothing of the text.
impl std::fmt::Debug for Redactor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl<'t> Redactor<'t> {
    /// Returns the redactor for a file whose documents are known. With none of them nothing is shown.
    pub fn new(text: &'t [u8], documents: &[&Document<'_>]) -> Self {
        let mut redactor = Self {
            text,
            open: Vec::new(),
            closed: Vec::new(),
            is_understood: !documents.is_empty(),
        };
        for document in documents {
            redactor.open_document(document);
        }
        redactor.open.sort_unstable();
        redactor.closed.sort_unstable();
        redactor
    }

    /// Returns the redactor for a `.sops.yaml`.
    pub fn for_policy(text: &'t [u8], shown: &Shown) -> Self {
        let (open, closed) = (shown.open.clone(), shown.closed.clone());
        Self { text, is_understood: !open.is_empty(), open, closed }
    }

    /// Returns the redactor for a file of patterns: as of a `.sops.yaml`, if it is one, else as of settings.
    pub fn for_config(text: &'t [u8]) -> Self {
        match std::str::from_utf8(text).ok().and_then(Shown::read) {
            Some(shown) => Self::for_policy(text, &shown),
            None => Self::for_settings(text),
        }
    }

    /// Returns the redactor for settings of this program and lists of paths: all is shown but private keys.
    pub fn for_settings(text: &'t [u8]) -> Self {
        Self { text, open: vec![Span::new(0, text.len())], closed: Vec::new(), is_understood: true }
    }

    /// Returns the bytes of `span` as they may be shown: as many as there are, valid UTF-8.
    pub fn show(&self, span: Span) -> String {
        let mut shown = self.masked(span);
        // On a long line a key may begin before what is shown, and end behind it.
        let (start, end) = (span.start.min(self.text.len()), span.end.min(self.text.len()));
        let before = &self.text[start.saturating_sub(LONGEST_KEY)..start];
        let behind = &self.text[end..self.text.len().min(end + LONGEST_KEY)];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line_rest = behind.iter().position(|byte| *byte == b'\n').unwrap_or(behind.len());
        let around = Span::new(start - before.len() + line_start, end + line_rest);
        if holds_private_key(&self.masked(around)) {
            for byte in shown.iter_mut().filter(|byte| !byte.is_ascii_whitespace()) {
                *byte = MASK;
            }
        }
        blanked(&shown)
    }

    fn masked(&self, span: Span) -> Vec<u8> {
        let end = span.end.min(self.text.len());
        let start = span.start.min(end);
        let mut shown = self.text[start..end].to_vec();
        for (offset, byte) in shown.iter_mut().enumerate() {
            let at = start + offset;
            let is_blank = matches!(*byte, b' ' | b'\t');
            if !(is_blank || contains(&self.open, at) || self.is_punctuation(at, *byte)) {
                *byte = MASK;
            }
        }
        if let Some(marker) = conflict_marker(&self.text[start..end]) {
            shown[..marker.len()].copy_from_slice(marker);
        }
        self.mask_logins(Span::new(start, end), &mut shown);
        shown
    }

    /// Hides the name and the password before the host of an address: `https://name:password@host`.
    /// On a long line they may begin before what is shown, and end behind it.
    fn mask_logins(&self, span: Span, shown: &mut [u8]) {
        const MARK: &[u8] = b"://";
        let start = span.start.saturating_sub(LONGEST_KEY);
        let around = &self.text[start..self.text.len().min(span.end + LONGEST_KEY)];
        for at in memchr::memmem::find_iter(around, MARK) {
            let rest = &around[at + MARK.len()..];
            let is_end = |byte: &u8| b"/ \t\r\n'\",".contains(byte);
            let address = &rest[..rest.iter().position(is_end).unwrap_or(rest.len())];
            let Some(login) = address.iter().rposition(|byte| *byte == b'@') else { continue };
            let first = start + at + MARK.len();
            for hidden in first.max(span.start)..(first + login).min(span.end) {
                shown[hidden - span.start] = MASK;
            }
        }
    }

    fn is_punctuation(&self, at: usize, byte: u8) -> bool {
        self.is_understood
            && matches!(
                byte,
                b'{' | b'}' | b'[' | b']' | b',' | b':' | b'-' | b'|' | b'>' | b'"' | b'\'' | b'='
            )
            && !contains(&self.closed, at)
    }

    fn open_document(&mut self, document: &Document<'_>) {
        self.node(&document.root);
        let root = &document.root;
        for secret in kubernetes::secrets(document) {
            self.open_manifest(secret.node);
        }
        if kubernetes::is_object(document) {
            self.open_manifest(root);
        }
        match document.shape {
            Shape::Nested => {
                if let Some(metadata) = root.get(METADATA_KEY) {
                    self.open_metadata(metadata);
                }
            }
            Shape::Sections => {
                for section in root.entries().filter(|entry| entry.key == METADATA_KEY) {
                    self.open_folded(&section.node, "");
                }
            }
            Shape::Lines => self.open_folded(root, METADATA_PREFIX),
        }
    }

    /// Closes every value and comment, and opens every key that looks like a name.
    fn node(&mut self, node: &Node<'_>) {
        match &node.value {
            Value::Scalar(scalar) => {
                self.closed.push(node.span);
                if let Scalar::Str(text) = scalar
                    && text.starts_with("ENC[")
                    && self.text[node.span.start..].starts_with(b"ENC[")
                {
                    self.open.push(Span::new(node.span.start, node.span.start + "ENC[".len()));
                }
            }
            Value::Map(members) => {
                for member in members {
                    match member {
                        Member::Comment(comment) => self.closed.push(comment.span),
                        Member::Entry(entry) => {
                            let is_shown = is_name(&entry.key);
                            let spans = if is_shown { &mut self.open } else { &mut self.closed };
                            spans.push(entry.key_span);
                            self.node(&entry.node);
                        }
                    }
                }
            }
            Value::List(elements) => {
                for element in elements {
                    match element {
                        Element::Comment(comment) => self.closed.push(comment.span),
                        Element::Node(node) => self.node(node),
                    }
                }
            }
        }
    }

    /// Opens the values that name a Kubernetes object.
    fn open_manifest(&mut self, node: &Node<'_>) {
        let metadata = node.get("metadata");
        let names =
            ["name", "namespace"].map(|key| metadata.and_then(|metadata| metadata.get(key)));
        let kinds = ["apiVersion", "kind", "type"].map(|key| node.get(key));
        for value in names.into_iter().chain(kinds).flatten() {
            self.open_scalar(value);
        }
    }

    /// Opens everything in a `sops` block but the MAC and the encrypted data keys.
    fn open_metadata(&mut self, node: &Node<'_>) {
        for entry in node.entries().filter(|entry| !matches!(&*entry.key, "mac" | "enc")) {
            self.open_metadata(&entry.node);
            self.open_scalar(&entry.node);
        }
        for element in node.elements() {
            self.open_metadata(element);
        }
    }

    /// Opens the same in formats that fold it into lines, without lines that sops does not know.
    fn open_folded(&mut self, node: &Node<'_>, prefix: &str) {
        for entry in node.entries() {
            if entry.key.strip_prefix(prefix).is_some_and(flat::is_public) {
                self.open_scalar(&entry.node);
            }
        }
    }

    fn open_scalar(&mut self, node: &Node<'_>) {
        if matches!(node.value, Value::Scalar(_)) {
            self.open.push(node.span);
        }
    }
}

/// Returns the text with one blank for each byte that is no UTF-8, and for each of a tab or of a
/// character that could deceive the reader.
fn blanked(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(&printable::replaced(chunk.valid(), |hostile| " ".repeat(hostile.len())));
        text.extend(chunk.invalid().iter().map(|_| ' '));
    }
    text
}

/// Reports whether any of the sorted spans holds the offset. Spans of one tree nest only where the
/// same value was opened twice, so the last one that starts before the offset and its equals
/// decide.
fn contains(spans: &[Span], at: usize) -> bool {
    let behind = spans.partition_point(|span| span.start <= at);
    spans[..behind].iter().rev().take(4).any(|span| at < span.end)
}

/// Returns the marker of git that a line begins with.
fn conflict_marker(line: &[u8]) -> Option<&'static [u8]> {
    const MARKERS: [&[u8]; 4] = [b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>"];
    MARKERS.into_iter().find(|marker| line.starts_with(marker))
}

/// Reports whether something is shaped like a private key, wherever it was pasted.
fn holds_private_key(shown: &[u8]) -> bool {
    const VAULT_TOKEN: &[u8] = b"hvs.";
    let is_token = |window: &[u8]| window.eq_ignore_ascii_case(VAULT_TOKEN);
    private_key::is_mentioned(shown) || shown.windows(VAULT_TOKEN.len()).any(is_token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, dotenv::Dotenv, ini::Ini, yaml::Yaml};

    fn shown(text: &str) -> String {
        shown_as(&Yaml, text)
    }

    fn shown_as(format: &dyn Format, text: &str) -> String {
        let parsed = format.parse(text);
        let documents: Vec<_> = parsed.documents.iter().collect();
        let redactor = Redactor::new(text.as_bytes(), &documents);
        let mut at = 0;
        text.split_inclusive('\n')
            .map(|line| {
                let span = Span::new(at, at + line.trim_end_matches('\n').len());
                at += line.len();
                redactor.show(span) + "\n"
            })
            .collect()
    }

    #[test]
    fn shows_the_shape_and_hides_the_values() {
        let text = "apiVersion: v1\nkind: Secret # mine\nmetadata: {name: db, labels: {a: b}}\n\
                    stringData:\n  user: admin\n  key: |\n    line\n  'q': \"x y\"\n";
        let expected = "apiVersion: v1\nkind: Secret * ****\nmetadata: {name: db, labels: {a: *}}\n\
                        stringData:\n  user: *****\n  key: |\n    ****\n  'q': ** **\n";
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn shows_recipients_but_neither_mac_nor_data_key() {
        let text =
            "a: ENC[AES]\nsops:\n  age:\n  - recipient: age1x\n    enc: abc\n  mac: ENC[x]\n";
        let expected =
            "a: ENC[****\nsops:\n  age:\n  - recipient: age1x\n    enc: ***\n  mac: ENC[**\n";
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn shows_nothing_of_what_it_does_not_understand() {
        let text = b"a: b\n\tsecret: \xff\n";
        let redactor = Redactor::new(text, &[]);
        assert_eq!(redactor.show(Span::new(0, 4)), "** *");
        assert_eq!(redactor.show(Span::new(5, 15)), " ******* *");
    }

    #[test]
    fn invisible_characters_are_blanks() {
        let text = "kind: a\u{202e}b\u{e0041}\napiVersion: v1\n";
        assert_eq!(shown(text), "kind: a   b    \napiVersion: v1\n");
    }

    #[test]
    fn a_login_in_an_address_is_hidden_and_the_host_is_not() {
        let text = b"a: https://me:canary@vault.example.com/v1,http://host/x@y";
        let redactor = Redactor::for_config(text);
        let shown = "a: https://*********@vault.example.com/v1,http://host/x@y";
        assert_eq!(redactor.show(Span::new(0, text.len())), shown);
        assert_eq!(redactor.show(Span::new(14, 23)), "******@va");
    }

    #[test]
    fn hides_a_private_key_even_in_a_config() {
        let redactor = Redactor::for_config(b"age: AGE-SECRET-KEY-1XYZ");
        assert_eq!(redactor.show(Span::new(0, 24)), "**** *******************");
    }

    /// Returns a value in every style that YAML has, on `indent` blanks.
    fn styled(style: usize, indent: usize) -> String {
        let blanks = " ".repeat(indent + 2);
        match style {
            0 => "canary value".into(),
            1 => "'canary''s'".into(),
            2 => "\"canary\\n\\u00e9\"".into(),
            3 => format!("|\n{blanks}canary é\n\n{blanks}  canary"),
            4 => format!(">-  # canary\n{blanks}canary"),
            5 => "!!str canary # canary".into(),
            6 => "&canary canary".into(),
            7 => "[canary, {k: canary, 'l': \"canary\"}]".into(),
            8 => format!("\n{blanks}- canary\n{blanks}# canary\n{blanks}- k: canary"),
            9 => format!("\n{blanks}k: canary\n{blanks}- : canary"),
            10 => format!("canary\n{blanks}canary folded"),
            _ => format!("? canary\n{blanks}: canary"),
        }
    }

    /// Values and comments in every style that dotenv and INI have.
    const STYLES: [&str; 18] = [
        "k=canary",
        "export k = 'canary' # canary",
        "# canary = canary",
        "; canary = canary",
        "k = canary ; canary",
        "k: canary=canary",
        "`k` = `canary # canary` canary",
        "k = \"\"\"canary\n = canary\n  canary\" = \"canary\"\"\"\" # canary = 1",
        "k = canary\\\n  = canary\\\n\n",
        "[s] # canary",
        "[sops] ; canary=canary",
        "sops_mac=canary",
        "sops_password=canary",
        "mac = canary",
        "password = \"canary\"",
        "age__list_0__map_enc = canary",
        "sops_age__list_0__map_enc=canary\\ncanary",
        "k=",
    ];

    #[test]
    fn shows_keys_and_sections_of_dotenv_and_ini() {
        let text = "#a\nexport K=\"x\"\nsops_version=3\nsops_mac=m\n- canary=x\n";
        let expected = "**\nexport K=***\nsops_version=3\nsops_mac=*\n* ******=*\n";
        assert_eq!(shown_as(&Dotenv, text), expected);
        let text = "[a.b] ;x\nk = 'y' #z\n[sops]\nversion = 3\nmac = m\npassword = p\n";
        let expected = "[a.b] **\nk = *** **\n[sops]\nversion = 3\nmac = *\npassword = *\n";
        assert_eq!(shown_as(&Ini, text), expected);
    }

    proptest::proptest! {
        #[test]
        fn no_value_is_shown_whatever_its_style(
            styles in proptest::collection::vec((0_usize..12, 0_usize..2), 1..8),
            tail in "[ -~\n]{0,12}",
        ) {
            let mut text = String::from("stringData:\n");
            for (number, (style, level)) in styles.iter().enumerate() {
                let indent = 2 + 2 * level;
                text += &format!("{}key{number}: {}\n", " ".repeat(indent), styled(*style, indent));
            }
            text += &tail;
            let parsed = Yaml.parse(&text);
            let documents: Vec<_> = parsed.documents.iter().collect();
            let redactor = Redactor::new(text.as_bytes(), &documents);
            let shown = redactor.show(Span::new(0, text.len()));
            proptest::prop_assert!(!shown.contains("canary"), "{text}\n{shown}");
            proptest::prop_assert_eq!(shown.len(), text.len());
        }

        #[test]
        fn no_value_of_dotenv_or_ini_is_shown(
            lines in proptest::collection::vec(0_usize..STYLES.len(), 1..10),
        ) {
            let formats: [&dyn Format; 2] = [&Dotenv, &Ini];
            let text: String = lines.iter().map(|line| format!("{}\n", STYLES[*line])).collect();
            for format in formats {
                let parsed = format.parse(&text);
                let documents: Vec<_> = parsed.documents.iter().collect();
                let redactor = Redactor::new(text.as_bytes(), &documents);
                let shown = redactor.show(Span::new(0, text.len()));
                proptest::prop_assert!(!shown.contains("canary"), "{text}\n{shown}");
                proptest::prop_assert_eq!(shown.len(), text.len());
            }
        }

        #[test]
        fn any_bytes_are_shown_in_their_own_length(bytes in proptest::collection::vec(0_u8.., 0..200)) {
            let redactor = Redactor::for_config(&bytes);
            proptest::prop_assert_eq!(redactor.show(Span::new(0, bytes.len())).len(), bytes.len());
        }
    }
}
