//! Go's regular expressions: any source is compiled or refused, and matched in linear time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sops_lint::pattern::Pattern;

fuzz_target!(|input: (&str, &str)| {
    let (source, text) = input;
    match Pattern::new(source) {
        Ok(pattern) => {
            let _ = pattern.is_match(text);
        }
        Err(error) => assert!(source.get(error.offset()..).is_some()),
    }
});
