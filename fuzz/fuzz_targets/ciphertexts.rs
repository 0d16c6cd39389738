//! Opens ciphertexts one by one: a value, a data key of each key service, and public keys. The first byte
//! chooses.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sops_lint::host::Host;
use sops_lint::keys::{Effort, Identity, KEY_SERVICES, KeyRing, openpgp};
use sops_lint::secret::{DATA_KEY_LENGTH, DataKey, Plaintext};
use sops_lint::sops::cipher::Cipher;
use sops_lint::sops::value::EncValue;

/// The keys that the environment names: `README.md` says which.
static RING: LazyLock<KeyRing> = LazyLock::new(|| {
    let host = Host::new().expect("there is a current directory");
    let ring = KeyRing::new(KEY_SERVICES, host, Effort::Quiet);
    for service in &KEY_SERVICES[..2] {
        assert!(ring.of(*service).is_some(), "no private key for {}", service.name());
    }
    ring
});
static CIPHER: LazyLock<Cipher> = LazyLock::new(|| {
    let zeros = Plaintext::new(vec![0; DATA_KEY_LENGTH]);
    Cipher::new(DataKey::new(&zeros).expect("it has the length of a key"))
});

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    if *choice >= 0xf0 {
        for certificate in openpgp::certificates(bytes, 20_634) {
            let _ = certificate.usability(certificate.fingerprint());
        }
        return;
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if *choice >= 0xe0 {
        let _ = EncValue::parse(text);
        let opened = CIPHER.open(text, "a:b:");
        assert!(opened.is_err() || text.is_empty(), "it was encrypted with another key");
        return;
    }
    let stranger = Identity::new("age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh");
    let service = KEY_SERVICES[usize::from(*choice) % KEY_SERVICES.len()];
    let _ = service.check_data_key(&stranger, text);
    let _ = service.addressees(text);
    if let Some(keys) = RING.of(service) {
        let _ = keys.unwrap(None, text);
    }
});
