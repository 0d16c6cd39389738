//! Hints in the raw bytes and in the name of a file, before anything is parsed.
//!
//! Most files of a repository have nothing to do with secrets. One pass over the bytes tells
//! which ones can matter at all; only those are parsed.

mod needles;
mod secret;

use crate::document::FORMATS;
use crate::path::RepoPath;
use crate::pattern::globs::Globs;
use crate::private_key;

use needles::{Needle, Seen};
use secret::hides_words;
pub use secret::may_hold_secret;

/// Things that the bytes of a file hint at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent observations")]
pub struct Traces {
    /// A ciphertext of sops, or the fields of its metadata.
    pub sops: bool,
    /// A ciphertext of sops and the fields of its metadata: surely a file that sops made.
    pub encrypted: bool,
    /// A manifest that may be a Secret with values, without a trace of sops.
    pub secret: bool,
    /// An unencrypted private key.
    pub key: bool,
    /// A public key of OpenPGP, which explains recipients. No reason to parse.
    pub certificate: bool,
    /// A manifest that may give kustomize-controller a token.
    pub controller: bool,
    /// A kustomization or a generator that makes Secrets.
    pub generator: bool,
}

impl Traces {
    /// Reports whether the file has to be parsed.
    pub fn any(self) -> bool {
        self.sops || self.secret || self.key || self.controller || self.generator
    }
}

/// Looks for traces.
pub fn look(path: &RepoPath, bytes: &[u8]) -> Traces {
    let is_binary = is_binary(path, bytes);
    let seen = if is_binary { Seen::nothing() } else { Seen::of(bytes) };
    let ciphertext = seen.has(Needle::Ciphertext);
    let metadata = seen.has(Needle::Sops) && has_metadata_fields(bytes);
    let (sops, encrypted) = (ciphertext || metadata, ciphertext && metadata);
    // A file of sops is parsed in any case.
    let may_be_manifest = || is_read(path) || is_template(path) || begins_as_yaml(bytes);
    let secret = !sops && !is_binary && may_be_manifest() && secret::is_suspect(bytes, seen);
    // Base64 hides a key in the `data` of a Secret, which is looked at in any case.
    let (key, certificate) = private_key::look(bytes, seen.has(Needle::Key));
    let (controller, generator) = look_for_flux(path, bytes, seen);
    Traces { sops, encrypted, secret, key, certificate, controller, generator }
}

/// Reports whether a file is a picture, an archive or a program: no format of sops and no manifest has a NUL byte.
fn is_binary(path: &RepoPath, bytes: &[u8]) -> bool {
    const BEGINNING: usize = 8 * 1024;
    let beginning = &bytes[..bytes.len().min(BEGINNING)];
    memchr::memchr(0, beginning).is_some() && !is_read(path)
}

/// Reports whether the name of a file has a format of sops, or is one of kustomize.
fn is_read(path: &RepoPath) -> bool {
    is_kustomization(path) || FORMATS.iter().any(|format| format.is_for(path))
}

/// Returns false for a text that cannot begin with a map or a list, in YAML or JSON.
fn begins_as_yaml(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    lines.next().is_some_and(|line| {
        line.contains(&b':') || !line[0].is_ascii() || b"-?!&{[\"'%|>".contains(&line[0])
    })
}

/// Reports whether these are the words of sops' metadata. Many files contain `sops` alone
/// (`provider: sops`).
fn has_metadata_fields(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"lastmodified").is_some()
        || memchr::memmem::find(bytes, b"sops:\n").is_some()
        || memchr::memmem::find(bytes, b"sops: ").is_some()
        || memchr::memmem::find(bytes, b"sops:\r").is_some()
        || memchr::memmem::find(bytes, b"\"sops\"").is_some()
        || memchr::memmem::find(bytes, b"sops_mac=").is_some()
        || has_metadata_section(bytes)
}

/// Reports whether a line is the section of INI: a link in Markdown is none.
fn has_metadata_section(bytes: &[u8]) -> bool {
    const SECTION: &[u8] = b"[sops]";
    memchr::memmem::find_iter(bytes, SECTION).any(|at| {
        matches!(bytes[..at].last(), None | Some(b'\n' | 0xbf))
            && matches!(bytes.get(at + SECTION.len()), None | Some(b'\n' | b'\r'))
    })
}

/// The names by which kustomize finds what to build in a directory.
pub const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Returns true for the name of a kustomization. sops does not know the format of a `Kustomization`.
pub fn is_kustomization(path: &RepoPath) -> bool {
    KUSTOMIZATIONS.contains(&path.file_name())
}

/// Looks for what only manifests and kustomizations have: a controller with a token, a generator.
fn look_for_flux(path: &RepoPath, bytes: &[u8], seen: Seen) -> (bool, bool) {
    let name = path.file_name();
    let is_kustomization = is_kustomization(path);
    let ending = name.rsplit('.').next().unwrap_or_default();
    if !is_kustomization && !matches!(ending, "yaml" | "yml") {
        return (false, false);
    }
    let is_near = seen.has(Needle::Controller) || is_of_flux(path);
    let controller = is_near && has_token_variable(bytes);
    let makes_secrets = || memchr::memmem::find(bytes, b"ecretGenerator").is_some();
    // kustomize reads its keys in any case.
    let has_generator = || {
        const KEY: &[u8] = b"secretgenerator";
        bytes.windows(KEY.len()).any(|window| window.eq_ignore_ascii_case(KEY))
    };
    let generator = seen.has(Needle::Generator) && makes_secrets()
        || is_kustomization && has_generator()
        || is_kustomization && hides_words(bytes, seen)
        || seen.has(Needle::Ksops)
        || seen.has(Needle::Goabout);
    (controller, generator)
}

/// Reports whether a file is where `flux bootstrap` keeps the controllers.
pub fn is_of_flux(path: &RepoPath) -> bool {
    path.as_str().split('/').rev().skip(1).any(|directory| directory == "flux-system")
}

/// Reports whether a file has a variable that holds the credentials of a key service.
fn has_token_variable(bytes: &[u8]) -> bool {
    ["VAULT_TOKEN", "AZURE_CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY"]
        .iter()
        .any(|name| memchr::memmem::find(bytes, name.as_bytes()).is_some())
}

/// Reports whether a file name says that the file is encrypted: `*.sops.*`, `*.enc.*`,
/// `*.encrypted`, or one of these as its ending; or what `names` say instead.
pub fn claims_encryption(path: &RepoPath, names: Option<&Globs>) -> bool {
    if let Some(names) = names {
        // `*.sops.*` means `.sops.yaml` too, but its author does not.
        let is_config = path.file_name().starts_with(".sops");
        return names.matches(path.as_str())
            && !(is_config || is_template(path) || is_about_another(path));
    }
    let mut words = path.file_name().split('.');
    words.next();
    let claims = words.any(|word| matches!(word, "sops" | "enc" | "encrypted"));
    // `.sops.yaml` and `.sops.pub.asc` are about sops.
    claims
        && !path.file_name().starts_with(".sops")
        && !is_template(path)
        && !is_about_another(path)
        && claims_decryption(path).is_none()
}

/// Returns the name without the word that says "encrypted": `x.yaml` of `x.enc.yaml`.
pub fn plain_name(path: &RepoPath) -> Option<RepoPath> {
    if !claims_encryption(path, None) {
        return None;
    }
    let words = path.file_name().split('.');
    let plain: Vec<&str> =
        words.filter(|word| !matches!(*word, "sops" | "enc" | "encrypted")).collect();
    (plain.len() > 1).then(|| path.parent().join(&plain.join(".")))
}

/// The certainty of a claim in a file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nothing else is named so.
    Certain,
    /// Other things may be named so, too.
    Likely,
}

/// Reports whether a file name says that the file was decrypted: `x.yaml.dec`, `x.dec.yaml` as
/// helm-secrets writes them, `x.decrypted.yaml`, `decrypted~x.yaml`.
pub fn claims_decryption(path: &RepoPath) -> Option<Claim> {
    let name = path.file_name();
    if !name.contains("dec") || is_template(path) || is_about_another(path) {
        return None;
    }
    let words: Vec<&str> = name.split('.').skip(1).collect();
    let is_ending =
        |word: &str| word == "txt" || FORMATS.iter().any(|format| format.endings().contains(&word));
    let is_certain = match &words[..] {
        _ if name.starts_with("decrypted~") || words.contains(&"decrypted") => true,
        [.., before, "dec"] if is_ending(before) => true,
        [.., "dec", ending] if is_ending(ending) => true,
        [.., "dec"] => false,
        _ => return None,
    };
    Some(if is_certain { Claim::Certain } else { Claim::Likely })
}

/// Reports whether a file speaks of the file that it is named after: `db.sops.yaml.example`.
pub fn is_about_another(path: &RepoPath) -> bool {
    const ABOUT: [&str; 4] = ["example", "sample", "template", "dist"];
    let mut words = path.file_name().split('.').skip(1);
    is_prose(path) || words.any(|word| ABOUT.contains(&word))
}

/// Reports whether a file is written for people.
pub fn is_prose(path: &RepoPath) -> bool {
    let ending = path.file_name().rsplit('.').next().unwrap_or_default();
    matches!(ending, "license" | "md" | "rst" | "adoc")
}

/// Reports whether a file is written by a template engine, or switched off, before anything reads
/// it.
pub fn is_template(path: &RepoPath) -> bool {
    const ENDINGS: [&str; 7] =
        [".j2", ".jinja", ".jinja2", ".tmpl", ".gotmpl", ".tpl", ".disabled"];
    ENDINGS.iter().any(|ending| path.file_name().ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(text: &str) -> Traces {
        look(&"a.yaml".into(), text.as_bytes())
    }

    #[test]
    fn finds_what_matters() {
        assert!(looked("kind: Secret\nstringData: {a: b}").secret);
        assert!(looked("{\"kind\": \"Secret\", \"data\": {}}").secret);
        assert!(looked("a: ENC[AES256_GCM,data:x").sops);
        assert!(looked("sops:\n  mac: x").sops);
        assert!(looked("A=1\nsops_mac=x").sops);
        assert!(looked("[a]\nb = c\n\n[sops]\r\nmac = x").sops);
        assert!(looked("x: AGE-SECRET-KEY-1").key);
        assert!(looked("-----BEGIN PGP PRIVATE KEY BLOCK-----").key);
    }

    #[test]
    fn tells_public_keys_from_private_ones() {
        let armor = |what| format!("key: |\n  -----BEGIN PGP {what} KEY BLOCK-----\n");
        let public = looked(&armor("PUBLIC"));
        assert!(public.certificate && !public.key && !public.any());
        let private = looked(&armor("PRIVATE"));
        assert!(private.key && !private.certificate);
        let both = looked(&(armor("PUBLIC") + &armor("PRIVATE")));
        assert!(both.key && both.certificate);
        let binary = |tag| look(&"key.gpg".into(), &[tag, 51, 4, 0x6b, 2, 0x94, 0x64, 22, 9]);
        assert!(binary(0x98).certificate && !binary(0x98).key);
        assert!(binary(0x94).key && !binary(0x94).certificate);
        assert!(!binary(0xb8).certificate);
    }

    #[test]
    fn passes_over_what_does_not() {
        assert!(
            !looked("kind: HelmRelease\nmetadata: {}\nspec: {valuesFrom: [{kind: Secret}]}").any()
        );
        assert!(!looked("decryption:\n  provider: sops\n").any());
        assert!(!looked("kind: ConfigMap\ndata: {}").any());
        assert!(!looked("Read the manual of\n[sops](https://getsops.io) first.").any());
        assert!(!looked("\u{95}").any());
    }

    #[test]
    fn a_name_claims_decryption() {
        let claim = |path: &str| claims_decryption(&path.into());
        for path in
            ["a/x.yaml.dec", "x.dec.yaml", "x.decrypted.json", "decrypted~x", "x.enc.yaml.dec"]
        {
            assert_eq!(claim(path), Some(Claim::Certain), "{path}");
        }
        assert_eq!(claim("x.dec"), Some(Claim::Likely));
        for path in ["dec.yaml", "decrypted.yaml", "x.dec.go", "x.decrypted.md", "x.dec.yaml.tmpl"]
        {
            assert_eq!(claim(path), None, "{path}");
        }
        assert_eq!(plain_name(&"a/x.enc.yaml".into()), Some("a/x.yaml".into()));
        assert_eq!(plain_name(&"a/x.yaml".into()), None);
        assert_eq!(plain_name(&"a/.env.enc".into()), Some("a/.env".into()));
        assert_eq!(plain_name(&"a/.enc.env".into()), Some("a/.env".into()));
        assert_eq!(plain_name(&"a/x.encrypted".into()), None);
    }

    #[test]
    fn a_name_claims_encryption_in_the_middle_or_at_the_end() {
        let claims = |path: &str| claims_encryption(&path.into(), None);
        for path in [
            "a/db.sops.yaml",
            "db.enc.yml",
            "key.encrypted",
            "x.yaml.enc",
            "a.sops.env",
            ".env.enc",
            ".env.sops",
            ".enc.env",
        ] {
            assert!(claims(path), "{path}");
        }
        for path in [
            ".sops.yaml",
            "a/.sops.yaml",
            "sops.yaml",
            "encrypted.yaml",
            "db.sops.yaml.j2",
            "db.sops.yaml.example",
            "db.sops.md",
            ".sops.pub.asc",
        ] {
            assert!(!claims(path), "{path}");
        }
    }

    #[test]
    fn other_names_take_the_place_of_the_usual_ones() {
        let names = Globs::new(["*.secret.yaml", "vault/**", "*.sops.*"]).unwrap();
        let claims = |path: &str| claims_encryption(&path.into(), Some(&names));
        for path in ["a/db.secret.yaml", "vault/a/b", "x.sops.yaml"] {
            assert!(claims(path), "{path}");
        }
        for path in ["db.enc.yaml", "a/vault/b", ".sops.yaml", "x.sops.yaml.j2", "x.sops.md"] {
            assert!(!claims(path), "{path}");
        }
    }
}
