//! Judges a whole file under a config. The first byte chooses the name of the file; a line of `%%%`
//! separates the file from the config.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sops_lint::input::{Content, Input};
use sops_lint::judge::{self, Context, Scope};
use sops_lint::path::RepoPath;
use sops_lint::policy::Policy;
use sops_lint::tree::Tree;

const NAMES: [&str; 8] = [
    "a.yaml",
    "a.json",
    "a.sops.yaml",
    "b/.sops.yaml",
    "a.env",
    "a.ini",
    "templates/a.yaml",
    "key",
];
const SEPARATOR: &[u8] = b"\n%%%\n";

fuzz_target!(|bytes: &[u8]| {
    let Some((name, bytes)) = bytes.split_first() else { return };
    let at = bytes.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
    let (bytes, config) = at.map_or((bytes, &b""[..]), |at| {
        let (bytes, config) = bytes.split_at(at);
        (bytes, &config[SEPARATOR.len()..])
    });
    let path = NAMES[usize::from(*name) % NAMES.len()].into();
    let policy = Policy::load(["", "b"], |path| {
        Some(if path.as_str() == "b/.sops.yaml" { bytes } else { config }.to_vec())
    });
    let input = Input { path, content: Content::new(bytes.to_vec()) };
    let context = Context {
        policy: &policy,
        tree: &Empty,
        encrypted_names: None,
        scope: Scope::Everything,
        ring: None,
        today: 20_634,
    };
    for finding in judge::file(&input, context).findings {
        assert!(finding.place.start <= finding.place.end);
        let _ = finding.fingerprint();
    }
});

/// A tree without other files.
struct Empty;

impl Tree for Empty {
    fn read(&self, _: &RepoPath) -> std::io::Result<Content> {
        Err(std::io::ErrorKind::NotFound.into())
    }

    fn exists(&self, _: &RepoPath) -> bool {
        false
    }
}
