//! A private key of age or OpenPGP, committed.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bech32::primitives::decode::CheckedHrpstring;

use super::command::untrack;
use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::text::Span;
use crate::traces::secret_key_packet;

declare_rule! {
    /// ## What it does
    ///
    /// Finds age identities (`AGE-SECRET-KEY-1..` and `AGE-SECRET-KEY-PQ-1..` with a valid
    /// checksum) and OpenPGP secret keys (armored or binary), in any file, in `.sops.yaml`, and
    /// behind the base64 of a Secret's `data`. Examples that are cut short, and keys inside
    /// encrypted values, are no findings; a key below `testdata/` or in a `*_test` file is a
    /// warning.
    ///
    /// ## Why it matters
    ///
    /// Whoever has the key reads every file that was ever encrypted to it, in every commit.
    /// Removing it in a new commit does not help.
    ///
    /// ## Example
    ///
    /// Bad: `age.agekey`, `keys.txt`, or a `.sops.pub.asc` made with `--export-secret-keys`.
    ///
    /// ## How to fix
    ///
    /// Take the file out of git with `git rm --cached FILE` if git has it, and add its name to
    /// `.gitignore`. If it was ever pushed, treat the key as known to everybody: make a new one, put its
    /// public half into `.sops.yaml`, run `sops updatekeys` and `sops rotate` on every file, change the
    /// secrets themselves, and only then delete the old key. A throw-away key of a test may stay: ignore
    /// it by path, with the reason.
    PrivateKey, "private-key", Error, needs Text, Leak(98),
    "a private key of age or OpenPGP in a file"
}

/// Armor as gpg writes it may leave its padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl FileRule for PrivateKey {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let bytes = subject.input.bytes();
        if subject.traces.key {
            let level = if is_test_data(subject) { Level::Warning } else { META.level };
            let found = find(bytes);
            let first = removal(subject, &found);
            for (span, what) in found {
                drafts.push(draft(span, what, &first).level(level));
            }
        }
        for judged in subject.documents {
            in_base64(judged, drafts);
        }
    }
}

/// Where throw-away keys are meant to be. Examples and documentation are no such place.
fn is_test_data(subject: &Subject<'_>) -> bool {
    let path = subject.path();
    let stem = path.file_name().split('.').next().unwrap_or_default();
    path.ancestors().any(|place| place == "testdata" || place.ends_with("/testdata"))
        || stem.ends_with("_test")
}

fn draft<'s>(span: Span, what: &str, first: &str) -> Draft<'s> {
    Draft::new(&META, span, format!("this file contains {what}"))
        .note("a private key")
        .help(format!("{first}; if it was ever pushed, make a new key, run `sops updatekeys` and `sops rotate` on every file that this one opens, and change the secrets themselves"))
}

/// Tells how to remove the key, or the whole file if it has nothing else.
fn removal(subject: &Subject<'_>, found: &[(Span, &str)]) -> String {
    let bytes = subject.input.bytes();
    let start = found.first().map_or(0, |(span, _)| span.start);
    let is_comment = |line: &[u8]| line.trim_ascii().is_empty() || line.starts_with(b"#");
    if bytes[..start].split(|byte| *byte == b'\n').all(is_comment) {
        untrack(subject.path())
    } else {
        "take the key out of this file".to_owned()
    }
}

/// Private keys behind the base64 of a Secret's `data`.
fn in_base64<'s>(judged: &Judged<'s>, drafts: &mut Drafts<'s>) {
    for secret in &judged.secrets {
        for value in secret.values().filter(|value| value.field == "data") {
            let Some(text) = value.entry.node.as_str() else { continue };
            // `AGE-SECRET-KEY-` and `-----BEGIN PGP` begin like this at every alignment of three.
            let base64: String = text.split_ascii_whitespace().collect();
            let Ok(decoded) = BASE64.decode(base64) else { continue };
            if let Some((_, what)) = find(&decoded).into_iter().next() {
                let path = judged.key_path(value.entry.node.span);
                drafts.push(
                    draft(value.entry.key_span, what, "take the key out of this Secret")
                        .at(judged.document.index, path)
                        .note("behind this base64"),
                );
            }
        }
    }
}

/// All private keys of a text, or the one of a binary file.
fn find(bytes: &[u8]) -> Vec<(Span, &'static str)> {
    if secret_key_packet(bytes).is_some() {
        return vec![(Span::at(0), "a binary OpenPGP secret key")];
    }
    let mut found: Vec<_> = age_identities(bytes).collect();
    found.extend(pgp_blocks(bytes));
    found
}

fn age_identities(bytes: &[u8]) -> impl Iterator<Item = (Span, &'static str)> {
    memchr::memmem::find_iter(bytes, "AGE-SECRET-KEY-").filter_map(|start| {
        let length = bytes[start..]
            .iter()
            .take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b'-')
            .count();
        let text = std::str::from_utf8(&bytes[start..start + length]).ok()?;
        let what = match text.rsplit_once('1')?.0 {
            "AGE-SECRET-KEY-" => "an age private key",
            "AGE-SECRET-KEY-PQ-" => "a post-quantum age private key",
            _ => return None,
        };
        // The seeds of both kinds have 32 bytes, so the checksum of BIP 173 fits its limits.
        let is_key = CheckedHrpstring::new::<bech32::Bech32>(text)
            .is_ok_and(|checked| checked.byte_iter().count() == 32);
        is_key.then_some((Span::new(start, start + length), what))
    })
}

/// Armored blocks with a body that begins with a secret-key packet. The text may be indented, or
/// escaped as in JSON.
fn pgp_blocks(bytes: &[u8]) -> impl Iterator<Item = (Span, &'static str)> {
    const HEADER: &str = "-----BEGIN PGP PRIVATE KEY BLOCK-----";
    memchr::memmem::find_iter(bytes, HEADER).filter_map(|start| {
        let end = start + HEADER.len();
        let body = &bytes[end..bytes.len().min(end + 2048)];
        armored_packet(body).then_some((Span::new(start, end), "an OpenPGP private key"))
    })
}

/// Whether the first line of base64 behind an armor header decodes to a secret-key packet.
fn armored_packet(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).replace("\\n", "\n").replace("\\r", "");
    text.lines()
        .map(|line| line.trim_matches(|c: char| c.is_whitespace() || "\"'#>,".contains(c)))
        .skip_while(|line| line.is_empty() || line.contains(": "))
        .take(1)
        .any(|line| {
            let line = line.as_bytes();
            let whole = &line[..line.len() / 4 * 4];
            BASE64.decode(whole).is_ok_and(|packet| secret_key_packet(&packet).is_some())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_that_is_cut_short_is_no_key() {
        assert!(find(b"AGE-SECRET-KEY-1QQPQQ...").is_empty());
        assert!(find(b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n...\n").is_empty());
        let strange =
            format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlFg{}\n", "\u{fffd}".repeat(9));
        assert!(find(strange.as_bytes()).is_empty());
        assert!(find(b"grep -e '-----BEGIN PGP PRIVATE KEY BLOCK-----'").is_empty());
    }

    #[test]
    fn finds_an_armored_key_in_any_dress() {
        // Version 4, created in 2020, RSA: the first bytes of a secret-key packet.
        let packet = [0x95, 0x03, 0x98, 4, 0x5e, 0x0b, 0xe1, 0x00, 1, 8, 0, 1, 2, 3, 4, 5, 6, 7];
        let line = BASE64.encode(packet);
        for text in [
            format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{line}\n"),
            format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\r\nVersion: 1\r\n\r\n{line}\r\n"),
            format!("key: |\n  -----BEGIN PGP PRIVATE KEY BLOCK-----\n\n  {line}\n"),
            format!("\"-----BEGIN PGP PRIVATE KEY BLOCK-----\\n\\n{line}\\n\""),
        ] {
            assert_eq!(find(text.as_bytes()).len(), 1, "{text}");
        }
        assert_eq!(find(&packet).len(), 1);
    }
}
