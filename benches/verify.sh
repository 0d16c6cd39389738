#!/usr/bin/env bash
# Measures the time to verify every file, against a loop of `sops decrypt` in the same run.
# README.md in this directory explains the measurements and the goals.
set -euo pipefail

usage() {
  cat <<'END'
usage: benches/verify.sh [--repo DIR] [--program FILE]

  --repo DIR      take this repository of 1,000 encrypted Secrets, with its keys in DIR.keys
  --program FILE  measure this program instead of building sops-lint

exit code: 0 all goals are met, 1 some are not, 2 could not measure
END
}

die() {
  printf 'verify.sh: %s\n' "$*" >&2
  exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
target=${CARGO_TARGET_DIR:-$root/target}
repo='' program=''

while [ $# -gt 0 ]; do
  case $1 in
    --repo | --program)
      [ $# -ge 2 ] || die "$1 needs a value"
      if [ "$1" = --repo ]; then repo=$2; else program=$2; fi
      shift
      ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && die "what is $1?" ;;
  esac
  shift
done

missing=()
for one in python3 sops age-keygen git gpg; do
  command -v "$one" >/dev/null || missing+=("$one")
done
[ ${#missing[@]} -eq 0 ] || die "missing: ${missing[*]} (README.md explains how to install them)"

if [ -z "$repo" ]; then
  repo=$target/bench/verify
  if [ ! -d "$repo" ]; then
    echo "making 1,000 encrypted Secrets, once: $repo" >&2
    rm -rf "$repo.part" "$repo.part.keys" "$repo.keys"
    mkdir -p "$target/bench"
    python3 "$here/gen_repo.py" "$repo.part" --files 1006 --secrets 1000 --seed 3 >&2
    mv "$repo.part.keys" "$repo.keys"
    mv "$repo.part" "$repo"
  fi
fi
[ -d "$repo.keys" ] || die "$repo.keys is no directory"

if [ -z "$program" ]; then
  (cd "$root" && cargo build --profile dist --locked)
  program=$target/dist/sops-lint
fi

work=$(mktemp -d)
trap 'GNUPGHOME=$work/home/.gnupg gpgconf --kill all 2>/dev/null; rm -rf "$work"' EXIT
mkdir -m 700 "$work/home" "$work/home/.gnupg"
cat "$repo".keys/*.txt >"$work/identities.txt"
export HOME=$work/home SOPS_AGE_KEY_FILE=$work/identities.txt
unset GNUPGHOME XDG_CONFIG_HOME SOPS_AGE_KEY SOPS_AGE_KEY_CMD SOPS_GPG_EXEC

# A hundred Secrets for a key in gpg, and the same key as a file.
gpg --batch --quiet --import "$root"/fixtures/keys/pgp/rsa.sec.asc
mkdir "$work/pgp"
fingerprint=$(gpg --batch --with-colons --list-secret-keys | awk -F: '$1 == "fpr" { print $10; exit }')
printf 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\nstringData:\n  a: canary\n  b: canary\n' \
  >"$work/plain.yaml"
for number in $(seq 1 100); do
  sops encrypt --pgp "$fingerprint" --encrypted-regex '^(data|stringData)$' "$work/plain.yaml" \
    >"$work/pgp/secret-$number.yaml"
done

python3 "$here/verify.py" "$program" "$repo" "$work/pgp" "$root/fixtures/keys/pgp/rsa.sec.asc"
