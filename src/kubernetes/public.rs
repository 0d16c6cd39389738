//! Values of a Secret that are no secret: settings, certificates, and what is encrypted already.

use std::borrow::Cow;

use base64::Engine;

use super::secret::Secret;
use crate::document::Node;
use crate::private_key::is_public_pem;
use crate::sops::value::PREFIX;

/// The label of the Secrets in which Argo CD keeps its repositories and clusters.
const ARGO_CD_LABEL: &str = "argocd.argoproj.io/secret-type";

/// Keys of such Secrets that hold settings.
/// *Source*: docs/operator-manual/declarative-setup.md of argoproj/argo-cd.
const ARGO_CD_SETTINGS: [&str; 16] = [
    "name",
    "type",
    "project",
    "insecure",
    "enableLfs",
    "enableOCI",
    "forceHttpBasicAuth",
    "githubAppID",
    "githubAppInstallationID",
    "githubAppEnterpriseBaseUrl",
    "useAzureWorkloadIdentity",
    "noProxy",
    "server",
    "namespaces",
    "clusterResources",
    "shard",
];

/// Returns true if the value under `key` is no secret.
pub fn is_public(secret: &Secret<'_, '_>, key: &str, text: &str, is_base64: bool) -> bool {
    let text = if is_base64 { decoded(text) } else { Cow::Borrowed(text) };
    let text = text.trim();
    // Flux decrypts a SOPS file in `data`.
    let holds_files = is_base64 || secret.holds_files;
    let is_encrypted = holds_files && text.contains(PREFIX) && text.contains("lastmodified");
    let is_nothing = matches!(text, "{}" | "[]" | "\"\"" | "null");
    is_encrypted || is_nothing || is_argo_cd_setting(secret, key, text) || is_public_pem(text)
}

fn decoded(text: &str) -> Cow<'_, str> {
    let base64: String = text.split_ascii_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64);
    match bytes.map(String::from_utf8) {
        Ok(Ok(text)) => Cow::Owned(text),
        _ => Cow::Borrowed(text),
    }
}

fn is_argo_cd_setting(secret: &Secret<'_, '_>, key: &str, text: &str) -> bool {
    let labels = secret.node.get("metadata").and_then(|metadata| metadata.get("labels"));
    let kind = labels.and_then(|labels| labels.get(ARGO_CD_LABEL)).and_then(Node::as_str);
    if !matches!(kind, Some("repository" | "repo-creds" | "cluster")) {
        return false;
    }
    // A URL may carry the name and the password in front of its host.
    let is_plain_url = matches!(key, "url" | "proxy") && !text.contains('@');
    is_plain_url || ARGO_CD_SETTINGS.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, yaml::Yaml};
    use crate::kubernetes::secret::secrets;

    fn public(labels: &str, key: &str, text: &str) -> bool {
        let manifest =
            format!("{{apiVersion: v1, kind: Secret, metadata: {{labels: {{{labels}}}}}}}");
        let parsed = Yaml.parse(&manifest);
        let secret = &secrets(&parsed.documents[0])[0];
        is_public(secret, key, text, false)
    }

    #[test]
    fn certificates_are_public_and_keys_are_not() {
        let pem = |label: &str, line: &str| {
            format!("-----BEGIN {label}-----\n{line}\n-----END {label}-----\n")
        };
        let line = "MIIBszCCAVmgAwIBAgIUV0";
        assert!(public("", "ca.crt", &pem("CERTIFICATE", line)));
        assert!(!public("", "tls.key", &pem("PRIVATE KEY", line)));
        assert!(!public("", "both", &(pem("CERTIFICATE", line) + &pem("EC PRIVATE KEY", line))));
        assert!(public("", "manual", &pem("OPENSSH PRIVATE KEY", "...")));
    }

    #[test]
    fn argo_cd_keeps_settings_beside_passwords() {
        let label = "argocd.argoproj.io/secret-type: repository";
        assert!(public(label, "url", "https://git.example.com/app"));
        assert!(!public(label, "url", "https://me:canary@git.example.com/app"));
        assert!(!public(label, "password", "canary"));
        assert!(!public("", "url", "https://git.example.com/app"));
    }
}
