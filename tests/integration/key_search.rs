//! The rule `private-key`: every form of a key, in every wrapping, as a recipient and as none.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Git, Run, fixtures, repository, sops_lint};

/// The recipients of the keys below `fixtures/keys`.
fn recipients() -> Vec<String> {
    let read = |path: &str| fs::read_to_string(fixtures().join("keys").join(path)).expect("read");
    let mut all: Vec<String> = ["ssh/id_ed25519.pub", "ssh/id_rsa.pub"]
        .map(|path| read(path).split(' ').take(2).collect::<Vec<_>>().join(" "))
        .into();
    all.extend(["age/alice.pub", "age/pq.pub"].map(|path| read(path).trim().to_owned()));
    all
}

/// A config with all recipients, or with one that none of the keys has.
fn config(is_for_them: bool) -> String {
    if !is_for_them {
        let other = fs::read_to_string(fixtures().join("keys/age/bob.pub")).expect("read");
        return format!("creation_rules:\n  - age: {other}\n");
    }
    let age = recipients().join(",\n        ");
    let pgp = "F28A701876913C5DD10A03ACCDC5E50F1403A017";
    format!("creation_rules:\n  - pgp: {pgp}\n    age: >-\n        {age}\n")
}

/// The keys of the recipients.
const OPENERS: [&str; 10] = [
    "ssh/id_ed25519",
    "ssh/forms/ed25519.locked",
    "ssh/forms/ed25519.pkcs8.pem",
    "ssh/forms/rsa.openssh",
    "ssh/forms/rsa.locked",
    "ssh/forms/rsa.pkcs1.pem",
    "ssh/forms/rsa.pkcs8.pem",
    "age/alice.txt",
    "age/pq.txt",
    "pgp/ed.sec.asc",
];

/// Other keys.
const OTHERS: [&str; 3] = ["pem/ec.pem", "pem/encrypted.pem", "pem/proc-type.pem"];

fn key(path: &str) -> String {
    fs::read_to_string(fixtures().join("keys").join(path)).expect("read")
}

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
}

fn wrapped(text: &str, columns: usize) -> String {
    let base64 = STANDARD.encode(text);
    let lines = base64.as_bytes().chunks(columns).map(|line| String::from_utf8_lossy(line) + "\n");
    lines.collect()
}

/// Files with the key in plaintext.
fn plain(key: &str) -> Vec<(&'static str, String)> {
    let escaped = key.replace('\n', "\\n");
    let twice = key.replace('\n', "\\\\n");
    let doubled = key.trim().replace('\n', "\n\n  ");
    let code = key.lines().map(|line| format!("\t\"{line}\\n\" +\n")).collect::<String>();
    let list = key.lines().map(|line| format!("    \"{line}\",\n")).collect::<String>();
    let split = key.trim().replace('\n', "\\n\\\n    ");
    let slashed = escaped.replace('/', "\\/").replace('+', "\\u002B");
    let certificate = self::key("pem/certificate.pem");
    vec![
        ("deploy/id", key.to_owned()),
        ("deploy/crlf.pem", key.replace('\n', "\r\n")),
        ("deploy/block.yaml", format!("ssh:\n  key: |\n{}  name: a\n", indented(key, 4))),
        ("deploy/folded.yaml", format!("ssh:\n  key: >-\n    {}\n", doubled.replace('\n', "\n  "))),
        ("deploy/quoted.yaml", format!("key: '{doubled}\n\n  '\nname: a\n")),
        ("deploy/divided.yaml", format!("key: \"{split}\\\n    \"\nname: a\n")),
        ("deploy/key.json", format!("{{\"key\": \"{escaped}\", \"name\": \"a\"}}\n")),
        ("deploy/twice.json", format!("{{\"text\": \"{{\\\"key\\\": \\\"{twice}\\\"}}\"}}\n")),
        ("deploy/slashed.json", format!("{{\"key\": \"{slashed}\"}}\n")),
        ("deploy/key.env", format!("A=b\nKEY=\"{escaped}\"\n")),
        ("deploy/key.go", format!("package a\n\nvar key = \"\" +\n{code}\t\"\"\n")),
        ("deploy/lines.json", format!("{{\"key\": [\n{list}    \"\"\n]}}\n")),
        ("deploy/key.sh", format!("cat > key <<'EOF'\n{key}EOF\n")),
        (
            "deploy/comment.yaml",
            format!("a: b\n{}", indented(key, 0).replace('\n', "\n# ").replacen("", "# ", 1)),
        ),
        ("deploy/chain.pem", format!("{certificate}{key}")),
        (
            "deploy/config-map.yaml",
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  key: |\n{}",
                indented(key, 4)
            ),
        ),
    ]
}

/// Files with the key in base64.
fn encoded(key: &str) -> Vec<(&'static str, String)> {
    let base64 = STANDARD.encode(key);
    let chain = STANDARD.encode(self::key("pem/certificate.pem") + key);
    let manifest =
        |rest: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n{rest}");
    vec![
        ("deploy/key.b64", base64.clone()),
        ("deploy/key64.b64", wrapped(key, 64)),
        ("deploy/key76.b64", wrapped(key, 76).replace('\n', "\r\n")),
        (
            "deploy/kubeconfig",
            format!(
                "apiVersion: v1\nkind: Config\nusers:\n- name: admin\n  user:\n    client-certificate-data: QQ==\n    client-key-data: {base64}\n"
            ),
        ),
        (
            "deploy/kubeconfig.json",
            format!(
                "{{\"kind\":\"Config\",\"users\":[{{\"user\":{{\"client-key-data\":\"{base64}\"}}}}]}}\n"
            ),
        ),
        (
            "deploy/controlplane.yaml",
            format!(
                "version: v1alpha1\nmachine:\n  ca:\n    crt: QQ==\n    key: {base64}\ncluster:\n  id: a\n"
            ),
        ),
        (
            "deploy/talosconfig",
            format!("context: a\ncontexts:\n  a:\n    ca: QQ==\n    key: '{base64}'\n"),
        ),
        ("deploy/binary.yaml", manifest(&format!("binaryData:\n  key: {base64}\n"))),
        (
            "deploy/wrapped.yaml",
            manifest(&format!("binaryData:\n  key: |\n{}", indented(&wrapped(key, 76), 4))),
        ),
        ("deploy/tagged.yaml", format!("key: !!binary |\n{}", indented(&wrapped(key, 64), 2))),
        ("deploy/b64.env", format!("A=b\nKEY={base64}\n")),
        ("deploy/chain.yaml", format!("bundle: {chain}\n")),
    ]
}

/// Secrets with the key.
fn secrets(key: &str) -> Vec<(&'static str, String)> {
    let head = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n";
    let base64 = STANDARD.encode(key);
    let remark = STANDARD.encode(format!("Bag Attributes\n  localKeyID: 1\n{key}"));
    vec![
        ("deploy/data.yaml", format!("{head}data:\n  key: {base64}\n")),
        ("deploy/remark.yaml", format!("{head}data:\n  key: {remark}\n")),
        ("deploy/string.yaml", format!("{head}stringData:\n  key: |\n{}", indented(key, 4))),
        (
            "deploy/list.json",
            format!(
                "{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"data\":{{\"key\":\"{base64}\"}}}}]}}"
            ),
        ),
    ]
}

fn scan(files: &[(&str, String)], is_for_them: bool) -> Run {
    let config = config(is_for_them);
    let mut all = vec![(".sops.yaml", config.as_str())];
    all.extend(files.iter().map(|(path, text)| (*path, text.as_str())));
    sops_lint(repository(&all).path(), &["scan", "--format", "json", "."])
}

/// The levels of the findings of the rule, with their paths; no path has two.
fn levels(run: &Run) -> Vec<(String, String)> {
    let findings = run.findings().into_iter();
    let own = findings.filter(|(rule, _, _)| rule == "private-key");
    let mut levels: Vec<_> = own.map(|(_, level, path)| (path, level)).collect();
    levels.sort();
    levels
}

fn expected(files: &[(&str, String)], level: &str) -> Vec<(String, String)> {
    let mut expected: Vec<_> =
        files.iter().map(|(path, _)| ((*path).to_owned(), level.to_owned())).collect();
    expected.sort();
    expected
}

#[test]
fn the_key_of_a_recipient_is_an_error_in_every_wrapping() {
    for path in OPENERS {
        let key = key(path);
        let files = [plain(&key), encoded(&key), secrets(&key)].concat();
        assert_eq!(levels(&scan(&files, true)), expected(&files, "error"), "{path}");
    }
}

#[test]
fn any_other_key_is_a_warning_in_every_wrapping() {
    let others = OPENERS.iter().filter(|path| path.starts_with("ssh")).chain(&OTHERS);
    for path in others {
        let key = key(path);
        let is_locked = ["locked", "encrypted", "proc-type"].iter().any(|word| path.contains(word));
        let level = if is_locked { "info" } else { "warning" };
        let files = [plain(&key), encoded(&key)].concat();
        assert_eq!(levels(&scan(&files, false)), expected(&files, level), "{path}");
        // `unencrypted-secret` reports these.
        let run = scan(&secrets(&key), false);
        assert_eq!(levels(&run), [], "{path}");
        let reported = run
            .findings()
            .into_iter()
            .filter(|(rule, level, _)| rule == "unencrypted-secret" && level == "error");
        assert_eq!(reported.count(), secrets(&key).len(), "{path}");
    }
}

#[test]
fn in_tests_only_the_key_of_a_recipient_is_an_error() {
    for path in ["ssh/id_ed25519", "ssh/forms/rsa.pkcs1.pem", "age/alice.txt", "pgp/ed.sec.asc"] {
        let key = key(path);
        let secret = secrets(&key);
        for directory in ["pkg/testdata", "testdata", "a/testdata/b", "tests", "e2e/fixtures"] {
            let place = |name: &str| format!("{directory}/{name}");
            let (bare, inside, list) = (place("key"), place("data.yaml"), place("list.json"));
            let files = [
                (bare.as_str(), key.clone()),
                (inside.as_str(), secret[0].1.clone()),
                (list.as_str(), secret[3].1.clone()),
            ];
            assert_eq!(levels(&scan(&files, true)), expected(&files, "error"), "{path}");
            let run = scan(&files, false);
            let is_softened = path.starts_with("ssh") || directory.contains("testdata");
            let errors = run.findings().into_iter().filter(|(_, level, _)| level == "error");
            assert_eq!(errors.count() == 0, is_softened, "{path} in {directory}");
        }
    }
}

#[test]
fn test_code_softens_other_keys() {
    let key = key("pem/ec.pem");
    let paths =
        ["docs/a.md", "fixtures/a", "a_test.go", "test_a.py", "src/a.test.ts", "__tests__/a.js"];
    let files = paths.map(|path| (path, key.clone()));
    assert_eq!(levels(&scan(&files, true)), expected(&files, "info"));
    let paths = ["clusters/test/a", "contest_a.py", "fixture.pem", "latest/a.key"];
    let files = paths.map(|path| (path, key.clone()));
    assert_eq!(levels(&scan(&files, true)), expected(&files, "warning"));
}

#[test]
fn what_is_no_private_key_is_silent() {
    let certificate = key("pem/certificate.pem");
    let header = "-----BEGIN PRIVATE KEY-----";
    let end = "-----END PRIVATE KEY-----";
    let cut: String =
        key("ssh/id_ed25519").lines().take(2).map(|line| format!("{line}\n")).collect();
    let files = [
        ("tls.crt", certificate.clone()),
        ("tls.yaml", format!("a:\n  ca.crt: {}\n", STANDARD.encode(&certificate))),
        ("id_rsa.pub", key("ssh/id_rsa.pub")),
        ("key.pub.asc", key("pgp/ed.pub.asc")),
        (
            "public.pem",
            format!(
                "-----BEGIN PUBLIC KEY-----\n{}-----END PUBLIC KEY-----\n",
                wrapped(&certificate, 64)
            ),
        ),
        (
            "manual.md",
            format!("The file begins with `{header}`.\n\n    {header}\n    ...\n    {end}\n"),
        ),
        (
            "values.yaml",
            format!("key: |\n  {header}\n  <key>\n  {end}\nother: \"{header}\\n...\\n{end}\"\n"),
        ),
        ("cut.md", format!("```\n{cut}...\n-----END OPENSSH PRIVATE KEY-----\n```\n")),
        (
            "words.yaml",
            format!(
                "key: |\n  {header}\n  put your private key here, in base64, all lines of it together\n  {end}\n"
            ),
        ),
        (
            "template.yaml",
            format!(
                "key: |\n  {header}\n  {{{{ .Values.theKeyOfTheServerThatIsInsertedByHelmWhenItIsInstalled }}}}\n  {end}\n"
            ),
        ),
        ("rows.json", format!("{{\"key\": \"{header}\\n{}\\n{end}\"}}\n", "X".repeat(64))),
        ("grep.sh", format!("grep -rl -e '{header}' . | grep -v {end}\n")),
        ("encoded.yaml", format!("key: {}\n", STANDARD.encode(format!("{header}\n...\n{end}\n")))),
        ("middle.yaml", format!("key: AAAA{}\n", STANDARD.encode(key("pem/ec.pem")))),
    ];
    let run = scan(&files, true);
    assert_eq!(levels(&run), []);
}

#[test]
fn a_recipient_of_an_encrypted_file_counts_without_a_config() {
    let encrypted = fixtures().join("vectors/3.11.0/enc/26-age-ssh-ed25519.yaml");
    let encrypted = fs::read_to_string(encrypted).expect("read");
    let key = key("ssh/forms/ed25519.pkcs8.pem");
    let files = [("a/secret.enc.yaml", &*encrypted), ("z/id_ed25519", &*key)];
    let run = sops_lint(repository(&files).path(), &["scan", "--format", "json", "."]);
    assert_eq!(levels(&run), [("z/id_ed25519".to_owned(), "error".to_owned())]);
    let alone = sops_lint(repository(&files[1..]).path(), &["scan", "--format", "json", "."]);
    assert_eq!(levels(&alone), [("z/id_ed25519".to_owned(), "warning".to_owned())]);
}

#[test]
fn a_host_key_counts_for_the_age_recipient_that_is_made_of_it() {
    // What `ssh-to-age` prints for `id_ed25519.pub`.
    let recipient = "age1yd645mxezgf69xluerqetryuvm3d2v4d8yuxs5g9n79kpnyaj9zsw2yac2";
    let config = format!("creation_rules:\n  - age: {recipient}\n");
    for path in ["ssh/id_ed25519", "ssh/forms/ed25519.pkcs8.pem"] {
        let files = [(".sops.yaml", &*config), ("host_key", &*key(path))];
        let run = sops_lint(repository(&files).path(), &["scan", "--format", "json", "."]);
        assert_eq!(levels(&run), [("host_key".to_owned(), "error".to_owned())]);
    }
}

#[test]
fn a_hook_and_the_history_know_the_recipients_too() {
    let (config, key) = (config(true), key("ssh/forms/rsa.pkcs8.pem"));
    let git = Git::with(&[("README.md", "a\n")]);
    git.stage(&[(".sops.yaml", &config), ("deploy/id_rsa", &key)]);
    let staged = git.lint(&["scan", "--staged", "--format", "json"]);
    let error = ("deploy/id_rsa".to_owned(), "error".to_owned());
    assert_eq!(levels(&staged), std::slice::from_ref(&error));
    git.commit(&[]);
    git.run(&["rm", "-q", "deploy/id_rsa"]);
    git.commit(&[]);
    let run = git.lint(&["scan", "--history", "--format", "json"]);
    assert_eq!(levels(&run), [error]);
}

#[test]
fn a_baseline_with_a_warning_does_not_suppress_the_error() {
    let key = key("ssh/id_ed25519");
    let (other, own) = (config(false), config(true));
    let tree = repository(&[("id_ed25519", &*key), (".sops.yaml", &other)]);
    let run = |args: &[&str]| sops_lint(tree.path(), args);
    assert_eq!(run(&["baseline", "--output", "known.yaml"]).code, Some(0));
    let scan = ["scan", "--baseline", "known.yaml", "--format", "json", "."];
    assert_eq!(levels(&run(&scan)), []);
    fs::write(tree.path().join(".sops.yaml"), own).expect("written");
    assert_eq!(levels(&run(&scan)), [("id_ed25519".to_owned(), "error".to_owned())]);
}

#[test]
fn one_cause_has_one_finding() {
    let key = key("pem/ec.pem");
    let config = "creation_rules:\n  - path_regex: .*\n    age: age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh\n";
    let kustomization = "secretGenerator:\n  - name: a\n    files: [server.key]\n";
    let nested = format!(
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    apiVersion: v1\n    kind: Secret\n    data:\n      key: {}\n",
        STANDARD.encode(&key)
    );
    for files in [
        vec![("server.enc.key", &*key)],
        vec![(".sops.yaml", config), ("secrets/server.key", &key)],
        vec![("server.key", &key), ("kustomization.yaml", kustomization)],
        vec![("manifest.yaml", &nested)],
    ] {
        let run = sops_lint(repository(&files).path(), &["scan", "--format", "json", "."]);
        let is_at_key = |rule: &str| rule != "uncovered-file";
        let found: Vec<_> =
            run.findings().into_iter().filter(|(rule, _, _)| is_at_key(rule)).collect();
        assert!(found.len() == 1 && found[0].0 != "private-key", "{found:?}");
    }
}

#[test]
fn many_keys_in_a_file_do_not_hide_one() {
    let (decoy, own) = (key("pem/ec.pem"), key("ssh/id_ed25519"));
    let files = [("keys.pem", decoy.repeat(150) + &own)];
    let errors = levels(&scan(&files, true)).into_iter().filter(|(_, level)| level == "error");
    assert_eq!(errors.count(), 1);
    let files = [("keys.pem", decoy.repeat(1100) + &own)];
    let errors = levels(&scan(&files, true)).into_iter().filter(|(_, level)| level == "error");
    assert_eq!(errors.count(), 1, "the keys that were not read");
}

#[test]
fn nothing_of_a_key_is_printed() {
    for path in OPENERS.iter().chain(&OTHERS) {
        let text = key(path);
        let files = [plain(&text), encoded(&text), secrets(&text)].concat();
        for is_for_them in [true, false] {
            let config = config(is_for_them);
            let mut all = vec![(".sops.yaml", config.as_str())];
            all.extend(files.iter().map(|(path, text)| (*path, text.as_str())));
            let tree = repository(&all);
            for format in ["human", "json", "sarif", "github", "markdown"] {
                let run = sops_lint(tree.path(), &["scan", "-v", "--format", format, "."]);
                assert_hidden(&run, &text, path);
            }
        }
    }
}

/// No twelve characters of the body of a key, nor of its base64, are printed.
fn assert_hidden(run: &Run, key: &str, path: &str) {
    const PART: usize = 12;
    let output = format!("{}{}", run.stdout, run.stderr);
    let lines = key
        .lines()
        .filter(|line| !line.starts_with("-----") && !line.starts_with('#') && line.len() >= PART);
    let lines = lines.map(|line| line.trim_start_matches("AGE-SECRET-KEY-"));
    let lines = lines.map(str::to_owned).chain([STANDARD.encode(key)]);
    for line in lines {
        for part in line.as_bytes().chunks_exact(PART) {
            let part = String::from_utf8_lossy(part);
            // A recipient is public, and a part of the key in the format of OpenSSH.
            let is_public = recipients().iter().any(|recipient| recipient.contains(&*part));
            assert!(is_public || !output.contains(&*part), "{path}: {part}");
        }
    }
}
