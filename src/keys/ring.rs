//! The private keys of the user, and the data keys that they open.
//!
//! Opening files has three phases: collect the [`Wrapped`] data keys of a file, open them here, judge the
//! file with the results. Only the second phase reads keys or runs programs. A data key that needs a
//! program is opened once in a run, however many files contain it. A service over a network will be
//! asked in this phase, too.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::identity::Identity;
use super::private::{Effort, PrivateKeys, Search, Unwrapped};
use super::service::KeyService;
use crate::host::Host;
use crate::input::Digest;

/// A data key, or a share of one, encrypted to one recipient: the input of opening.
#[derive(Clone, Copy)]
pub struct Wrapped<'w> {
    /// The key service.
    pub service: &'static dyn KeyService,
    /// The recipient, according to the file.
    pub recipient: Option<&'w Identity>,
    /// The encrypted data key.
    pub enc: &'w str,
}

/// The maximum number of results that are remembered. Each is a few bytes.
const MAX_REMEMBERED: usize = 100_000;

/// A result, or the place for one that a thread is computing.
type Remembered = Arc<OnceLock<Unwrapped>>;

/// All private keys of the user. They are found when the first data key needs them: a run without
/// encrypted files reads no key.
pub struct KeyRing {
    services: &'static [&'static dyn KeyService],
    host: Host,
    effort: Effort,
    found: Vec<OnceLock<Option<Box<dyn PrivateKeys>>>>,
    troubles: Mutex<Vec<String>>,
    /// Results that needed a program, by service and content. A thread waits only for the result that it
    /// needs.
    opened: Mutex<HashMap<(&'static str, Digest), Remembered>>,
}

impl KeyRing {
    /// Returns the keys of the user, none of them read yet.
    pub fn new(services: &'static [&'static dyn KeyService], host: Host, effort: Effort) -> Self {
        let found = services.iter().map(|_| OnceLock::new()).collect();
        Self { services, host, effort, found, troubles: Mutex::default(), opened: Mutex::default() }
    }

    /// Returns the keys of one service, if there are any.
    pub fn of(&self, service: &dyn KeyService) -> Option<&dyn PrivateKeys> {
        let at = self.services.iter().position(|other| other.is(service))?;
        let keys = self.found[at].get_or_init(|| {
            let mut search = Search { host: &self.host, effort: self.effort, troubles: Vec::new() };
            let keys = service.private_keys(&mut search);
            self.troubles.lock().unwrap_or_else(PoisonError::into_inner).extend(search.troubles);
            keys
        });
        keys.as_deref()
    }

    /// Opens a data key.
    pub fn open(&self, wrapped: Wrapped<'_>) -> Unwrapped {
        let Some(keys) = self.of(wrapped.service) else { return Unwrapped::NotMine };
        let open = || keys.unwrap(wrapped.recipient, wrapped.enc);
        if keys.can_prove() {
            return open();
        }
        let name = (wrapped.service.metadata_field(), Digest::of(wrapped.enc.as_bytes()));
        let result = {
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            if opened.len() >= MAX_REMEMBERED && !opened.contains_key(&name) {
                drop(opened);
                return open();
            }
            Arc::clone(opened.entry(name).or_default())
        };
        result.get_or_init(open).clone()
    }

    /// Returns the key sources that could not be used: sentences for the user, without keys.
    pub fn troubles(&self) -> Vec<String> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private keys]")
    }
}
