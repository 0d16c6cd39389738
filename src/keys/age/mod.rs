//! age: X25519, post-quantum, plugin and SSH recipients.
//!
//! Follows `age/keysource.go` of sops (`parseRecipient`) and age's parsers behind it (`x25519.go`,
//! `pq.go`, `plugin/encode.go`, `agessh/agessh.go`). Not checked: if a plugin is installed, and
//! if a public key is a point on its curve.

mod file;
mod hybrid;
mod long_bech32;
mod private;
mod public_half;
mod wire;

use std::io::Write;

use age::armor::{ArmoredWriter, Format as ArmorFormat};
use age::{Encryptor, ssh, x25519};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bech32::primitives::decode::{CheckedHrpstring, CheckedHrpstringError};

use self::long_bech32::LongBech32;
use crate::document::Node;
use crate::document::splice::Block;
use crate::keys::data_key::{GO_BASE64, MalformedDataKey};
use crate::keys::fields::{required, screen};
use crate::keys::identity::{Identity, InvalidRecipient};
use crate::keys::private::{PrivateKeys, Search};
use crate::keys::service::KeyService;
use crate::keys::wrapping::{Unwrappable, Wrapping};
use crate::private_key::FoundKey;
use crate::secret::Plaintext;

/// Bytes of an X25519 public key.
const X25519_BYTES: usize = 32;
/// Bytes of an ML-KEM-768 encapsulation key and the X25519 key behind it.
const HYBRID_BYTES: usize = 1184 + 32;
/// Bytes of an Ed25519 public key.
const ED25519_BYTES: usize = 32;
/// Minimum bytes of an RSA modulus (`NewRSARecipient`). age counts bytes, so 2041 bits pass.
const RSA_MODULUS_BYTES: usize = 2048 / 8;
/// Maximum bytes of an RSA exponent (`parseRSA` of Go's `x/crypto/ssh`).
const RSA_EXPONENT_BYTES: usize = 3;

const PASTE_AGAIN: &str = "copy the whole recipient again";

/// The age key service.
#[derive(Debug)]
pub(super) struct Age;

impl KeyService for Age {
    fn name(&self) -> &'static str {
        "age"
    }

    fn rule_field(&self) -> &'static str {
        "age"
    }

    fn dates_stanzas(&self) -> bool {
        false
    }

    fn label_field(&self) -> &'static str {
        "recipient"
    }

    fn splits_group_items(&self) -> bool {
        true
    }

    fn parse(&self, text: &str) -> Result<Identity, InvalidRecipient> {
        screen(text)?;
        let text = text.trim();
        if text.starts_with("age1") {
            parse_bech32(text)
        } else if text.starts_with("ssh-") {
            parse_ssh(text)
        } else {
            Err(unknown_kind(text))
        }
    }

    fn parse_stanza(&self, stanza: &Node<'_>) -> Result<Identity, InvalidRecipient> {
        self.parse(required(stanza, "recipient")?)
    }

    fn private_keys(&self, search: &mut Search<'_>) -> Option<Box<dyn PrivateKeys>> {
        private::find(search)
    }

    fn recipients_of(&self, key: &FoundKey) -> Vec<String> {
        public_half::recipients(key)
    }

    fn can_wrap(&self) -> bool {
        true
    }

    fn wrap(&self, wrapping: &Wrapping<'_>) -> Result<Block, Unwrappable> {
        let message = encrypt(&wrapping.recipient.id, wrapping.key)?;
        Ok(Block::map([
            ("enc", Block::Text(message)),
            ("recipient", Block::text(wrapping.label.trim())),
        ]))
    }

    fn check_data_key(&self, identity: &Identity, enc: &str) -> Result<(), MalformedDataKey> {
        file::check(&identity.id, enc)
    }
}

/// Returns an armored age file for one recipient.
fn encrypt(recipient: &str, key: &Plaintext) -> Result<String, Unwrappable> {
    let recipient: Box<dyn age::Recipient> =
        if let Ok(native) = recipient.parse::<x25519::Recipient>() {
            Box::new(native)
        } else if let Ok(ssh) = recipient.parse::<ssh::Recipient>() {
            Box::new(ssh)
        } else {
            // Plugins are programs, and the config of a repository must not choose which programs run.
            return Err(Unwrappable::only_sops("is a plugin or post-quantum recipient"));
        };
    let mut armored = Vec::new();
    let mut write = || -> std::io::Result<()> {
        let encryptor = Encryptor::with_recipients(std::iter::once(&*recipient))
            .map_err(std::io::Error::other)?;
        let armor = ArmoredWriter::wrap_output(&mut armored, ArmorFormat::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armor)?;
        writer.write_all(key.expose())?;
        writer.finish()?.finish()?;
        Ok(())
    };
    let written = write().ok().and_then(|()| String::from_utf8(armored).ok());
    written.ok_or_else(|| Unwrappable::only_sops("cannot be encrypted to"))
}

/// Reads `age1...`, `age1pq1...` and `age1NAME1...`. sops accepts lower case only.
fn parse_bech32(text: &str) -> Result<Identity, InvalidRecipient> {
    if text.contains(char::is_whitespace) {
        return Err(InvalidRecipient::new(
            "contains white space",
            "put a comma between two recipients, and nothing inside one",
        ));
    }
    let decoded = CheckedHrpstring::new::<LongBech32>(text).map_err(|error| not_bech32(&error))?;
    if decoded.validate_segwit_padding().is_err() {
        return Err(InvalidRecipient::new("has stray bits at its end", PASTE_AGAIN));
    }
    let length = decoded.byte_iter().count();
    match decoded.hrp().as_str() {
        "age" if length == X25519_BYTES => Ok(Identity::new(text)),
        "age1pq" if length == HYBRID_BYTES => Ok(Identity::new(text)),
        "age" | "age1pq" => Err(InvalidRecipient::new(
            "is longer or shorter than its kind of recipient",
            PASTE_AGAIN,
        )),
        prefix if is_plugin(prefix) => Ok(Identity::new(text)),
        _ => Err(InvalidRecipient::new("names no valid age plugin", PASTE_AGAIN)),
    }
}

/// Reports whether a prefix is `age1` and a plugin's name (`validPluginName`).
fn is_plugin(prefix: &str) -> bool {
    // sops treats this prefix as post-quantum and never runs a plugin.
    if prefix.starts_with("age1pq1") {
        return false;
    }
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
    prefix.strip_prefix("age1").is_some_and(|name| !name.is_empty() && name.chars().all(is_allowed))
}

fn not_bech32(error: &CheckedHrpstringError) -> InvalidRecipient {
    let reason = match error {
        CheckedHrpstringError::Checksum(_) => "fails its checksum: a character is wrong or missing",
        _ => "contains characters that no age recipient has",
    };
    InvalidRecipient::new(reason, PASTE_AGAIN)
}

/// Reads `ssh-ed25519 BASE64 [comment]` and `ssh-rsa BASE64 [comment]`. The comment is ignored.
fn parse_ssh(text: &str) -> Result<Identity, InvalidRecipient> {
    if text.contains(['\n', '\r']) {
        return Err(InvalidRecipient::new(
            "has several lines, of which sops reads one key and drops the rest",
            "put a comma between two recipients",
        ));
    }
    let mut words = text.split([' ', '\t']).filter(|word| !word.is_empty());
    let (Some(kind), Some(base64)) = (words.next(), words.next()) else {
        return Err(InvalidRecipient::new(
            "has no key after its first word",
            "copy the whole line of the .pub file",
        ));
    };
    let wire = GO_BASE64.decode(base64).map_err(|_| {
        InvalidRecipient::new("is not base64 with its padding", "copy the whole line again")
    })?;
    check_wire(kind, &wire)?;
    Ok(Identity::new(format!("{kind} {}", STANDARD.encode(wire))))
}

/// Checks a public key in SSH's wire format (RFC 4253, section 6.6): its kind, then its numbers.
fn check_wire(kind: &str, wire: &[u8]) -> Result<(), InvalidRecipient> {
    let damaged = || InvalidRecipient::new("is a damaged SSH key", "copy the whole line again");
    let mut rest = wire;
    // sops reads the inner kind only, but two kinds in one line are certainly a mistake.
    if wire::field(&mut rest) != Some(kind.as_bytes()) {
        return Err(InvalidRecipient::new(
            "names one kind of SSH key and contains another",
            "copy the whole line again",
        ));
    }
    match kind {
        "ssh-ed25519" => {
            let key = wire::field(&mut rest).ok_or_else(damaged)?;
            if key.len() != ED25519_BYTES {
                return Err(damaged());
            }
        }
        "ssh-rsa" => {
            let exponent = wire::field(&mut rest).ok_or_else(damaged)?;
            let modulus = wire::field(&mut rest).ok_or_else(damaged)?;
            check_rsa(without_zeros(exponent), without_zeros(modulus))?;
        }
        _ => return Err(wrong_ssh_kind()),
    }
    if rest.is_empty() { Ok(()) } else { Err(damaged()) }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

fn check_rsa(exponent: &[u8], modulus: &[u8]) -> Result<(), InvalidRecipient> {
    let is_odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    if !is_odd || exponent == [1] || exponent.len() > RSA_EXPONENT_BYTES {
        return Err(InvalidRecipient::new(
            "is an RSA key with an exponent that age refuses",
            "use an ssh-ed25519 key or an age key",
        ));
    }
    if modulus.len() < RSA_MODULUS_BYTES {
        return Err(InvalidRecipient::new(
            "is an RSA key of less than 2048 bits, which age refuses",
            "use an ssh-ed25519 key or an age key",
        ));
    }
    Ok(())
}

fn unknown_kind(text: &str) -> InvalidRecipient {
    let text = text.to_ascii_lowercase();
    if text.starts_with("age1") {
        return InvalidRecipient::new(
            "is in capitals, which sops refuses",
            "write it in small letters",
        );
    }
    if ["ssh-", "ecdsa-", "sk-"].iter().any(|start| text.starts_with(start)) {
        return wrong_ssh_kind();
    }
    InvalidRecipient::new(
        "is not an age recipient",
        "write a public key that begins with age1, ssh-ed25519 or ssh-rsa",
    )
}

fn wrong_ssh_kind() -> InvalidRecipient {
    InvalidRecipient::new(
        "is of a kind that age does not support: of SSH keys, it accepts only ssh-ed25519 and ssh-rsa",
        "use an ssh-ed25519 key or an age key",
    )
}

#[cfg(test)]
mod tests {
    use bech32::{Checksum as _, Hrp};

    use super::*;

    const X25519: &str = "age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh";
    const ED25519: &str = "ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAIHlyzDi9tqOX2/cw1UfEykK0ZRJFwxrxaHO1qVQHBqWT";

    fn bech32(prefix: &str, payload: usize) -> String {
        let prefix = Hrp::parse(prefix).expect("the test's prefix is valid");
        bech32::encode::<LongBech32>(prefix, &vec![7; payload]).expect("age sets no limit")
    }

    fn ssh(word: &str, fields: &[&[u8]]) -> String {
        let mut wire = Vec::new();
        for field in fields {
            wire.extend(u32::try_from(field.len()).expect("a short field").to_be_bytes());
            wire.extend(*field);
        }
        format!("{word} {}", STANDARD.encode(wire))
    }

    fn rsa(exponent: &[u8], modulus_bytes: usize) -> String {
        let mut modulus = vec![0x81; modulus_bytes];
        modulus.insert(0, 0);
        ssh("ssh-rsa", &[b"ssh-rsa", exponent, &modulus])
    }

    #[test]
    fn good_recipients_are_their_own_canonical_form() {
        let good = [
            X25519.to_owned(),
            bech32("age1pq", HYBRID_BYTES),
            bech32("age1yubikey", 33),
            bech32("age1tag", 33),
            bech32("age1tagpq", 1184 + 65),
            bech32("age1a+b.c_d-", 0),
            ED25519.to_owned(),
            rsa(&[1, 0, 1], 256),
            rsa(&[3], 512),
        ];
        for text in good {
            assert_eq!(Age.parse(&text), Ok(Identity::new(text.as_str())), "{text}");
        }
        assert_eq!(bech32("age1pq", HYBRID_BYTES).len(), 1959);
    }

    #[test]
    fn white_space_and_ssh_comments_are_no_part_of_a_recipient() {
        for text in [format!(" {X25519}\n"), format!("\u{a0}{X25519}")] {
            assert_eq!(Age.parse(&text).map(|it| it.id).as_deref(), Ok(X25519));
        }
        let spaced = ED25519.replace(' ', " \t ");
        for text in [format!("{ED25519} me@laptop private key"), spaced] {
            assert_eq!(Age.parse(&text).map(|it| it.id).as_deref(), Ok(ED25519));
        }
    }

    #[test]
    fn bad_recipients_say_what_is_wrong() {
        let cases = [
            (X25519.to_uppercase(), "capitals"),
            (X25519.replace("dredk", "dREDK"), "characters"),
            (X25519.replace("dredk", "drekd"), "checksum"),
            (X25519[..40].to_owned(), "checksum"),
            (format!("{X25519}\n{X25519}"), "white space"),
            (bech32("age", 31), "longer or shorter"),
            (bech32("age1pq", 1184), "longer or shorter"),
            (bech32("age1", 32), "plugin"),
            (bech32("age1a/b", 32), "plugin"),
            (bech32("age1pq1x", HYBRID_BYTES), "plugin"),
            ("age1".to_owned(), "checksum"),
            ("someone@example.com".to_owned(), "not an age recipient"),
            ("ecdsa-sha2-nistp256 AAAA".to_owned(), "ssh-ed25519"),
            ("sk-ssh-ed25519@openssh.com AAAA".to_owned(), "ssh-ed25519"),
            (ED25519.to_uppercase(), "ssh-ed25519"),
            ("ssh-ed25519".to_owned(), "no key after"),
            (rsa(&[1, 0, 1], 258).trim_end_matches('=').to_owned(), "padding"),
            (ED25519.replace('/', "_"), "base64"),
            (ED25519.replace("ssh-ed25519", "ssh-rsa"), "contains another"),
            (format!("{ED25519}\n{ED25519}"), "several lines"),
            (ssh("ssh-ed25519", &[b"ssh-ed25519", &[7; 31]]), "damaged"),
            (ssh("ssh-ed25519", &[b"ssh-ed25519", &[7; 32], b""]), "damaged"),
            (ssh("ssh-rsa", &[b"ssh-rsa", &[3]]), "damaged"),
            (ssh("ssh-dss", &[b"ssh-dss", &[3]]), "ssh-ed25519"),
            (rsa(&[1, 0, 1], 255), "2048"),
            (rsa(&[1], 256), "exponent"),
            (rsa(&[4], 256), "exponent"),
            (rsa(&[1, 0, 0, 1], 256), "exponent"),
        ];
        for (text, reason) in cases {
            let error = Age.parse(&text).expect_err(&text);
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn stray_bits_are_refused_as_age_refuses_them() {
        let text = "age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyq3vu364j";
        let error = Age.parse(text).expect_err("the last character has a bit too many");
        assert!(error.reason.contains("stray bits"), "{error}");
    }

    #[test]
    fn the_checksum_is_bech32() {
        LongBech32::sanity_check();
    }
}
