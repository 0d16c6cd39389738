//! Encrypts any text in every format. A file that was encrypted always decrypts to the same content. The
//! first byte chooses the format and the selector.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sops_lint::document::FORMATS;
use sops_lint::document::splice::Block;
use sops_lint::keys::{KEY_SERVICES, Recipient};
use sops_lint::secret::Plaintext;
use sops_lint::sops::recipe::{KeyGroup, Recipe};
use sops_lint::sops::seal::{SealError, Sealing, seal};
use sops_lint::sops::selector::{Field, Selector};
use sops_lint::text::Span;

const AGE: &str = "age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh";
const SELECTORS: [(Field, &str); 6] = [
    (Field::UnencryptedSuffix, "_unencrypted"),
    (Field::EncryptedRegex, "^(data|stringData)$"),
    (Field::UnencryptedRegex, "^a$"),
    (Field::EncryptedSuffix, "a"),
    (Field::EncryptedCommentRegex, "s"),
    (Field::UnencryptedCommentRegex, "p"),
];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let choice = usize::from(*choice);
    let (field, pattern) = SELECTORS[choice / 8 % SELECTORS.len()];
    let service = KEY_SERVICES[0];
    let identity = service.parse(AGE).expect("a recipient");
    let recipient = Recipient { service, identity, span: Span::default() };
    let recipe = Recipe {
        key_groups: vec![KeyGroup { recipients: vec![recipient], invalid: Vec::new() }],
        selector: Selector::new(field, pattern, Span::default()),
        mac_only_encrypted: choice / 64 % 2 == 1,
        ..Recipe::default()
    };
    let wrap = |_: &Recipient, _: &Plaintext| {
        Ok(Block::map([("enc", Block::text("x")), ("recipient", Block::text(AGE))]))
    };
    let random = |bytes: &mut [u8]| bytes.fill(7);
    let sealing = Sealing { recipe: &recipe, wrap: &wrap, now: 0, random: &random };
    let format = FORMATS.get(choice % 8 % (FORMATS.len() + 1)).copied();
    match seal(bytes, format, &sealing) {
        Ok(sealed) => assert!(sealed.values > 0 && sealed.text.contains("ENC[AES256_GCM,")),
        // Parsers disagree whether a lone carriage return ends a line, so such a file is refused.
        Err(SealError::Check(_)) if has_lone_return(bytes) => {}
        Err(error @ SealError::Check(_)) => panic!("{error}"),
        // Most inputs cannot be encrypted.
        Err(
            SealError::Ciphertext { .. }
            | SealError::Impossible { .. }
            | SealError::Rule { .. }
            | SealError::Recipient { .. },
        ) => {}
    }
});

fn has_lone_return(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().any(|(at, byte)| *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
}
