//! Values of a Secret that are no secret: settings, certificates, and what is encrypted already.

use std::borrow::Cow;

use base64::Engine;

use super::literal::holds_secret;
use super::reference::{Reference, classify};
use super::secret::Secret;
use super::ssh::is_public_ssh;
use crate::document::json::Json;
use crate::document::{Document, Format, Node, Scalar, Value};
use crate::private_key::is_public_pem;
use crate::sops::value::PREFIX;

/// The label of the Secrets in which Argo CD keeps its repositories and clusters.
const ARGO_CD_LABEL: &str = "argocd.argoproj.io/secret-type";

/// Keys of such Secrets that hold settings.
/// *Source*: docs/operator-manual/declarative-setup.md of argoproj/argo-cd.
const ARGO_CD_SETTINGS: [&str; 20] = [
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
    "webhookManifestCacheWarmDisabled",
    "insecureIgnoreHostKey",
    "insecureOCIForceHttp",
    "depth",
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
    is_encrypted
        || is_nothing
        || is_argo_cd_setting(secret, key, text)
        || is_public_pem(text)
        || is_public_ssh(text)
        || is_key_of_vault_plugin(secret, text)
}

fn decoded(text: &str) -> Cow<'_, str> {
    let base64: String = text.split_ascii_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64);
    match bytes.map(String::from_utf8) {
        Ok(Ok(text)) => Cow::Owned(text),
        _ => Cow::Borrowed(text),
    }
}

/// Reports whether the vault plugin of Argo CD inserts the value: with a path in an annotation,
/// `<name>` is a key there.
/// *Source*: docs/howitworks.md of argoproj-labs/argocd-vault-plugin.
fn is_key_of_vault_plugin(secret: &Secret<'_, '_>, text: &str) -> bool {
    let metadata = secret.node.get("metadata");
    let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
    let path = annotations.and_then(|annotations| annotations.get("avp.kubernetes.io/path"));
    let name = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    let is_part = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    path.is_some() && name.is_some_and(|name| !name.is_empty() && name.chars().all(is_part))
}

fn is_argo_cd_setting(secret: &Secret<'_, '_>, key: &str, text: &str) -> bool {
    let labels = secret.node.get("metadata").and_then(|metadata| metadata.get("labels"));
    let kind = labels.and_then(|labels| labels.get(ARGO_CD_LABEL)).and_then(Node::as_str);
    match kind {
        Some("repository" | "repo-creds" | "repository-write" | "repo-write-creds" | "cluster") => {
        }
        _ => return false,
    }
    match key {
        "url" | "proxy" => is_plain_url(text) && !holds_secret(text),
        "config" => is_plain_cluster(text),
        _ => ARGO_CD_SETTINGS.contains(&key),
    }
}

/// Reports whether a URL has neither a password nor a token in front of its host. SSH has only a
/// name there.
fn is_plain_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        // `git@example.org:shop.git`
        return text.split_once('@').is_none_or(|(name, _)| !name.contains([':', '/']));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let login = authority.rsplit_once('@').map(|(login, _)| login);
    login.is_none_or(|login| matches!(scheme, "ssh" | "git+ssh") && !login.contains(':'))
}

/// Reports whether the settings of a cluster are without tokens, keys and passwords.
fn is_plain_cluster(text: &str) -> bool {
    let parsed = Json.parse(text);
    let is_map = |document: &Document<'_>| matches!(document.root.value, Value::Map(_));
    let mut documents = parsed.documents.iter();
    parsed.error.is_none()
        && documents.all(|document| is_map(document) && is_plain_node("", &document.root))
}

/// Does the same for a node under a key. Keys that are not known have no value.
/// *Source*: `ClusterConfig` in pkg/apis/application/v1alpha1/types.go of argoproj/argo-cd.
fn is_plain_node(key: &str, node: &Node<'_>) -> bool {
    const SETTINGS: [&str; 11] = [
        "insecure",
        "disableCompression",
        "serverName",
        "caData",
        "certData",
        "clusterName",
        "roleARN",
        "profile",
        "command",
        "apiVersion",
        "installHint",
    ];
    match &node.value {
        Value::Map(_) => node.entries().all(|entry| is_plain_node(&entry.key, &entry.node)),
        Value::List(_) => node.elements().all(|element| is_plain_node(key, element)),
        Value::Scalar(Scalar::Str(text)) => {
            let lower = text.to_ascii_lowercase();
            let is_plain = match key {
                "proxyUrl" => is_plain_url(text),
                "args" => {
                    !["token", "secret", "pass", "key"].iter().any(|word| lower.contains(word))
                }
                key => SETTINGS.contains(&key),
            };
            is_plain || text.is_empty() || classify(text, false) == Reference::Whole
        }
        Value::Scalar(scalar) => SETTINGS.contains(&key) || scalar.is_empty(),
    }
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
        let write = "argocd.argoproj.io/secret-type: repository-write";
        for (key, text) in [
            ("url", "https://git.example.com/app"),
            ("url", "https://git.example.com/app@v1"),
            ("url", "git@git.example.com:shop/app.git"),
            ("url", "ssh://git@git.example.com/app"),
            ("insecureIgnoreHostKey", "true"),
            ("depth", "1"),
        ] {
            assert!(public(label, key, text) && public(write, key, text), "{key}: {text}");
            assert!(!public("", key, text), "{key}: {text}");
        }
        for (key, text) in [
            ("url", "https://me:canary@git.example.com/app"),
            ("url", "https://canary@git.example.com/app"),
            ("url", "ssh://me:canary@git.example.com/app"),
            ("url", "me:canary@git.example.com/app"),
            ("password", "canary"),
            ("sshPrivateKey", "canary"),
        ] {
            assert!(!public(label, key, text), "{key}: {text}");
        }
    }

    #[test]
    fn the_vault_plugin_of_argo_cd_inserts_keys_of_a_path() {
        let is_key = |annotation: &str, text: &str| {
            let manifest = format!(
                "{{apiVersion: v1, kind: Secret, metadata: {{annotations: {{{annotation}}}}}}}"
            );
            let parsed = Yaml.parse(&manifest);
            is_public(&secrets(&parsed.documents[0])[0], "a", text, false)
        };
        assert!(is_key("avp.kubernetes.io/path: kv/data/db", "<canary>"));
        assert!(!is_key("avp.kubernetes.io/path: kv/data/db", "<canary> canary"));
        assert!(!is_key("avp.kubernetes.io/path: kv/data/db", "canary"));
        assert!(!is_key("avp.kubernetes.io/ignore: 'True'", "<canary>"));
    }

    #[test]
    fn a_cluster_of_argo_cd_may_have_no_token() {
        let label = "argocd.argoproj.io/secret-type: cluster";
        for config in [
            r#"{"tlsClientConfig":{"insecure":false}}"#,
            r#"{"tlsClientConfig": {"caData": "LS0t", "serverName": "a", "keyData": ""}}"#,
            r#"{"awsAuthConfig": {"clusterName": "a", "roleARN": "arn:aws:iam::1:role/a"}}"#,
            r#"{"execProviderConfig": {"command": "argocd-k8s-auth", "args": ["azure"], "env": {}}}"#,
            r#"{"bearerToken": "${TOKEN}", "tlsClientConfig": {"insecure": true}}"#,
        ] {
            assert!(public(label, "config", config), "{config}");
            assert!(!public("", "config", config), "{config}");
        }
        for config in [
            r#"{"bearerToken":"canary","tlsClientConfig":{"insecure":false}}"#,
            r#"{"BEARERTOKEN":"canary"}"#,
            r#"{"password":1}"#,
            r#"{"tlsClientConfig":{"keyData":"canary"}}"#,
            r#"{"execProviderConfig": {"args": ["--token=canary"]}}"#,
            r#"{"execProviderConfig": {"env": {"A": "canary"}}}"#,
            r#"{"proxyUrl": "https://me:canary@a"}"#,
            r#""canary""#,
            "{",
            "canary",
        ] {
            assert!(!public(label, "config", config), "{config}");
        }
    }
}
