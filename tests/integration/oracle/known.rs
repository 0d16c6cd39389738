//! Shapes that are judged wrongly today.

/// Shapes that are switched off, alone or together, each with the reason. None is made unless `SECRETS_ALL`
/// is set. The correction of a kind removes its entries here.
pub(super) const KNOWN: &[(&[&str], &str)] = &[
    // The stream of YAML.
    (
        &["behind another document", "UTF-16"],
        "to kubectl and kustomize only the first document is there",
    ),
    (
        &["behind an empty document", "UTF-16"],
        "to kubectl and kustomize only the first document is there",
    ),
    (&["CR between documents"], "to kubectl the marker begins no line; here it does"),
    (
        &["U+0085 for a line end", "a line end in the kind"],
        "an escape of this line end is unknown here",
    ),
    (&["U+0085 for a line end", "another kind first"], "a duplicate key ends the reading"),
    (&["a BOM in front", "a comment"], "a BOM inside the stream is passed over"),
    (
        &["a BOM behind a document marker", "no ending, listed"],
        "a name without a format has no error of syntax",
    ),
    (
        &["a BOM behind a document marker", "another ending, listed"],
        "a name without a format has no error of syntax",
    ),
    (
        &["a BOM behind a document marker", "an ending of sops, listed"],
        "a name without a format has no error of syntax",
    ),
    (
        &["a BOM in front of a line", "no ending, listed"],
        "a name without a format has no error of syntax",
    ),
    (
        &["a BOM in front of a line", "an ending of sops, listed"],
        "a name without a format has no error of syntax",
    ),
    (
        &["a BOM at the end", "an ending of sops, listed"],
        "a name without a format has no error of syntax",
    ),
    (&["a BOM at the end", "no ending, listed"], "a name without a format has no error of syntax"),
    (
        &["a BOM at the end", "another ending, listed"],
        "a name without a format has no error of syntax",
    ),
    (
        &["a BOM in front of a line", "another ending, listed"],
        "a name without a format has no error of syntax",
    ),
];
