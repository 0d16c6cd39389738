//! Addresses of servers, in a form that can be compared.

use super::identity::InvalidRecipient;

/// Returns the canonical `scheme://host[:port]`: lower case, without the default port of the scheme.
pub(super) fn web_origin(scheme: &str, authority: &str) -> Result<String, InvalidRecipient> {
    if authority.contains('@') {
        return Err(InvalidRecipient::new(
            "contains a user name or password in its address",
            "remove it from the address, and change the password",
        ));
    }
    let no_host = || {
        InvalidRecipient::new(
            "has no valid host after `://`",
            "write the address as https://HOST or https://HOST:PORT",
        )
    };
    let scheme = scheme.to_ascii_lowercase();
    let own_port = if scheme == "http" { "80" } else { "443" };
    // The last colon of `[::1]` does not start a port.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_in_address = |c: char| c.is_ascii_hexdigit() || ":.".contains(c);
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match address {
        Some(address) => !address.is_empty() && address.chars().all(is_in_address),
        None => !host.is_empty() && host.chars().all(is_in_name),
    };
    if !is_host {
        return Err(no_host());
    }
    if !port.is_empty() && port.parse::<u16>().is_err() {
        return Err(no_host());
    }
    let host = host.to_ascii_lowercase();
    let is_default = port.is_empty() || port == own_port;
    Ok(if is_default { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_without_case_and_default_port() {
        let canonical = |scheme, authority| web_origin(scheme, authority).ok();
        assert_eq!(canonical("HTTPS", "A.example:443").as_deref(), Some("https://a.example"));
        assert_eq!(canonical("http", "a:443").as_deref(), Some("http://a:443"));
        assert_eq!(canonical("http", "[::1]:80").as_deref(), Some("http://[::1]"));
        assert_eq!(canonical("http", "[::1]").as_deref(), Some("http://[::1]"));
        for authority in
            ["", ":80", "a:b", "a:99999", "a b", "u:p@a", "a?b", "a::80", "a:80:", "[a", "[]"]
        {
            assert_eq!(canonical("https", authority), None, "{authority}");
        }
    }
}
