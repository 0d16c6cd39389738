//! PGP: fingerprints and key ids.
//!
//! Follows `pgp/keysource.go` of sops, which removes spaces and hands the rest to `gpg -r`. The
//! canonical form is upper case without `0x`. A `!` at the end is kept, because it selects one subkey.
//! `certificate` knows the subkeys of a key.

pub mod certificate;
mod encrypt;
mod fingerprint;
pub mod openpgp;
mod private;
pub(super) mod public_keys;

pub use public_keys::{PublicKeys, export};

use self::fingerprint::{FINGERPRINT, KEY_ID, LONG_FINGERPRINT, is_same_key, key_id};
use crate::document::Node;
use crate::document::splice::Block;
use crate::keys::data_key::{MalformedDataKey, dearmor};
use crate::keys::fields::{required, screen};
use crate::keys::identity::{Identity, InvalidRecipient, Oddity, Sameness};
use crate::keys::private::{PrivateKeys, Search};
use crate::keys::service::KeyService;
use crate::keys::wrapping::{Unwrappable, Wrapping};
use crate::private_key::{Form, FoundKey};
use crate::text::instant;

/// Hexadecimal digits of a short key id.
const SHORT_KEY_ID: usize = 8;

const WRITE_FINGERPRINT: &str = "write the whole fingerprint that gpg --fingerprint shows";

/// The PGP key service.
#[derive(Debug)]
pub(super) struct Pgp;

impl KeyService for Pgp {
    fn name(&self) -> &'static str {
        "PGP"
    }

    fn rule_field(&self) -> &'static str {
        "pgp"
    }

    fn has_certificates(&self) -> bool {
        true
    }

    fn label_field(&self) -> &'static str {
        "fp"
    }

    fn parse(&self, text: &str) -> Result<Identity, InvalidRecipient> {
        screen(text)?;
        let text = text.replace(' ', "");
        let (digits, is_subkey) = match text.strip_suffix('!') {
            Some(digits) => (digits, true),
            None => (text.as_str(), false),
        };
        let has_capital_x = digits.starts_with("0X");
        let digits =
            digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")).unwrap_or(digits);
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(not_hexadecimal(digits));
        }
        let oddity = match digits.len() {
            SHORT_KEY_ID => Some(SHORT_KEY_ID_ODDITY),
            KEY_ID => Some(KEY_ID_ODDITY),
            FINGERPRINT | LONG_FINGERPRINT => has_capital_x.then_some(CAPITAL_X_ODDITY),
            _ => return Err(wrong_length(digits.len())),
        };
        let mut id = digits.to_ascii_uppercase();
        if is_subkey {
            id.push('!');
        }
        Ok(Identity { id, oddity })
    }

    fn parse_stanza(&self, stanza: &Node<'_>) -> Result<Identity, InvalidRecipient> {
        self.parse(required(stanza, "fp")?)
    }

    fn private_keys(&self, search: &mut Search<'_>) -> Option<Box<dyn PrivateKeys>> {
        private::find(search)
    }

    /// Checks for a message whose first packet has tag 1: a session key, encrypted to a public key.
    fn check_data_key(&self, _identity: &Identity, enc: &str) -> Result<(), MalformedDataKey> {
        const SHORTEST: usize = 64;
        let message = dearmor(enc, "PGP MESSAGE")?;
        match message.first() {
            Some(0x84..=0x87 | 0xc1) if message.len() >= SHORTEST => Ok(()),
            Some(0x84..=0x87 | 0xc1) => Err(MalformedDataKey::new("is cut off")),
            _ => Err(MalformedDataKey::new("is not a message that is encrypted to a public key")),
        }
    }

    fn addressees(&self, enc: &str) -> Option<Vec<String>> {
        Some(openpgp::addressees(enc))
    }

    /// A recipient may be named by fingerprint or key id.
    fn recipients_of(&self, key: &FoundKey) -> Vec<String> {
        if !matches!(key.form, Form::OpenPgp | Form::OpenPgpBinary) {
            return Vec::new();
        }
        let fingerprints = openpgp::fingerprints(key.material.expose());
        let names = fingerprints.iter().flat_map(|fingerprint| {
            let id = key_id(fingerprint);
            [fingerprint, id, &id[id.len().saturating_sub(SHORT_KEY_ID)..]]
        });
        names.map(str::to_owned).collect()
    }

    fn can_wrap(&self) -> bool {
        true
    }

    fn wrap(&self, wrapping: &Wrapping<'_>) -> Result<Block, Unwrappable> {
        let id = &*wrapping.recipient.id;
        let fingerprint = id.trim_end_matches('!');
        if !matches!(fingerprint.len(), FINGERPRINT | LONG_FINGERPRINT) {
            return Err(Unwrappable::only_sops(
                "is a key id, which can be forged: write the whole fingerprint into the rule",
            ));
        }
        let cert = wrapping.public_keys.certificate(fingerprint).ok_or_else(|| {
            Unwrappable::new(
                "has no public key here",
                "add it to the repository as .sops.pub.asc, or import it into gpg",
            )
        })?;
        let exact = id.ends_with('!').then_some(fingerprint);
        let message = encrypt::encrypt(&cert, exact, wrapping.key, wrapping.now)?;
        Ok(Block::map([
            ("created_at", Block::Text(instant(wrapping.now))),
            ("enc", Block::Text(message)),
            ("fp", Block::Text(wrapping.label.replace(' ', ""))),
        ]))
    }

    /// A key id and the fingerprint that contains it are the same key. A subkey with `!` may belong to
    /// another fingerprint; only the certificate tells.
    fn compare(&self, one: &Identity, other: &Identity) -> Sameness {
        let (one, other) = (&*one.id, &*other.id);
        if is_same_key(one.trim_end_matches('!'), other.trim_end_matches('!')) {
            Sameness::Same
        } else if one.ends_with('!') != other.ends_with('!') {
            Sameness::Unknown
        } else {
            Sameness::Different
        }
    }
}

const SHORT_KEY_ID_ODDITY: Oddity = Oddity {
    reason: "is a key id of 8 digits, which can be forged and which gpg refuses to encrypt to",
    help: WRITE_FINGERPRINT,
};

const KEY_ID_ODDITY: Oddity = Oddity {
    reason: "is a key id, which can be forged, instead of a fingerprint",
    help: WRITE_FINGERPRINT,
};

const CAPITAL_X_ODDITY: Oddity = Oddity {
    reason: "begins with a capital 0X, which gpg refuses",
    help: "write the fingerprint without it",
};

fn not_hexadecimal(text: &str) -> InvalidRecipient {
    let reason = if text.contains('@') {
        "is a name or an e-mail address, and sops needs a fingerprint"
    } else {
        "is not a fingerprint: it contains characters other than 0-9 and A-F"
    };
    InvalidRecipient::new(reason, WRITE_FINGERPRINT)
}

fn wrong_length(digits: usize) -> InvalidRecipient {
    InvalidRecipient::new(
        format!("has {digits} hexadecimal digits where a fingerprint has {FINGERPRINT}"),
        WRITE_FINGERPRINT,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "5CCF8425D57B7B6B23A8F8B9B9A998A212A64C26";
    const SUBKEY: &str = "88B1740F8A92677DF7D20B22E4B4C4F84BC4E1E9";

    fn identity(text: &str) -> Identity {
        Pgp.parse(text).expect(text)
    }

    #[test]
    fn every_way_to_write_a_fingerprint_is_the_same() {
        let spaced = "5CCF 8425 D57B 7B6B 23A8  F8B9 B9A9 98A2 12A6 4C26";
        for text in [FULL, &FULL.to_lowercase(), &format!("0x{FULL}"), spaced] {
            assert_eq!(identity(text), Identity::new(FULL), "{text}");
        }
        assert_eq!(identity(&format!("0x{FULL}!")), Identity::new(format!("{FULL}!")));
        assert_eq!(identity(&"ab".repeat(32)), Identity::new("AB".repeat(32)));
    }

    #[test]
    fn key_ids_are_odd() {
        for (text, id) in [
            ("0xb9a998a212a64c26", "B9A998A212A64C26"),
            ("12A64C26", "12A64C26"),
            ("E4B4C4F84BC4E1E9!", "E4B4C4F84BC4E1E9!"),
            (&format!("0X{FULL}"), FULL),
        ] {
            let identity = identity(text);
            assert_eq!(identity.id, id);
            assert!(identity.oddity.is_some(), "{text}");
        }
    }

    #[test]
    fn names_and_cut_fingerprints_are_refused() {
        for text in [
            "rsa@throwaway.test",
            "Throwaway <rsa@throwaway.test>",
            "0x",
            "!",
            &FULL[1..],
            &format!("{FULL}!!"),
            &format!("{FULL}\n"),
            &format!("{FULL},{SUBKEY}"),
            "5C:CF:84:25",
            "ä",
        ] {
            assert!(Pgp.parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn key_ids_and_subkeys_are_compared_with_care() {
        use Sameness::{Different, Same, Unknown};
        let (exact, exact_subkey) = (format!("{FULL}!"), format!("{SUBKEY}!"));
        let version_6 = format!("{}{}", "0123456789ABCDEF", "00".repeat(24));
        let cases = [
            (FULL, FULL, Same),
            (FULL, &exact, Same),
            (FULL, "0xB9A998A212A64C26", Same),
            (FULL, "12A64C26", Same),
            ("B9A998A212A64C26", "12A64C26", Same),
            ("B9A998A212A64C26!", FULL, Same),
            (&version_6, "0123456789ABCDEF", Same),
            (&version_6, "89ABCDEF", Same),
            (&version_6, "0000000000000000", Different),
            (FULL, SUBKEY, Different),
            (FULL, "E4B4C4F84BC4E1E9", Different),
            (FULL, &exact_subkey, Unknown),
            (FULL, "E4B4C4F84BC4E1E9!", Unknown),
            (&exact, &exact_subkey, Different),
        ];
        for (one, other, expected) in cases {
            let (one, other) = (identity(one), identity(other));
            assert_eq!(Pgp.compare(&one, &other), expected, "{one:?} {other:?}");
            assert_eq!(Pgp.compare(&other, &one), expected, "{other:?} {one:?}");
        }
    }
}
