//! [`Input`]: the bytes of one file, read once. Nothing later opens the path again.

use sha2::{Digest as _, Sha256};

use crate::path::RepoPath;

/// Size of the largest file that is judged, in bytes. Larger files are reported if they matter.
pub const MAX_FILE_SIZE: u64 = 16 * 1024 * 1024;

/// One file to judge.
#[derive(Debug)]
pub struct Input {
    /// Its path in the repository.
    pub path: RepoPath,
    /// Its bytes.
    pub content: Content,
}

/// The content of a file, as far as it was read.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Bytes(Vec<u8>),
    /// All of it, which was UTF-16 and is UTF-8 here.
    Utf16(Vec<u8>),
    /// More than [`MAX_FILE_SIZE`]; its size in bytes.
    TooLarge(u64),
}

impl Content {
    /// Returns the bytes of a file as sops reads them: UTF-16 with a byte order mark, which Windows
    /// shells write, becomes UTF-8. Offsets then count the bytes of the UTF-8 text.
    pub fn new(bytes: Vec<u8>) -> Self {
        let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| -> String {
            let units = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        };
        match bytes.first_chunk() {
            Some([0xff, 0xfe]) => Self::Utf16(units(&bytes, u16::from_le_bytes).into_bytes()),
            Some([0xfe, 0xff]) => Self::Utf16(units(&bytes, u16::from_be_bytes).into_bytes()),
            _ => Self::Bytes(bytes),
        }
    }
}

impl Content {
    /// Returns the bytes; `None` of a file that is too large.
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) | Self::Utf16(bytes) => Some(bytes),
            Self::TooLarge(_) => None,
        }
    }

    /// Identifies the content; a file that is too large, by its size.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Bytes(bytes) | Self::Utf16(bytes) => Digest::of(bytes),
            Self::TooLarge(size) => Digest::of(&size.to_be_bytes()),
        }
    }
}

/// The SHA-256 of a file's bytes. It identifies a content without holding it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Hashes the bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl std::fmt::Debug for Digest {
    /// Shows nothing of the hash: short contents can be guessed from it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[digest]")
    }
}

impl std::fmt::Debug for Content {
    /// Shows the size alone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) | Self::Utf16(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::TooLarge(size) => write!(f, "{size} bytes, not read"),
        }
    }
}

impl Input {
    /// Returns the bytes; none of a file that is too large.
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Bytes(bytes) | Content::Utf16(bytes) => bytes,
            Content::TooLarge(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_windows_shell_redirects_is_text_too() {
        for bytes in [&b"\xff\xfea\0:\0\xe9\0"[..], b"\xfe\xff\0a\0:\0\xe9"] {
            let Content::Utf16(bytes) = Content::new(bytes.to_vec()) else { panic!("UTF-16") };
            assert_eq!(bytes, "a:é".as_bytes());
        }
        assert!(matches!(Content::new(vec![0xff]), Content::Bytes(bytes) if bytes == [0xff]));
    }
}
