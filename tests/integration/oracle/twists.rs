//! What can be done to a manifest so that programs read it in different ways.

use super::base64;
use super::manifests::{Draft, Field, Tree};
use crate::differential::Dice;

/// One change; it says whether it could be made.
pub(super) enum Twist {
    /// To the parts of the Secret.
    Draft(fn(&mut Draft, &mut Dice) -> bool),
    /// To the bytes of the file.
    Bytes(fn(&mut Vec<u8>, &mut Dice) -> bool),
}

use Twist::{Bytes, Draft as Parts};

pub(super) const TWISTS: &[(&str, Twist)] = &[
    // How scalars are written.
    (
        "quotes around the kind",
        Parts(|draft, dice| {
            yaml_kind(draft, dice, &["'Secret'", "\"Secret\"", "\"Secret\" # it is"])
        }),
    ),
    (
        "an escape in the kind",
        Parts(|draft, dice| {
            let json = ["\"\\u0053ecret\"", "\"Secre\\u0074\""];
            let yaml =
                ["\"S\\x65cret\"", "\"\\u0053ecret\"", "\"Secre\\U00000074\"", "\"\\x53ecret\""];
            let kinds = if draft.is_json { &json[..] } else { &yaml[..] };
            kind(draft, dice.pick::<&str>(kinds))
        }),
    ),
    ("a line end in the kind", Parts(|draft, _| yaml(draft) && kind(draft, "\"Sec\\\n    ret\""))),
    (
        "the kind as a block",
        Parts(|draft, dice| {
            !draft.is_flow
                && yaml_kind(draft, dice, &[">-\n            Secret", "|-\n            Secret"])
        }),
    ),
    (
        "the kind on the next line",
        Parts(|draft, dice| {
            yaml_kind(draft, dice, &["\n            Secret", "# it is\n            Secret"])
        }),
    ),
    (
        "a text tag on the kind",
        Parts(|draft, dice| {
            yaml_kind(draft, dice, &["!!str Secret", "!<tag:yaml.org,2002:str> Secret", "! Secret"])
        }),
    ),
    (
        "a tag of its own on the kind",
        Parts(|draft, dice| yaml_kind(draft, dice, &["!secret Secret", "!Ref Secret"])),
    ),
    (
        "a binary kind",
        Parts(|draft, dice| {
            yaml_kind(draft, dice, &["!!binary U2VjcmV0", "!!binary \"U2VjcmV0\""])
        }),
    ),
    (
        "a binary version",
        Parts(|draft, _| yaml(draft) && replace(&mut draft.version, "!!binary djE=")),
    ),
    (
        "an escape in the key of the values",
        Parts(|draft, dice| {
            let json = dice.chance(2) || draft.is_json;
            values_key(draft, |name| {
                let (first, rest) = name.split_at(1);
                let code = u32::from(first.as_bytes()[0]);
                if json {
                    format!("\"\\u{code:04x}{rest}\"")
                } else {
                    format!("\"\\x{code:02x}{rest}\"")
                }
            })
        }),
    ),
    (
        "an escape late in the key of the values",
        Parts(|draft, _| {
            values_key(draft, |name| format!("\"{}\"", name.replace("ata", "\\u0061ta")))
        }),
    ),
    (
        "a tag on the key of the values",
        Parts(|draft, _| yaml(draft) && values_key(draft, |name| format!("!!str {name}"))),
    ),
    (
        "a binary key of the values",
        Parts(|draft, _| {
            yaml(draft) && values_key(draft, |name| format!("!!binary {}", base64(name)))
        }),
    ),
    (
        "an escape in the key of the kind",
        Parts(|draft, dice| {
            let key = if draft.is_json {
                "\"k\\u0069nd\""
            } else {
                *dice.pick(&["\"k\\x69nd\"", "'kind'"])
            };
            draft.kind.as_mut().is_some_and(|kind| {
                key.clone_into(&mut kind.0);
                true
            })
        }),
    ),
    (
        "explicit keys",
        Parts(|draft, _| {
            if !yaml(draft) || draft.is_flow {
                return false;
            }
            draft.kind.as_mut().is_some_and(|kind| {
                kind.0 = format!("? {}\n", kind.0);
                true
            })
        }),
    ),
    (
        "escapes in a value",
        Parts(|draft, _| {
            let value = format!("\"\\u0068{}\"", &draft.canary[1..]);
            let key = draft.quote("password");
            draft.values =
                Some((draft.quote("stringData"), Tree::Map(vec![(key, Tree::Token(value))])));
            true
        }),
    ),
    // Anchors, aliases, merge keys.
    ("an anchor on the kind", Parts(|draft, dice| yaml_kind(draft, dice, &["&kind Secret"]))),
    (
        "the kind as an alias",
        Parts(|draft, _| {
            yaml(draft) && {
                draft.first.push(("x-kind".to_owned(), Tree::Token("&kind Secret".to_owned())));
                kind(draft, "*kind")
            }
        }),
    ),
    (
        "the values as an alias",
        Parts(|draft, _| {
            if !yaml(draft) {
                return false;
            }
            let anchored = format!("&values {{password: {}}}", draft.canary);
            draft.first.push(("x-values".to_owned(), Tree::Token(anchored)));
            draft.values = Some(("stringData".to_owned(), Tree::Token("*values".to_owned())));
            true
        }),
    ),
    (
        "a merge key that brings the kind",
        Parts(|draft, dice| {
            yaml(draft) && draft.kind.take().is_some() && {
                draft.first.push(merge(dice, "{kind: Secret}"));
                true
            }
        }),
    ),
    (
        "a merge key that brings the version",
        Parts(|draft, dice| {
            yaml(draft) && draft.version.take().is_some() && {
                draft.first.push(merge(dice, "{apiVersion: v1}"));
                true
            }
        }),
    ),
    (
        "a merge key that brings the values",
        Parts(|draft, dice| {
            yaml(draft) && draft.values.take().is_some() && {
                let values = format!("{{stringData: {{password: {}}}}}", draft.canary);
                draft.first.push(merge(dice, &values));
                true
            }
        }),
    ),
    (
        "a merge key in the values",
        Parts(|draft, dice| {
            yaml(draft) && {
                let field = merge(dice, &format!("{{password: {}}}", draft.canary));
                draft.values = Some(("stringData".to_owned(), Tree::Map(vec![field])));
                true
            }
        }),
    ),
    (
        "a merge key of an alias",
        Parts(|draft, _| {
            yaml(draft) && draft.kind.take().is_some() && {
                let base = Tree::Token("&base {kind: Secret}".to_owned());
                draft.first.push(("x-base".to_owned(), base));
                draft.first.push(("<<".to_owned(), Tree::Token("*base".to_owned())));
                true
            }
        }),
    ),
    // Duplicates.
    (
        "another kind first",
        Parts(|draft, dice| {
            let other = draft.token(dice.pick::<&str>(&["ConfigMap", "Pod", "x"]));
            draft.first.push((draft.quote("kind"), other));
            true
        }),
    ),
    (
        "another kind last",
        Parts(|draft, _| {
            draft.last.push((draft.quote("kind"), draft.token("ConfigMap")));
            true
        }),
    ),
    (
        "other values first",
        Parts(|draft, dice| {
            let Some((key, _)) = draft.values.clone() else { return false };
            let empty =
                if dice.chance(2) { Tree::Map(Vec::new()) } else { draft.map(&[("a", "")]) };
            draft.first.push((key, empty));
            true
        }),
    ),
    (
        "other values last",
        Parts(|draft, _| {
            let Some((key, _)) = draft.values.clone() else { return false };
            draft.last.push((key, Tree::Map(Vec::new())));
            true
        }),
    ),
    // Other values.
    (
        "no values",
        Parts(|draft, dice| {
            let empty = *dice.pick(&["null", "{}", "\"\"", "1", "true", "[]"]);
            replace(&mut draft.values, empty)
        }),
    ),
    (
        "an empty value",
        Parts(|draft, dice| {
            let Some((_, Tree::Map(fields))) = &mut draft.values else { return false };
            let Some(field) = fields.first_mut() else { return false };
            field.1 = Tree::Token((*dice.pick(&["null", "\"\""])).to_owned());
            true
        }),
    ),
    (
        "a value that is no text",
        Parts(|draft, dice| {
            let Some((_, Tree::Map(fields))) = &mut draft.values else { return false };
            let Some(field) = fields.first_mut() else { return false };
            field.1 = Tree::Token(
                (*dice.pick(&["12345678", "true", "[\"a\"]", "{\"a\": \"b\"}"])).to_owned(),
            );
            true
        }),
    ),
    (
        "a number as a key",
        Parts(|draft, _| {
            let value = draft.token(&draft.canary);
            draft.values =
                Some((draft.quote("stringData"), Tree::Map(vec![(draft.quote("1"), value)])));
            true
        }),
    ),
    (
        "a value that is no base64",
        Parts(|draft, _| {
            let value = draft.token(&draft.canary);
            draft.values = Some((draft.quote("data"), Tree::Map(vec![(draft.quote("a"), value)])));
            true
        }),
    ),
    (
        "both fields",
        Parts(|draft, _| {
            draft.last.push((draft.quote("binaryData"), draft.map(&[("a", "b")])));
            draft.last.push((draft.quote("immutable"), Tree::Token("true".to_owned())));
            true
        }),
    ),
    (
        "values in another field",
        Parts(|draft, dice| {
            let name =
                *dice.pick(&["Data", "stringdata", "StringData", "spec", "dataFrom", "metaData"]);
            values_key(draft, |_| format!("\"{name}\""))
        }),
    ),
    // Near misses.
    (
        "another kind",
        Parts(|draft, dice| {
            let other = *dice.pick(&[
                "ConfigMap",
                "Secrets",
                "SealedSecret",
                "ExternalSecret",
                "secret",
                "SECRET",
                "SecretStore",
                "SecretProviderClass",
            ]);
            let other = draft.quote(other);
            kind(draft, &other)
        }),
    ),
    (
        "another version",
        Parts(|draft, dice| {
            let other = *dice.pick(&[
                "v2",
                "core/v1",
                "apps/v1",
                "v1beta1",
                "bitnami.com/v1alpha1",
                "V1",
                "/v1",
            ]);
            let other = draft.quote(other);
            replace(&mut draft.version, &other)
        }),
    ),
    ("no version", Parts(|draft, _| draft.version.take().is_some())),
    ("no kind", Parts(|draft, _| draft.kind.take().is_some())),
    ("no metadata", Parts(|draft, _| draft.metadata.take().is_some())),
    (
        "a generated name",
        Parts(|draft, _| {
            draft.metadata = Some((draft.quote("metadata"), draft.map(&[("generateName", "a-")])));
            true
        }),
    ),
    (
        "a namespace, labels and annotations",
        Parts(|draft, dice| {
            let name = format!("n{}", dice.below(1_000_000));
            let Tree::Map(mut fields) = draft.map(&[("name", &name), ("namespace", "shop")]) else {
                return false;
            };
            fields.push((draft.quote("labels"), draft.map(&[("app", "shop"), ("kind", "Secret")])));
            fields.push((draft.quote("annotations"), draft.map(&[("note", "kind-Secret-data")])));
            draft.metadata = Some((draft.quote("metadata"), Tree::Map(fields)));
            true
        }),
    ),
    (
        "a type",
        Parts(|draft, dice| {
            let kind =
                *dice.pick(&["Opaque", "kubernetes.io/tls", "kubernetes.io/dockerconfigjson"]);
            draft.last.push((draft.quote("type"), draft.token(kind)));
            true
        }),
    ),
    // Names.
    (
        "JSON under a name for YAML",
        Parts(|draft, dice| {
            draft.is_json && rename(draft, dice.pick::<&str>(&["file.yaml", "file.yml"]))
        }),
    ),
    ("YAML under a name for JSON", Parts(|draft, _| yaml(draft) && rename(draft, "file.json"))),
    (
        "an ending in capitals, listed",
        Parts(|draft, dice| {
            listed(draft, dice.pick::<&str>(&["file.YAML", "file.Yml", "file.JSON"]))
        }),
    ),
    (
        "another ending, listed",
        Parts(|draft, dice| {
            listed(
                draft,
                dice.pick::<&str>(&["file.txt", "file.yaml.bak", "file.conf", "file.tmpl"]),
            )
        }),
    ),
    (
        "no ending, listed",
        Parts(|draft, dice| listed(draft, dice.pick::<&str>(&["secret", "file", "Secretfile"]))),
    ),
    (
        "an ending of sops, listed",
        Parts(|draft, dice| listed(draft, dice.pick::<&str>(&["file.env", "file.ini"]))),
    ),
    // The stream.
    ("a BOM in front", Bytes(|bytes, _| is_yaml(bytes) && insert(bytes, 0, b"\xef\xbb\xbf"))),
    (
        "a BOM in front of JSON",
        Bytes(|bytes, _| !is_yaml(bytes) && insert(bytes, 0, b"\xef\xbb\xbf")),
    ),
    (
        "a BOM behind a document marker",
        Bytes(|bytes, _| is_yaml(bytes) && insert(bytes, 0, b"---\n\xef\xbb\xbf")),
    ),
    (
        "a BOM between documents",
        Bytes(|bytes, _| is_yaml(bytes) && insert(bytes, 0, b"a: b\n---\n\xef\xbb\xbf---\n")),
    ),
    ("a BOM at the end", Bytes(|bytes, _| is_yaml(bytes) && append(bytes, b"\xef\xbb\xbf"))),
    (
        "a BOM in front of a line",
        Bytes(|bytes, dice| {
            let at = line(bytes, dice);
            is_yaml(bytes) && insert(bytes, at, b"\xef\xbb\xbf")
        }),
    ),
    ("CRLF", Bytes(|bytes, _| replace_all(bytes, b"\n", b"\r\n"))),
    ("CR", Bytes(|bytes, _| !has_marker(bytes) && replace_all(bytes, b"\n", b"\r"))),
    (
        "CR between documents",
        Bytes(|bytes, _| has_marker(bytes) && replace_all(bytes, b"\n", b"\r")),
    ),
    (
        "a CR alone in a line",
        Bytes(|bytes, dice| {
            let at = line(bytes, dice);
            !has_marker(bytes) && insert(bytes, at, b"\r")
        }),
    ),
    ("U+0085 in a comment", Bytes(|bytes, dice| comment(bytes, dice, "# a\u{85}# b".as_bytes()))),
    ("U+2028 in a comment", Bytes(|bytes, dice| comment(bytes, dice, "# a\u{2028}# b".as_bytes()))),
    (
        "U+0085 for a line end",
        Bytes(|bytes, _| is_yaml(bytes) && replace_all(bytes, b"\n", "\u{85}".as_bytes())),
    ),
    (
        "a byte that is no UTF-8 in a comment",
        Bytes(|bytes, dice| comment(bytes, dice, b"# caf\xe9")),
    ),
    (
        "a control character in a comment",
        Bytes(|bytes, dice| {
            let text = *dice.pick(&[b"# a\x07b", b"# a\x00b", b"# a\x1bb"]);
            comment(bytes, dice, text)
        }),
    ),
    (
        "a comment",
        Bytes(|bytes, dice| {
            let text =
                *dice.pick(&["# kind: ConfigMap", "#", "  # caf\u{e9}", "# ---", "# data: {}"]);
            comment(bytes, dice, text.as_bytes())
        }),
    ),
    (
        "an empty line",
        Bytes(|bytes, dice| {
            let at = line(bytes, dice);
            insert(bytes, at, dice.pick::<&[u8]>(&[&b"\n"[..], b"   \n", b"\n\n"]))
        }),
    ),
    (
        "a tab at the end of a line",
        Bytes(|bytes, dice| {
            let at = line(bytes, dice);
            at > 0 && insert(bytes, at - 1, b"\t")
        }),
    ),
    (
        "a tab on a line",
        Bytes(|bytes, dice| {
            let at = line(bytes, dice);
            insert(bytes, at, b"\t\n")
        }),
    ),
    ("a tab for an indentation", Bytes(|bytes, _| replace_all(bytes, b"\n  ", b"\n\t"))),
    ("a tab behind a colon", Bytes(|bytes, _| replace_all(bytes, b": ", b":\t"))),
    ("a tab in braces", Bytes(|bytes, _| replace_all(bytes, b"{", b"{\t\n\t"))),
    (
        "a document marker",
        Bytes(|bytes, dice| {
            let marker =
                *dice.pick(&["---\n", "--- # x\n", "---\t\n", "--- \n", "---\n---\n", "\n---\n"]);
            is_yaml(bytes) && insert(bytes, 0, marker.as_bytes())
        }),
    ),
    (
        "the object on the line of the marker",
        Bytes(|bytes, _| is_flow(bytes) && insert(bytes, 0, b"--- ")),
    ),
    (
        "an end marker",
        Bytes(|bytes, dice| {
            let end = *dice.pick(&[&b"...\n"[..], b"---\n", b"...\n---\n"]);
            is_yaml(bytes) && append(bytes, end)
        }),
    ),
    (
        "a directive",
        Bytes(|bytes, dice| {
            let text = *dice.pick(&[
                "%YAML 1.1\n---\n",
                "%YAML 1.2\n---\n",
                "%TAG ! tag:example.com:\n---\n",
                "%FOO\n---\n",
            ]);
            is_yaml(bytes) && insert(bytes, 0, text.as_bytes())
        }),
    ),
    ("a NUL at the end", Bytes(|bytes, _| is_yaml(bytes) && append(bytes, b"\0"))),
    (
        "a broken document in front",
        Bytes(|bytes, dice| {
            let broken =
                *dice.pick(&["a: [\n---\n", "a: 'b\n---\n", "\ta: b\n---\n", "a: b: c\n---\n"]);
            is_yaml(bytes) && insert(bytes, 0, broken.as_bytes())
        }),
    ),
    (
        "a broken document behind",
        Bytes(|bytes, dice| {
            let broken = *dice.pick(&[
                "---\na: [\n",
                "---\na: 'b\n",
                "---\n\ta: b\n",
                "---\na: b: c\n",
                "---\n}\n",
            ]);
            is_yaml(bytes) && append(bytes, broken.as_bytes())
        }),
    ),
    (
        "data behind JSON",
        Bytes(|bytes, dice| {
            let rest = *dice.pick(&[
                "}", "x", "{", "null\n", "\"a\"", ",\n", "...\n", "---\n", "\0", "x: \"a\n",
                "\u{feff}",
            ]);
            !is_yaml(bytes) && append(bytes, rest.as_bytes())
        }),
    ),
    (
        "a comma behind the last member",
        Bytes(|bytes, _| !is_yaml(bytes) && replace_all(bytes, b"}", b",}")),
    ),
    (
        "a comment in JSON",
        Bytes(|bytes, dice| {
            !is_yaml(bytes)
                && insert(
                    bytes,
                    1,
                    dice.pick::<&[u8]>(&[&b"/* a */"[..], b"// a\n", b"# a\n", b"\n # a\n"]),
                )
        }),
    ),
    (
        "a blank in front",
        Bytes(|bytes, dice| {
            insert(bytes, 0, dice.pick::<&[u8]>(&[&b"\n"[..], b" \n", b"\t\n", b"\n\n"]))
        }),
    ),
    // Accidents.
    ("an unclosed quote", Bytes(|bytes, _| is_yaml(bytes) && append(bytes, b"x: \"a\n"))),
    ("a byte deleted", Bytes(|bytes, dice| is_yaml(bytes) && accident(bytes, dice, 0))),
    ("a byte added", Bytes(|bytes, dice| is_yaml(bytes) && accident(bytes, dice, 1))),
    ("a byte changed", Bytes(|bytes, dice| is_yaml(bytes) && accident(bytes, dice, 2))),
    (
        "a byte of JSON deleted, added or changed",
        Bytes(|bytes, dice| {
            let what = dice.below(3);
            !is_yaml(bytes) && accident(bytes, dice, what)
        }),
    ),
    (
        "a byte that is no UTF-8",
        Bytes(|bytes, dice| {
            let at = dice.below(bytes.len());
            insert(bytes, at, b"\xff")
        }),
    ),
    (
        "a line deleted",
        Bytes(|bytes, dice| {
            let (from, to) = (line(bytes, dice), bytes.len());
            let to =
                bytes[from..].iter().position(|byte| *byte == b'\n').map_or(to, |at| from + at + 1);
            bytes.drain(from..to);
            true
        }),
    ),
    (
        "a line doubled",
        Bytes(|bytes, dice| {
            let (from, to) = (line(bytes, dice), bytes.len());
            let to =
                bytes[from..].iter().position(|byte| *byte == b'\n').map_or(to, |at| from + at + 1);
            let copy = bytes[from..to].to_vec();
            is_yaml(bytes) && insert(bytes, to, &copy)
        }),
    ),
    (
        "a line indented",
        Bytes(|bytes, dice| {
            let at = line(bytes, dice);
            insert(bytes, at, dice.pick::<&[u8]>(&[&b" "[..], b"  "]))
        }),
    ),
    (
        "cut short",
        Bytes(|bytes, dice| {
            let end = bytes.len() - dice.below(bytes.len() / 4);
            bytes.truncate(end);
            true
        }),
    ),
    // Behind all others: they put in UTF-8.
    (
        "UTF-16",
        Bytes(|bytes, dice| {
            let Ok(text) = std::str::from_utf8(bytes) else { return false };
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            let is_little = dice.chance(2);
            *bytes = units
                .flat_map(
                    |unit: u16| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() },
                )
                .collect();
            true
        }),
    ),
];

fn yaml(draft: &Draft) -> bool {
    !draft.is_json
}

/// Whether it does not begin as JSON does.
fn is_yaml(bytes: &[u8]) -> bool {
    let inside = bytes.trim_ascii_start().strip_prefix(b"{");
    inside.is_none_or(|inside| !inside.trim_ascii_start().starts_with(b"\""))
}

/// Deletes, adds or changes a byte.
fn accident(bytes: &mut Vec<u8>, dice: &mut Dice, what: usize) -> bool {
    let at = dice.below(bytes.len());
    let byte = *dice.pick(b" \t\n\r:#-{}[],&*!|>'\"%@`\\?ax0\x00");
    match what {
        0 => drop(bytes.remove(at)),
        1 => bytes.insert(at, byte),
        _ => bytes[at] = byte,
    }
    true
}

fn is_flow(bytes: &[u8]) -> bool {
    is_yaml(bytes) && bytes.starts_with(b"{")
}

fn has_marker(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|window| window == b"\n---")
}

fn append(bytes: &mut Vec<u8>, piece: &[u8]) -> bool {
    bytes.extend_from_slice(piece);
    true
}

fn replace(field: &mut Option<Field>, token: &str) -> bool {
    field.as_mut().is_some_and(|(_, value)| {
        *value = Tree::Token(token.to_owned());
        true
    })
}

fn kind(draft: &mut Draft, token: &str) -> bool {
    replace(&mut draft.kind, token)
}

fn yaml_kind(draft: &mut Draft, dice: &mut Dice, tokens: &[&str]) -> bool {
    let token = *dice.pick(tokens);
    // A comment on the same line would hide the rest of a line.
    yaml(draft) && !(draft.is_flow && token.contains('#')) && kind(draft, token)
}

fn values_key(draft: &mut Draft, change: impl Fn(&str) -> String) -> bool {
    draft.values.as_mut().is_some_and(|(key, _)| {
        *key = change(key.trim_matches('"'));
        true
    })
}

fn merge(dice: &mut Dice, map: &str) -> Field {
    let value = if dice.chance(2) { map.to_owned() } else { format!("[{map}]") };
    ("<<".to_owned(), Tree::Token(value))
}

fn rename(draft: &mut Draft, name: &str) -> bool {
    name.clone_into(&mut draft.file_name);
    true
}

fn listed(draft: &mut Draft, name: &str) -> bool {
    draft.is_listed = true;
    rename(draft, name)
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) -> bool {
    bytes.splice(at..at, piece.iter().copied());
    true
}

/// Where a line begins.
fn line(bytes: &[u8], dice: &mut Dice) -> usize {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    lines[..dice.below(lines.len().max(1))].iter().map(|line| line.len()).sum()
}

/// Puts in a line of its own.
fn comment(bytes: &mut Vec<u8>, dice: &mut Dice, text: &[u8]) -> bool {
    let at = line(bytes, dice);
    is_yaml(bytes) && insert(bytes, at, b"\n") && insert(bytes, at, text)
}

fn replace_all(bytes: &mut Vec<u8>, from: &[u8], to: &[u8]) -> bool {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for found in memchr::memmem::find_iter(bytes, from) {
        out.extend_from_slice(&bytes[at..found]);
        out.extend_from_slice(to);
        at = found + from.len();
    }
    out.extend_from_slice(&bytes[at..]);
    let is_changed = at > 0;
    *bytes = out;
    is_changed
}
