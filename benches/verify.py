"""Runs the comparison of verify.sh, and prints a table and the verdict on the goals."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROUNDS = 5
MOST_SECONDS = 0.5
LEAST_RATIO = 100


def seconds(command, environment=None, runs=ROUNDS):
    """Returns the median wall time of a command, which must succeed."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def scan(program, directory, verify, environment=None):
    command = [program, "scan", "--exit-zero", "-q", "--no-progress", "--verify", verify, directory]
    return seconds(command, environment)


def verified(program, directory, environment=None):
    """Returns the number of files that verify: a fast run that verifies none would prove nothing."""
    command = [program, "scan", "--exit-zero", "--format", "json", directory]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    return json.loads(done.stdout)["summary"]["verified"]


def decrypt_loop(files):
    start = time.perf_counter()
    for file in files:
        subprocess.run(["sops", "decrypt", file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def encrypted(directory):
    files = sorted(pathlib.Path(directory).rglob("*.yaml"))
    return [file for file in files if b"\nsops:\n" in file.read_bytes()]


def compare(title, program, directory, environment=None):
    files = encrypted(directory)
    count = verified(program, directory, environment)
    if count != len(files):
        raise SystemExit(f"{title}: only {count} of {len(files)} files verify")
    never = scan(program, directory, "never", environment)
    auto = scan(program, directory, "auto", environment)
    loop = decrypt_loop(files)
    cost = max(auto - never, 1e-6)
    print(f"{title:22} {count:6} {never:9.3f} {auto:9.3f} {cost:9.3f} {loop:9.2f} {loop / cost:8.0f}")
    return cost, loop / cost


def main():
    program, repo, pgp, exported = sys.argv[1:]
    print(f"{'':22} {'files':>6} {'never s':>9} {'auto s':>9} {'costs s':>9} {'sops s':>9} {'ratio':>8}")
    cost, ratio = compare("age, two recipients", program, repo)
    by_file = {**os.environ, "SOPS_LINT_PGP_KEY_FILE": exported, "GNUPGHOME": "/nonexistent"}
    count = verified(program, pgp, by_file)
    if count != len(encrypted(pgp)):
        raise SystemExit(f"PGP, key in a file: only {count} files verify")
    never, auto = scan(program, pgp, "never", by_file), scan(program, pgp, "auto", by_file)
    compare("PGP through gpg", program, pgp)
    print(f"{'PGP, key in a file':22} {count:6} {never:9.3f} {auto:9.3f} {auto - never:9.3f}")
    goals = [
        (f"verifying adds at most {MOST_SECONDS} s", cost <= MOST_SECONDS),
        (f"at least {LEAST_RATIO} times faster than sops", ratio >= LEAST_RATIO),
    ]
    for goal, is_met in goals:
        print("PASS" if is_met else "FAIL", goal)
    sys.exit(0 if all(is_met for _, is_met in goals) else 1)


main()
