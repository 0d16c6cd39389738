"""Runs the comparison of seal.sh, and prints a table and the verdict on the goal."""

import pathlib
import resource
import subprocess
import sys
import time

MIN_RATIO = 50
SECRET = """apiVersion: v1
kind: Secret
metadata:
  name: secret-{0}
  namespace: bench
type: Opaque
stringData:
  # for the service
  user: service-{0}
  password: canary-{0}-0123456789abcdef
  url: "postgres://db.example:5432/service-{0}"
"""


def make(directory, number, recipients):
    """Makes a repository of Secrets in plaintext, for two recipients."""
    directory.mkdir()
    rule = f"creation_rules:\n  - age: {','.join(recipients)}\n    encrypted_regex: ^(data|stringData)$\n"
    (directory / ".sops.yaml").write_text(rule)
    for at in range(number):
        place = directory / f"app-{at // 50}"
        place.mkdir(exist_ok=True)
        (place / f"secret-{at}.yaml").write_text(SECRET.format(at))
    subprocess.run(["git", "init", "--quiet", directory], check=True)


def encrypted(directory):
    return sum(b"\nsops:\n" in file.read_bytes() for file in directory.rglob("secret-*.yaml"))


def timed(command, directory):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main():
    program, work, number, keys = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), pathlib.Path(sys.argv[4])
    recipients = [(keys / f"{name}.pub").read_text().strip() for name in ("alice", "bob")]
    # Only once: ext4 creates files slowly where many were deleted recently, as in a second round.
    directory = work / "ours"
    make(directory, number, recipients)
    wall, cpu = timed([program, "fix", "--no-progress"], directory)
    if encrypted(directory) != number:
        raise SystemExit(f"only {encrypted(directory)} of {number} files were encrypted")
    directory = work / "theirs"
    make(directory, number, recipients)
    files = sorted(str(file.relative_to(directory)) for file in directory.rglob("secret-*.yaml"))
    theirs = [timed(["sops", "encrypt", "--in-place", file], directory) for file in files]
    if encrypted(directory) != number:
        raise SystemExit("sops did not encrypt all files")
    sops_wall, sops_cpu = (sum(times) for times in zip(*theirs))
    print(f"{'':24} {'wall s':>9} {'cpu s':>9}")
    print(f"{'sops-lint fix':24} {wall:9.3f} {cpu:9.3f}")
    print(f"{'loop of sops encrypt':24} {sops_wall:9.2f} {sops_cpu:9.2f}")
    print(f"{'ratio':24} {sops_wall / wall:9.0f} {sops_cpu / cpu:9.0f}")
    ratio = sops_wall / wall
    is_met = ratio >= MIN_RATIO
    print(f"{'PASS' if is_met else 'FAIL'} {number} Secrets {ratio:.0f} times faster than sops (goal: {MIN_RATIO})")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
