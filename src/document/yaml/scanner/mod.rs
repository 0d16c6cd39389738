//! The tokens of a text as sops' YAML library makes them, to find what it refuses and our parser reads.
//!
//! Follows `scannerc.go` of `go.yaml.in/yaml/v3`: tabs, simple keys and the characters that end a token
//! without quotes. It keeps no token.

mod cursor;
mod plain;
mod scalar;
mod tokens;

pub(super) use tokens::refused;
