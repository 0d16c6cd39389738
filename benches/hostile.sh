#!/usr/bin/env bash
# Measures scans of malicious input: makes each repository, scans it once, and measures that.
# README.md in this directory explains more.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: benches/hostile.sh [--program FILE]

  --program FILE    measure this program instead of building sops-lint

exit code: 0 all goals are met, 1 some are not, 2 could not measure
USAGE
}

die() {
  printf 'hostile.sh: %s\n' "$*" >&2
  exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
program=''

while [ $# -gt 0 ]; do
  case $1 in
    --program)
      [ $# -ge 2 ] || die "$1 needs a value"
      program=$2
      shift
      ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && die "what is $1?" ;;
  esac
  shift
done

command -v python3 >/dev/null || die "missing: python3"
if [ -z "$program" ]; then
  command -v cargo >/dev/null || die "missing: cargo: https://rustup.rs"
  (cd "$root" && cargo build --profile dist --locked)
  program=${CARGO_TARGET_DIR:-$root/target}/dist/sops-lint
fi
[ -x "$program" ] || die "$program is no program"

exec python3 "$here/hostile.py" "$(cd "$(dirname "$program")" && pwd)/$(basename "$program")"
