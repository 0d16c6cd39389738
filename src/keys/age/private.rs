//! age identities, from every place where sops looks for them (`age/keysource.go`).
//!
//! They are pooled: any of them may open a data key. If a line of a place cannot be read, the whole place
//! is ignored, as in sops.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, plugin, scrypt, ssh, x25519};

use super::hybrid::HybridIdentity;
use crate::host::Host;
use crate::keys::identity::Identity;
use crate::keys::private::{Effort, PrivateKeys, Search, Unwrapped, read_data_key};
use crate::private_key::{AGE_HYBRID, AGE_PLUGIN};
use crate::secret::{Plaintext, read_all};

/// Maximum work factor of a passphrase. 2^22 takes some seconds.
const MAX_WORK_FACTOR: u8 = 22;

/// An identity, and its recipient if that is known.
struct Key {
    identity: Box<dyn age::Identity + Send + Sync>,
    recipient: Option<String>,
}

/// The identities that a command prints for one recipient, once it has run.
type Printed = Arc<OnceLock<Vec<Key>>>;

/// A command that prints identities. It runs once for each recipient.
struct KeyCommand {
    variable: &'static str,
    printed: Mutex<HashMap<String, Printed>>,
}

struct AgeKeys {
    host: Host,
    keys: Vec<Key>,
    commands: Vec<KeyCommand>,
}

/// Looks in all places. `None` if there is no identity and no command.
pub(super) fn find(search: &mut Search<'_>) -> Option<Box<dyn PrivateKeys>> {
    let host = search.host;
    let mut places = Places { search, keys: Vec::new() };
    places.ssh_files();
    if let Some(text) = host.env("SOPS_AGE_KEY") {
        // Since sops 3.13, one line may contain several.
        let words: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let lines = words.join("\n").split_whitespace().collect::<Vec<_>>().join("\n");
        places.identities("SOPS_AGE_KEY", Plaintext::new(lines.into_bytes()));
    }
    if let Some(path) = host.env("SOPS_AGE_KEY_FILE") {
        places.file("the file that SOPS_AGE_KEY_FILE names", Path::new(&path), true);
    }
    if let Some(directory) = host.config_directory() {
        let path = directory.join("sops/age/keys.txt");
        places.file(&path.display().to_string(), &path, false);
    }
    let keys = places.keys;
    let variables = ["SOPS_AGE_KEY_CMD", SSH_COMMAND];
    let commands: Vec<KeyCommand> = variables
        .into_iter()
        .filter(|variable| host.env(variable).is_some())
        .map(|variable| KeyCommand { variable, printed: Mutex::default() })
        .collect();
    let is_empty = keys.is_empty() && commands.is_empty();
    let keys = AgeKeys { host: host.clone(), keys, commands };
    if is_empty { None } else { Some(Box::new(keys)) }
}

/// The reason if an age plugin does not open a data key.
const PLUGIN_FAILED: &str = "an age plugin did not open it: it may need a person, or its device";

const SSH_COMMAND: &str = "SOPS_AGE_SSH_PRIVATE_KEY_CMD";

impl PrivateKeys for AgeKeys {
    fn has(&self, recipient: &Identity) -> bool {
        self.keys.iter().any(|key| key.recipient.as_ref() == Some(&recipient.id))
    }

    fn can_prove(&self) -> bool {
        true
    }

    fn unwrap(&self, recipient: Option<&Identity>, enc: &str) -> Unwrapped {
        let label = recipient.map(|recipient| &*recipient.id);
        // The label is nearly always correct, and each attempt takes a tenth of a millisecond.
        let (own, others): (Vec<&Key>, Vec<&Key>) =
            self.keys.iter().partition(|key| label.is_some() && key.recipient.as_deref() == label);
        let printed = self.commands.iter().map(|command| {
            let recipient = label.unwrap_or_default();
            let keys = command.keys(recipient);
            open(enc, keys.get_or_init(|| command.run(&self.host, recipient)).iter())
        });
        [own, others]
            .into_iter()
            .map(|keys| open(enc, keys.into_iter()))
            .chain(printed)
            .find(|opened| !matches!(opened, Unwrapped::NotMine))
            .unwrap_or(Unwrapped::NotMine)
    }
}

fn open<'k>(enc: &str, keys: impl Iterator<Item = &'k Key>) -> Unwrapped {
    let armor = without_empty_lines(enc);
    let Ok(decryptor) = Decryptor::new_buffered(ArmoredReader::new(armor.as_bytes())) else {
        return Unwrapped::Damaged;
    };
    let identities = keys.map(|key| &*key.identity as &dyn age::Identity);
    match decryptor.decrypt(identities) {
        Err(DecryptError::NoMatchingKeys) => Unwrapped::NotMine,
        Err(DecryptError::Plugin(_) | DecryptError::PluginResolve(_)) => {
            Unwrapped::Unavailable(PLUGIN_FAILED)
        }
        Err(_) => Unwrapped::Damaged,
        Ok(reader) => read_data_key(reader).map_or(Unwrapped::Damaged, Unwrapped::Opened),
    }
}

/// Drops empty lines above the armor, as Go's age does (`armor/armor.go`, `NewReader`).
fn without_empty_lines(enc: &str) -> &str {
    let blank = enc.len() - enc.trim_start().len();
    let line = enc[..blank].rfind('\n').map_or(0, |at| at + 1);
    &enc[line..]
}

impl KeyCommand {
    /// Returns the place for what the command prints. It runs outside of the lock, so a command that takes
    /// long delays only the files that need its answer.
    fn keys(&self, recipient: &str) -> Printed {
        let mut printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(printed.entry(recipient.to_owned()).or_default())
    }

    /// Runs the command, which learns the recipient from a variable.
    fn run(&self, host: &Host, recipient: &str) -> Vec<Key> {
        self.identities(host, recipient).unwrap_or_default()
    }

    fn identities(&self, host: &Host, recipient: &str) -> Option<Vec<Key>> {
        let words = shlex::split(&host.env(self.variable)?)?;
        let (program, arguments) = words.split_first()?;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let variables = [("SOPS_AGE_RECIPIENT", recipient)];
        let output = host.run(program, &arguments, &variables, b"")?.success()?;
        if self.variable == SSH_COMMAND {
            return Some(vec![ssh_key(&output, None).ok().flatten()?]);
        }
        parse_identities(output.expose_text()?, Effort::Quiet).ok()
    }
}

/// A reader of the places, one after the other.
struct Places<'s, 'h> {
    search: &'s mut Search<'h>,
    keys: Vec<Key>,
}

impl Places<'_, '_> {
    fn ssh_files(&mut self) {
        if let Some(path) = self.search.host.env("SOPS_AGE_SSH_PRIVATE_KEY_FILE") {
            self.ssh_file(
                "the file that SOPS_AGE_SSH_PRIVATE_KEY_FILE names",
                Path::new(&path),
                true,
            );
        }
        for name in ["id_ed25519", "id_rsa"] {
            if let Some(home) = self.search.host.home() {
                let path: PathBuf = home.join(".ssh").join(name);
                self.ssh_file(&path.display().to_string(), &path, false);
            }
        }
    }

    /// `is_named`: the user named the file, so a missing one is an error.
    fn ssh_file(&mut self, title: &str, path: &Path, is_named: bool) {
        let Some(bytes) = self.read(title, path, is_named) else { return };
        let asking = (self.search.effort == Effort::MayAsk).then_some(self.search.host);
        match ssh_key(&bytes, asking.map(|host| (host, title))) {
            Ok(key) => self.keys.extend(key),
            Err(NoIdentity) if is_named => {
                self.search.troubles.push(format!("{title} is not an SSH key that age can use"));
            }
            // age need not support the SSH key of a user.
            Err(NoIdentity) => {}
        }
    }

    fn file(&mut self, title: &str, path: &Path, is_named: bool) {
        let Some(bytes) = self.read(title, path, is_named) else { return };
        let is_protected = ["age-encryption", "-----BEGIN AGE"]
            .iter()
            .any(|start| bytes.expose().starts_with(start.as_bytes()));
        if !is_protected {
            return self.identities(title, bytes);
        }
        if self.search.effort == Effort::Quiet {
            return self.search.troubles.push(format!(
                "{title} is protected by a passphrase, for which only --verify always asks"
            ));
        }
        let passphrase = self.search.host.ask(&format!("Passphrase for {title}: "));
        match passphrase.and_then(|passphrase| unlock(&bytes, &passphrase)) {
            Some(bytes) => self.identities(title, bytes),
            None => self.search.troubles.push(format!("{title} was not unlocked by a passphrase")),
        }
    }

    fn read(&mut self, title: &str, path: &Path, is_named: bool) -> Option<Plaintext> {
        match self.search.host.read_secret(path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_named => None,
            Err(error) => {
                self.search.troubles.push(format!("{title} cannot be read: {error}"));
                None
            }
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "the bytes must be overwritten afterwards")]
    fn identities(&mut self, title: &str, bytes: Plaintext) {
        match parse_identities(bytes.expose_text().unwrap_or("?"), self.search.effort) {
            Ok(keys) => self.keys.extend(keys),
            Err(reason) => self.search.troubles.push(format!("{title} {reason}")),
        }
    }
}

/// Decrypts a file that age encrypted with a passphrase.
fn unlock(file: &Plaintext, passphrase: &Plaintext) -> Option<Plaintext> {
    let mut identity = scrypt::Identity::new(SecretString::from(passphrase.expose_text()?));
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(file.expose())).ok()?;
    let identities = std::iter::once(&identity as &dyn age::Identity);
    let reader = decryptor.decrypt(identities).ok()?;
    // The plaintext is shorter than the file.
    read_all(reader, file.expose().len(), u64::MAX).ok()
}

/// Reads one identity from each line. Ignores empty lines and comments.
fn parse_identities(text: &str, effort: Effort) -> Result<Vec<Key>, &'static str> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Vec<Option<Key>> = lines.map(|line| parse(line, effort)).collect::<Result<_, _>>()?;
    Ok(keys.into_iter().flatten().collect())
}

/// Reads an identity. `None` for a plugin's if the user must not be asked to touch a token.
fn parse(line: &str, effort: Effort) -> Result<Option<Key>, &'static str> {
    if line.starts_with(AGE_PLUGIN) {
        if effort == Effort::Quiet {
            return Ok(None);
        }
        let identity =
            plugin::Identity::from_str(line).map_err(|_| "has a line that names no age plugin")?;
        let opener = plugin::IdentityPluginV1::new(
            identity.plugin(),
            std::slice::from_ref(&identity),
            age::NoCallbacks,
        )
        .map_err(|_| "names an age plugin that is not installed")?;
        return Ok(Some(Key { identity: Box::new(opener), recipient: None }));
    }
    if line.starts_with(AGE_HYBRID) {
        let identity = HybridIdentity::parse(line)
            .ok_or("has a damaged post-quantum identity, so sops would ignore all of it")?;
        let recipient = Some(identity.recipient());
        return Ok(Some(Key { identity: Box::new(identity), recipient }));
    }
    let identity = x25519::Identity::from_str(line)
        .map_err(|_| "has a line that is not an age identity, so sops would ignore all of it")?;
    let recipient = Some(identity.to_public().to_string());
    Ok(Some(Key { identity: Box::new(identity), recipient }))
}

/// The error for a text that is no key that age supports.
struct NoIdentity;

/// Reads an SSH key. Asks for its passphrase if `asking` is set; `None` for a key that stays locked.
fn ssh_key(bytes: &Plaintext, asking: Option<(&Host, &str)>) -> Result<Option<Key>, NoIdentity> {
    let parsed = ssh::Identity::from_buffer(bytes.expose(), None).map_err(|_| NoIdentity)?;
    let identity = match parsed {
        ssh::Identity::Encrypted(locked) => {
            let Some((host, title)) = asking else { return Ok(None) };
            let passphrase = host.ask(&format!("Passphrase for {title}: "));
            let Some(passphrase) = passphrase else { return Ok(None) };
            let passphrase = passphrase.expose_text().ok_or(NoIdentity)?;
            let key = locked.decrypt(SecretString::from(passphrase)).map_err(|_| NoIdentity)?;
            ssh::Identity::from(key)
        }
        ssh::Identity::Unsupported(_) => return Err(NoIdentity),
        unlocked @ ssh::Identity::Unencrypted(_) => unlocked,
    };
    let recipient = ssh::Recipient::try_from(identity.clone()).map_err(|_| NoIdentity)?;
    // Recipients are compared without the comment.
    let words: Vec<String> = recipient.to_string().split(' ').take(2).map(str::to_owned).collect();
    Ok(Some(Key { identity: Box::new(identity), recipient: Some(words.join(" ")) }))
}
