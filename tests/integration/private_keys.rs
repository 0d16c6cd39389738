//! Tests when sops-lint looks for private keys, and how often it runs a program for them.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::gpg::{FakeGpg, write_program};
use crate::peers;
use crate::support::{Run, fixtures, sops_lint_with};

fn vectors() -> PathBuf {
    fixtures().join("vectors/3.11.0")
}

/// Creates a tree with a copy of a vector for each name.
fn tree(names: &[&str]) -> tempfile::TempDir {
    let tree = tempfile::tempdir().expect("made");
    for (number, name) in names.iter().enumerate() {
        let target = tree.path().join(format!("{number}-{name}"));
        fs::copy(vectors().join("enc").join(name), target).expect("copied");
    }
    tree
}

/// Creates a command that prints Alice's identity and logs the recipient.
fn key_command(directory: &Path) -> (PathBuf, PathBuf) {
    let (program, asked) = (directory.join("command"), directory.join("asked"));
    let key = vectors().join("keys/age/alice.txt");
    let lines = format!(
        "printf '%s\\n' \"$SOPS_AGE_RECIPIENT\" >> '{}'\ncat '{}'\n",
        asked.display(),
        key.display()
    );
    write_program(&program, &lines);
    (program, asked)
}

fn scan(tree: &Path, gpg: &FakeGpg, more: &[(&str, &Path)], args: &[&str]) -> Run {
    let program = gpg.program();
    let mut variables = vec![("SOPS_GPG_EXEC", &*program), ("GNUPGHOME", gpg.home())];
    variables.extend(more);
    sops_lint_with(tree, &[&["scan", "--format", "json"], args].concat(), &variables)
}

fn number(run: &Run, name: &str) -> u64 {
    run.json()["summary"][name].as_u64().expect("a number")
}

const AGE: &str = "12-scalars.yaml";
const RSA: &str = "28-pgp-rsa4096.yaml";
const ED: &str = "29-pgp-ed25519.yaml";
const BOTH: &str = "30-pgp-two.yaml";

#[test]
fn no_program_is_run_before_a_file_needs_it() {
    let directory = tempfile::tempdir().expect("made");
    let (command, asked) = key_command(directory.path());
    let run = |names: &[&str], args: &[&str]| {
        let gpg = FakeGpg::new(&["ed", "rsa"], "exit 1");
        let tree = tree(names);
        fs::write(tree.path().join("plain.yaml"), "a: 1\n").expect("written");
        let run = scan(tree.path(), &gpg, &[("SOPS_AGE_KEY_CMD", &command)], args);
        assert_eq!(number(&run, "encrypted_files"), names.len() as u64, "{run:?}");
        let was_asked = fs::remove_file(&asked).is_ok();
        (was_asked, gpg.asked("secret").len() + gpg.asked("--decrypt").len())
    };
    assert_eq!(run(&[], &[]), (false, 0), "no file is encrypted");
    assert_eq!(run(&[AGE, RSA], &["--verify", "never"]), (false, 0), "none is to be opened");
    assert_eq!(run(&[AGE], &[]), (true, 0), "gpg is of no use");
    assert_eq!(run(&[RSA], &[]), (false, 2), "an age key is of no use");
}

/// A place for keys: the value of a variable, a file that a variable names, or a file below home.
enum Place {
    Variable(&'static str),
    Named(&'static str),
    Below(&'static str),
}

#[test]
fn identities_are_found_wherever_sops_looks() {
    const SSH: &str = "26-age-ssh-ed25519.yaml";
    let (alice, ssh) =
        (vectors().join("keys/age/alice.txt"), vectors().join("keys/ssh/id_ed25519"));
    for (place, key, name) in [
        (Place::Variable("SOPS_AGE_KEY"), &alice, AGE),
        (Place::Named("SOPS_AGE_KEY_FILE"), &alice, AGE),
        (Place::Named("SOPS_AGE_SSH_PRIVATE_KEY_FILE"), &ssh, SSH),
        (Place::Below(".config/sops/age/keys.txt"), &alice, AGE),
        (Place::Below("settings/sops/age/keys.txt"), &alice, AGE),
        (Place::Below(".ssh/id_ed25519"), &ssh, SSH),
        (Place::Below(".ssh/id_rsa"), &vectors().join("keys/ssh/id_rsa"), "27-age-ssh-rsa.yaml"),
    ] {
        let home = tempfile::tempdir().expect("made");
        let (settings, text) =
            (home.path().join("settings"), fs::read_to_string(key).expect("read"));
        let mut variables = vec![("HOME", home.path())];
        let title = match place {
            Place::Variable(variable) => {
                variables.push((variable, Path::new(&text)));
                variable
            }
            Place::Named(variable) => {
                variables.push((variable, key));
                variable
            }
            Place::Below(path) => {
                if path.starts_with("settings") {
                    variables.push(("XDG_CONFIG_HOME", &settings));
                } else if path.starts_with(".config") && cfg!(target_os = "macos") {
                    continue;
                }
                let target = home.path().join(path);
                fs::create_dir_all(target.parent().expect("below")).expect("made");
                fs::copy(key, target).expect("copied");
                path
            }
        };
        let tree = tree(&[name]);
        let run = sops_lint_with(tree.path(), &["scan", "--format", "json"], &variables);
        assert_eq!(number(&run, "verified"), 1, "{title}: {run:?}");
    }
}

#[test]
fn key_groups_are_opened_by_their_threshold() {
    let alice = vectors().join("keys/age/alice.txt");
    let run = |names: &[&str], gpg: &FakeGpg| {
        scan(tree(names).path(), gpg, &[("SOPS_AGE_KEY_FILE", &alice)], &["-v"])
    };
    let gpg = FakeGpg::new(&[], "exit 1");
    let two = run(&["33-key-groups-2of2.yaml"], &gpg);
    assert_eq!((number(&two, "verified"), two.code), (0, Some(0)), "{two:?}");
    let why = "private keys for only 1 of the 2 key groups that it needs";
    assert!(two.json()["skipped"][0]["reason"] == why, "{two:?}");
    // A key that could not be used is more helpful than the number of groups.
    let gpg = FakeGpg::new(&["rsa"], "exit 1");
    let reason = run(&["34-key-groups-2of3.yaml"], &gpg).json()["skipped"][0]["reason"].to_string();
    assert!(reason.contains("gpg has a key for it but did not open it"), "{reason}");
    // Her key opens one group, her gpg another. The third is for another person.
    let key = vectors().join("keys/pgp/rsa.sec.asc");
    let tree = tree(&["34-key-groups-2of3.yaml"]);
    let variables = [("SOPS_AGE_KEY_FILE", &*alice), ("SOPS_LINT_PGP_KEY_FILE", &*key)];
    let run = sops_lint_with(tree.path(), &["scan", "--format", "json"], &variables);
    assert_eq!(number(&run, "verified"), 1, "{run:?}");
}

#[test]
fn a_key_command_is_run_once_for_each_recipient() {
    let directory = tempfile::tempdir().expect("made");
    let (command, asked) = key_command(directory.path());
    let tree = tree(&[AGE, AGE, "18-comments.yaml", "23-two-age.yaml"]);
    let run = sops_lint_with(
        tree.path(),
        &["scan", "--format", "json"],
        &[("SOPS_AGE_KEY_CMD", &command)],
    );
    assert_eq!(number(&run, "verified"), 4, "{run:?}");
    let asked = fs::read_to_string(asked).expect("it was asked");
    let mut recipients: Vec<&str> = asked.lines().collect();
    recipients.sort_unstable();
    recipients.dedup();
    assert_eq!(asked.lines().count(), recipients.len(), "{asked}");
}

/// Creates a tree with a vector that has these stanzas before its own.
fn with_strangers(name: &str, list: &str, stanzas: &str) -> tempfile::TempDir {
    let tree = tree(&[name]);
    let path = tree.path().join(format!("0-{name}"));
    let text = fs::read_to_string(&path).expect("copied");
    let list = format!("    {list}:\n");
    assert!(text.contains(&list));
    fs::write(&path, text.replacen(&list, &format!("{list}{stanzas}"), 1)).expect("written");
    tree
}

#[test]
fn a_key_command_is_run_for_many_recipients_and_not_for_any_number() {
    let stranger = || {
        let recipient = age::x25519::Identity::generate().to_public();
        let enc = age::encrypt_and_armor(&recipient, &[7; 32]).expect("a public key is enough");
        let enc = enc.trim_end().replace('\n', "\n            ");
        format!("        - recipient: {recipient}\n          enc: |\n            {enc}\n")
    };
    for (strangers, verified, asked_for) in [(30, 1, 31), (300, 0, 100)] {
        let directory = tempfile::tempdir().expect("made");
        let (command, asked) = key_command(directory.path());
        let stanzas: String = (0..strangers).map(|_| stranger()).collect();
        let tree = with_strangers(AGE, "age", &stanzas);
        let arguments = &["scan", "--format", "json"];
        let run = sops_lint_with(tree.path(), arguments, &[("SOPS_AGE_KEY_CMD", &command)]);
        let numbers = (number(&run, "verified"), number(&run, "unverified"));
        assert_eq!(numbers, (verified, 1 - verified), "{strangers}: {run:?}");
        let asked = fs::read_to_string(asked).expect("it was asked");
        assert_eq!(asked.lines().count(), asked_for, "{strangers}");
        assert_eq!(run.stdout.contains("it has too many data keys"), verified == 0, "{run:?}");
    }
}

#[test]
fn gpg_is_not_asked_about_what_is_no_message() {
    let stanza = |number| {
        format!(
            "        - created_at: \"2026-11-22T07:08:52Z\"\n          enc: x\n          fp: {number:040X}\n"
        )
    };
    let tree = with_strangers(RSA, "pgp", &(0..500).map(stanza).collect::<String>());
    let gpg = FakeGpg::new(&["ed"], "exit 1");
    let run = scan(tree.path(), &gpg, &[], &[]);
    assert_eq!(number(&run, "unverified"), 1, "{run:?}");
    assert_eq!(gpg.asked("--decrypt"), Vec::<String>::new());
}

#[test]
fn gpg_is_asked_once_for_its_keys_and_once_about_each_data_key_of_these() {
    // Copies of a file have the same data key.
    for (has, decrypted) in [(&[][..], 0), (&["ed"], 2), (&["ed", "rsa"], 3)] {
        let gpg = FakeGpg::new(has, "exit 1");
        let tree = tree(&[RSA, RSA, ED, ED, ED, BOTH, AGE]);
        let run = scan(tree.path(), &gpg, &[], &[]);
        assert_eq!((number(&run, "verified"), number(&run, "unverified")), (0, 7), "{run:?}");
        assert_eq!(gpg.asked("--list-secret-keys").len(), 1, "{has:?}");
        let asked = gpg.asked("--decrypt");
        // Both data keys of a file are tried, because neither opens.
        let more = usize::from(has.len() == 2);
        assert_eq!(asked.len(), decrypted + more, "{has:?}: {asked:?}");
        // The agent may use a cached passphrase, but must not ask for one.
        assert!(asked.iter().all(|line| line.contains("--batch --no-tty")), "{asked:?}");
        assert!(asked.iter().all(|line| line.contains("--pinentry-mode error")), "{asked:?}");
    }
    let gpg = FakeGpg::new(&["ed"], "exit 1");
    scan(tree(&[ED]).path(), &gpg, &[], &["--verify", "always"]);
    let asked = gpg.asked("--decrypt");
    assert!(asked.len() == 1 && !asked[0].contains("pinentry"), "{asked:?}");
}

#[test]
fn a_data_key_is_opened_once_for_a_file() {
    let key = tempfile::NamedTempFile::new().expect("made");
    let files: serde_json::Value =
        serde_json::from_slice(&fs::read(vectors().join("datakeys.json")).expect("read"))
            .expect("JSON");
    let digits = files[BOTH]["datakey_hex"].as_str().expect("digits");
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
    fs::write(key.path(), (0..64).step_by(2).map(byte).collect::<Vec<u8>>()).expect("written");
    let gpg = FakeGpg::new(&["ed", "rsa"], &format!("cat '{}'", key.path().display()));
    let run = scan(tree(&[BOTH]).path(), &gpg, &[], &[]);
    assert_eq!(number(&run, "verified"), 1, "{run:?}");
    assert_eq!(gpg.asked("--decrypt").len(), 1, "the key of its other recipient is available, too");
}

#[test]
fn the_real_gpg_opens_what_is_for_its_keys() {
    let home = tempfile::tempdir().expect("made");
    let gpg = |args: &[&str]| {
        let mut command = std::process::Command::new("gpg");
        command.args(["--batch", "--quiet", "--homedir"]).arg(home.path()).args(args);
        command.output().is_ok_and(|output| output.status.success())
    };
    let keys = ["rsa", "ed"].map(|name| vectors().join(format!("keys/pgp/{name}.sec.asc")));
    let keys = keys.map(|path| path.display().to_string());
    if !gpg(&["--import", &keys[0], &keys[1]]) {
        return peers::skip("the real gpg", "gpg");
    }
    let tree = tree(&[RSA, ED, BOTH, "31-age-and-pgp.yaml", "32-pgp-subkey-fp.yaml"]);
    let args = ["scan", "--format", "json"];
    let run = sops_lint_with(tree.path(), &args, &[("GNUPGHOME", home.path())]);
    let _ = std::process::Command::new("gpgconf")
        .arg("--homedir")
        .arg(home.path())
        .args(["--kill", "all"])
        .status();
    assert_eq!((number(&run, "verified"), number(&run, "unverified")), (5, 0), "{run:?}");
}

#[test]
fn a_plugin_is_run_where_the_user_wants_it_and_left_alone_otherwise() {
    let directory = tempfile::tempdir().expect("made");
    let asked = directory.path().join("asked");
    let lines = format!("echo \"$*\" >> '{}'\n", asked.display());
    write_program(&directory.path().join("age-plugin-test"), &lines);
    let prefix = bech32::Hrp::parse_unchecked("age-plugin-test-");
    let identity = bech32::encode_upper::<bech32::Bech32>(prefix, &[7; 8]).expect("short");
    let path = std::env::var("PATH").expect("there is a shell somewhere");
    let path = format!("{}:{path}", directory.path().display());
    let tree = tree(&[AGE]);
    for (verify, is_asked) in [("never", false), ("auto", false), ("always", true)] {
        let variables = [("SOPS_AGE_KEY", Path::new(&identity)), ("PATH", Path::new(&path))];
        let args = ["scan", "--format", "json", "--verify", verify];
        let run = sops_lint_with(tree.path(), &args, &variables);
        assert_eq!((number(&run, "verified"), number(&run, "errors")), (0, 0), "{run:?}");
        assert_eq!(fs::remove_file(&asked).is_ok(), is_asked, "{verify}: {run:?}");
    }
}

/// Encrypts Alice's identity with the passphrase `canary`.
fn locked(directory: &Path) -> PathBuf {
    let identity = fs::read(vectors().join("keys/age/alice.txt")).expect("read");
    let mut recipient = age::scrypt::Recipient::new("canary".to_owned().into());
    // Some milliseconds: the file protects nothing.
    recipient.set_work_factor(4);
    let recipients = std::iter::once(&recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).expect("there is one");
    let mut file = Vec::new();
    let mut writer = encryptor.wrap_output(&mut file).expect("memory can be written");
    writer.write_all(&identity).expect("memory can be written");
    writer.finish().expect("memory can be written");
    let path = directory.join("identities.age");
    fs::write(&path, file).expect("written");
    path
}

#[test]
fn without_a_terminal_no_passphrase_is_asked_for() {
    let directory = tempfile::tempdir().expect("made");
    let (key, tree) = (locked(directory.path()), tree(&[AGE]));
    for (verify, code, said) in [
        ("auto", Some(0), "is protected by a passphrase, for which only --verify always asks"),
        ("always", Some(2), "was not unlocked by a passphrase"),
    ] {
        let args = ["scan", "--verify", verify];
        let run = sops_lint_with(tree.path(), &args, &[("SOPS_AGE_KEY_FILE", &key)]);
        let text = format!("{}{}", run.stdout, run.stderr);
        assert!(text.contains(said) && !text.contains("Passphrase"), "{verify}: {run:?}");
        assert_eq!(run.code, code, "{verify}: {run:?}");
    }
}

/// Runs a program in a pseudo-terminal and types `canary` if it asks for a passphrase.
const TERMINAL: &str = "
import os, pty, sys, termios, time
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
output = b''
while True:
    try:
        more = os.read(terminal, 4096)
    except OSError:
        break
    if not more:
        break
    before = output.count(b'Passphrase')
    output += more
    if output.count(b'Passphrase') > before:
        while termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(terminal, b'canary\\n')
sys.stdout.buffer.write(output)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";

#[test]
fn on_a_terminal_a_passphrase_is_asked_for_where_the_user_wants_it() {
    let directory = tempfile::tempdir().expect("made");
    let (key, tree) = (locked(directory.path()), tree(&[AGE, "18-comments.yaml"]));
    let run = |verify: &str| {
        let output = std::process::Command::new("python3")
            .args(["-c", TERMINAL, env!("CARGO_BIN_EXE_sops-lint"), "scan", "--verify", verify])
            .current_dir(tree.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", directory.path())
            .env("SOPS_AGE_KEY_FILE", &key)
            .output();
        let output = output.expect("python3 is installed, as it is for the other tests");
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
    };
    let (text, code) = run("always");
    assert_eq!(text.matches("Passphrase").count(), 1, "once for two files: {text}");
    assert!(text.contains("Verified: 2 encrypted files") && code == Some(0), "{code:?}: {text}");
    assert!(!text.contains("canary"), "the passphrase was shown: {text}");
    let (text, _) = run("auto");
    assert!(!text.contains("Passphrase") && text.contains("Not verified"), "{text}");
}

/// Each run of the command waits for the other, so one that blocks the other opens nothing.
#[test]
fn a_key_command_does_not_block_the_files_of_other_recipients() {
    let tree = tempfile::tempdir().expect("made");
    for file in ["12-scalars.yaml", "56-age-pq.yaml"] {
        let vector = fixtures().join("vectors/3.11.0/enc").join(file);
        fs::copy(vector, tree.path().join(file)).expect("copied");
    }
    let keys = fixtures().join("keys/age");
    let place = tempfile::tempdir().expect("made");
    let command = place.path().join("keys.sh");
    let started = place.path().join("started").display().to_string();
    let keys = format!("{0}/alice.txt {0}/pq.txt", keys.display());
    write_program(
        &command,
        &format!(
            ": > \"{started}.$$\"\nn=0\n\
             while [ \"$(ls \"{started}\".* | wc -l)\" -lt 2 ]; do\n\
             n=$((n + 1)); [ $n -lt 200 ] || exit 1; sleep 0.05\ndone\ncat {keys}\n"
        ),
    );
    let args = ["scan", "--format", "json", "--threads", "2"];
    let run = sops_lint_with(tree.path(), &args, &[("SOPS_AGE_KEY_CMD", &command)]);
    assert_eq!(number(&run, "verified"), 2, "{run:?}");
}
