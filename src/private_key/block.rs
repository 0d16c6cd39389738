//! Blocks of PEM and OpenPGP armor in the bytes of any file.
//!
//! The lines of a block may be indented, quoted, folded into one, or escaped as in JSON. A block ends at
//! the next five dashes, so blocks in a row are read in linear time.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::found::Form;
use super::hint::{PEM_LABEL, PGP_LABEL};
use super::packet::secret_key_packet;
use crate::secret::Plaintext;

/// Armor as gpg writes it may leave its padding out.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

pub(super) const BEGIN: &[u8] = b"-----BEGIN";
const DASHES: &[u8] = b"-----";
/// Maximum bytes of a label, with the white space of a folded line.
const MAX_LABEL: usize = 96;
/// Maximum bytes of a body. An OpenPGP key with many signatures has some 100 KiB.
const MAX_BODY: usize = 1024 * 1024;
/// Minimum characters of base64 in a key. A key of Ed25519 has 64 in the shortest form.
const MIN_KEY: usize = 60;
/// The beginning of a key in the format of OpenSSH (PROTOCOL.key).
const OPEN_SSH: &[u8] = b"openssh-key-v1\0";

/// A block.
pub(super) struct Block<'b> {
    /// Offset of the byte after its header.
    pub header_end: usize,
    /// The words of its label, with one blank between them.
    pub label: String,
    body: Cow<'b, [u8]>,
}

/// The key in a block.
pub(super) struct BlockKey {
    pub form: Form,
    pub is_locked: bool,
    pub material: Plaintext,
}

impl<'b> Block<'b> {
    /// Reads the block whose header begins at an offset.
    pub(super) fn at(bytes: &'b [u8], start: usize) -> Option<Self> {
        let rest = bytes.get(start..)?.strip_prefix(BEGIN)?;
        let length = memchr::memmem::find(&rest[..rest.len().min(MAX_LABEL)], DASHES)?;
        let label = words(&rest[..length]).map(|word| String::from_utf8(word).ok());
        let label = label.collect::<Option<Vec<String>>>()?.join(" ");
        let header_end = start + BEGIN.len() + length + DASHES.len();
        let rest = &bytes[header_end..];
        let rest = &rest[..rest.len().min(MAX_BODY)];
        let end = memchr::memmem::find(rest, DASHES).unwrap_or(rest.len());
        let body = without_marks(&rest[..end], &bytes[..start]);
        Some(Self { header_end, label, body })
    }

    /// Returns true if the label is that of a private key in PEM.
    fn is_pem_key(&self) -> bool {
        let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ';
        self.label.ends_with(PEM_LABEL) && self.label.bytes().all(is_part)
    }

    /// Returns the private key. `None` for other blocks, and for examples that are cut short.
    pub(super) fn key(&self) -> Option<BlockKey> {
        if self.label == PGP_LABEL {
            let material = self.packets()?;
            return Some(BlockKey { form: Form::OpenPgp, is_locked: false, material });
        }
        if !self.is_pem_key() {
            return None;
        }
        let Body { base64, length, is_locked } = self.pem_body()?;
        let material = if length < MIN_KEY { return None } else { decode(&base64)? };
        let (form, is_locked_ssh) = match material.expose().strip_prefix(OPEN_SSH) {
            // The name of the cipher, behind its length.
            Some(rest) => (Form::OpenSsh, !rest.starts_with(b"\0\0\0\x04none")),
            None => (Form::Pem, false),
        };
        let is_locked = is_locked || is_locked_ssh || self.label.starts_with("ENCRYPTED");
        Some(BlockKey { form, is_locked, material })
    }

    /// Reads the body of a key in PEM. `None` if anything in it is no base64, as in an example.
    fn pem_body(&self) -> Option<Body> {
        let mut base64 = Vec::with_capacity(self.body.len());
        let (mut length, mut is_locked) = (0, false);
        let mut words = words(&self.body);
        while let Some(word) = words.next() {
            if word.ends_with(b":") {
                // The value of a header, such as `Proc-Type: 4,ENCRYPTED`.
                is_locked |= words.next().is_some_and(|value| value.ends_with(b"ENCRYPTED"));
                continue;
            }
            if !word.iter().all(|byte| is_base64(*byte)) {
                return None;
            }
            length += if is_row(&word) { 0 } else { word.len() };
            base64.extend(word);
        }
        Some(Body { base64, length, is_locked })
    }

    /// Returns the packets of an OpenPGP key. Headers of the armor precede them, a checksum follows.
    fn packets(&self) -> Option<Plaintext> {
        let is_packet = |word: &[u8]| {
            let whole = &word[..word.len().min(64) / 4 * 4];
            BASE64.decode(whole).is_ok_and(|packet| secret_key_packet(&packet).is_some())
        };
        let mut base64 = Vec::with_capacity(self.body.len());
        let packets = words(&self.body).skip_while(|word| !is_packet(word));
        for word in packets.take_while(|word| !word.starts_with(b"=")) {
            base64.extend(word);
        }
        decode(&base64).filter(|packets| secret_key_packet(packets.expose()).is_some())
    }
}

/// Drops the mark of a patch, `+` or `-`, before each line, if the header has one.
fn without_marks<'b>(body: &'b [u8], before: &[u8]) -> Cow<'b, [u8]> {
    match before {
        [.., b'\n', mark @ (b'+' | b'-')] | [mark @ (b'+' | b'-')] => {
            let lines = body.split(|byte| *byte == b'\n');
            let lines = lines.map(|line| line.strip_prefix(&[*mark]).unwrap_or(line));
            Cow::Owned(lines.collect::<Vec<_>>().join(&b'\n'))
        }
        _ => Cow::Borrowed(body),
    }
}

struct Body {
    base64: Vec<u8>,
    /// Characters of base64 that are no row of one character.
    length: usize,
    is_locked: bool,
}

/// Decodes base64 up to its padding or a part of a quantum.
pub(super) fn decode(base64: &[u8]) -> Option<Plaintext> {
    let end = base64.iter().position(|byte| *byte == b'=').unwrap_or(base64.len());
    let end = if end % 4 == 1 { end - 1 } else { end };
    BASE64.decode(&base64[..end]).ok().map(Plaintext::new)
}

pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn is_row(word: &[u8]) -> bool {
    word.iter().all(|byte| Some(byte) == word.first())
}

/// Splits a text at white space, quotes and escapes. Drops the signs between the parts of a text in
/// source code, and those before a comment.
fn words(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let word = first_word(&mut rest);
            if !is_sign(&word) {
                return Some(word);
            }
        }
        None
    })
}

/// Takes the first word of a text and what separates it from the next one.
fn first_word(rest: &mut &[u8]) -> Vec<u8> {
    let mut word = Vec::new();
    while let Some((&byte, behind)) = rest.split_first() {
        *rest = behind;
        match byte {
            b'\\' => {
                let Some((byte, length)) = escaped(behind) else {
                    *rest = &behind[line_end(behind)..];
                    break;
                };
                *rest = &behind[length..];
                word.push(byte);
            }
            b'&' if behind.first() == Some(&b'#') => {
                // A line end in XML: `&#10;`, `&#xA;`.
                let length = behind.iter().take(6).position(|byte| *byte == b';');
                *rest = &behind[length.map_or(0, |last| last + 1)..];
                break;
            }
            b'"' | b'\'' | b'`' | b'\0' => break,
            _ if byte.is_ascii_whitespace() => break,
            _ => word.push(byte),
        }
    }
    let is_mark = |byte: &u8| matches!(byte, b',' | b';' | b'>' | b'#' | b'*' | b'|');
    let end = word.iter().rposition(|byte| !is_mark(byte)).map_or(0, |last| last + 1);
    word.truncate(end);
    word.drain(..word.iter().take_while(|byte| is_mark(byte)).count());
    word
}

/// Reads an escaped character of base64, as JSON may have it: `\/`, `\u002b`. Returns its length too.
pub(super) fn escaped(escape: &[u8]) -> Option<(u8, usize)> {
    if escape.first() == Some(&b'/') {
        return Some((b'/', 1));
    }
    let digits = escape.strip_prefix(b"u00")?.get(..2)?;
    let byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    is_base64(byte).then_some((byte, 5))
}

/// Returns the length of an escaped line end or tab without its backslash; 0 for other escapes.
pub(super) fn line_end(escape: &[u8]) -> usize {
    match escape {
        [b'n' | b'r' | b't', ..] => 1,
        [b'u', b'0', b'0', b'0', b'9' | b'a' | b'A' | b'd' | b'D', ..] => 5,
        _ => 0,
    }
}

/// Returns true for an empty word, the signs between texts and before comments, and the `b` before a
/// text of bytes. The last line of base64 is longer.
fn is_sign(word: &[u8]) -> bool {
    matches!(word, [] | b"+" | b"." | b"&" | b"/" | b"//" | b"///" | b"-" | b"--" | b"b")
}
