//! A private key that was found.

use crate::secret::Plaintext;
use crate::text::Span;

/// A private key in a file.
#[derive(Debug)]
pub struct FoundKey {
    /// An age identity, the header of another key, or the beginning of the base64 around the key.
    pub span: Span,
    /// Its form.
    pub form: Form,
    /// True if it can only be used with a passphrase.
    pub is_locked: bool,
    /// True if the file has the key in base64.
    pub is_in_base64: bool,
    /// An age identity as text; the packets of an OpenPGP key; the bytes of a key in PEM.
    pub material: Plaintext,
}

/// The form of a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An identity of age.
    Age,
    /// A post-quantum identity of age.
    AgeHybrid,
    /// An OpenPGP key in armor.
    OpenPgp,
    /// The packets of an OpenPGP key.
    OpenPgpBinary,
    /// A key of OpenSSH in its own format.
    OpenSsh,
    /// Any other key in PEM.
    Pem,
}

impl FoundKey {
    /// Describes it, with an article.
    pub fn what(&self) -> &'static str {
        match (self.form, self.is_locked) {
            (Form::Age, _) => "an age private key",
            (Form::AgeHybrid, _) => "a post-quantum age private key",
            (Form::OpenPgp, _) => "an OpenPGP private key",
            (Form::OpenPgpBinary, _) => "a binary OpenPGP secret key",
            (Form::OpenSsh, false) => "an SSH private key",
            (Form::OpenSsh, true) => "a passphrase-protected SSH private key",
            (Form::Pem, false) => "a private key in PEM",
            (Form::Pem, true) => "a passphrase-protected private key in PEM",
        }
    }

    /// Returns true if such keys are made to decrypt files: age and OpenPGP keys.
    pub fn is_for_files(&self) -> bool {
        !matches!(self.form, Form::OpenSsh | Form::Pem)
    }
}
