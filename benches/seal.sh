#!/usr/bin/env bash
# Measures how fast `sops-lint fix` encrypts 1,000 Secrets, against a loop of `sops encrypt --in-place`.
# README.md in this directory explains the measurement and the goal.
set -euo pipefail

usage() {
  cat <<'END'
usage: benches/seal.sh [--files N] [--directory DIR] [--program FILE]

  --files N       make N plaintext Secrets (1000)
  --directory DIR make them in a new directory there (target/bench)
  --program FILE  measure this program instead of building sops-lint

exit code: 0 the goal is met, 1 it is not, 2 could not measure
END
}

die() {
  printf 'seal.sh: %s\n' "$*" >&2
  exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
target=${CARGO_TARGET_DIR:-$root/target}
files=1000 program='' directory=$target/bench

while [ $# -gt 0 ]; do
  case $1 in
    --files | --directory | --program)
      [ $# -ge 2 ] || die "$1 needs a value"
      case $1 in --files) files=$2 ;; --directory) directory=$2 ;; *) program=$(realpath "$2") ;; esac
      shift
      ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && die "what is $1?" ;;
  esac
  shift
done

for one in python3 sops git; do
  command -v "$one" >/dev/null || die "missing: $one (README.md explains how to install it)"
done
if [ -z "$program" ]; then
  (cd "$root" && cargo build --profile dist --locked)
  program=$target/dist/sops-lint
fi

# On a real disk: writing files takes time, which a file system in memory would hide.
mkdir -p "$directory"
work=$(mktemp -d "$directory/seal.XXXXXX")
trap 'rm -rf "$work"' EXIT
HOME=$work python3 "$here/seal.py" "$program" "$work" "$files" "$root/fixtures/keys/age"
