//! References by the schemes of tools.

/// Reports whether a tool fetches the value when it deploys: 1Password, vals, Vault operators.
pub(super) fn is_fetched(text: &str) -> bool {
    if let Some(path) = text.strip_prefix("op://") {
        // Names of items may have blanks. A section may stand in front of the field.
        let parts: Vec<&str> = path.split('/').collect();
        let is_line = !text.contains(char::is_control);
        return is_line
            && matches!(parts.len(), 3 | 4)
            && parts.iter().all(|part| !part.trim().is_empty());
    }
    if text.contains(char::is_whitespace) {
        return false;
    }
    if let Some(url) = text.strip_prefix("ref+").or_else(|| text.strip_prefix("secretref+")) {
        // `echo` prints its own path.
        return url.split_once("://").is_some_and(|(scheme, path)| {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte);
            !scheme.is_empty()
                && scheme.bytes().all(is_part)
                && scheme != "echo"
                && !path.is_empty()
        });
    }
    // `vault:v1:..` is a ciphertext of Vault's transit engine.
    let path = text.strip_prefix(">>").unwrap_or(text).strip_prefix("vault:");
    let path = path.and_then(|rest| rest.split_once('#'));
    path.is_some_and(|(path, key)| path.trim_matches('/').contains('/') && !key.is_empty())
}
