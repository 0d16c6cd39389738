//! Where a Secret can stand in a file.

use super::manifests::{Draft, Field, Tree};
use crate::differential::Dice;

/// Puts an object into the documents of a file.
type Wrap = fn(&Draft, Tree, &mut Dice) -> Vec<Tree>;

/// The first is what most Secrets are.
pub(super) const WRAPS: &[(&str, Wrap)] = &[
    ("alone", |_, object, _| vec![object]),
    ("in a List", |draft, object, dice| {
        vec![list(draft, "v1", "List", around(draft, object, dice))]
    }),
    ("in a SecretList", |draft, object, _| vec![list(draft, "v1", "SecretList", vec![object])]),
    ("in a list of another kind", |draft, object, dice| {
        let kinds = [("v1", "ConfigMapList"), ("v1", "PodList"), ("apps/v1", "DeploymentList")];
        let (version, kind) = *dice.pick(&kinds);
        vec![list(draft, version, kind, vec![object])]
    }),
    ("in a list of an unknown kind", |draft, object, dice| {
        let kinds = [("v1", "SecretsList"), ("example.com/v1", "ShopList"), ("v1", "Bundle")];
        let (version, kind) = *dice.pick(&kinds);
        vec![list(draft, version, kind, around(draft, object, dice))]
    }),
    ("in a List of another version", |draft, object, dice| {
        let version = *dice.pick(&["v2", "apps/v1", "meta.k8s.io/v1"]);
        vec![list(draft, version, "List", vec![object])]
    }),
    ("in a List in a List", |draft, object, _| {
        let inner = list(draft, "v1", "List", vec![object]);
        vec![list(draft, "v1", "List", vec![inner])]
    }),
    ("behind another document", |draft, object, _| {
        if draft.is_json { vec![object] } else { vec![draft.other("before"), object] }
    }),
    ("before another document", |draft, object, _| {
        if draft.is_json { vec![object] } else { vec![object, draft.other("behind")] }
    }),
    ("behind an empty document", |draft, object, dice| {
        let empty = dice.pick(&["# nothing", "null", "{}", "''"]);
        let empty = Tree::Token((*empty).to_owned());
        if draft.is_json { vec![object] } else { vec![empty, object] }
    }),
    ("JSON behind other JSON", |draft, object, _| {
        if draft.is_json { vec![draft.other("before"), object] } else { vec![object] }
    }),
    ("JSON before other JSON", |draft, object, _| {
        if draft.is_json { vec![object, draft.other("behind")] } else { vec![object] }
    }),
    ("in a list without a kind", |_, object, _| vec![Tree::List(vec![object])]),
    ("in a field of another object", |draft, object, _| {
        let Tree::Map(mut fields) = draft.other("outer") else { unreachable!("it is a map") };
        fields.push((draft.quote("items"), Tree::List(vec![object])));
        vec![Tree::Map(fields)]
    }),
];

fn list(draft: &Draft, version: &str, kind: &str, items: Vec<Tree>) -> Tree {
    let fields: Vec<Field> = vec![
        (draft.quote("apiVersion"), draft.token(version)),
        (draft.quote("kind"), draft.token(kind)),
        (draft.quote("items"), Tree::List(items)),
    ];
    Tree::Map(fields)
}

/// The object among others.
fn around(draft: &Draft, object: Tree, dice: &mut Dice) -> Vec<Tree> {
    match dice.below(3) {
        0 => vec![draft.other("before"), object],
        1 => vec![object, draft.other("behind")],
        _ => vec![object],
    }
}
