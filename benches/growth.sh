#!/usr/bin/env bash
# Measures how the processor time of a scan grows with its input, one shape of input at a time.
# README.md in this directory explains more.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: benches/growth.sh [--program FILE] [--bound EXPONENT] [--cost SECONDS] [--runs N]
                        [--seconds SECONDS] [--memory MIB] [--quick]
                        [--only TEXT]

  --program FILE      measure this program instead of building sops-lint
  --bound EXPONENT    the exponent that no shape may reach (default: 1.3)
  --cost SECONDS      the cost of the smallest size above that of an empty repository (default: 0.2)
  --runs N            runs of every size, of which the fastest counts (default: 3)
  --seconds SECONDS   the processor time that no shape may exceed at its largest size (default: 2)
  --memory MIB        the peak memory that no shape may exceed at its largest size (default: 256)
  --quick             do not grow on to the largest size once the exponent is known
  --only TEXT         only the shapes with this text in their name

exit code: 0 all goals are met, 1 some are not, 2 could not measure
USAGE
}

die() {
  printf 'growth.sh: %s\n' "$*" >&2
  exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
program=''
options=()

while [ $# -gt 0 ]; do
  case $1 in
    --program | --bound | --cost | --runs | --seconds | --memory | --only)
      [ $# -ge 2 ] || die "$1 needs a value"
      if [ "$1" = --program ]; then program=$2; else options+=("$1" "$2"); fi
      shift
      ;;
    --quick) options+=("$1") ;;
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

exec python3 "$here/growth.py" "$program" "${options[@]}"
