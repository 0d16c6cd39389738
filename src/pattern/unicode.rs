//! Unicode's categories and scripts, as Go names them.
//!
//! This module maps the names that Go supports to sets of the `regex` crate. Its tables are newer than
//! Go's, so every set is restricted to the characters of Go 1.25.

use super::node::{EVERYTHING, NOTHING};

/// The general categories and their long names, in canonical form, separated by spaces.
///
/// *Source*: `unicode.Categories` and `unicode.CategoryAliases` of Go 1.25.
const CATEGORIES: &str = "\
    c casedletter cc cf closepunctuation cn cntrl co combiningmark connectorpunctuation \
    control cs currencysymbol dashpunctuation decimalnumber digit enclosingmark \
    finalpunctuation format initialpunctuation l lc letter letternumber lineseparator ll lm lo \
    lowercaseletter lt lu m mark mathsymbol mc me mn modifierletter modifiersymbol n nd nl no \
    nonspacingmark number openpunctuation other otherletter othernumber otherpunctuation \
    othersymbol p paragraphseparator pc pd pe pf pi po privateuse ps punct punctuation s sc \
    separator sk sm so spaceseparator spacingmark surrogate symbol titlecaseletter unassigned \
    uppercaseletter z zl zp zs";

/// The scripts, in canonical form, separated by spaces.
///
/// *Source*: `unicode.Scripts` of Go 1.25, without the names of several words (`Old_Italic`) or
/// with an inner capital (`SignWriting`): that version looks names up in a spelling that its own
/// table does not have, and so refuses them.
const SCRIPTS: &str = "\
    adlam ahom arabic armenian avestan balinese bamum batak bengali bhaiksuki bopomofo brahmi \
    braille buginese buhid carian chakma cham cherokee chorasmian common coptic cuneiform \
    cypriot cyrillic deseret devanagari dogra duployan elbasan elymaic ethiopic georgian \
    glagolitic gothic grantha greek gujarati gurmukhi han hangul hanunoo hatran hebrew \
    hiragana inherited javanese kaithi kannada katakana kawi kharoshthi khmer khojki khudawadi \
    lao latin lepcha limbu lisu lycian lydian mahajani makasar malayalam mandaic manichaean \
    marchen medefaidrin miao modi mongolian mro multani myanmar nabataean nandinagari newa nko \
    nushu ogham oriya osage osmanya palmyrene phoenician rejang runic samaritan saurashtra \
    sharada shavian siddham sinhala sogdian soyombo sundanese syriac tagalog tagbanwa takri \
    tamil tangsa tangut telugu thaana thai tibetan tifinagh tirhuta toto ugaritic vai vithkuqi \
    wancho yezidi yi";

/// The characters of Unicode 15.0, which is Go's version.
const KNOWN: &str = r"\p{Age=15.0}";

/// Returns the set of a category or script.
///
/// *Shape*: a bracketed set in the syntax of the `regex` crate; `None` if Go does not support
/// the name.
/// *Source*: `unicodeTable` in Go's `regexp/syntax`.
pub(super) fn set(name: &str) -> Option<String> {
    let name = canonical(name);
    let is_among = |names: &str| names.split(' ').any(|known| known == name);
    let unassigned = format!(r"\p{{gc=Cn}}[^{KNOWN}]");
    match name.as_str() {
        "any" => Some(EVERYTHING.to_owned()),
        "ascii" => Some(r"[\x00-\x7F]".to_owned()),
        "assigned" => Some(format!("[^{unassigned}]")),
        "cn" | "unassigned" => Some(format!("[{unassigned}]")),
        "c" | "other" => Some(format!(r"[\p{{gc=C}}{unassigned}]")),
        // No text contains half of a surrogate pair.
        "cs" | "surrogate" => Some(NOTHING.to_owned()),
        _ if is_among(CATEGORIES) => Some(format!(r"[\p{{gc={name}}}&&{KNOWN}]")),
        _ if is_among(SCRIPTS) => Some(format!(r"[\p{{sc={name}}}&&{KNOWN}]")),
        _ => None,
    }
}

/// Returns the name as Go compares it: without case, spaces, hyphens and underscores.
fn canonical(name: &str) -> String {
    name.chars()
        .filter(|character| !matches!(character, ' ' | '-' | '_'))
        .map(|character| character.to_ascii_lowercase())
        .collect()
}
