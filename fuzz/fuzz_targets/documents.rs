//! Every format, on any text: no panic, and every span inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sops_lint::document::{FORMATS, Node};
use sops_lint::redact::Redactor;
use sops_lint::text::Span;

fn check(node: &Node<'_>, text: &str) {
    assert!(text.get(node.span.start..node.span.end).is_some());
    for entry in node.entries() {
        assert!(text.get(entry.key_span.start..entry.key_span.end).is_some());
        check(&entry.node, text);
    }
    node.elements().for_each(|element| check(element, text));
}

fuzz_target!(|text: &str| {
    for format in FORMATS {
        let parsed = format.parse(text);
        parsed.documents.iter().for_each(|document| check(&document.root, text));
        let documents: Vec<_> = parsed.documents.iter().collect();
        let shown = Redactor::new(text.as_bytes(), &documents).show(Span::new(0, text.len()));
        assert_eq!(shown.len(), text.len());
    }
});
