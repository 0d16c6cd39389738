//! The servers that decrypt data keys.

use super::subject::Subject;
use crate::text::Span;

/// Where the data key of one recipient is decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The key service.
    pub service: &'static str,
    /// The canonical place.
    pub place: String,
    /// The recipient in the metadata.
    pub span: Span,
}

/// Where the data key of a file is decrypted, one for each recipient of a service elsewhere.
pub(super) fn endpoints(subject: &Subject<'_>) -> Vec<Endpoint> {
    let recipients = subject.metadata().into_iter().flat_map(|it| it.recipe.recipients());
    let endpoints = recipients.filter_map(|recipient| {
        let service = recipient.service.name();
        let place = recipient.service.endpoint(&recipient.identity)?;
        Some(Endpoint { service, place, span: recipient.span })
    });
    endpoints.collect()
}
