//! Encrypts any text in every format: whatever is sealed is whole to who has the key. The first byte
//! chooses format and selector.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sops_lint::document::FORMATS;
use sops_lint::document::splice::Block;
use sops_lint::keys::{KEY_SERVICES, Recipient};
use sops_lint::secret::Plaintext;
use sops_lint::sops::recipe::{KeyGroup, Recipe};
use sops_lint::sops::seal::{Sealing, seal};
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
    let dice = |bytes: &mut [u8]| bytes.fill(7);
    let sealing = Sealing { recipe: &recipe, wrap: &wrap, now: 0, dice: &dice };
    let format = FORMATS.get(choice % 8 % (FORMATS.len() + 1)).copied();
    // What is written oddly may fail its check, and is refused then.
    if let Ok(sealed) = seal(bytes, format, &sealing) {
        assert!(sealed.values > 0 && sealed.text.contains("ENC[AES256_GCM,"));
    }
});
