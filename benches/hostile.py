"""Makes malicious repositories, scans each of them, and compares the measurements with the goals.

Called by hostile.sh. Every function below makes one repository in an empty directory.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

MAX_SECONDS = 2.0
MAX_MEBIBYTES = 256

AGE = "age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh"
SOPS = "x: ENC[AES256_GCM,data:AA==]\nsops:\n  lastmodified: '2026-01-01T00:00:00Z'\n"
FLAT = "X=ENC[AES256_GCM,data:AA==]\nsops_mac=ENC[AES256_GCM,data:AA==]\nsops_lastmodified=x\n"
MIB = 1024 * 1024


def depth_bombs(place):
    (place / "flow.yaml").write_text(f"a: {'[' * 5_000_000}\n{SOPS}")
    (place / "block.yaml").write_text(f"a: {'- ' * 5_000_000}\n{SOPS}")
    (place / "braces.json").write_text('{"sops":{"lastmodified":"x","mac":"ENC[AES256_GCM,data:"},"a":' + '{"a":' * 2_000_000)
    (place / "folded.env").write_text(f"{FLAT}sops_age{'__list_0__map_' * 500_000}x=1\n")


def alias_bombs(place):
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 20):
        bomb += f"a{level}: &a{level} [{f'*a{level - 1}, ' * 9}]\n"
    (place / "a.yaml").write_text(bomb + SOPS)
    (place / ".sops.yaml").write_text(bomb + "creation_rules: *a19\n")
    (place / ".sops-lint.yaml").write_text(bomb + "exclude: *a19\n")


def one_gibibyte(place):
    for name in ("a.sops.yaml", "b.yaml", "c.json", "movie.mkv"):
        with open(place / name, "wb") as file:
            file.truncate(1024 * MIB)


def no_text(place):
    (place / "utf8.sops.yaml").write_bytes(b"a: " + b"\xff\xfe" * (4 * MIB) + b"\n" + SOPS.encode())
    (place / "utf16.sops.yaml").write_bytes(("a: canary\n" * 500_000).encode("utf-16"))
    (place / "nul.sops.yaml").write_bytes(b"\0" * (15 * MIB))
    (place / "nul.yaml").write_bytes(b"a: " + b"\0" * (8 * MIB) + b"\n" + SOPS.encode())


def links_and_pipes(place):
    inner = place / "a" / "b"
    inner.mkdir(parents=True)
    for number in range(1000):
        (inner / f"loop-{number}.sops.yaml").symlink_to(place)
    os.mkfifo(place / "pipe.sops.yaml")
    (place / "device.sops.yaml").symlink_to("/dev/zero")
    (place / ".sops.yaml").symlink_to("/dev/zero")


def unreadable_files(place):
    for number in range(1000):
        (place / f"{number}.sops.yaml").write_text("a: canary\n")
        (place / f"{number}.sops.yaml").chmod(0)


def names(place):
    for number in range(1000):
        (place / f"{number}\x1b[31m\n\u202e{'x' * 150}.sops.yaml").write_text("a: canary\n")


def creation_rules(place):
    (place / ".sops.yaml").write_text("creation_rules:\n" + "- {path_regex: '^a(b+)+$', age: x}\n" * 100_000)
    (place / "a.sops.yaml").write_text("a: canary\n")


def creation_rules_at_the_limit(place):
    rules = "".join(f"- {{path_regex: '^apps/{number}/(a+)+$', age: {AGE}}}\n" for number in range(9_999))
    (place / ".sops.yaml").write_text("creation_rules:\n" + rules)
    (place / "apps").mkdir()
    for number in range(200):
        (place / "apps" / f"{'a' * 100}{number}!.sops.yaml").write_text("a: canary\n")


def creation_rules_without_plain_edges(place):
    rules = "".join(f"- {{path_regex: '(a+|{number})+b$', age: {AGE}}}\n" for number in range(9_999))
    (place / ".sops.yaml").write_text("creation_rules:\n" + rules)
    for number in range(200):
        (place / f"{'a' * 100}{number}!.sops.yaml").write_text("a: canary\n")


def regular_expressions(place):
    patterns = ["(a+)+$", "(.*)*(.*)*(.*)*x", "((a{100}){10}){10}", r"(\pL{30}|\PL{30}){30}", "(" * 100_000, "[a-z&&[^b]]" * 5_000]
    rules = "".join(f"- {{path_regex: '{pattern}', age: {AGE}}}\n" for pattern in patterns * 20)
    (place / ".sops.yaml").write_text("creation_rules:\n" + rules)
    for number in range(200):
        (place / f"{'a' * 200}{number}!.sops.yaml").write_text("a: canary\n")


def repeated_mistakes(place):
    group = f"&g {{age: [{AGE}], {'k' * 1_000}: {'v' * 100_000}}}"
    (place / ".sops.yaml").write_text(f"creation_rules:\n- {{key_groups: [{group}, {'*g, ' * 10_000}]}}\n")


def findings_on_one_line(place):
    secret = '{"apiVersion":"v1","kind":"Secret","stringData":{"a":"canary","b":"canary"}}'
    (place / "a.json").write_text('{"kind":"List","items":[' + ",".join([secret] * 50_000) + "]}")
    stanzas = ",".join(['{"recipient":"x","enc":"y"}'] * 100_000)
    (place / "b.json").write_text('{"sops":{"mac":"","age":[' + stanzas + "]}}")


def generators(place):
    literals = "".join(f"  - password{number}=canary\n" for number in range(200_000))
    (place / "kustomization.yaml").write_text(f"secretGenerator:\n- name: a\n  literals:\n{literals}")
    (place / "ksops.yaml").write_text("apiVersion: viaduct.ai/v1\nkind: ksops\nfiles:\n" + "- gone.enc.yaml\n" * 200_000)


def many_lines(place):
    (place / "a.env").write_text(FLAT + "sops_k=v\n" * 500_000)
    (place / "b.ini").write_text(FLAT + "k=v\n[s]\n`\n" * 500_000 + "[sops]\nmac=x\n")


def many_documents(place):
    (place / "a.yaml").write_text(SOPS + "---\na: b\n" * 500_000)


def measure(program, make):
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        make(place)
        before = time.monotonic()
        run = subprocess.Popen(
            [program, "scan", "--no-progress", "--format", "json"],
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        # The output is read during the run, so that the program never waits for a pipe.
        out, err = run.communicate()
        seconds = time.monotonic() - before
        for path in place.glob("*.sops.yaml"):
            if not path.is_symlink() and path.is_file():
                path.chmod(0o600)
    return seconds, run.returncode, out, err


def main(program):
    print(f"{'input':<36} {'wall':>8} {'cpu':>8} {'peak memory':>12}  exit  findings")
    missed = False
    for make in MAKERS:
        # Each in its own process: the system reports the peak over all children.
        receiver, sender = os.pipe()
        child = os.fork()
        if child == 0:
            seconds, code, out, err = measure(program, make)
            unit = 1 if sys.platform == "darwin" else 1024
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            memory, cpu = usage.ru_maxrss * unit / MIB, usage.ru_utime + usage.ru_stime
            findings = len(json.loads(out)["findings"]) if code in (0, 1, 2) and out else 0
            is_silent = findings == 0 and not err and make not in SILENT
            is_wrong = code not in (0, 1, 2) or is_silent or b"canary" in out + err
            os.write(sender, json.dumps([seconds, cpu, memory, code, findings, is_wrong]).encode())
            os._exit(0)
        os.close(sender)
        with os.fdopen(receiver) as pipe:
            seconds, cpu, memory, code, findings, is_wrong = json.loads(pipe.read())
        os.waitpid(child, 0)
        # On a busy machine, the wall clock measures other programs.
        is_slow = min(seconds, cpu) >= MAX_SECONDS
        is_missed = is_wrong or is_slow or memory >= MAX_MEBIBYTES
        missed |= is_missed
        verdict = "  MISSED" if is_missed else ""
        title = make.__name__.replace("_", " ")
        print(f"{title:<36} {seconds * 1000:>5.0f} ms {cpu * 1000:>5.0f} ms {memory:>8.0f} MiB {code:>5} {findings:>9}{verdict}", flush=True)
    print(f"goals: under {MAX_SECONDS:.0f} s and {MAX_MEBIBYTES} MiB, exit 0 to 2, no value printed")
    return 1 if missed else 0


MAKERS = [
    depth_bombs,
    alias_bombs,
    one_gibibyte,
    no_text,
    links_and_pipes,
    unreadable_files,
    names,
    creation_rules,
    creation_rules_at_the_limit,
    creation_rules_without_plain_edges,
    regular_expressions,
    repeated_mistakes,
    findings_on_one_line,
    generators,
    many_lines,
    many_documents,
]

# Links, pipes and devices are skipped silently.
SILENT = [links_and_pipes]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
