//! Shapes that are judged wrongly today.

/// Shapes that are switched off, alone or together, each with the reason. None is made unless `SECRETS_ALL`
/// is set. The correction of a kind removes its entries here.
pub(super) const KNOWN: &[(&[&str], &str)] = &[
    // The look at raw bytes (`traces::look`) says no.
    // What a list is (`kubernetes::secrets`).
    // Which of two entries counts (`Node::get`, `Secret::values`).
    // Merge keys.
    // What is JSON, and where it ends (`json::Reader::document`).
    (&["YAML under a name for JSON"], "what is no JSON is not read as YAML"),
    (&["a BOM in front of JSON"], "a BOM ends the reading of JSON"),
    (&["JSON behind other JSON"], "one value is read of JSON"),
    (&["JSON before other JSON"], "something behind the value ends the reading of JSON"),
    (&["data behind JSON"], "something behind the value ends the reading of JSON"),
    (&["a comma behind the last member"], "what is no JSON is not read as YAML"),
    (&["a byte of JSON deleted, added or changed"], "what is no JSON is not read as YAML"),
    (&["a comment in JSON"], "what is no JSON is not read as YAML"),
    // The stream of YAML.
    (&["a BOM behind a document marker"], "a BOM inside the stream ends the reading"),
    (&["a BOM in front of a line"], "a BOM inside the stream ends the reading"),
    (&["a BOM at the end"], "a BOM inside the stream ends the reading"),
    (&["a BOM between documents"], "a BOM inside the stream ends the reading"),
    (&["a byte that is no UTF-8 in a comment"], "what is no UTF-8 is not parsed"),
    (&["a BOM in front", "a blank in front"], "a BOM inside the stream is passed over"),
    (&["a BOM in front", "a document marker"], "a BOM inside the stream ends the reading"),
    (&["a BOM in front", "a directive"], "a BOM inside the stream ends the reading"),
    (&["a BOM in front", "a broken document in front"], "a BOM inside the stream ends the reading"),
    (&["behind an empty document", "a line deleted"], "a broken document ends the reading"),
    (&["behind another document", "a line doubled"], "a broken document ends the reading"),
    (&["behind another document", "a line indented"], "a broken document ends the reading"),
    (
        &["behind another document", "UTF-16"],
        "to kubectl and kustomize only the first document is there",
    ),
    (
        &["behind an empty document", "UTF-16"],
        "to kubectl and kustomize only the first document is there",
    ),
    (&["behind an empty document", "a line doubled"], "a broken document ends the reading"),
    (&["a byte that is no UTF-8"], "what is no UTF-8 is not parsed"),
    (&["a tab in braces"], "the parser takes a tab in front of a line for indentation"),
    (&["U+0085 for a line end"], "the parser reads YAML 1.2, where that is no line end"),
    (&["CR between documents"], "to kubectl the marker begins no line; here it does"),
    // Kustomizations.
    (&["an inline strategic patch"], "patches are not looked into"),
    (&["an inline strategic patch with a target"], "patches are not looked into"),
    (&["an inline patch of the old kind"], "patches are not looked into"),
    (&["an inline JSON6902 patch"], "patches are not looked into"),
    (&["an inline JSON6902 patch of the old kind"], "patches are not looked into"),
    (&["a JSON6902 patch in a file"], "patches are not looked into"),
    (&["a patch that makes another kind a Secret"], "patches are not looked into"),
    (&["a component without an ending with a patch"], "patches are not looked into"),
    (&["a generator of the old kind"], "`generators` are not looked into"),
    (&["literals of a generator in a file called Kustomization"], "it has no ending"),
    (&["a strategic patch in a file without its ending"], "the ending chooses the format"),
    (&["an ending in capitals, listed"], "the ending chooses the format"),
    (&["another ending, listed"], "the ending chooses the format"),
    (&["no ending, listed"], "the ending chooses the format"),
    (&["an ending of sops, listed"], "the ending chooses the format"),
];
