//! The servers that decrypt data keys.

use super::subject::Subject;
use crate::text::Span;

/// The place that decrypts the data key of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The key service.
    pub service: &'static str,
    /// The server, account or project in canonical form.
    pub place: String,
    /// The recipient in the metadata.
    pub span: Span,
}

/// Returns the endpoints of a file, one for each recipient of a remote key service.
pub(super) fn endpoints(subject: &Subject<'_>) -> Vec<Endpoint> {
    let recipients = subject.metadata().into_iter().flat_map(|it| it.recipe.recipients());
    let endpoints = recipients.filter_map(|recipient| {
        let service = recipient.service.name();
        let place = recipient.service.endpoint(&recipient.identity)?;
        Some(Endpoint { service, place, span: recipient.span })
    });
    endpoints.collect()
}
