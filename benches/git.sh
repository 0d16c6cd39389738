#!/usr/bin/env bash
# Measures scans of the index and of history against git and gitleaks in the same run.
# README.md in this directory explains the measurements and the goals.
set -euo pipefail

usage() {
  cat <<'END'
usage: benches/git.sh [--repo DIR] [--history DIR] [--runs N] [--program FILE] [--gitleaks FILE]

  --repo DIR       take this repository instead of one of 10,000 files; one file in it gets staged
  --history DIR    take this repository instead of making one of 30,000 commits
  --runs N         measure four rounds of N runs each of the index (default 5)
  --program FILE   measure this program instead of building sops-lint
  --gitleaks FILE  the program to compare with (default: gitleaks)

exit code: 0 all goals are met, 1 some are not, 2 could not measure
END
}

die() {
  printf 'git.sh: %s\n' "$*" >&2
  exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
target=${CARGO_TARGET_DIR:-$root/target}
repo='' history='' runs=5 program='' gitleaks=gitleaks

while [ $# -gt 0 ]; do
  case $1 in
    --repo | --history | --runs | --program | --gitleaks)
      [ $# -ge 2 ] || die "$1 needs a value"
      printf -v "${1#--}" '%s' "$2"
      shift
      ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && die "what is $1?" ;;
  esac
  shift
done

for name in git hyperfine python3 "$gitleaks"; do
  command -v "$name" >/dev/null || die "missing: $name"
done
if [ -z "$program" ]; then
  (cd "$root" && cargo build --profile dist --locked)
  program=$target/dist/sops-lint
fi
program=$(realpath "$program")

# -- repositories ---------------------------------------------------------------------------------

mkdir -p "$target/bench"
if [ -z "$repo" ]; then
  repo=$target/bench/staged
  small=$target/bench/small
  if [ ! -d "$repo" ]; then
    [ -d "$small/.git" ] || die "no repository of 10,000 files: run benches/scan.sh, which makes one"
    git clone --quiet --local "$small" "$repo"
  fi
fi
if [ -z "$history" ]; then
  history=$target/bench/history.git
  if [ ! -d "$history" ]; then
    echo "making a repository of 30,000 commits, once: $history" >&2
    rm -rf "$history.part"
    python3 "$here/gen_history.py" "$history.part"
    mv "$history.part" "$history"
  fi
fi

# -- measure --------------------------------------------------------------------------------------

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

measure() { # NAME RUNS ROUNDS DIRECTORY OTHER OWN
  local rounds=()
  for _ in $(seq "$3"); do
    rounds+=(--command-name other "$5" --command-name sops-lint "$6")
  done
  (cd "$4" && hyperfine --shell=none --ignore-failure --warmup 1 --runs "$2" --style basic \
    --export-json "$results/$1.json" "${rounds[@]}" >"$results/log" 2>&1) || {
    cat "$results/log" >&2
    die "could not measure"
  }
}

file=$(git -C "$repo" ls-files '*.yaml' | sed -n 5000p)
[ -n "$file" ] || file=$(git -C "$repo" ls-files '*.yaml' | tail -n 1)
printf '# changed\n' >>"$repo/$file"
git -C "$repo" add -- "$file"
echo "measuring the index, four rounds of $runs runs each: $repo" >&2
measure index "$runs" 4 "$repo" "git diff --cached --name-only" \
  "$(printf '%q ' "$program" scan --staged --exit-zero -q --no-progress)"
git -C "$repo" reset --quiet --hard

echo "measuring history: $history" >&2
measure history 2 1 "$history" \
  "$(printf '%q ' "$gitleaks" git --no-banner --log-level error --exit-code 0 .)" \
  "$(printf '%q ' "$program" scan --history --exit-zero -q --no-progress)"

git --version
echo "gitleaks $("$gitleaks" version)"
"$program" --version
python3 - "$results" <<'END'
import json, statistics, sys


def read(name):
    times = {"other": [], "sops-lint": []}
    cpu = {"other": [], "sops-lint": []}
    with open(f"{sys.argv[1]}/{name}.json") as file:
        for result in json.load(file)["results"]:
            times[result["command"]] += result["times"]
            cpu[result["command"]].append(result["user"] + result["system"])
    return [
        (statistics.mean(times[who]) * 1000, statistics.mean(cpu[who]) * 1000)
        for who in ("other", "sops-lint")
    ]


failed = False


def goal(words, is_met):
    global failed
    failed |= not is_met
    print("PASS" if is_met else "FAIL", words)


for name, label in (("index", "git diff --cached"), ("history", "gitleaks git")):
    (other, other_cpu), (own, own_cpu) = read(name)
    print(f"{name}: {label} {other:.0f} ms (CPU {other_cpu:.0f} ms), sops-lint {own:.0f} ms (CPU {own_cpu:.0f} ms)")
    # The processor time depends least on the load of the machine.
    print(f"{name}: processor time {label} / sops-lint: {other_cpu / own_cpu:.2f}")
    if name == "index":
        goal(f"the index in at most 3 times the time of git: {own / other:.2f}", own <= 3 * other)
        goal(f"the index in less than 25 ms of CPU: {own_cpu:.1f} ms", own_cpu < 25)
    else:
        goal(f"history at least 5 times faster than gitleaks: {other / own:.1f}", other >= 5 * own)
sys.exit(failed)
END
