//! A plaintext comment among encrypted values.

use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use crate::document::Document;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::shell::Advice;
use crate::sops::census::Encryption;
use crate::sops::selector::Selector;
use crate::sops::walk::{self, Step};
use crate::text::Span;
use crate::text::words::count;

declare_rule! {
    /// ## What it does
    ///
    /// Finds plaintext comments below a key that the file's selector covers. sops encrypts such
    /// comments like values, so a plaintext one was added by hand. The rule ignores comments at the
    /// top of a file, comments for tools (`yaml-language-server`, `yamllint`, `prettier`,
    /// `renovate`), and files whose selector depends on comments.
    ///
    /// ## Why it matters
    ///
    /// A comment next to a secret often contains the secret: `# old password: ..`. sops decrypts
    /// such a file with only a warning.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// stringData:
    ///   # was hunter2 until May
    ///   password: ENC[AES256_GCM,data:..,iv:..,tag:..,type:str]
    /// sops:
    ///   encrypted_regex: ^(data|stringData)$
    /// ```
    ///
    /// ## How to fix
    ///
    /// Remove the comment, and write it again with `sops edit FILE`, which encrypts it. If the
    /// comment contained a secret and was ever pushed, change that secret.
    PlaintextComment, "plaintext-comment", Warning, needs Text, Leak(50),
    "a plaintext comment where sops would have encrypted it"
}

/// Words with which comments begin that are for tools.
const DIRECTIVES: [&str; 8] = [
    "yaml-language-server",
    "yamllint",
    "prettier",
    "renovate",
    "kics",
    "checkov",
    "trivy",
    "editorconfig",
];

impl FileRule for PlaintextComment {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        for judged in subject.documents {
            drafts.extend(check_document(subject, judged));
        }
    }
}

fn check_document<'s>(subject: &Subject<'s>, judged: &Judged<'s>) -> Option<Draft<'s>> {
    let metadata = judged.metadata.as_ref()?;
    let selector = &metadata.recipe.selector;
    let is_unclear = metadata.is_ambiguous || selector.reads_comments();
    if is_unclear || judged.census.encryption() != Encryption::Values {
        return None;
    }
    let spans = comments_in_clear(judged.document, selector);
    let first = *spans.first()?;
    let verb = if spans.len() == 1 { "is" } else { "are" };
    let message = format!(
        "{} {verb} unencrypted below a key that {selector} covers",
        count(spans.len(), "comment")
    );
    let draft = Draft::new(&META, first, message)
        .at(judged.document.index, None)
        .note("added by hand")
        .help(
            Advice::from("remove it and write it again with ")
                + subject.sops("edit")
                + "; if it names a secret and was ever pushed, change that",
        );
    Some(draft.also_each(spans.into_iter().skip(1), "this too"))
}

/// The comments below a key that the selector covers, and that are neither encrypted nor for tools.
fn comments_in_clear(document: &Document<'_>, selector: &Selector) -> Vec<Span> {
    let mut found = Vec::new();
    walk::comments(document, &mut |comment, path| {
        let was_named = path.iter().any(|step| match step {
            Step::Key(key) | Step::Unnamed(key) => selector.names(key),
            Step::Index(_) => false,
        });
        let text = comment.text.trim_start_matches(['#', ' ', '\t']).trim_end();
        let is_fine = text.is_empty()
            || text.starts_with("ENC[")
            || DIRECTIVES.iter().any(|word| text.starts_with(word));
        if !path.is_empty() && !is_fine && selector.decide(was_named) {
            found.push(comment.span);
        }
    });
    found
}
