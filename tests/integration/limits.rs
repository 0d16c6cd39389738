//! Hostile input: a clear finding or message, never a crash or a hang.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Run, repository, sops_lint, sops_lint_in_bounds};

const RECIPIENT: &str = "age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh";

/// A file that sops could have made, with `body` above its block.
fn encrypted(body: &str) -> String {
    format!("{body}\nx: ENC[AES256_GCM,data:AA==]\nsops:\n  lastmodified: '2026-01-01T00:00:00Z'\n")
}

fn scan(files: &[(&str, &str)]) -> Run {
    let tree = repository(files);
    scan_tree(tree.path())
}

fn scan_tree(directory: &Path) -> Run {
    let run = sops_lint_in_bounds(directory, &["scan", "--format", "json"]);
    assert!(matches!(run.code, Some(0..=2)), "too much time or memory, or a crash: {run:?}");
    run
}

fn rules(run: &Run) -> Vec<String> {
    run.findings().into_iter().map(|(rule, ..)| rule).collect()
}

#[test]
fn deep_nesting_is_a_finding() {
    for (open, name) in [("[", "a.yaml"), ("- ", "a.yaml"), ("{\"a\":", "a.json"), ("[", "a.json")]
    {
        let run = scan(&[(name, &encrypted(&format!("a: {}", open.repeat(50_000))))]);
        assert_eq!(rules(&run), ["unreadable-document"], "{open}");
    }
}

#[test]
fn aliases_that_explode_are_a_finding() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let alias = format!("*a{}, ", level - 1).repeat(9);
        bomb += &format!("a{level}: &a{level} [{alias}]\n");
    }
    let run = scan(&[("a.yaml", &encrypted(&bomb))]);
    assert_eq!(rules(&run), ["unreadable-document"]);
    assert!(run.stdout.contains("aliases"), "{}", run.stdout);
}

#[test]
fn an_alias_inside_its_own_anchor_is_a_finding() {
    let run = scan(&[("a.yaml", &encrypted("a: &a [*a]"))]);
    assert_eq!(rules(&run), ["unreadable-document"]);
}

#[test]
fn folded_metadata_cannot_ask_for_memory() {
    let mac = "sops_mac=ENC[AES256_GCM,data:AA==]\nsops_lastmodified=x\n";
    let deep = format!("sops_age{}x=1\n", "__list_0__map_".repeat(100_000));
    let wide: String = (0..50_000)
        .map(|number| format!("sops_age__list_{}__map_enc=x\n", number * 999_999_999_u64))
        .collect();
    let steps = format!("sops_age{}x=1\n", "__map_".repeat(1_000_000));
    for hostile in [deep, wide, steps, "sops_age__list_999999999__map_enc=x\n".to_owned()] {
        let run = scan(&[("a.env", &format!("A=ENC[AES256_GCM,data:AA==]\n{mac}{hostile}"))]);
        assert!(rules(&run).contains(&"invalid-metadata".to_owned()), "{run:?}");
    }
}

#[test]
fn many_lines_are_read_in_time() {
    let many = "k=v\n[s]\n`\n".repeat(400_000);
    let mac = "sops_mac=ENC[AES256_GCM,data:AA==]\nsops_lastmodified=x\n";
    for (name, mac) in [("a.env", mac.to_owned()), ("a.ini", format!("{mac}[sops]\nmac=x\n"))] {
        for lines in [&many, &"k=v\n".repeat(500_000), &"sops_k=v\n".repeat(300_000)] {
            let run = scan(&[(name, &format!("{mac}{lines}"))]);
            assert!(rules(&run).len() < 50, "{name}: {} findings", rules(&run).len());
        }
    }
}

#[test]
fn ten_thousand_documents_are_the_limit() {
    let run = scan(&[("a.yaml", &encrypted(&"---\na: b\n".repeat(10_001)))]);
    assert!(rules(&run).contains(&"unreadable-document".to_owned()), "{run:?}");
}

#[test]
fn comments_count_as_values_do() {
    let secret = "apiVersion: v1\nkind: Secret\nstringData:\n  a: canary\n";
    let few = format!("x:\n{}", "- b #\n".repeat(150_000));
    let section = format!("{}[a]\nb = c\n", ";\n".repeat(4_000_000));
    for (name, text, reason) in [
        ("a.yaml", format!("{secret}{}", "#\n".repeat(4_000_000)), "400000 values and comments"),
        ("a.yaml", format!("x:\n{}  a: b\n{secret}", "  #\n".repeat(4_000_000)), "in a row"),
        ("a.sops.ini", section, "400000 keys and comments"),
        (".sops.yaml", "#\n".repeat(4_000_000), "400000 values and comments"),
        ("a.sops.yaml", few, "is encrypted, but it is not"),
    ] {
        let run = scan(&[(name, &text)]);
        assert!(run.stdout.contains(reason) && run.stdout.contains(name), "{name}: {run:?}");
    }
}

#[test]
fn a_file_past_the_size_limit_is_named() {
    let tree = repository(&[("small.yaml", "a: b\n")]);
    let large = std::fs::File::create(tree.path().join("large.sops.yaml")).expect("made");
    large.set_len(1 << 30).expect("sparse");
    let movie = std::fs::File::create(tree.path().join("movie.mkv")).expect("made");
    movie.set_len(1 << 30).expect("sparse");
    let run = scan_tree(tree.path());
    let found = run.findings();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].0.as_str(), found[0].2.as_str()),
        ("unreadable-document", "large.sops.yaml")
    );
    assert!(
        run.stdout.contains("larger than the limit"),
        "the skipped movie is not named: {run:?}"
    );
}

#[test]
fn bytes_that_are_no_text_are_a_finding_where_text_is_promised() {
    let tree = repository(&[]);
    let broken = [encrypted("a: b").as_bytes(), b"\xff\xfe"].concat();
    std::fs::write(tree.path().join("a.sops.yaml"), broken).expect("written");
    std::fs::write(tree.path().join("b.png"), b"\x89PNG\0\0\xff").expect("written");
    let run = scan_tree(tree.path());
    assert_eq!(rules(&run), ["unreadable-document"]);
}

#[test]
fn a_hundred_thousand_keys_take_no_time() {
    let keys: String = (0..100_000).map(|number| format!("k{number}: v\n")).collect();
    scan(&[("a.yaml", &encrypted(&keys))]);
}

#[test]
fn a_secret_of_many_values_is_read_in_time() {
    let values: String = (0..90_000).map(|number| format!("  k{number}: canary\n")).collect();
    let secret =
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData:\n{values}");
    let run = scan(&[("a.yaml", &secret)]);
    assert_eq!(rules(&run), ["unencrypted-secret"]);
    assert!(run.stdout.contains("90000 plaintext values"), "{} bytes", run.stdout.len());
}

#[test]
fn brackets_beside_a_comment_are_read_in_time() {
    for (element, comment) in [("[a], ", "\n# c\n"), ("a, ", "\n  b # c\n"), ("{a: b}, ", "# c\n")]
    {
        let list = element.repeat(100_000);
        let run = scan(&[("a.yaml", &encrypted(&format!("a: [{list}{comment} ]")))]);
        assert!(!rules(&run).contains(&"unreadable-document".to_owned()), "{element}");
    }
}

#[test]
fn a_value_of_many_variables_is_read_in_time() {
    for value in
        ["${a}".repeat(300_000), "${".repeat(1_000_000) + "}", "$(${)".repeat(300_000) + "}"]
    {
        let secret = format!("apiVersion: v1\nkind: Secret\nstringData: {{a: '{value}'}}\n");
        let run = scan(&[("a.yaml", &secret)]);
        assert!(rules(&run).len() < 2, "{} findings", rules(&run).len());
    }
}

#[test]
fn a_secret_of_many_private_keys_is_read_in_time() {
    let identities = crate::support::fixtures().join("keys/age/alice.txt");
    let base64 = STANDARD.encode(std::fs::read(identities).expect("a fixture"));
    let values: String = (0..30_000).map(|number| format!("  k{number}: {base64}\n")).collect();
    let run = scan(&[("a.yaml", &format!("apiVersion: v1\nkind: Secret\ndata:\n{values}"))]);
    assert!(run.stdout.contains("900 more findings of this kind"), "{} bytes", run.stdout.len());
    assert!(run.stdout.contains("1000 private keys or more"));
}

#[test]
fn beginnings_of_keys_and_values_in_a_row_are_read_in_time() {
    for text in [
        format!("a: {}\n", "AGE-SECRET-KEY-1".repeat(900_000)),
        format!("a: {}\n", "ENC[AES256_GCM,data:".repeat(700_000)),
        "a: ENC[AES256_GCM,data:\n".repeat(500_000),
        format!("a: {}],iv:x,tag:x,type:x]\n", "ENC[AES256_GCM,data:".repeat(700_000)),
    ] {
        let run = scan(&[("a.yaml", &text)]);
        assert!(rules(&run).len() < 2, "{} findings", rules(&run).len());
    }
}

#[test]
fn thousands_of_secrets_under_a_rule_are_read_in_time() {
    let config = format!("creation_rules:\n- path_regex: enc\n  age: {RECIPIENT}\n");
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: canary}\n";
    let item = format!("- {}", secret.trim_end().replace('\n', "\n  ") + "\n");
    let list = format!("apiVersion: v1\nkind: List\nitems:\n{}", item.repeat(8_000));
    let documents = format!("{secret}---\n").repeat(9_999);
    for file in [list, documents] {
        let run = scan(&[(".sops.yaml", &config), ("a.yaml", &file)]);
        assert!(run.stdout.contains("more findings of this kind"), "{} bytes", run.stdout.len());
    }
}

#[test]
fn long_lists_of_recipients_are_compared_in_time() {
    let list = |from: usize| -> String {
        (from..from + 40_000).map(|number| format!("{number:040X},")).collect()
    };
    let [in_group, beside] = [list(1), list(100_000)];
    let groups = in_group.trim_end_matches(',').replace(',', ", ");
    let rule = format!("{{path_regex: .*, key_groups: [{{pgp: [{groups}]}}], pgp: '{beside}'}}");
    let config = format!("creation_rules: [{rule}]\n");
    let stanza = |number| format!("  - {{fp: {number:040X}, enc: x, created_at: '2026-01-01'}}\n");
    let stanzas: String = (200_000..230_000).map(stanza).collect();
    let file = encrypted("a: b") + "  pgp:\n" + &stanzas.replace("  - ", "    - ");
    let run = scan(&[(".sops.yaml", &config), ("a.yaml", &file)]);
    for rule in ["ignored-recipients", "recipients-mismatch"] {
        assert!(rules(&run).contains(&rule.to_owned()), "{rule}");
    }
}

#[test]
fn names_cannot_write_to_the_terminal() {
    let name = "a\u{1b}[31m\nb.sops.yaml";
    let tree = repository(&[(name, "password: canary-name\n")]);
    let run = sops_lint(tree.path(), &["scan"]);
    assert_eq!(run.code, Some(1));
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
    assert!(run.stdout.contains("\\u{1b}[31m\\u{a}b.sops.yaml"), "{run:?}");
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_left_alone() {
    use std::os::unix::fs::symlink;
    let outside = repository(&[("secret.sops.yaml", "password: canary-outside\n")]);
    let tree = repository(&[("a/b.yaml", "a: b\n")]);
    symlink(outside.path(), tree.path().join("out")).expect("linked");
    symlink(outside.path().join("secret.sops.yaml"), tree.path().join("x.sops.yaml"))
        .expect("linked");
    symlink(tree.path(), tree.path().join("a/loop")).expect("linked");
    let made =
        std::process::Command::new("mkfifo").arg(tree.path().join("pipe.sops.yaml")).status();
    assert!(made.expect("mkfifo runs").success());
    let run = sops_lint(tree.path(), &["scan", "--format", "json"]);
    assert_eq!(run.findings(), []);
    assert_eq!(run.json()["summary"]["files"], 1);
}

#[cfg(unix)]
#[test]
fn a_large_list_of_ignored_files_is_named() {
    let list = "/a\n".repeat(400_000);
    let run = scan(&[(".gitignore", &list), ("c.sops.yaml", "a: canary\n")]);
    assert!(run.stderr.contains(".gitignore") && run.stderr.contains("512 KiB"), "{run:?}");
    assert_eq!(run.code, Some(2), "{run:?}");
}

/// A program that opens a pipe waits for a writer.
#[test]
#[cfg(unix)]
fn a_pipe_in_the_place_of_a_list_of_ignored_files_is_named() {
    for (directory, name) in [("", ".gitignore"), ("a/", ".gitignore"), ("", ".git/info/exclude")] {
        let tree = repository(&[("a/b.sops.yaml", "a: canary\n"), ("c.sops.yaml", "a: canary\n")]);
        let path = tree.path().join(directory).join(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
        assert!(made.success());
        let run = sops_lint_in_bounds(tree.path(), &["scan", "--format", "json"]);
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(all.contains(name) && all.contains("not a regular file"), "{run:?}");
        assert_eq!(run.code, Some(2), "{run:?}");
        assert_eq!(run.stdout.contains("c.sops.yaml"), !directory.is_empty(), "{run:?}");
    }
}

#[test]
fn a_config_that_is_a_link_is_no_config() {
    let outside = repository(&[("notes", "- canary-outside\n")]);
    let tree = repository(&[("a.sops.yaml", "password: canary-inside\n")]);
    let target = outside.path().join("notes");
    std::os::unix::fs::symlink(target, tree.path().join(".sops.yaml")).expect("linked");
    let run = sops_lint(tree.path(), &["scan"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(!run.stdout.contains("canary"), "{run:?}");
}

#[test]
fn a_config_of_many_rules_is_read_in_time() {
    let list: String = (0..9_000)
        .map(|number| format!("  - {{path_regex: '^apps/{number}/(a+)+$', age: {RECIPIENT}}}\n"))
        .collect();
    let config = format!("creation_rules:\n{list}");
    let names: Vec<String> =
        (0..100).map(|number| format!("apps/{}{number}!.sops.yaml", "a".repeat(35))).collect();
    let mut files = vec![(".sops.yaml", &*config)];
    files.extend(names.iter().map(|name| (&**name, "a: b\n")));
    let run = scan(&files);
    assert_eq!(rules(&run), vec!["unencrypted-file"; names.len()], "{run:?}");
}

#[test]
fn a_config_of_many_large_patterns_is_read_in_time() {
    for pattern in [r"\pL".repeat(5300), r"[a-\x{10ffff}]".repeat(1000), ".{999}".to_owned()] {
        let rule =
            |number| format!("- {{path_regex: '(?i){number}{pattern}', age: {RECIPIENT}}}\n");
        let rules: String = (0..200).map(rule).collect();
        let run = scan(&[(".sops.yaml", &format!("creation_rules:\n{rules}"))]);
        assert!(run.findings().iter().any(|(rule, ..)| rule == "invalid-regex"), "{run:?}");
        assert!(run.stdout.contains("too large for sops-lint"), "{run:?}");
    }
}

#[test]
fn a_long_pattern_is_matched_on_many_keys_in_time() {
    let keys: String =
        (0..10_000).map(|number| format!("{}{number}: v\n", "k".repeat(100))).collect();
    for part in [".*", "a*.?"] {
        let pattern = part.repeat(2_000) + "x";
        let rule = format!("- {{encrypted_regex: '{pattern}', age: {RECIPIENT}}}\n");
        scan(&[(".sops.yaml", &format!("creation_rules:\n{rule}")), ("a.enc.yaml", &keys)]);
    }
}

#[test]
fn twenty_thousand_creation_rules_are_too_many() {
    let config =
        format!("creation_rules:\n{}", "- {path_regex: '^a(b+)+$', age: x}\n".repeat(20_000));
    let run = scan(&[(".sops.yaml", &config)]);
    let found = run.findings();
    assert!(
        found.iter().any(|(rule, ..)| rule == "invalid-sops-config"),
        "{} findings",
        found.len()
    );
    assert!(run.stdout.contains("more than 10000 creation rules"));
}

#[test]
fn settings_of_any_size_are_read_in_time() {
    let ignore = "  - {path: a, rules: [private-key], reason: r}\n";
    let question_marks = format!("  - {}\n", "?".repeat(900));
    let large = "#".repeat(300 * 1024);
    for settings in [
        large,
        (0..20_000).map(|at| format!("k{at}: 1\n")).collect::<String>(),
        format!("ignore:\n{}", ignore.repeat(5200)),
        format!("exclude:\n{}", "  - '**/a*b/{c,d}/**'\n".repeat(11_000)),
        format!("exclude:\n{}", question_marks.repeat(280)),
        format!("levels:\n{}", (0..18_000).map(|at| format!("  r{at}: x\n")).collect::<String>()),
        format!("trusted_endpoints: [{}]\n", "a b, ".repeat(50_000)),
    ] {
        let run = scan(&[(".sops-lint.yaml", &settings), ("a.yaml", "kind: ConfigMap\n")]);
        let found = rules(&run);
        assert!((1..=5100).contains(&found.len()), "{} findings", found.len());
        assert!(found.iter().any(|rule| rule == "invalid-settings"));
        assert_eq!(run.code, Some(1), "{}", run.stderr);
    }
}

#[test]
fn a_config_that_repeats_its_mistakes_is_read_in_time() {
    let groups = "*g, ".repeat(10_000);
    let config = format!(
        "creation_rules:\n  - path_regex: .*\n    key_groups: [&g {{age: [{RECIPIENT}], {}: {}}}, {groups}]\n",
        "k".repeat(1_000),
        "v".repeat(100_000)
    );
    let run = scan(&[(".sops.yaml", &config)]);
    assert!(rules(&run).contains(&"unknown-config-key".to_owned()), "{run:?}");
}

#[test]
fn thousands_of_findings_on_one_line_take_no_time() {
    let stanzas = "{\"recipient\":\"x\",\"enc\":\"y\"},".repeat(50_000);
    let recipients =
        format!("{{\"sops\":{{\"age\":[{}],\"mac\":\"\"}}}}", stanzas.trim_end_matches(','));
    let secret = "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"stringData\":{\"a\":\"canary\",\"b\":\"canary\"}},";
    let secrets = secret.repeat(20_000);
    let secrets = format!("{{\"kind\":\"List\",\"items\":[{}]}}", secrets.trim_end_matches(','));
    let run = scan(&[("recipients.json", &recipients), ("secrets.json", &secrets)]);
    assert!(run.stdout.contains("49900 more findings of this kind"), "{} bytes", run.stdout.len());
    assert!(run.stdout.contains("19900 more findings of this kind"));
    assert!(run.stdout.len() < 2 * 1024 * 1024, "{} bytes", run.stdout.len());
    assert!(!run.stdout.contains("canary"));
}

#[test]
fn a_template_on_one_line_and_a_map_of_many_keys_are_read_in_time() {
    let kind = "kind: Secret\napiVersion: v1\n";
    let line = format!("{kind}data: \"{}\n", "{{ a }}".repeat(150_000));
    let keys: String = (0..100_000).map(|number| format!("  k{number}: v\n")).collect();
    let map = format!("x: {{{}}}\nkind: ConfigMap\ndata:\n{keys}", "kind: Secret");
    let repository = repository(&[("line.yaml", &*line), ("map.yaml", &*map)]);
    let run = sops_lint_in_bounds(repository.path(), &["scan", "--format", "json"]);
    assert!(matches!(run.code, Some(0 | 1)), "{run:?}");
}

#[test]
fn many_warnings_do_not_hide_the_error_behind_them() {
    let secret = |value: &str| {
        format!("apiVersion: v1\nkind: Secret\nstringData: {{a: \"{value}\"}}\n---\n")
    };
    // A value that is partly a reference is a warning, a literal an error.
    let manifest = secret("canary ${B}").repeat(150) + &secret("canary");
    let run = scan(&[("a.yaml", &manifest)]);
    let errors = run.findings().into_iter().filter(|(_, level, _)| level == "error").count();
    assert_eq!((run.code, errors), (Some(1), 1));
}

#[test]
fn hundreds_of_lying_labels_are_told_in_a_few_findings() {
    let case = crate::support::fixtures().join("rules/pgp-data-key-mismatch/bad-label-of-another");
    let read = |name| std::fs::read_to_string(case.join(name)).expect("a fixture");
    let (file, keys) = (read("database.yaml"), read(".sops.pub.asc"));
    let start = file.find("        - created_at").expect("a stanza");
    let end = file.find("    encrypted_regex").expect("what follows it");
    let stanza = &file[start..end];
    let stanzas: String = (0..300)
        .map(|n| stanza.replace("F28A701876913C5DD10A03ACCDC5E50F1403A017", &format!("A{n:039}")))
        .collect();
    let many = format!("{}{stanzas}{}", &file[..start], &file[end..]);
    let run = scan(&[("database.yaml", &many), (".sops.pub.asc", &keys)]);
    let lies = rules(&run).into_iter().filter(|rule| rule == "pgp-data-key-mismatch").count();
    assert_eq!(lies, 100);
    assert!(run.stdout.contains("200 more labels in this repository"));
}

#[test]
fn a_file_full_of_public_keys_is_read_in_time() {
    let keys = crate::support::fixtures().join("keys/pgp/rsa.pub.asc");
    let key = std::fs::read_to_string(keys).expect("a fixture");
    let run = scan(&[("keys.asc", &key.repeat(3000)), ("begins.txt", &key[..40].repeat(50_000))]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn thousands_of_sources_of_one_generator_take_no_time() {
    let literals: String =
        (0..100_000).map(|at| format!("      - password{at}=canary\n")).collect();
    let kustomization = format!("secretGenerator:\n  - name: a\n    literals:\n{literals}");
    let files = "  - gone.enc.yaml\n".repeat(100_000);
    let ksops = format!("apiVersion: viaduct.ai/v1\nkind: ksops\nfiles:\n{files}");
    let run = scan(&[("kustomization.yaml", &kustomization), ("b/ksops.yaml", &ksops)]);
    assert_eq!(rules(&run), ["plaintext-generator-source"; 200]);
    assert!(run.stdout.contains("99900 more findings of this kind"));
    assert!(!run.stdout.contains("canary"));
}

#[test]
fn nul_bytes_are_a_finding_where_sops_would_read_them() {
    let sops = "X: ENC[AES256_GCM,data:AA==]\nsops:\n  lastmodified: x\n";
    let json =
        "{\"a\": \"\0\", \"X\": \"ENC[AES256_GCM,data:AA==]\", \"sops\": {\"lastmodified\": 1}}";
    let config = "creation_rules:\n  - path_regex: \"a\0b\"\n    age: canary\n";
    for (name, text, expected) in [
        ("a.yaml", &*format!("a: \0b\n{sops}"), "unreadable-document"),
        ("a.yaml", &format!("\0{sops}"), "unreadable-document"),
        ("a.json", json, "unreadable-document"),
        (".sops.yaml", config, "invalid-sops-config"),
        (".sops-lint.yaml", "exclude: [\"\0\"]\n", "invalid-settings"),
        ("a.sops.yaml", "\0\0\0\0", "unencrypted-file"),
    ] {
        let run = scan(&[(name, text)]);
        assert_eq!((run.code, rules(&run)), (Some(1), vec![expected.to_owned()]), "{text:?}");
        assert!(!run.stdout.contains("canary") && !run.stdout.contains('\0'), "{run:?}");
    }
    // Neither sops nor kubectl can read it, but people can.
    let run = scan(&[("a.yaml", "kind: Secret\napiVersion: v1\nstringData: {a: \"canary\0\"}\n")]);
    assert_eq!((run.code, rules(&run)), (Some(1), vec!["unreadable-document".to_owned()]));
}

/// Says past the capture of the test runner that something was not tested.
#[cfg(unix)]
fn skipped(reason: &str) {
    use std::io::Write;
    let notice = format!("\n*** SKIPPED: {reason}.\n\n");
    std::io::stderr().write_all(notice.as_bytes()).expect("standard error takes text");
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_named_and_fails_the_run() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    let tree = repository(&[("a.yaml", "a: b\n"), ("b.yaml", "a: b\n"), ("c/d.yaml", "a: b\n")]);
    let permit = |path: &str, mode| {
        set_permissions(tree.path().join(path), Permissions::from_mode(mode)).expect("permitted");
    };
    permit("b.yaml", 0o000);
    permit("c", 0o000);
    if std::fs::read(tree.path().join("b.yaml")).is_ok() {
        return skipped("root may read every file, so unreadable files were not tried");
    }
    let run = sops_lint(tree.path(), &["scan"]);
    permit("c", 0o755);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("error: cannot read b.yaml: Permission denied"), "{run:?}");
    assert!(run.stderr.contains("/c: Permission denied"), "{run:?}");
}

/// Their paths are the same where they are printed.
#[cfg(target_os = "linux")]
#[test]
fn two_names_that_are_not_utf_8_are_two_files() {
    use std::os::unix::ffi::OsStrExt;
    let tree = repository(&[]);
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: canary}\n";
    for (name, text) in [(&b"a\xfe.yaml"[..], secret), (b"a\xff.yaml", "a: b\n")] {
        std::fs::write(tree.path().join(std::ffi::OsStr::from_bytes(name)), text).expect("written");
    }
    for _ in 0..10 {
        let run = sops_lint(tree.path(), &["scan", "--format", "json"]);
        assert_eq!((run.code, run.findings().len()), (Some(1), 1), "{run:?}");
        assert_eq!(run.json()["summary"]["files"], 2);
    }
}

/// As root, too: nobody can read the first byte of a process.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_fails_to_be_read_is_named_and_fails_the_run() {
    if !Path::new("/proc/self/mem").exists() {
        return skipped("there is no /proc/self/mem, which cannot be read from its beginning");
    }
    let tree = repository(&[]);
    let run = sops_lint(tree.path(), &["scan", "/proc/self/mem"]);
    let expected = "error: cannot read mem: Input/output error (os error 5)\n";
    assert_eq!((run.code, &*run.stderr), (Some(2), expected), "{run:?}");
}

#[test]
fn paths_that_are_not_there_fail_the_run() {
    let tree = repository(&[("a.yaml", "a: b\n")]);
    for path in ["gone.yaml", "a.yaml/b.yaml", "gone/a.yaml"] {
        let run = sops_lint(tree.path(), &["scan", path]);
        assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{run:?}");
        assert!(run.stderr.contains(path), "{run:?}");
    }
}

#[test]
fn secrets_under_the_name_of_a_config_are_not_shown() {
    for text in [
        "apiVersion: v1\nkind: Secret\nstringData: {password: canary}\n",
        "- canary\n",
        "password: canary\nage: canary: canary\n",
    ] {
        let tree = repository(&[(".sops.yaml", text), ("a.sops.yaml", "a: canary\n")]);
        for format in ["human", "json"] {
            let run = sops_lint(tree.path(), &["scan", "--format", format]);
            assert_eq!(run.code, Some(1), "{run:?}");
            assert!(!run.stdout.contains("canary"), "{run:?}");
        }
    }
}
