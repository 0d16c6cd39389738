//! Kustomizations that build a Secret with a value, or nearly one.

use super::canary;
use crate::differential::Dice;

type Files = Vec<(String, Vec<u8>)>;

/// Makes the files of the case with a number.
type Make = fn(usize, &mut Dice) -> Files;

/// A Secret without values, for patches to fill.
const EMPTY: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n";

pub(super) const KUSTOMIZATIONS: &[(&str, Make)] = &[
    ("an inline strategic patch", |at, _| {
        let patch = indented(&secret(at), "      ");
        patched(&format!("patches:\n  - patch: |-\n{patch}"), &[])
    }),
    ("an inline patch of the old kind", |at, _| {
        let patch = indented(&secret(at), "      ");
        patched(&format!("patchesStrategicMerge:\n  - |-\n{patch}"), &[])
    }),
    ("an inline strategic patch with a target", |at, _| {
        let patch = format!(
            "patches:\n  - target: {{kind: Secret, name: a}}\n    patch: '{{apiVersion: v1, kind: Secret, metadata: {{name: a}}, stringData: {{a: {}}}}}'\n",
            canary(at)
        );
        patched(&patch, &[])
    }),
    ("a strategic patch in a file", |at, _| {
        patched("patches:\n  - path: patch.yaml\n", &[("patch.yaml", &secret(at))])
    }),
    ("a strategic patch in a file without its ending", |at, dice| {
        let name = *dice.pick(&["patch", "patch.txt", "patch.YAML"]);
        patched(&format!("patches:\n  - path: {name}\n"), &[(name, &secret(at))])
    }),
    ("an inline JSON6902 patch", |at, dice| {
        let operation = indented(&operation(at, dice), "      ");
        patched(&format!("patches:\n  - target: {{kind: Secret}}\n    patch: |-\n{operation}"), &[])
    }),
    ("an inline JSON6902 patch of the old kind", |at, dice| {
        let operation = indented(&operation(at, dice), "      ");
        patched(
            &format!(
                "patchesJson6902:\n  - target: {{version: v1, kind: Secret, name: a}}\n    patch: |-\n{operation}"
            ),
            &[],
        )
    }),
    ("a JSON6902 patch in a file", |at, dice| {
        let name = *dice.pick(&["patch.yaml", "patch.json"]);
        let operation = if name == "patch.json" {
            let path = "/stringData";
            format!(
                "[{{\"op\": \"add\", \"path\": \"{path}\", \"value\": {{\"a\": \"{}\"}}}}]",
                canary(at)
            )
        } else {
            operation(at, dice)
        };
        patched(
            &format!("patches:\n  - target: {{kind: Secret}}\n    path: {name}\n"),
            &[(name, &operation)],
        )
    }),
    ("literals of a generator", |at, dice| {
        let name = *dice.pick(&["kustomization.yaml", "kustomization.yml"]);
        vec![(name.to_owned(), generator(at).into_bytes())]
    }),
    ("literals of a generator in a file called Kustomization", |at, _| {
        vec![("Kustomization".to_owned(), generator(at).into_bytes())]
    }),
    ("a generator in braces", |at, _| {
        let text = format!(
            "{{\"secretGenerator\": [{{\"name\": \"a\", \"literals\": [\"password={}\"]}}]}}\n",
            canary(at)
        );
        vec![("kustomization.yaml".to_owned(), text.into_bytes())]
    }),
    ("an escape in the key of a generator", |at, _| {
        let text = generator(at).replace("secretGenerator", "\"\\x73ecretGenerator\"");
        vec![("kustomization.yaml".to_owned(), text.into_bytes())]
    }),
    ("a generator of the old kind", |at, _| {
        let text = format!(
            "generators:\n  - |-\n    apiVersion: builtin\n    kind: SecretGenerator\n    metadata: {{name: a}}\n    literals: [\"password={}\"]\n",
            canary(at)
        );
        vec![("kustomization.yaml".to_owned(), text.into_bytes())]
    }),
    ("a component with a generator", |at, _| {
        let component = format!(
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n{}",
            generator(at)
        );
        files(&[
            ("kustomization.yaml", "components: [part]\n"),
            ("part/kustomization.yaml", &component),
        ])
    }),
    ("a component without an ending with a patch", |at, _| {
        let patch = indented(&secret(at), "      ");
        let component = format!(
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n  - patch: |-\n{patch}"
        );
        files(&[
            ("kustomization.yaml", "resources: [empty.yaml]\ncomponents: [part]\n"),
            ("part/Kustomization", &component),
            ("empty.yaml", EMPTY),
        ])
    }),
    ("a patch that makes another kind a Secret", |at, _| {
        let patch = format!(
            "patches:\n  - target: {{kind: ConfigMap}}\n    options: {{allowKindChange: true}}\n    patch: |-\n      - {{op: replace, path: /kind, value: Secret}}\n      - {{op: add, path: /stringData, value: {{a: {}}}}}\nresources: [map.yaml]\n",
            canary(at)
        );
        files(&[
            ("kustomization.yaml", &patch),
            ("map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"),
        ])
    }),
    ("a generator of a ConfigMap", |_, _| {
        files(&[(
            "kustomization.yaml",
            "configMapGenerator:\n  - name: a\n    literals: [\"a=b\"]\n",
        )])
    }),
    ("a patch of a ConfigMap", |_, _| {
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: b\n";
        let patch =
            format!("resources: [map.yaml]\npatches:\n  - patch: |-\n{}", indented(map, "      "));
        files(&[("kustomization.yaml", &patch), ("map.yaml", map)])
    }),
    ("a patch that deletes a Secret", |_, _| {
        let patch = format!("{EMPTY}$patch: delete\n");
        patched(&format!("patches:\n  - patch: |-\n{}", indented(&patch, "      ")), &[])
    }),
];

fn files(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

fn patched(patches: &str, more: &[(&str, &str)]) -> Files {
    let text = format!("resources: [empty.yaml]\n{patches}");
    let own = [("kustomization.yaml", &*text), ("empty.yaml", EMPTY)];
    files(&[&own[..], more].concat())
}

fn secret(at: usize) -> String {
    format!("{EMPTY}stringData:\n  password: {}\n", canary(at))
}

fn generator(at: usize) -> String {
    format!("secretGenerator:\n  - name: a\n    literals:\n      - password={}\n", canary(at))
}

fn operation(at: usize, dice: &mut Dice) -> String {
    let field = *dice.pick(&["data", "stringData"]);
    let value = if field == "data" { super::base64(&canary(at)) } else { canary(at) };
    format!("- op: add\n  path: /{field}\n  value:\n    password: {value}\n")
}

fn indented(text: &str, indent: &str) -> String {
    text.lines().map(|line| format!("{indent}{line}\n")).collect()
}
