//! Files as kubectl, kustomize and Helm read them, where sops or a strict parser rejects them.

use std::cell::OnceCell;

use super::reference::{Reference, classify};
use super::secret::secrets;
use crate::document::json::Json;
use crate::document::yaml::Yaml;
use crate::document::{Document, Format, MAX_DOCUMENTS, ParseError, Parsed};
use crate::text::Span;
use crate::traces::may_hold_secret;

/// The marks of template engines: Go, Jinja, ERB, Terraform.
const MARKS: [(&str, &str); 6] =
    [("{{{", "}}}"), ("{{", "}}"), ("{%", "%}"), ("{#", "#}"), ("<%", "%>"), ("%{", "}")];

/// Other forms of a text, each as long as the text, so that all places are the same.
#[derive(Debug)]
pub struct Variants<'t> {
    text: &'t str,
    /// With the line ends and blanks that Go's parser sees.
    as_go: OnceCell<Option<String>>,
    /// The same with empty lines in place of blanks at the ends of lines, which a block scalar would keep.
    with_lines: OnceCell<Option<String>>,
    /// With the actions of a template replaced.
    rendered: OnceCell<Option<String>>,
}

/// The documents of a file.
#[derive(Debug)]
pub struct Reading<'t> {
    /// In file order.
    pub documents: Vec<Document<'t>>,
    /// The first error in a part that may hold a Secret and is not a template.
    pub error: Option<ParseError>,
    /// True if any document has a Secret.
    pub holds_secrets: bool,
    /// True if every part up to the first Secret could be read.
    pub begins_well: bool,
    /// True if every part could be read.
    pub is_well: bool,
}

impl Default for Reading<'_> {
    fn default() -> Self {
        Self {
            documents: Vec::new(),
            error: None,
            holds_secrets: false,
            begins_well: true,
            is_well: true,
        }
    }
}

impl<'t> Variants<'t> {
    /// Makes the forms that differ from the text.
    pub fn of(text: &'t str) -> Self {
        Self {
            text,
            as_go: OnceCell::new(),
            with_lines: OnceCell::new(),
            rendered: OnceCell::new(),
        }
    }

    /// Returns true if another form may have a Secret although the text can be read.
    pub fn differ(&self) -> bool {
        self.as_go().is_some()
    }

    /// Returns true if the text has no action of a template.
    pub fn are_literal(&self) -> bool {
        self.rendered().is_none()
    }

    fn as_go(&self) -> Option<&String> {
        self.as_go.get_or_init(|| as_go(self.text, ' ')).as_ref()
    }

    fn with_lines(&self) -> Option<&String> {
        self.with_lines.get_or_init(|| as_go(self.text, '\n')).as_ref()
    }

    fn rendered(&self) -> Option<&String> {
        self.rendered.get_or_init(|| rendered(self.text)).as_ref()
    }

    /// Reads the documents of a text one by one, each in the first form that can be read.
    pub fn read(&self) -> Reading<'_> {
        if Json.recognizes(self.text) {
            let parsed = Json.parse_stream(self.text);
            if hold_secrets(&parsed.documents) {
                let Parsed { documents, error, .. } = parsed;
                let error = error.map(hiding);
                return Reading { documents, error, holds_secrets: true, ..Reading::default() };
            }
        }
        let mut reading = Reading::default();
        for part in parts(self.text) {
            let Parsed { documents, error, .. } = self.part(part);
            reading.holds_secrets |= hold_secrets(&documents);
            // The text in front of a quoted manifest is often a scalar.
            let is_object = |document: &Document<'_>| {
                let root = &document.root;
                root.is_map() || root.is_null() || root.as_str() == Some("")
            };
            let is_well = error.is_none() && documents.iter().all(is_object);
            reading.begins_well &= is_well || reading.holds_secrets;
            reading.is_well &= is_well;
            let error = error.filter(|_| self.is_suspect(part)).map(hiding);
            reading.error = reading.error.take().or(error);
            for mut document in documents {
                if reading.documents.len() == MAX_DOCUMENTS {
                    let reason = format!("more than {MAX_DOCUMENTS} documents in one file");
                    let error = hiding(ParseError::limit(part.start, reason));
                    reading.error.get_or_insert(error);
                    return reading;
                }
                document.index = reading.documents.len();
                reading.documents.push(document);
            }
        }
        reading
    }

    /// Reads a part in the first form that has no error, and prefers one with a Secret. Go reads one document
    /// of each part.
    fn part(&self, part: Span) -> Parsed<'_> {
        let mut best: Option<Parsed<'_>> = None;
        let own = &self.text[part.start..part.end];
        for index in 0..4 {
            // A form is made only where those before it do not suffice.
            let form = match index {
                0 => Some(self.text),
                1 => self.as_go().map(String::as_str),
                2 => self.with_lines().map(String::as_str),
                _ => self.rendered().map(String::as_str),
            };
            let Some(form) = form else { continue };
            if index > 0 && form[part.start..part.end] == *own {
                continue;
            }
            let mut parsed = Yaml.parse_part(form, part);
            parsed.documents.truncate(1);
            if parsed.error.is_none() && hold_secrets(&parsed.documents) {
                return parsed;
            }
            match &best {
                Some(best) if best.error.is_none() || parsed.error.is_some() => {}
                _ => best = Some(parsed),
            }
        }
        best.unwrap_or_else(|| Parsed {
            documents: Vec::new(),
            duplicate_keys: Vec::new(),
            error: None,
        })
    }

    /// Returns true for a part that may hold a Secret and is not a template.
    fn is_suspect(&self, part: Span) -> bool {
        let text = &self.text[part.start..part.end];
        let has_actions = |rendered: &String| rendered[part.start..part.end] != *text;
        may_hold_secret(text.as_bytes()) && !self.rendered().is_some_and(has_actions)
    }
}

fn hiding(error: ParseError) -> ParseError {
    ParseError { may_hide_secret: true, ..error }
}

fn hold_secrets(documents: &[Document<'_>]) -> bool {
    documents.iter().any(|document| !secrets(document).is_empty())
}

/// Divides a text where a line begins with `---`, as kubectl does.
fn parts(text: &str) -> Vec<Span> {
    let markers = memchr::memmem::find_iter(text.as_bytes(), "\n---").map(|at| at + 1);
    let mut parts = Vec::new();
    let mut start = 0;
    for marker in markers {
        parts.push(Span::new(start, marker));
        start = content(text, marker);
    }
    parts.push(Span::new(start, text.len()));
    parts
}

/// Returns the place behind the line of a document marker. A marker with a value is a part of the document.
fn content(text: &str, marker: usize) -> usize {
    let rest = &text[marker..];
    let line = rest.find('\n').map_or(rest.len(), |at| at + 1);
    let value = rest[3..line].trim();
    if value.is_empty() || value.starts_with('#') { marker + line } else { marker }
}

/// Replaces characters that Go's YAML reads in another way: line separators of Unicode end a line, a byte order
/// mark begins a document, and a tab in front of a line is a blank. `filler` fills up what is shorter then.
fn as_go(text: &str, filler: char) -> Option<String> {
    let begins_document = |text: &str| text.ends_with("\n---\n") || text.ends_with("\n---\r\n");
    let has = |pattern: &str| memchr::memmem::find(text.as_bytes(), pattern.as_bytes()).is_some();
    if !["\u{85}", "\u{2028}", "\u{2029}", "\u{feff}", "\t"].into_iter().any(has) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut is_at_start = true;
    for character in text.chars() {
        // An empty line behind the head of a block scalar would be a part of it.
        let begins_block = out.ends_with(['|', '>']) || out.ends_with("|-") || out.ends_with(">-");
        let filler = if begins_block { ' ' } else { filler };
        match character {
            '\u{85}' => out.extend([filler, '\n']),
            '\u{2028}' | '\u{2029}' => out.extend([filler, filler, '\n']),
            '\u{feff}' if begins_document(&out) => out.push_str("\n\n\n"),
            '\t' if is_at_start => out.push(' '),
            other => out.push(other),
        }
        let is_blank = matches!(character, ' ' | '\t' | '\u{feff}');
        is_at_start = out.ends_with('\n') || (is_at_start && is_blank);
    }
    (out != text).then_some(out)
}

/// Replaces the actions of a template: alone on their lines, by blanks; between other text, by a placeholder. An
/// action that prints a literal becomes letters.
fn rendered(text: &str) -> Option<String> {
    let actions = actions(text);
    if actions.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for action in actions {
        out.extend_from_slice(&text.as_bytes()[at..action.start]);
        let source = &text[action.start..action.end];
        // A default is a setting of the chart, which its values replace.
        let begins = source.trim_start_matches(['{', '-', '~', ' ']);
        let is_literal = source.starts_with("{{")
            && !begins.starts_with("/*")
            && classify(source, false) == Reference::None;
        let is_alone = is_alone(text, action);
        let last = source.len() - 1;
        out.extend(source.bytes().enumerate().map(|(index, byte)| match index {
            _ if byte == b'\n' => b'\n',
            _ if is_literal => b'v',
            _ if is_alone => b' ',
            0 => b'<',
            index if index == last => b'>',
            _ => b'_',
        }));
        at = action.end;
    }
    out.extend_from_slice(&text.as_bytes()[at..]);
    String::from_utf8(out).ok()
}

/// Returns the places of all actions of a template.
fn actions(text: &str) -> Vec<Span> {
    let find = |from: usize, mark: &str| {
        memchr::memmem::find(&text.as_bytes()[from..], mark.as_bytes()).map(|at| from + at)
    };
    let mut finders = MARKS.map(|(open, close)| (open, close, find(0, open)));
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        // Each mark is searched once, from its last place on.
        for (open, _, next) in &mut finders {
            if next.is_some_and(|next| next < at) {
                *next = find(at, open);
            }
        }
        let first = finders.iter_mut().filter(|(_, _, next)| next.is_some());
        let Some((open, close, next)) = first.min_by_key(|(_, _, next)| *next) else {
            return found;
        };
        let start = next.unwrap_or(text.len());
        match find(start + open.len(), close) {
            Some(end) => {
                at = end + close.len();
                found.push(Span::new(start, at));
            }
            // It has no end, and neither have those after it.
            None => *next = None,
        }
    }
}

/// Returns true if an action has its lines to itself.
fn is_alone(text: &str, action: Span) -> bool {
    // Only the blanks are read: one line may have as many actions as the file has bytes.
    const BLANKS: [char; 3] = [' ', '\t', '\r'];
    let before = text[..action.start].trim_end_matches(BLANKS);
    let behind = text[action.end..].trim_start_matches(BLANKS);
    (before.is_empty() || before.ends_with('\n')) && (behind.is_empty() || behind.starts_with('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "kind: Secret\napiVersion: v1\nstringData:\n  password: canary\n";

    fn read(text: &str) -> (usize, Option<&'static str>) {
        let variants = Variants::of(text);
        let reading = variants.read();
        let found = reading.documents.iter().map(|document| secrets(document).len()).sum();
        (found, reading.error.map(|_| "error"))
    }

    #[test]
    fn documents_are_read_one_by_one() {
        let broken = "a: 'b\n";
        assert_eq!(read(&format!("{broken}---\n{SECRET}")), (1, None));
        assert_eq!(read(&format!("{SECRET}---\n{broken}---\n{SECRET}")), (2, None));
        assert_eq!(read(&format!("{SECRET}\n  c: 'd\n")), (0, Some("error")));
        assert_eq!(read(&format!("\u{feff}{SECRET}---\n\u{feff}{SECRET}")), (2, None));
        assert_eq!(read(&format!("# a\u{85}{SECRET}")), (1, None));
        assert_eq!(read(&format!("# a\u{2028}{SECRET}")), (1, None));
        let block =
            SECRET.replace("kind: Secret\n", "kind: |-\n  Secret\n").replace('\n', "\u{85}");
        assert_eq!(read(&block), (1, None));
        assert_eq!(read("{kind: Secret, apiVersion: v1,\n\tdata: {a: b}}"), (1, None));
    }

    #[test]
    fn json_is_a_stream_and_may_be_yaml() {
        let json = "{\"kind\": \"Secret\", \"apiVersion\": \"v1\", \"data\": {\"a\": \"b\"}}";
        assert_eq!(read(&format!("{{}}\n{json}\n{json}")), (2, None));
        assert_eq!(read(&format!("\u{feff}{json}")), (1, None));
        assert_eq!(read(&format!("{json} and more")), (1, Some("error")));
        assert_eq!(read(&json.replace("}}", ",},}")), (1, None));
        assert_eq!(read(&format!("# c\n{json}")), (1, None));
    }

    #[test]
    fn templates_are_read_without_their_actions() {
        for text in [
            format!("{{{{- if .x }}}}\n{SECRET}{{{{- end }}}}\n"),
            format!("{SECRET}  user: {{{{ .user | quote }}}}\n"),
            format!("{SECRET}  {{{{ .key }}}}: {{{{ .value }}}}\n"),
            format!("{SECRET}metadata:\n  name: {{{{ include \"name\" . }}}}\n"),
            format!("{{% if x %}}\n{SECRET}{{% endif %}}\n"),
            format!("{{{{ .other }}}}: {{{{ a\n---\n{SECRET}"),
        ] {
            assert_eq!(read(&text), (1, None), "{text}");
        }
        assert_eq!(read(&format!("{SECRET}  {{{{ a }}}}{{\n")), (0, None));
        assert_eq!(read(&format!("{SECRET}  {{{{ a\n")), (0, Some("error")));
    }

    #[test]
    fn all_forms_have_the_length_of_the_text() {
        let text = "a\u{85}b\u{2028}\n\u{feff}c\n\td {{ \"é\" }} {{- x\n -}}\n{{ .y }}\n{% z %}";
        let variants = Variants::of(text);
        for form in [variants.as_go(), variants.with_lines(), variants.rendered()] {
            assert_eq!(form.map(String::len), Some(text.len()));
        }
    }
}
