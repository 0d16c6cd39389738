//! Files on whose verdict this program and sops once disagreed, as small as they can be.

use super::documents::{Made, config};

/// A file that sops encrypts, and what happens to it then.
pub(super) struct Known {
    pub(super) title: &'static str,
    text: &'static str,
    selector: &'static str,
    mac_only: bool,
    pub(super) damage: fn(&str) -> String,
    /// Whether sops takes it.
    pub(super) is_taken: bool,
}

impl Known {
    /// The YAML before it is encrypted.
    pub(super) fn made(&self) -> Made {
        let config = config(self.selector, self.mac_only);
        Made { ending: "yaml", bytes: self.text.as_bytes().to_vec(), config }
    }
}

const SECRET: &str = "encrypted_comment_regex: secret";
const PUBLIC: &str = "unencrypted_comment_regex: public";
const NONE: &str = "encrypted_regex: ^nothing$";

fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

pub(super) const CASES: &[Known] = &[
    Known {
        title: "CRLF, the only comment on top of a document",
        text: "a: 1\n---\n# secret\nb: 2\n",
        selector: SECRET,
        mac_only: false,
        damage: crlf,
        is_taken: false,
    },
    Known {
        title: "CRLF, the second comment on top of a document",
        text: "a: 1\n---\n# x\n# secret\nb: 2\n",
        selector: SECRET,
        mac_only: false,
        damage: crlf,
        is_taken: true,
    },
    Known {
        title: "CRLF, below a map in a list",
        text: "a:\n  - k: 1\n  # public\n  - 2\n  - 3\n",
        selector: PUBLIC,
        mac_only: true,
        damage: crlf,
        is_taken: false,
    },
    Known {
        title: "an empty line below a comment, below a list in a list",
        text: "a:\n  - - 1\n  # secret\n  - x\n",
        selector: SECRET,
        mac_only: false,
        damage: |text| text.replace("# secret\n", "# secret\n\n"),
        is_taken: false,
    },
    Known {
        title: "a block scalar in the place of the block",
        text: "a: 1\nb: |\n  line\n  line\n",
        selector: NONE,
        mac_only: false,
        damage: |text| text.replace("b: |", "?").replace("sops:", "b: |").replace('?', "sops:"),
        is_taken: false,
    },
    Known {
        title: "broken base64 that is not signed",
        text: "a: !!binary /w==\n---\na: !!binary /w==\n",
        selector: NONE,
        mac_only: true,
        damage: |text| text.replace("/w==", "/w="),
        is_taken: true,
    },
    Known {
        title: "broken base64 that is signed",
        text: "a: !!binary /w==\n",
        selector: NONE,
        mac_only: false,
        damage: |text| text.replace("/w==", "/w="),
        is_taken: false,
    },
    Known {
        title: "null under a tag that does not fit",
        text: "a: null\n",
        selector: NONE,
        mac_only: false,
        damage: |text| text.replace("null", "!!int x"),
        is_taken: true,
    },
    Known {
        title: "an empty line above a data key",
        text: "a: 1\n",
        selector: NONE,
        mac_only: false,
        damage: |text| text.replace("enc: |\n", "enc: |\n\n"),
        is_taken: true,
    },
    Known {
        title: "a blank in front of a data key",
        text: "a: 1\n",
        selector: NONE,
        mac_only: false,
        damage: |text| text.replace("enc: |\n            ", "enc: |1\n             "),
        is_taken: false,
    },
    Known {
        title: "another selector in the first block alone",
        text: "x: 1\n---\nx: 2\na: 3\n",
        selector: "encrypted_regex: ^x$",
        mac_only: true,
        damage: |text| text.replacen("^x$", "^(x|a)$", 1),
        is_taken: false,
    },
    Known {
        title: "a text for a boolean in the block",
        text: "a: 1\nx: 2\n",
        selector: NONE,
        mac_only: true,
        damage: |text| text.replace("encrypted: true", "encrypted: !!str true"),
        is_taken: false,
    },
    Known {
        title: "a tag that does not fit, in the block",
        text: "a: null\n",
        selector: NONE,
        mac_only: false,
        damage: |text| text.replace("recipient: ", "recipient: !!int "),
        is_taken: false,
    },
];
