//! Generators that make Secrets of encrypted files: KSOPS, and goabout's plugin for kustomize.
//!
//! Both decrypt every file that they name with sops, and fail where sops cannot.

use super::object::{field, text};
use crate::document::{Document, Node};

/// A manifest under `generators:` of a kustomization.
#[derive(Debug)]
pub struct Generator<'d, 't> {
    /// Its kind, as the manifest has it.
    pub kind: &'d str,
    /// `metadata.name`, where it is text.
    pub name: Option<&'d str>,
    /// The files that it decrypts, in file order.
    pub files: Vec<NamedFile<'d, 't>>,
}

/// A file that a generator names.
#[derive(Debug)]
pub struct NamedFile<'d, 't> {
    /// The field of the manifest that names it.
    pub field: &'static str,
    /// The path, without the key of the Secret that may precede it.
    pub path: &'d str,
    /// The text with the path.
    pub node: &'d Node<'t>,
}

/// Reads a document, if it is such a generator.
///
/// *Source*: README.md of viaduct-ai/kustomize-sops and of goabout/kustomize-sopssecretgenerator.
pub fn generator<'d, 't>(document: &'d Document<'t>) -> Option<Generator<'d, 't>> {
    let root = &document.root;
    let (kind, version) = (text(root, "kind")?, text(root, "apiVersion")?);
    let mut files = Vec::new();
    match kind {
        "ksops" | "ksops-exec" if version.starts_with("viaduct.ai/") => {
            files.extend(named(root, "files", "files"));
            let secrets = field(root, "secretFrom").into_iter().flat_map(Node::elements);
            for secret in secrets {
                for list in ["files", "binaryFiles", "envs"] {
                    files.extend(named(secret, list, "secretFrom"));
                }
            }
        }
        "SopsSecretGenerator" if version.starts_with("goabout.com/") => {
            files.extend(["envs", "files"].iter().flat_map(|list| named(root, list, list)));
        }
        _ => return None,
    }
    let name = field(root, "metadata").and_then(|metadata| text(metadata, "name"));
    Some(Generator { kind, name, files })
}

fn named<'d, 't>(
    node: &'d Node<'t>,
    list: &str,
    name: &'static str,
) -> impl Iterator<Item = NamedFile<'d, 't>> {
    let elements = field(node, list).into_iter().flat_map(Node::elements);
    elements.filter_map(move |node| {
        let text = node.as_str()?;
        let path = text.split_once('=').map_or(text, |(_, path)| path);
        Some(NamedFile { field: name, path, node })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, yaml::Yaml};

    fn files(text: &str) -> Vec<String> {
        let parsed = Yaml.parse(text);
        let generators = parsed.documents.iter().filter_map(generator);
        generators.flat_map(|found| found.files).map(|file| file.path.to_owned()).collect()
    }

    #[test]
    fn finds_every_file_that_is_decrypted() {
        let ksops = "{apiVersion: viaduct.ai/v1, kind: ksops, files: [a, 1], secretFrom: [{files: [k=b], binaryFiles: [c], envs: [./d]}]}";
        assert_eq!(files(ksops), ["a", "b", "c", "./d"]);
        let goabout =
            "{apiVersion: goabout.com/v1beta1, kind: SopsSecretGenerator, files: [b], envs: [a]}";
        assert_eq!(files(goabout), ["a", "b"]);
        assert_eq!(files("{apiVersion: v1, kind: ksops, files: [a]}"), [""; 0]);
    }
}
