//! A case as a git repository, and a person who does what a help says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use super::edits::{Edit, Step, ways};
use super::hand;
use crate::support::{copy_into, fixtures, git_in};

const CIPHERTEXT: &str = "ENC[AES256_GCM,data:";
const CONFIG: &str = ".sops.yaml";

/// The people of the fixtures, who have private keys.
const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

/// A finding, as JSON has it.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) rule: String,
    pub(super) path: String,
    pub(super) help: String,
    pub(super) has_command: bool,
    level: String,
    place: String,
    message: String,
}

/// The programs and keys of a person.
pub(super) struct Equipment {
    directory: tempfile::TempDir,
}

impl Equipment {
    /// Collects everything: the private keys of all people of the fixtures, of age and of OpenPGP.
    pub(super) fn new(sops: &Path) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let equipment = Self { directory };
        let programs = equipment.programs();
        fs::create_dir(&programs).expect("made");
        let sops_lint = Path::new(env!("CARGO_BIN_EXE_sops-lint"));
        for (name, program) in [("sops", sops), ("sops-lint", sops_lint)] {
            symlink(program, programs.join(name)).expect("linked");
        }
        let keys = PEOPLE.map(|person| fs::read_to_string(key_of(person)).expect("a key"));
        fs::write(equipment.keys(), keys.concat()).expect("written");
        let keyring = equipment.keyring();
        fs::create_dir(&keyring).expect("made");
        fs::set_permissions(&keyring, fs::Permissions::from_mode(0o700)).expect("set");
        for name in ["rsa", "ed"] {
            let key = fixtures().join(format!("keys/pgp/{name}.sec.asc"));
            // Without gpg, cases with OpenPGP keys fail by themselves.
            let _ = Command::new("gpg")
                .args(["--batch", "--quiet", "--homedir"])
                .arg(&keyring)
                .arg("--import")
                .arg(key)
                .output();
        }
        equipment
    }

    fn programs(&self) -> PathBuf {
        self.directory.path().join("bin")
    }

    fn keys(&self) -> PathBuf {
        self.directory.path().join("keys.txt")
    }

    fn keyring(&self) -> PathBuf {
        self.directory.path().join("gnupg")
    }
}

impl Drop for Equipment {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf")
            .arg("--homedir")
            .arg(self.keyring())
            .args(["--kill", "all"])
            .output();
    }
}

/// Whether a help was followed. It is not if it was printed for another finding of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Followed {
    Yes,
    No,
}

/// The repository.
pub(super) struct Scene<'e> {
    equipment: &'e Equipment,
    directory: tempfile::TempDir,
    root: PathBuf,
    is_change: bool,
}

impl<'e> Scene<'e> {
    /// Makes one of a case. Its last commit has a good version of the file of a finding that is about to be
    /// restored.
    pub(super) fn new(case: &Path, equipment: &'e Equipment, finding: Option<&Finding>) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let root = directory.path().join("repo");
        let is_change = case.join("base").is_dir();
        let scene = Self { equipment, directory, root, is_change };
        let base = if is_change { case.join("base") } else { case.to_owned() };
        copy_into(&base, &scene.root, &["findings.txt", "base"]);
        scene.git(&["init", "--quiet", "--initial-branch=main"]);
        let help = finding.map(|finding| finding.help.as_str()).unwrap_or_default();
        match finding {
            Some(finding) if help.contains("--ours") => return scene.in_conflict(&finding.path),
            Some(finding) if help.contains("`git checkout HEAD") && !is_change => {
                scene.seal_sample(&finding.path, help.contains("sops edit"));
            }
            _ => {}
        }
        scene.commit();
        for entry in fs::read_dir(&scene.root).expect("it is there").flatten() {
            let path = entry.path();
            if entry.file_name() == ".git" {
            } else if path.is_dir() {
                fs::remove_dir_all(path).expect("removed");
            } else {
                fs::remove_file(path).expect("removed");
            }
        }
        copy_into(case, &scene.root, &["findings.txt", "base"]);
        scene.git(&["add", "--all", "--force"]);
        scene
    }

    /// Leaves a real merge unfinished, with a conflict in the file.
    fn in_conflict(self, path: &str) -> Self {
        self.seal_sample(path, true);
        self.commit();
        let is_dotenv = Path::new(path).extension().is_some_and(|ending| ending == "env");
        let key = if is_dotenv { r#"["PASSWORD"]"# } else { r#"["stringData"]["password"]"# };
        self.git(&["checkout", "--quiet", "-b", "theirs"]);
        for branch in ["theirs", "main"] {
            self.git(&["checkout", "--quiet", branch]);
            let set = self.sops(&["set", path, key, &format!("\"canary-of-{branch}\"")]);
            assert!(set.status.success(), "{path}: {set:?}");
            self.commit();
        }
        assert_ne!(git_in(&self.root, &["merge", "--quiet", "theirs"]).code, Some(0), "{path}");
        self
    }

    /// Writes a small file that sops encrypts as the case's config demands.
    /// `opens`: whether the person has to decrypt it.
    fn seal_sample(&self, path: &str, opens: bool) {
        let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: sample\nstringData:\n  user: canary\n  password: canary\n";
        let text = match Path::new(path).extension().and_then(|ending| ending.to_str()) {
            Some("json") => {
                r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sample"}, "stringData": {"user": "canary"}}"#
            }
            Some("env") => "USER=canary\nPASSWORD=canary\n",
            Some("ini") => "[database]\nuser = canary\npassword = canary\n",
            _ => secret,
        };
        fs::write(self.root.join(path), text).expect("written");
        let directories = Path::new(path).ancestors().skip(1);
        let config = directories
            .map(|place| place.join(CONFIG))
            .find(|config| self.root.join(config).exists());
        let under_config = config.is_some_and(|config| {
            let config = config.to_str().expect("UTF-8");
            self.sops(&["--config", config, "encrypt", "--in-place", path]).status.success()
                && (!opens || self.sops(&["decrypt", path]).status.success())
        });
        if !under_config {
            fs::write(self.root.join(path), text).expect("written");
            let alice = public_key("alice");
            let values = ["--encrypted-regex", "^(data|stringData)$"];
            let selector: &[&str] = if text == secret { &values } else { &[] };
            let arguments = [
                &["--config", "/dev/null", "encrypt", "--age", &alice][..],
                selector,
                &["--in-place", path],
            ];
            let sealed = self.sops(&arguments.concat());
            assert!(sealed.status.success(), "{path}: {sealed:?}");
        }
    }

    fn git(&self, arguments: &[&str]) {
        let run = git_in(&self.root, arguments);
        assert_eq!(run.code, Some(0), "git {arguments:?}: {run:?}");
    }

    fn commit(&self) {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", "before"]);
    }

    fn sops(&self, arguments: &[&str]) -> Output {
        self.command("sops", &self.root).args(arguments).output().expect("sops runs")
    }

    /// A program of the person, who has the keys of all.
    fn command(&self, program: &str, directory: &Path) -> Command {
        let Self { equipment, .. } = self;
        let system = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(
            std::iter::once(equipment.programs()).chain(std::env::split_paths(&system)),
        );
        let program = match program {
            "sops" | "sops-lint" => equipment.programs().join(program),
            other => other.into(),
        };
        let mut command = Command::new(program);
        command
            .current_dir(directory)
            .env_clear()
            .env("HOME", self.directory.path())
            .env("PATH", path.expect("no colon in the path"))
            .env("SOPS_AGE_KEY_FILE", equipment.keys())
            .env("GNUPGHOME", equipment.keyring())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("SOURCE_DATE_EPOCH", "1782777600")
            // A person who corrects a value.
            .env(
                "EDITOR",
                "sed -i -e s/canary/canary-corrected/ -e /last-applied/d -e '/{.*canary.*}/d'",
            )
            .stdin(Stdio::null());
        command
    }

    /// Returns the findings of a scan at the root.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut scan = self.command("sops-lint", &self.root);
        scan.args(["scan", "--format", "json", "--exit-zero"]).args(self.view());
        let output = scan.output().expect("the binary runs");
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let findings = report["findings"].as_array().expect("a report has findings");
        findings.iter().map(finding).collect()
    }

    fn view(&self) -> &'static [&'static str] {
        if self.is_change { &["--staged"] } else { &[] }
    }

    /// Does what a help says, as it is printed in `place`, and says what is wrong with the result. `way`: the
    /// number of the way, if the help leaves some open.
    pub(super) fn follow(
        &self,
        finding: &Finding,
        place: &Path,
        way: usize,
    ) -> Result<Followed, String> {
        let before = self.errors();
        let had = self.ciphertexts();
        let help = if place == Path::new("") {
            finding.help.clone()
        } else {
            // It may be one of a group, and not printed by itself.
            let Some(help) = self.printed(finding, place) else { return Ok(Followed::No) };
            help
        };
        let Some(steps) = ways(&help).into_iter().nth(way) else { return Ok(Followed::No) };
        for (index, step) in steps.iter().enumerate() {
            match step {
                Step::Run(line) => self.run(line, &self.root.join(place))?,
                Step::Edit(edit) => {
                    let path = match edit {
                        Edit::Rule { .. } => self.subject_of(&steps[index..], finding, place),
                        _ => finding.path.clone(),
                    };
                    hand::edit(&self.root, edit, &path, &public_key("alice"));
                }
            }
        }
        self.git(&["add", "--all"]);
        let after = self.findings();
        // The number of a finding among its like may be another one now.
        let is_same = |other: &Finding| {
            (&other.rule, &other.path, &other.message)
                == (&finding.rule, &finding.path, &finding.message)
        };
        if after.iter().any(is_same) {
            return Err(format!("the finding is still there after {steps:?}"));
        }
        let new: Vec<_> = self.errors().difference(&before).cloned().collect();
        if !new.is_empty() {
            return Err(format!("new errors: {new:?} after {steps:?}"));
        }
        let is_restored = steps.iter().any(|step| matches!(step, Step::Run(line) if line.contains("git ") && !line.contains("git mv")));
        if !is_restored {
            self.check_ciphertexts(&had, &steps)?;
        }
        self.check_people(&had)?;
        Ok(Followed::Yes)
    }

    /// Returns the file that a command after an edit is about, which need not be that of the finding.
    fn subject_of(&self, steps: &[Step], finding: &Finding, place: &Path) -> String {
        let command = steps.iter().find_map(|step| match step {
            Step::Run(line) if line.starts_with("sops ") => line.split(' ').next_back(),
            _ => None,
        });
        let path = command.and_then(|path| self.root.join(place).join(path).canonicalize().ok());
        let path = path.and_then(|path| {
            let root = self.root.canonicalize().expect("it is there");
            Some(path.strip_prefix(root).ok()?.to_str()?.to_owned())
        });
        path.unwrap_or_else(|| finding.path.clone())
    }

    /// Returns the help of a finding as it is printed to a person in a directory.
    fn printed(&self, finding: &Finding, place: &Path) -> Option<String> {
        let mut scan = self.command("sops-lint", &self.root.join(place));
        scan.args(["scan", "-v", "--only", &finding.rule]).args(self.view());
        let output = scan.output().expect("the binary runs");
        assert!(output.status.code().is_some_and(|code| code < 2), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("reports are UTF-8");
        let name =
            Path::new(&finding.path).file_name().expect("files have names").to_string_lossy();
        let head = format!("╭─[{name}:{}]", finding.place);
        let (_, rest) = text.split_once(&head)?;
        let (_, help) = rest.split_once("  help: ")?;
        let lines = help.lines().take_while(|line| {
            !line.is_empty() && !line.starts_with(char::is_alphabetic) || help.starts_with(line)
        });
        Some(lines.map(str::trim).collect::<Vec<_>>().join(" "))
    }

    fn run(&self, line: &str, directory: &Path) -> Result<(), String> {
        let output = self
            .command("sh", directory)
            .args(["-c", &format!("yes | {line}")])
            .output()
            .expect("a shell runs");
        // sops edit tells that nothing was changed; sops-lint fix, that other errors are left.
        let is_fine = match output.status.code() {
            Some(0) => true,
            Some(200) => line.contains(" edit "),
            Some(1) => line.starts_with("sops-lint fix"),
            _ => false,
        };
        let stderr = String::from_utf8_lossy(&output.stderr);
        if is_fine { Ok(()) } else { Err(format!("{line}: {:?} {stderr}", output.status.code())) }
    }

    fn errors(&self) -> BTreeSet<(String, String)> {
        let errors = self.findings().into_iter().filter(|finding| finding.level == "error");
        errors.map(|finding| (finding.rule, finding.path)).collect()
    }

    /// The number of ciphertexts in each file that git has.
    fn ciphertexts(&self) -> BTreeMap<String, (usize, Vec<u8>)> {
        let files = git_in(&self.root, &["ls-files", "-z"]).stdout;
        let files = files.split('\0').filter(|path| !path.is_empty());
        let content =
            files.filter_map(|path| Some((path.to_owned(), fs::read(self.root.join(path)).ok()?)));
        let counted = content.map(|(path, bytes)| {
            let number = number_of_ciphertexts(&String::from_utf8_lossy(&bytes));
            (path, (number, bytes))
        });
        counted.collect()
    }

    /// Checks that every file has at least as many ciphertexts as it had.
    fn check_ciphertexts(
        &self,
        had: &BTreeMap<String, (usize, Vec<u8>)>,
        steps: &[Step],
    ) -> Result<(), String> {
        let has = self.ciphertexts();
        for (path, (before, _)) in had {
            let now = has.get(path).or_else(|| {
                let moved = has.iter().find(|(other, _)| !had.contains_key(*other));
                moved.map(|(_, content)| content)
            });
            let now = now.map_or(0, |(number, _)| *number);
            if now < *before {
                return Err(format!(
                    "{path} had {before} ciphertexts and has {now} after {steps:?}"
                ));
            }
        }
        Ok(())
    }

    /// Checks that everybody in a file's rule decrypts it, if the file was changed.
    fn check_people(&self, had: &BTreeMap<String, (usize, Vec<u8>)>) -> Result<(), String> {
        for (path, (number, bytes)) in self.ciphertexts() {
            let is_changed = had.get(&path).is_none_or(|(_, before)| *before != bytes);
            let known = has_known_name(&path);
            if number == 0 || !is_changed || !known {
                continue;
            }
            let config = Path::new(&path)
                .ancestors()
                .skip(1)
                .map(|place| self.root.join(place).join(CONFIG))
                .find(|config| config.exists());
            let config =
                config.and_then(|config| fs::read_to_string(config).ok()).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            for person in PEOPLE {
                let key = public_key(person);
                // Several groups need several people.
                if !config.contains(&key) || !text.contains(&key) || text.contains("key_groups") {
                    continue;
                }
                let mut decrypt = self.command("sops", &self.root);
                decrypt
                    .args(["decrypt", &path])
                    .env("SOPS_AGE_KEY_FILE", key_of(person))
                    .env("GNUPGHOME", self.directory.path());
                let output = decrypt.output().expect("sops runs");
                if !output.status.success() {
                    let stderr = String::from_utf8_lossy(&output.stderr);
                    return Err(format!("{person} cannot decrypt {path}: {stderr}"));
                }
            }
        }
        Ok(())
    }
}

/// Counts ciphertexts, but for the kind and the name of a manifest, which have to be readable.
fn number_of_ciphertexts(text: &str) -> usize {
    let mut is_counted = true;
    let mut number = 0;
    for line in text.lines() {
        if !line.starts_with([' ', '-', '#']) {
            is_counted =
                !["apiVersion:", "kind:", "metadata:"].iter().any(|key| line.starts_with(key));
        }
        number += if is_counted { line.matches(CIPHERTEXT).count() } else { 0 };
    }
    number
}

/// Returns true if sops sees the format of a file by its name.
fn has_known_name(path: &str) -> bool {
    let ending = Path::new(path).extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("yaml" | "yml" | "json" | "env" | "ini"))
}

fn finding(json: &Value) -> Finding {
    let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    let start = &json["start"];
    Finding {
        rule: text("rule"),
        path: text("path"),
        help: text("help"),
        has_command: json["commands"].as_array().is_some_and(|commands| !commands.is_empty()),
        level: text("level"),
        place: format!("{}:{}", start["line"], start["column"]),
        message: text("message"),
    }
}

fn key_of(person: &str) -> PathBuf {
    fixtures().join(format!("keys/age/{person}.txt"))
}

fn public_key(person: &str) -> String {
    static KEYS: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
        let read = |person| fs::read_to_string(fixtures().join(format!("keys/age/{person}.pub")));
        PEOPLE
            .into_iter()
            .map(|person| (person, read(person).expect("a key").trim().to_owned()))
            .collect()
    });
    KEYS[person].clone()
}
