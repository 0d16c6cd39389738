//! Go's regular expressions and the globs of the settings: any source is compiled or refused. The
//! text to match follows the first NUL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sops_lint::pattern::Pattern;
use sops_lint::pattern::globs::Globs;

fuzz_target!(|input: &str| {
    let (source, text) = input.split_once('\0').unwrap_or((input, "secrets/a.sops.yaml"));
    match Pattern::new(source) {
        Ok(pattern) => {
            let _ = pattern.is_match(text);
        }
        Err(error) => assert!(source.get(error.offset()..).is_some()),
    }
    // As a regular expression this is refused at once, and most globs begin so.
    if !source.starts_with('*') {
        return;
    }
    if let Ok(globs) = Globs::new([source]) {
        let _ = globs.covers(text);
    }
});
