//! A fake gpg that logs its arguments.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::fixtures;

/// A fake gpg, and a home directory with a keyring for it.
pub(crate) struct FakeGpg {
    home: tempfile::TempDir,
}

impl FakeGpg {
    /// Creates a fake gpg. `has`: the private keys that it lists, of `ed` and `rsa`. `decrypt`: a shell command
    /// that it runs for `--decrypt`.
    pub(crate) fn new(has: &[&str], decrypt: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory can be made");
        let listing = home.path().join("listing");
        let keys = fixtures().join("vectors/3.11.0/keys/pgp");
        let read = |name: &&str| fs::read_to_string(keys.join(format!("{name}.colons.txt")));
        let texts = has.iter().map(|name| read(name).expect("the key has a listing"));
        fs::write(&listing, texts.collect::<String>()).expect("a listing can be written");
        fs::write(home.path().join("pubring.kbx"), "").expect("a keyring can be written");
        write_program(
            &home.path().join("gpg"),
            &format!(
                "printf '%s\\n' \"$*\" >> '{asked}'\ncase \"$*\" in\n\
                 *--list-secret-keys*) cat '{listing}' ;;\n\
                 *--decrypt*) {decrypt}\n;;\n*) exit 2 ;;\nesac\n",
                asked = home.path().join("asked").display(),
                listing = listing.display(),
            ),
        );
        Self { home }
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.home.path().join("gpg")
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Returns the arguments of each call that contain `option`.
    pub(crate) fn asked(&self, option: &str) -> Vec<String> {
        let text = fs::read_to_string(self.home.path().join("asked")).unwrap_or_default();
        text.lines().filter(|line| line.contains(option)).map(str::to_owned).collect()
    }
}

/// Writes a shell script with these lines.
pub(crate) fn write_program(path: &Path, lines: &str) {
    fs::write(path, format!("#!/bin/sh\n{lines}")).expect("a program can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it can be run");
}
