//! The private keys of the user, found when they are needed.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::private::{Effort, PrivateKeys, Search};
use super::service::KeyService;
use crate::host::Host;

/// All private keys that this user has. Nothing is read before somebody asks for it: a run without
/// encrypted files opens no key.
pub struct KeyRing {
    services: &'static [&'static dyn KeyService],
    host: Host,
    effort: Effort,
    found: Vec<OnceLock<Option<Box<dyn PrivateKeys>>>>,
    troubles: Mutex<Vec<String>>,
}

impl KeyRing {
    /// The keys of the user who runs this.
    pub fn new(services: &'static [&'static dyn KeyService], host: Host, effort: Effort) -> Self {
        let found = services.iter().map(|_| OnceLock::new()).collect();
        Self { services, host, effort, found, troubles: Mutex::default() }
    }

    /// Those of one service, if there are any.
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

    /// What stood in the way of finding keys: sentences for the user, which quote no key.
    pub fn troubles(&self) -> Vec<String> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private keys]")
    }
}
