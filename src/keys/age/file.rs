//! Checks of an age file that contains one data key.
//!
//! sops writes one armored file for each recipient, with one stanza (age's specification,
//! `C2SP/age.md`). The MAC of the header and the payload are not verified: that takes a key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};

use crate::keys::data_key::{MalformedDataKey, dearmor};

/// Bytes of a payload: the nonce, a data key of 32 bytes or a share of 33, and a tag.
const PAYLOAD: [usize; 2] = [16 + 32 + 16, 16 + 33 + 16];

/// Checks a data key that is encrypted to `recipient`, an age recipient in its canonical form.
pub(super) fn check(recipient: &str, enc: &str) -> Result<(), MalformedDataKey> {
    let file = dearmor(enc, "AGE ENCRYPTED FILE")?;
    let (header, payload) = split(&file).ok_or_else(|| {
        MalformedDataKey::new("is damaged: it does not contain a whole header of an age file")
    })?;
    let stanzas: Vec<Vec<&str>> = header
        .lines()
        .filter_map(|line| line.strip_prefix("-> "))
        .map(|arguments| arguments.split(' ').collect())
        // rage adds a stanza of noise.
        .filter(|arguments: &Vec<&str>| !arguments[0].ends_with("-grease"))
        .collect();
    let [stanza] = &stanzas[..] else {
        let reason = format!("is for {} recipients, where sops writes one", stanzas.len());
        return Err(MalformedDataKey::unusual(reason));
    };
    check_stanza(recipient, stanza)?;
    if !PAYLOAD.contains(&payload.len()) {
        return Err(MalformedDataKey::new(format!(
            "is cut off or damaged: its payload has {} bytes, not {} or {}",
            payload.len(),
            PAYLOAD[0],
            PAYLOAD[1]
        )));
    }
    Ok(())
}

/// Splits a file into its header, and the payload after the line of its MAC.
fn split(file: &[u8]) -> Option<(&str, &[u8])> {
    const VERSION: &[u8] = b"age-encryption.org/v1\n";
    let mac = memchr::memmem::find(file, b"\n--- ")?;
    let end = mac + 1 + memchr::memchr(b'\n', &file[mac + 1..])?;
    let header = std::str::from_utf8(&file[..=mac]).ok()?;
    file.starts_with(VERSION).then(|| (header, &file[end + 1..]))
}

fn check_stanza(recipient: &str, stanza: &[&str]) -> Result<(), MalformedDataKey> {
    let kind = stanza[0];
    if kind == "scrypt" {
        return Err(MalformedDataKey::new(
            "is encrypted with a passphrase, which sops never asks for",
        ));
    }
    let expected = match recipient {
        ssh if ssh.starts_with("ssh-ed25519 ") => "ssh-ed25519",
        ssh if ssh.starts_with("ssh-rsa ") => "ssh-rsa",
        // Plugins choose the names of their stanzas.
        native if native.rfind('1') == Some("age".len()) => "X25519",
        hybrid if hybrid.starts_with("age1pq1") => "mlkem768x25519",
        _ => return Ok(()),
    };
    if kind != expected {
        return Err(MalformedDataKey::new(
            "is encrypted to another kind of key than its recipient is",
        ));
    }
    match recipient.split_once(' ') {
        Some((_, key)) if ssh_tag(key).is_some_and(|tag| stanza.get(1) != Some(&&*tag)) => {
            Err(MalformedDataKey::new("is encrypted to another SSH key than its recipient"))
        }
        _ => Ok(()),
    }
}

/// Returns the name of an SSH key in age: four bytes of its hash.
fn ssh_tag(key: &str) -> Option<String> {
    let wire = base64::engine::general_purpose::STANDARD.decode(key).ok()?;
    Some(STANDARD_NO_PAD.encode(&Sha256::digest(wire)[..4]))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const RECIPIENT: &str = "age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh";

    fn armored(header: &str, payload: usize) -> String {
        let mut file = format!("age-encryption.org/v1\n{header}--- bWFj\n").into_bytes();
        file.extend(vec![7; payload]);
        let body = STANDARD.encode(file);
        format!("-----BEGIN AGE ENCRYPTED FILE-----\n{body}\n-----END AGE ENCRYPTED FILE-----\n")
    }

    #[test]
    fn one_stanza_that_fits_its_recipient_is_good() {
        let ssh = format!("ssh-ed25519 {}", STANDARD.encode("key"));
        let tag = ssh_tag(&STANDARD.encode("key")).expect("base64");
        for (recipient, header) in [
            (RECIPIENT, "-> X25519 share\nbody\n".to_owned()),
            (RECIPIENT, "-> X25519 share\nbody\n-> x-grease a\nbody\n".to_owned()),
            ("age1yubikey1qqqq", "-> piv-p256 a b\nbody\n".to_owned()),
            ("age1pq1qqqq", "-> mlkem768x25519 a\nbody\n".to_owned()),
            (&ssh, format!("-> ssh-ed25519 {tag} share\nbody\n")),
        ] {
            assert_eq!(check(recipient, &armored(&header, 64)), Ok(()), "{recipient}: {header}");
        }
    }

    #[test]
    fn anything_else_is_named() {
        let good = armored("-> X25519 share\nbody\n", 64);
        for (enc, reason) in [
            (good.replace("-----END AGE ENCRYPTED FILE-----\n", ""), "cut off"),
            (good.replace("-----BEGIN AGE", "-----BEGIN PGP"), "does not begin"),
            (good.replace("\n-----END", "*\n-----END"), "base64"),
            (armored("", 64), "0 recipients"),
            (armored("-> X25519 a\nb\n-> X25519 a\nb\n", 64), "2 recipients"),
            (armored("-> scrypt a 18\nb\n", 64), "passphrase"),
            (armored("-> ssh-rsa tag\nb\n", 64), "another kind"),
            (armored("-> X25519 a\nb\n", 40), "40 bytes"),
        ] {
            let error = check(RECIPIENT, &enc).expect_err(reason);
            assert!(error.reason.contains(reason), "{error}");
        }
    }
}
