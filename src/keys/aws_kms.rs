//! AWS KMS: ARNs of keys and aliases, with an optional role and encryption context.
//!
//! Follows `kms/keysource.go` of sops. The profile is not part of the identity: it says how to
//! reach the key, not which key it is. The target of an alias is unknown offline.

use std::borrow::Cow;

use super::data_key::MalformedDataKey;
use super::data_key::decode;
use super::fields::{field, required, required_in_group, screen};
use super::identity::{Identity, InvalidRecipient, Oddity, Sameness};
use super::service::KeyService;
use crate::document::{Node, Scalar, Value};

/// Digits of an account number.
const ACCOUNT: usize = 12;

/// The AWS KMS key service.
#[derive(Debug)]
pub(super) struct AwsKms;

impl KeyService for AwsKms {
    fn name(&self) -> &'static str {
        "AWS KMS"
    }

    fn rule_field(&self) -> &'static str {
        "kms"
    }

    fn label_field(&self) -> &'static str {
        "arn"
    }

    /// Reads `ARN` or `ARN+ROLE`. A context cannot be written this way.
    fn parse(&self, text: &str) -> Result<Identity, InvalidRecipient> {
        screen(text)?;
        let text = text.replace(' ', "");
        match text.find("+arn:") {
            Some(plus) => identity(&text[..plus], Some(&text[plus + 1..]), ""),
            None => identity(&text, None, ""),
        }
    }

    fn parse_group_item(&self, item: &Node<'_>) -> Result<Identity, InvalidRecipient> {
        let arn = required_in_group(item, "arn")?;
        identity(arn, field(item, "role"), &context(item)?)
    }

    fn item_fields(&self) -> &'static [&'static str] {
        &["arn", "role", "context", "aws_profile"]
    }

    fn parse_stanza(&self, stanza: &Node<'_>) -> Result<Identity, InvalidRecipient> {
        let arn = required(stanza, "arn")?;
        identity(arn, field(stanza, "role"), &context(stanza)?)
    }

    /// Returns region and account.
    fn endpoint(&self, identity: &Identity) -> Option<String> {
        let parts: Vec<&str> = identity.id.splitn(6, ':').collect();
        let [_, partition, _, region, account, _] = parts[..] else { return None };
        Some(format!("arn:{partition}:kms:{region}:{account}"))
    }

    fn check_data_key(&self, _identity: &Identity, enc: &str) -> Result<(), MalformedDataKey> {
        match decode(enc)?.as_slice() {
            [] => Err(MalformedDataKey::new("is empty")),
            _ => Ok(()),
        }
    }

    /// A key and an alias in the same account and region may be the same key.
    fn compare(&self, one: &Identity, other: &Identity) -> Sameness {
        if one.id == other.id {
            return Sameness::Same;
        }
        let may_be_one = match (Parts::of(&one.id), Parts::of(&other.id)) {
            (Some(one), Some(other)) => {
                one.is_alias != other.is_alias
                    && one.place == other.place
                    && one.conditions == other.conditions
            }
            _ => false,
        };
        if may_be_one { Sameness::Unknown } else { Sameness::Different }
    }
}

/// Returns the identity as sops writes it (`ToString`) without a profile.
fn identity(arn: &str, role: Option<&str>, context: &str) -> Result<Identity, InvalidRecipient> {
    screen(arn)?;
    let oddity = check_key(arn)?;
    let mut id = arn.to_owned();
    if let Some(role) = role {
        screen(role)?;
        check_role(role)?;
        id.push('+');
        id.push_str(role);
    }
    if !context.is_empty() {
        id.push('|');
        id.push_str(context);
    }
    Ok(Identity { id, oddity })
}

/// Checks `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`, or `alias/NAME` at its end. sops accepts
/// more (`arnRegex`), AWS does not.
fn check_key(arn: &str) -> Result<Option<Oddity>, InvalidRecipient> {
    let no_arn = || {
        InvalidRecipient::new(
            "is not the ARN of a KMS key or alias",
            "write it as arn:aws:kms:REGION:ACCOUNT:key/ID or arn:aws:kms:REGION:ACCOUNT:alias/NAME",
        )
    };
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let &["arn", partition, "kms", region, account, resource] = &parts[..] else {
        return Err(no_arn());
    };
    let name = resource.strip_prefix("key/").or_else(|| resource.strip_prefix("alias/"));
    let is_region = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = |c: char| c.is_ascii_alphanumeric() || ":/_-".contains(c);
    let is_arn = is_partition(partition)
        && !region.is_empty()
        && region.chars().all(is_region)
        && is_number(account)
        && name.is_some_and(|name| !name.is_empty() && name.chars().all(is_name));
    if is_arn { Ok((account.len() != ACCOUNT).then_some(ACCOUNT_ODDITY)) } else { Err(no_arn()) }
}

const ACCOUNT_ODDITY: Oddity = Oddity {
    reason: "has an account number that does not have 12 digits",
    help: "copy the ARN again",
};

fn check_role(role: &str) -> Result<(), InvalidRecipient> {
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let is_role = match parts[..] {
        ["arn", partition, "iam", "", account, resource] => {
            let name = resource.strip_prefix("role/").unwrap_or_default();
            is_partition(partition)
                && is_number(account)
                && !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_graphic())
        }
        _ => false,
    };
    if is_role {
        return Ok(());
    }
    Err(InvalidRecipient::new(
        "has a role that is not the ARN of an IAM role",
        "write the role as arn:aws:iam::ACCOUNT:role/NAME",
    ))
}

/// Reports whether a text is `aws`, `aws-cn`, `aws-us-gov` or similar.
fn is_partition(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.strip_prefix("aws").is_some_and(|rest| rest.chars().all(is_word))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the encryption context as `k:v,k:v`, sorted by key (`kmsContextToString`).
fn context(map: &Node<'_>) -> Result<String, InvalidRecipient> {
    let Some(context) = map.get("context").filter(|context| !context.is_null()) else {
        return Ok(String::new());
    };
    if !context.is_map() {
        return Err(InvalidRecipient::new(
            format!("has {} for a context where a map is expected", context.noun()),
            "write the context as a map of names and values",
        ));
    }
    let mut pairs = Vec::new();
    for entry in context.entries() {
        pairs.push((&*entry.key, context_value(&entry.node)?));
    }
    pairs.sort();
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    Ok(pairs.join(","))
}

/// Returns a value of the context as text. sops accepts numbers and booleans, and crashes on null.
fn context_value<'n>(node: &'n Node<'_>) -> Result<Cow<'n, str>, InvalidRecipient> {
    match &node.value {
        Value::Scalar(Scalar::Str(text)) => Ok(Cow::Borrowed(text)),
        Value::Scalar(Scalar::Int(number)) => Ok(Cow::Owned(number.to_string())),
        Value::Scalar(Scalar::Bool(value)) => Ok(Cow::Owned(value.to_string())),
        _ => Err(InvalidRecipient::new(
            format!("has {} for a value of its context", node.noun()),
            "write every value of the context as text, in quotes",
        )),
    }
}

/// The parts of an id, for comparison.
struct Parts<'i> {
    /// `arn:PARTITION:kms:REGION:ACCOUNT`
    place: &'i str,
    is_alias: bool,
    /// Role and context, each with the sign in front of it.
    conditions: &'i str,
}

impl<'i> Parts<'i> {
    fn of(id: &'i str) -> Option<Self> {
        let (arn, conditions) = id.split_at(id.find(['+', '|']).unwrap_or(id.len()));
        let (colon, _) = arn.match_indices(':').nth(4)?;
        let (place, resource) = arn.split_at(colon);
        Some(Self { place, is_alias: resource.starts_with(":alias/"), conditions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::fields::node;

    const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012";
    const ALIAS: &str = "arn:aws:kms:us-east-1:123456789012:alias/team/sops";
    const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

    fn id(text: &str) -> String {
        AwsKms.parse(text).expect(text).id
    }

    #[test]
    fn flat_text_is_an_arn_and_perhaps_a_role() {
        for arn in [
            KEY,
            ALIAS,
            "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-0123456789abcdef",
            "arn:aws-cn:kms:cn-north-1:123456789012:alias/sops",
        ] {
            assert_eq!(AwsKms.parse(arn), Ok(Identity::new(arn)));
        }
        assert_eq!(id(&format!("{KEY} + {ROLE}")), format!("{KEY}+{ROLE}"));
        let short =
            AwsKms.parse("arn:aws:kms:us-east-1:123:key/x").expect("sops wants digits only");
        assert_eq!(short.oddity, Some(ACCOUNT_ODDITY));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "alias/sops",
            "12345678-1234-1234-1234-123456789012",
            "arn:aws:kms:us-east-1::key/x",
            "arn:aws:kms::123456789012:key/x",
            "arn:aws:kms:us-east-1:123456789012:key/",
            "arn:aws:kms:us-east-1:123456789012:secret/x",
            "arn:aws:s3:us-east-1:123456789012:key/x",
            "arn:gcp:kms:us-east-1:123456789012:key/x",
            &KEY.to_uppercase(),
            &format!("{KEY}\n"),
            &format!("{KEY}+role"),
            &format!("{KEY}+arn:aws:iam::123456789012:user/x"),
            &format!("{KEY}+arn:aws:iam::123456789012:role/"),
        ] {
            assert!(AwsKms.parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn items_and_stanzas_carry_role_and_context_and_their_profile_does_not_count() {
        let rest = "aws_profile: p\ncontext:\n  b: two\n  a: 1\n  c: true\n";
        let text = format!("arn: {KEY}\nrole: {ROLE}\n{rest}");
        let expected = format!("{KEY}+{ROLE}|a:1,b:two,c:true");
        let item = AwsKms.parse_group_item(&node(&text)).expect("a good item");
        assert_eq!(item, Identity::new(expected.as_str()));
        assert_eq!(AwsKms.parse_stanza(&node(&text)), Ok(item));
        for empty in ["context: {}\nrole: ''\naws_profile: ''", "context:", ""] {
            let stanza = AwsKms.parse_stanza(&node(&format!("arn: {KEY}\n{empty}")));
            assert_eq!(stanza, Ok(Identity::new(KEY)));
        }
    }

    #[test]
    fn items_of_the_wrong_shape_say_what_is_expected() {
        for (text, reason) in [
            (KEY.to_owned(), "is text where a map with `arn`"),
            ("role: x".to_owned(), "no text under `arn`"),
            ("arn: 5".to_owned(), "no text under `arn`"),
            (format!("arn: {KEY}+{ROLE}"), "not the ARN of a KMS key"),
            (format!("arn: ' {KEY}'"), "not the ARN of a KMS key"),
            (format!("arn: {KEY}\nrole: admin"), "IAM role"),
            (format!("arn: {KEY}\ncontext: [a]"), "has a list for a context"),
            (format!("arn: {KEY}\ncontext: {{a: null}}"), "has nothing for a value"),
            (format!("arn: {KEY}\ncontext: {{a: 1.0}}"), "has a number for a value"),
        ] {
            let error = AwsKms.parse_group_item(&node(&text)).expect_err(&text);
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn a_key_and_an_alias_of_one_place_may_be_the_same() {
        use Sameness::{Different, Same, Unknown};
        let other_region = ALIAS.replace("us-east-1", "eu-west-1");
        let other_key = KEY.replace("key/1", "key/2");
        let (key_with_role, alias_with_role) = (format!("{KEY}+{ROLE}"), format!("{ALIAS}+{ROLE}"));
        let cases = [
            (KEY, KEY, Same),
            (KEY, ALIAS, Unknown),
            (&key_with_role, &alias_with_role, Unknown),
            (&key_with_role, ALIAS, Different),
            (KEY, &key_with_role, Different),
            (KEY, &other_region, Different),
            (KEY, &other_key, Different),
        ];
        for (one, other, expected) in cases {
            let (one, other) = (Identity::new(id(one)), Identity::new(id(other)));
            assert_eq!(AwsKms.compare(&one, &other), expected, "{one:?} {other:?}");
            assert_eq!(AwsKms.compare(&other, &one), expected, "{other:?} {one:?}");
        }
    }
}
