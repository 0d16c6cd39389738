//! The quick look for a Kubernetes Secret. It says "yes" too often rather than "no" once where kubectl or
//! kustomize would find a Secret.

use std::sync::LazyLock;

use memchr::memmem::{Finder, FinderRev};
use memchr::{memchr_iter, memrchr};

use super::needles::{Needle, Seen};

/// The word that the kinds of a Secret and of a list of Secrets begin with.
const KIND: &[u8] = b"Secret";

/// The line that ends a document.
const MARKER: &[u8] = b"\n---";

/// The words that a line end after a backslash can divide.
const WORDS: [&[u8]; 4] = [b"SecretList", b"secretGenerator", b"data", b"stringData"];

struct Finders {
    kind: Finder<'static>,
    marker: Finder<'static>,
    last_marker: FinderRev<'static>,
    data: Finder<'static>,
    path: Finder<'static>,
    binary: Finder<'static>,
}

static FINDERS: LazyLock<Finders> = LazyLock::new(|| Finders {
    kind: Finder::new(KIND),
    marker: Finder::new(MARKER),
    last_marker: FinderRev::new(MARKER),
    data: Finder::new("ata"),
    path: Finder::new("path"),
    binary: Finder::new("binary"),
});

/// Returns true if the bytes may be a Secret with values, or a patch of one.
pub fn may_hold_secret(bytes: &[u8]) -> bool {
    is_suspect(bytes, Seen::of(bytes))
}

/// Does the same with the words that the bytes have.
pub(super) fn is_suspect(bytes: &[u8], seen: Seen) -> bool {
    let sets_field = [Needle::Data, Needle::StringData, Needle::Kind];
    (seen.has(Needle::Secret) && has_object(bytes))
        || (seen.has(Needle::StringData) && has_string_data(bytes))
        || (sets_field.into_iter().any(|needle| seen.has(needle)) && patches_values(bytes))
        || hides_words(bytes, seen)
}

/// Returns true if a document has both a kind and a data key.
fn has_object(bytes: &[u8]) -> bool {
    let mut from = 0;
    while let Some(at) = FINDERS.kind.find(&bytes[from..]).map(|at| from + at) {
        from = at + KIND.len();
        if is_kind(bytes, at) {
            let end = end_of_document(bytes, at);
            let start = start_of_document(bytes, at);
            if has_data_key(&bytes[start..end]) {
                return true;
            }
            from = end;
        }
    }
    false
}

/// Returns true if the word at this place makes a whole scalar: `Secret`, `SecretList` or `SopsSecret`.
fn is_kind(bytes: &[u8], at: usize) -> bool {
    let (before, rest) = (&bytes[..at], &bytes[at + KIND.len()..]);
    begins_scalar(before.strip_suffix(b"Sops").unwrap_or(before))
        && ends_scalar(rest.strip_prefix(b"List").unwrap_or(rest))
        && !is_in_comment(bytes, at)
}

/// Returns true if the line of a place begins with `#`, for every reader of YAML. Of a long line only the last part is
/// read.
fn is_in_comment(bytes: &[u8], at: usize) -> bool {
    const LONGEST: usize = 512;
    let before = last(&bytes[..at], LONGEST);
    let start = memrchr(b'\n', before).map(|at| at + 1).or((before.len() == at).then_some(0));
    start.is_some_and(|start| {
        let line = &before[start..];
        let is_break = |byte: &u8| *byte == b'\r' || !byte.is_ascii();
        line.trim_ascii_start().starts_with(b"#") && !line.iter().any(is_break)
    })
}

/// Returns the start of the document around a place, for every reader of YAML.
fn start_of_document(bytes: &[u8], at: usize) -> usize {
    let mut markers = FINDERS.last_marker.rfind_iter(&bytes[..at]);
    markers.find(|marker| is_marker(bytes, *marker)).unwrap_or(0)
}

/// Returns the end of the document around a place, for every reader of YAML.
fn end_of_document(bytes: &[u8], at: usize) -> usize {
    let mut markers = FINDERS.marker.find_iter(&bytes[at..]).map(|marker| at + marker);
    markers.find(|marker| is_marker(bytes, *marker)).unwrap_or(bytes.len())
}

/// Reports whether a line that begins with `---` has nothing else.
fn is_marker(bytes: &[u8], line_feed: usize) -> bool {
    let rest = &bytes[line_feed + MARKER.len()..];
    matches!(rest.get(blanks(rest.iter())), None | Some(b'\n'))
}

/// Returns true if a scalar can begin after these bytes.
fn begins_scalar(before: &[u8]) -> bool {
    let blanks = blanks(before.iter().rev());
    let before = &before[..before.len() - blanks];
    match before.last() {
        None | Some(b':' | b'"' | b'\'' | b'\n' | b'\r') => true,
        // A byte order mark, or a line separator of Unicode.
        Some(last) if !last.is_ascii() => true,
        // An anchor or a tag.
        Some(_) => {
            let start = before.iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
            blanks > 0 && matches!(before[start], b'&' | b'!')
        }
    }
}

/// Returns true if a scalar can end before these bytes.
fn ends_scalar(rest: &[u8]) -> bool {
    if matches!(rest.first(), Some(b'"' | b'\'' | b'\\')) {
        return true;
    }
    match rest.get(blanks(rest.iter())) {
        None | Some(b'\n' | b'\r' | b'#' | b',' | b'}' | b']') => true,
        Some(byte) => !byte.is_ascii(),
    }
}

fn blanks<'b>(bytes: impl Iterator<Item = &'b u8>) -> usize {
    bytes.take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Returns true if `data` or `stringData` is a whole word; `metadata` does not count.
fn has_data_key(bytes: &[u8]) -> bool {
    FINDERS.data.find_iter(bytes).any(|at| {
        let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let before = &bytes[..at];
        let is_data = before.ends_with(b"d") && !word(before.iter().rev().nth(1));
        let is_string_data = before.ends_with(b"stringD");
        (is_data || is_string_data) && !word(bytes.get(at + 3)) && !is_in_comment(bytes, at)
    })
}

/// Returns true if `stringData` is a key: only Secrets have it, and patches of them.
fn has_string_data(bytes: &[u8]) -> bool {
    const KEY: &[u8] = b"stringData";
    memchr::memmem::find_iter(bytes, KEY).any(|at| {
        let rest = unquoted(&bytes[at + KEY.len()..]);
        let is_word = !bytes[..at].last().is_some_and(u8::is_ascii_alphanumeric);
        let is_key = matches!(rest.get(blanks(rest.iter())), Some(b':' | b'/'));
        is_word && is_key && !is_in_comment(bytes, at)
    })
}

/// Returns true for an operation of a JSON patch that sets values of a Secret, or its kind: its `path`
/// begins with `/data` or `/stringData`, or is `/kind`.
fn patches_values(bytes: &[u8]) -> bool {
    FINDERS.path.find_iter(bytes).any(|at| {
        let rest = unquoted(&bytes[at + 4..]);
        let Some(rest) = rest[blanks(rest.iter())..].strip_prefix(b":") else { return false };
        let rest = unquoted(&rest[blanks(rest.iter())..]);
        let fields: [&[u8]; 3] = [b"/data", b"/stringData", b"/kind"];
        let field = fields.into_iter().find_map(|field| rest.strip_prefix(field));
        field.is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_alphanumeric))
    })
}

fn unquoted(bytes: &[u8]) -> &[u8] {
    match bytes {
        [b'"' | b'\'', rest @ ..] => rest,
        _ => bytes,
    }
}

/// Returns true if the bytes can spell a word without having it: by an escape, a divided line, or base64.
pub(super) fn hides_words(bytes: &[u8], seen: Seen) -> bool {
    memchr_iter(b'\\', bytes).any(|at| escapes_letter(&bytes[at + 1..]) || divides_word(bytes, at))
        || (seen.has(Needle::Binary)
            && FINDERS.binary.find_iter(bytes).any(|at| is_in_tag(&bytes[..at])))
        || memchr_iter(b'%', bytes).any(|at| is_in_tag(&bytes[..at]) || is_directive(bytes, at))
}

/// Reports whether a line begins with the directive that gives tags other names.
fn is_directive(bytes: &[u8], at: usize) -> bool {
    bytes[at..].starts_with(b"%TAG") && (at == 0 || bytes[at - 1] == b'\n')
}

/// Returns true if an escape of YAML or JSON is an ASCII letter. These bytes follow a backslash.
fn escapes_letter(escape: &[u8]) -> bool {
    let digits = match escape.first() {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        _ => return false,
    };
    let digits = escape.get(1..=digits).and_then(|digits| std::str::from_utf8(digits).ok());
    let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    code.and_then(char::from_u32).is_some_and(|letter| letter.is_ascii_alphabetic())
}

/// Returns true if a backslash at the end of a line divides one of the words, as in `"Sec\`.
fn divides_word(bytes: &[u8], at: usize) -> bool {
    let before = last(&bytes[..at], 16);
    matches!(bytes.get(at + 1), Some(b'\n' | b'\r'))
        && before.iter().rposition(|byte| *byte == b'"').is_some_and(|quote| {
            let begun = &before[quote + 1..];
            !begun.is_empty() && WORDS.iter().any(|word| word.starts_with(begun))
        })
}

/// Returns true if these bytes end inside a tag: `!!`, `!<tag:yaml.org,2002:`.
fn is_in_tag(before: &[u8]) -> bool {
    let before = last(before, 64);
    let begin = before.iter().rposition(|byte| byte.is_ascii_whitespace() || *byte == b'!');
    begin.is_some_and(|at| before[at] == b'!')
}

/// Returns the last bytes, at most `limit`. Without a limit, a long line would be searched again and again.
fn last(bytes: &[u8], limit: usize) -> &[u8] {
    &bytes[bytes.len().saturating_sub(limit)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_words_in_every_spelling() {
        for text in [
            "kind: Secret\nstringData: {a: b}",
            "{\"kind\": \"Secret\", \"data\": {}}",
            "{kind: Secret, data: {}}",
            "# a\u{2028}kind: Secret\ndata: {}\n",
            "# a\rkind: Secret\ndata: {}\n",
            "a: b # c\nkind: Secret\ndata: {}\n",
            "data: {}\n---\ndata: {}\nkind: Secret\n",
            "kind: Secret\n--- x\ndata: {}\n",
            "kind: Secret\n---\nkind: Secret\n---\nkind: Secret\ndata: {}\n",
            "kind:   'Secret'   # yes\ndata: {}",
            "kind: SopsSecret\nspec: {secretTemplates: [{data: {}}]}",
            "kind: SecretList\nitems: [{data: {}}]",
            "kind: >-\n  Secret\ndata:\n",
            "x: &kind Secret\ndata:\n",
            "kind: !!str Secret\ndata:\n",
            "kind: ! Secret\ndata:\n",
            "kind: Secret\u{2028}data: {}",
            "kind: Foo\nstringData: {a: b}\n",
            "fieldPath: stringData/password\n",
            "kind: \"S\\x65cret\"\n",
            "kind: \"Sec\\\n  ret\"\n",
            "\"\\u0064ata\": {}\n",
            "kind: !!binary U2VjcmV0\n",
            "kind: !<tag:yaml.org,2002:binary> U2VjcmV0\n",
            "kind: !!b%69nary U2VjcmV0\n",
            "%TAG !y! tag:yaml.org,2002:\n---\nkind: !y!b U2VjcmV0\n",
            "- op: add\n  path: /data/password\n",
            "[{\"op\":\"add\",\"path\":\"/stringData/a\"}]",
        ] {
            assert!(may_hold_secret(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn passes_over_other_texts() {
        for text in [
            "kind: ConfigMap\ndata: {}",
            "kind: HelmRelease\nmetadata: {}\nspec: {valuesFrom: [{kind: Secret}]}",
            "kind: SealedSecret\ndata: {}",
            "kind: SecretStore\ndata: {}",
            "# The Secret with the data\ndata: {}",
            "text: about the Secret of data\n",
            "run: |\n  printf '\\x1b[0m' \\\n  data\n",
            "path: /database\n",
            "  # kind: Secret\ndata: {}\n",
            "kind: Secret\n#data: {}\n",
            "kind: Secret\ntype: Opaque\n---\nkind: ConfigMap\ndata: {}",
            "data: {}\n--- \nkind: Secret\n---\nkind: Secret\n---\ndata: {}",
            "mount: /data\n",
            "format: 50% of binary data!\n",
        ] {
            assert!(!may_hold_secret(text.as_bytes()), "{text}");
        }
    }
}
