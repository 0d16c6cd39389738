"""Measures how processor time grows with the input, one shape of input at a time.

Called by growth.sh. Every shape is a function that makes a repository of size n. The size is doubled
until a scan costs 0.2 s more than that of an empty repository, then measured at n, 2n and 4n. The
exponent is the slope between n and 4n: 1 is linear, 2 is quadratic. A shape that is still cheaper at its
largest size, 16 MiB or what its function allows, has no exponent: it is bounded.
"""

import argparse
import math
import os
import pathlib
import subprocess
import sys
import tempfile

COST = 0.2
RUNS = 3
MAX_BYTES = 15 * 1024 * 1024

AGE = "age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh"
VALUE = "ENC[AES256_GCM,data:AAAA,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]"
SOPS = f"sops:\n  age:\n  - recipient: {AGE}\n    enc: x\n  lastmodified: '2026-01-01T00:00:00Z'\n  mac: {VALUE}\n  version: 3.11.0\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\nstringData:\n  password: hunter2\n"
RULES = f"creation_rules:\n- path_regex: \\.enc\\.yaml$\n  encrypted_regex: ^(data|stringData)$\n  age: {AGE}\n"


def secrets_in_a_list(place, n):
    item = "- apiVersion: v1\n  kind: Secret\n  metadata: {name: a}\n  stringData: {password: hunter2}\n"
    (place / "a.yaml").write_text("apiVersion: v1\nkind: List\nitems:\n" + item * n)
    (place / ".sops.yaml").write_text(RULES)


def secrets_in_a_list_of_another_kind(place, n):
    item = "- apiVersion: v1\n  kind: Secret\n  metadata: {name: a}\n  stringData: {password: hunter2}\n"
    (place / "a.yaml").write_text("apiVersion: v1\nkind: SecretList\nitems:\n" + item * n)


def documents(place, n):
    n = min(n, 9_000)
    (place / "a.yaml").write_text("---\n".join(SECRET.format(name=f"a{i}") for i in range(n)))
    return n


def encrypted_documents(place, n):
    n = min(n, 9_000)
    document = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData:\n  a: {VALUE}\n{SOPS}"
    (place / "a.enc.yaml").write_text("---\n".join([document] * n))
    (place / ".sops.yaml").write_text(RULES)
    return n


def comments(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + "# comment\n" * n)


def comments_in_an_encrypted_file(place, n):
    (place / "a.enc.yaml").write_text(f"a: {VALUE}\n" + "# comment\n" * n + SOPS)


def ciphertext_prefixes(place, n):
    (place / "a.yaml").write_text("a: " + "ENC[AES256_GCM,data:" * n + "\n")


def ciphertext_prefixes_in_text(place, n):
    (place / "a.txt").write_text("ENC[AES256_GCM,data:" * n + "\n")


def ciphertexts(place, n):
    (place / "a.enc.yaml").write_text("".join(f"k{i}: {VALUE}\n" for i in range(n)) + SOPS)
    (place / ".sops.yaml").write_text(RULES)


def keys_of_a_secret(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + "".join(f"  k{i}: v\n" for i in range(n)))


def equal_keys(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + "  k: v\n" * n)


def aliases(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + "x: &x {a: b}\ny:\n" + "- *x\n" * n)


def merge_keys(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + "x: &x {a: b}\ny:\n" + "- {<<: *x}\n" * n)


def nested_lists(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + "y:\n" + "- [[[[a]]]]\n" * n)


def rules_of_a_config(place, n):
    rule = f"- path_regex: ^dir-%d/.*\\.yaml$\n  encrypted_regex: ^(data|stringData)$\n  age: {AGE}\n"
    (place / ".sops.yaml").write_text("creation_rules:\n" + "".join(rule % i for i in range(n)))
    for i in range(20):
        (place / f"a{i}.yaml").write_text(SECRET.format(name="a"))


def configs(place, n):
    n = min(n, 20_000)
    for i in range(n):
        directory = place / f"d{i}"
        directory.mkdir()
        (directory / ".sops.yaml").write_text(RULES)
        (directory / "a.enc.yaml").write_text("a: b\n")
    return n


def files(place, n):
    n = min(n, 40_000)
    for i in range(n):
        if i % 100 == 0:
            directory = place / f"d{i}"
            directory.mkdir()
        (directory / f"a{i}.yaml").write_text(SECRET.format(name="a"))
    return n


def files_of_one_directory(place, n):
    n = min(n, 40_000)
    for i in range(n):
        (place / f"a{i}.enc.yaml").write_text("a: b\n")
    (place / ".sops.yaml").write_text(RULES)
    return n


def a_long_line(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + "  long: '" + "x" * n * 16 + "'\n")


def a_long_flow(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + "y: [" + "a, " * n + "a]\n")


def a_long_name(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="n" * n * 16))


def a_long_key(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + f"  {'k' * n * 16}: v\n")


def references(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + "  r: '" + "${A}" * n + "'\n")


def open_brackets(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + "  r: '" + "${" * n + "'\n")


def placeholders(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + "".join(f"  k{i}: CHANGE_ME\n" for i in range(n)))


def dotenv_lines(place, n):
    (place / "a.env").write_text("sops_version=3.11.0\nsops_lastmodified=x\n" + f"K={VALUE}\n" * n)


def ini_sections(place, n):
    (place / "a.ini").write_text("".join(f"[s{i}]\nk = {VALUE}\n" for i in range(n)) + "[sops]\nversion = 3.11.0\n")


def json_members(place, n):
    members = ",".join(f'"k{i}": "v"' for i in range(n))
    (place / "a.json").write_text(f'{{"apiVersion": "v1", "kind": "Secret", "stringData": {{{members}}}}}')


def recipients(place, n):
    stanza = f"  - recipient: {AGE}\n    enc: x\n"
    head = f"a: {VALUE}\nsops:\n  lastmodified: '2026-01-01T00:00:00Z'\n  mac: {VALUE}\n  version: 3.11.0\n  age:\n"
    (place / "a.enc.yaml").write_text(head + stanza * n)
    (place / ".sops.yaml").write_text(RULES)


def conflict_markers(place, n):
    (place / "a.enc.yaml").write_text(f"a: {VALUE}\n" + "<<<<<<< a\n=======\n>>>>>>> b\n" * n + SOPS)


def pem_blocks(place, n):
    block = "    -----BEGIN CERTIFICATE-----\n    MIIBszCCAVmgAwIBAgIUV0\n    -----END CERTIFICATE-----\n"
    (place / "a.yaml").write_text(SECRET.format(name="a") + "  pem: |\n" + block * n)


def generator_sources(place, n):
    literals = "".join(f"  - k{i}=hunter2\n" for i in range(n))
    (place / "kustomization.yaml").write_text("secretGenerator:\n- name: a\n  literals:\n" + literals)


SHAPES = [value for value in list(globals().values()) if callable(value) and getattr(value, "__module__", None) == __name__]


def cost(program, place):
    """Returns the least processor time of some runs, in seconds."""
    best = math.inf
    for _ in range(RUNS):
        before = os.times()
        run = subprocess.run(
            [program, "scan", "--exit-zero", "--threads", "1", "--output", os.devnull, "."],
            cwd=place, env={"HOME": str(place), "PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": "1782777600"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        after = os.times()
        if run.returncode not in (0, 2):
            sys.exit(f"growth.py: the program ended with {run.returncode}")
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        best = min(best, spent)
    return best


def measure(program, shape, n):
    """Returns the processor time at size n, and whether the shape cannot grow any more."""
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        (place / ".git").mkdir()
        made = shape(place, n)
        size = max((file.stat().st_size for file in place.rglob("*") if file.is_file()), default=0)
        return cost(program, place), (made is not None and made < n) or size > MAX_BYTES


def judge(program, shape, empty, start):
    n = start
    while True:
        spent, is_largest = measure(program, shape, n)
        if spent - empty >= COST or is_largest:
            break
        n *= 2
    if is_largest:
        return n, spent - empty, None
    times = [spent - empty]
    for factor in (2, 4):
        spent, is_largest = measure(program, shape, n * factor)
        if is_largest:
            break
        times.append(spent - empty)
    if len(times) == 1:
        return n, times[0], None
    exponent = math.log2(times[-1] / times[0]) / (len(times) - 1)
    return n, times[-1], exponent


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--bound", type=float, default=1.3)
    parser.add_argument("--only")
    args = parser.parse_args()
    empty, _ = measure(args.program, lambda place, n: None, 1)
    print(f"an empty repository: {empty:.3f} s")
    bad = []
    for shape in SHAPES:
        name = shape.__name__.replace("_", " ")
        if args.only and args.only not in name:
            continue
        n, spent, exponent = judge(args.program, shape, empty, 500)
        if exponent is None:
            verdict = f"{spent:6.2f} s at most"
        else:
            verdict = f"{spent:6.2f} s, exponent {exponent:.2f}"
        if exponent is not None and exponent >= args.bound:
            bad.append(name)
            verdict += f", the bound is {args.bound}"
        print(f"{name:38} {n:9} {verdict}", flush=True)
    if bad:
        sys.exit("grows too fast: " + ", ".join(bad))


if __name__ == "__main__":
    main()
