//! The input of opening a file: its data keys, each encrypted to a recipient, and its MAC.
//!
//! [`super::metadata`] checks the same block. This module reads a valid one as sops does
//! (`stores/stores.go`, `ToInternal`).

use super::block::{entry_of, service_of, threshold, unfold};
use super::flat;
use crate::document::{Document, Node, Scalar, Value};
use crate::keys::{Identity, KeyService};
use crate::text::Span;

/// The encrypted data keys and the MAC of a file. Owned, because dotenv and INI fold them.
pub struct Envelope {
    /// The key groups in force, in file order.
    pub groups: Vec<Vec<Stanza>>,
    /// `shamir_threshold`; 0 if it is not set.
    pub threshold: usize,
    /// The encrypted MAC.
    pub mac: String,
    /// The key of the MAC.
    pub mac_span: Span,
    /// The time of the last change, in seconds. The MAC is bound to it.
    pub lastmodified: String,
}

/// The data key, or a share of it, encrypted to one recipient.
pub struct Stanza {
    /// The key service.
    pub service: &'static dyn KeyService,
    /// The recipient, according to the file. sops ignores it; `None` if it is invalid.
    pub recipient: Option<Identity>,
    /// The encrypted data key.
    pub enc: String,
    /// The recipient's text.
    pub span: Span,
}

/// Reads the envelope from the first document of a file. `None` without metadata.
pub fn read(document: &Document<'_>) -> Option<Envelope> {
    let unfolded = unfold(document);
    let block = block(document, unfolded.as_ref())?;
    let mac = block.entry("mac")?;
    let lastmodified = match &block.get("lastmodified")?.value {
        Value::Scalar(Scalar::Time(time)) => time.clone(),
        Value::Scalar(Scalar::Str(time)) => Scalar::rfc3339(time)?,
        _ => return None,
    };
    let groups = groups(block).into_iter().map(|group| {
        let stanzas = stanzas(group).map(|(service, stanza)| Stanza {
            service,
            recipient: service.parse_stanza(stanza).ok(),
            enc: stanza.get("enc").and_then(Node::as_str).unwrap_or_default().to_owned(),
            span: stanza.get(service.label_field()).map_or(stanza.span, |label| label.span),
        });
        stanzas.collect()
    });
    Some(Envelope {
        groups: groups.collect(),
        threshold: threshold(block.get("shamir_threshold")).unwrap_or(0),
        mac: mac.node.as_str()?.to_owned(),
        mac_span: mac.key_span,
        lastmodified: without_fraction(&lastmodified),
    })
}

/// Calls `visit` with every stanza that sops reads from a document's metadata.
pub fn for_each_stanza(
    document: &Document<'_>,
    visit: &mut dyn FnMut(&'static dyn KeyService, &Node<'_>),
) {
    let unfolded = unfold(document);
    let block = block(document, unfolded.as_ref());
    let groups = block.into_iter().flat_map(groups);
    groups.flat_map(stanzas).for_each(|(service, stanza)| visit(service, stanza));
}

fn block<'n, 't>(
    document: &'n Document<'t>,
    unfolded: Option<&'n flat::Unfolded<'t>>,
) -> Option<&'n Node<'t>> {
    let entry = unfolded.map(|unfolded| &unfolded.entry);
    entry.or_else(|| entry_of(&document.root)).map(|entry| &entry.node)
}

/// Returns the maps with the lists of stanzas: the block itself, or its key groups if it has no list.
fn groups<'n, 't>(block: &'n Node<'t>) -> Vec<&'n Node<'t>> {
    if stanzas(block).next().is_some() {
        return vec![block];
    }
    block.get("key_groups").into_iter().flat_map(Node::elements).collect()
}

/// Returns the stanzas in the lists of `map`, in file order.
fn stanzas<'n, 't>(
    map: &'n Node<'t>,
) -> impl Iterator<Item = (&'static dyn KeyService, &'n Node<'t>)> {
    let lists = map.entries().filter_map(|entry| Some((service_of(&entry.key)?, &entry.node)));
    lists.flat_map(|(service, list)| list.elements().map(move |stanza| (service, stanza)))
}

/// Drops the fraction: Go's `time.RFC3339` has whole seconds.
fn without_fraction(time: &str) -> String {
    let Some((seconds, rest)) = time.split_once('.') else { return time.to_owned() };
    format!("{seconds}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}
