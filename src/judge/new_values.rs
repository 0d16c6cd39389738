//! Marks the findings whose values are new or different since the change that is judged.

use std::collections::HashMap;

use super::reading::Unread;
use crate::document::{self, Scalar};
use crate::finding::{Finding, Risk};
use crate::input::Input;
use crate::sops::selector::Selector;
use crate::sops::walk;
use crate::traces;
use crate::tree::{Before, Tree};

/// Compares the values that leak, and marks those that are not what they were before the change. Nothing of
/// a value is kept. The findings are sorted by path.
pub fn mark_new_values(findings: &mut [Finding], tree: &dyn Tree) {
    for findings in findings.chunk_by_mut(|one, other| one.place.path == other.place.path) {
        let is_leak = |finding: &&mut Finding| matches!(finding.rule.risk, Risk::Leak(_));
        let mut leaks: Vec<&mut Finding> = findings.iter_mut().filter(is_leak).collect();
        let Some(path) = leaks.first().map(|finding| finding.place.path.clone()) else { continue };
        match tree.before(&path) {
            Before::Unknown | Before::Same => {}
            Before::Nothing => {
                for finding in leaks {
                    finding.new_values = (0..finding.key_paths.len().max(1)).collect();
                }
            }
            Before::Other(old) => {
                let Ok(content) = tree.read(&path) else { continue };
                compare(&mut leaks, &old, &Input { path, content });
            }
        }
    }
}

/// Marks the values that are different in two versions of a file.
fn compare(findings: &mut [&mut Finding], old: &Input, new: &Input) {
    let mut wanted: HashMap<Wanted, usize> = HashMap::new();
    for finding in &*findings {
        for path in finding.key_paths.iter().chain(&finding.key_path) {
            let number = wanted.len();
            wanted.entry((finding.document, path.clone())).or_insert(number);
        }
    }
    let is_same = compare_values(&wanted, old, new);
    let is_other_file = old.content != new.content;
    for finding in findings {
        let document = finding.document;
        let look = |path: &String| is_same[wanted[&(document, path.clone())]];
        // The path of a value inside a text is no path of the file; the text decides.
        let whole = finding.key_path.as_ref().and_then(look);
        let is_new = |path: &String| !look(path).or(whole).unwrap_or(!is_other_file);
        finding.new_values = if finding.key_paths.is_empty() {
            Vec::from_iter(is_other_file.then_some(0))
        } else {
            let paths = finding.key_paths.iter().enumerate();
            paths.filter(|(_, path)| is_new(path)).map(|(at, _)| at).collect()
        };
    }
}

/// A document and a key path.
type Wanted = (usize, String);

/// Reports for each key path whether its values are the same in both versions; `None` if the new one has no
/// value there.
fn compare_values(wanted: &HashMap<Wanted, usize>, old: &Input, new: &Input) -> Vec<Option<bool>> {
    with_values(wanted, old, |old| {
        with_values(wanted, new, |new| {
            let pairs = old.iter().zip(new);
            pairs.map(|(old, new)| (!new.is_empty()).then(|| old == new)).collect()
        })
    })
}

/// Reads a file, and calls `take` with the values at or below each key path.
fn with_values<T>(
    wanted: &HashMap<Wanted, usize>,
    input: &Input,
    take: impl FnOnce(&[Vec<&Scalar<'_>>]) -> T,
) -> T {
    let (path, bytes) = (&input.path, input.bytes());
    let unread = Unread {
        path,
        bytes,
        text: std::str::from_utf8(bytes),
        format: document::format_of(path),
        traces: traces::look(path, bytes),
        claims_encryption: traces::claims_encryption(path, None),
        is_config: false,
    };
    let variants = unread.variants();
    let parsed = unread.read(variants.as_ref()).parsed;
    let mut values: Vec<Vec<&Scalar<'_>>> = vec![Vec::new(); wanted.len()];
    for document in &parsed.documents {
        walk::leaves(document, &Selector::default(), &mut |leaf| {
            let key_path = walk::key_path(leaf.path);
            let ends = key_path.match_indices(['.', '[']).map(|(end, _)| end);
            for end in ends.chain([key_path.len()]) {
                if let Some(at) = wanted.get(&(document.index, key_path[..end].to_owned())) {
                    values[*at].push(leaf.scalar);
                }
            }
        });
    }
    take(&values)
}
