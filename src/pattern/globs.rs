//! The globs of the settings: `*` stays within a directory, `**` does not.
//!
//! As in `.gitignore`, a glob without a slash matches a name at any depth, and one with a slash
//! matches a path from the root. A slash at the end changes nothing.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Maximum bytes of a glob. Longer ones are mistakes, and slow to compile.
const MAX_LENGTH: usize = 1000;

/// Globs that are matched together.
#[derive(Clone, Debug, Default)]
pub struct Globs(GlobSet);

impl Globs {
    /// Compiles globs. The error is a clause about a glob: lower case, no full stop, never quotes it.
    pub fn new<'g>(globs: impl IntoIterator<Item = &'g str>) -> Result<Self, String> {
        let mut builder = GlobSetBuilder::new();
        for glob in globs {
            builder.add(compile(glob)?);
        }
        let set = builder.build().map_err(|_| "together they are too large")?;
        Ok(Self(set))
    }

    /// Reports whether there are no globs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reports whether a glob matches this path: `/`-separated, from the root.
    pub fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }

    /// Reports whether a glob matches this path or a directory above it.
    pub fn covers(&self, path: &str) -> bool {
        if self.is_empty() {
            return false;
        }
        let directories = path.match_indices('/').map(|(at, _)| &path[..at]);
        let mut places = directories.chain([path]);
        places.any(|place| self.matches(place))
    }
}

/// Checks that a glob can be used. The error is that of [`Globs::new`].
pub fn check(glob: &str) -> Result<(), String> {
    compile(glob).map(|_| ())
}

fn compile(glob: &str) -> Result<globset::Glob, String> {
    if glob.len() > MAX_LENGTH {
        return Err(format!("it is longer than {MAX_LENGTH} bytes"));
    }
    if glob.starts_with('!') {
        return Err("it begins with `!`, and negation is not supported".to_owned());
    }
    let is_path = glob.trim_end_matches('/').contains('/');
    let trimmed = glob.trim_matches('/');
    if trimmed.is_empty() {
        return Err("it is empty".to_owned());
    }
    if trimmed.split('/').any(|name| matches!(name, "." | "..")) {
        return Err("it has `.` or `..` in it; paths begin at the root".to_owned());
    }
    let whole = if is_path { trimmed.to_owned() } else { format!("**/{trimmed}") };
    GlobBuilder::new(&whole)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|error| error.kind().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_means_a_name_or_a_path() {
        for (glob, path, is_meant) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "x/y/a.yaml", true),
            ("x/*.yaml", "x/a.yaml", true),
            ("x/*.yaml", "x/y/a.yaml", false),
            ("x/*.yaml", "z/x/a.yaml", false),
            ("/a.yaml", "a.yaml", true),
            ("/a.yaml", "x/a.yaml", false),
            ("x/**", "x/y/a.yaml", true),
            ("**/y/*", "x/y/a.yaml", true),
            ("{a,b}.yaml", "b.yaml", true),
        ] {
            assert_eq!(Globs::new([glob]).unwrap().matches(path), is_meant, "{glob} {path}");
        }
    }

    #[test]
    fn a_directory_covers_what_stands_in_it() {
        for glob in ["x", "x/", "/x", "y", "y/", "x/y", "x/**", "x/*"] {
            assert!(Globs::new([glob]).unwrap().covers("x/y/a.yaml"), "{glob}");
        }
        for glob in ["z", "/y", "x/a.yaml", "xx"] {
            assert!(!Globs::new([glob]).unwrap().covers("x/y/a.yaml"), "{glob}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_a_reason() {
        for glob in ["", "/", "a[", "!a", "../a", "a/./b", "{a", &"x".repeat(2000)] {
            assert!(check(glob).is_err(), "{glob}");
        }
        assert!(Globs::new(["a["]).is_err());
    }
}
