"""Measures how processor time grows with the input, one shape of input at a time.

Called by growth.sh, which explains the options. Every function between AGE and SHAPES makes a repository of
size n. The size is doubled until a scan costs `--cost` seconds more than that of an empty repository, then
measured at n, 2n and 4n. The exponent is the slope between n and 4n: 1 is linear, 2 is quadratic. A shape
that is still cheaper at its largest size, that of a file of 16 MiB or what its function allows, has no
exponent: it is bounded.
"""

import argparse
import math
import os
import pathlib
import subprocess
import sys
import tempfile

START = 100
FEW = 2
MAX_BYTES = 16 * 1024 * 1024

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


def age_prefixes(place, n):
    (place / "a.yaml").write_text("a: " + "AGE-SECRET-KEY-1" * n + "\n")


def age_prefixes_on_lines(place, n):
    (place / "a.txt").write_text("AGE-SECRET-KEY-1\n" * n)


def pgp_headers(place, n):
    (place / "a.txt").write_text("-----BEGIN PGP PRIVATE KEY BLOCK-----\n" * n)


def ciphertext_prefixes_on_lines(place, n):
    (place / "a.yaml").write_text("a: ENC[AES256_GCM,data:\n" * n)


def ciphertext_prefixes_in_an_encrypted_file(place, n):
    (place / "a.enc.yaml").write_text("a: '" + "ENC[AES256_GCM,data:" * n + f"]'\n{SOPS}")


def malformed_ciphertexts(place, n):
    (place / "a.enc.yaml").write_text("".join(f"k{i}: ENC[AES256_GCM,data:]\n" for i in range(n)) + SOPS)


def documents_under_a_rule(place, n):
    n = min(n, 9_000)
    (place / "a.enc.yaml").write_text("---\n".join(SECRET.format(name=f"a{i}") for i in range(n)))
    (place / ".sops.yaml").write_text(RULES)
    return n


def documents_with_an_odd_block(place, n):
    n = min(n, 9_000)
    (place / "a.enc.yaml").write_text("---\n".join(["a: b\nsops: x\n"] * n))
    return n


def comments_alone(place, n):
    (place / "a.enc.yaml").write_text("#\n" * n + SECRET.format(name="a"))


def comments_behind_values(place, n):
    (place / "a.enc.yaml").write_text("".join(f"k{i}: v # c\n" for i in range(n)))


def comments_in_dotenv(place, n):
    (place / "a.enc.env").write_text("#\n" * n + "A=b\n")


def comments_in_ini(place, n):
    (place / "a.enc.ini").write_text(";\n" * n + "[a]\nb = c\n")


def anchors(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + "y:\n" + "".join(f"- &x{i} a\n" for i in range(n)))


def merges_of_many(place, n):
    maps = "".join(f"- &x{i} {{k{i}: b}}\n" for i in range(n))
    merged = ", ".join(f"*x{i}" for i in range(n))
    (place / "a.yaml").write_text(f"y:\n{maps}apiVersion: v1\nkind: Secret\nstringData:\n  <<: [{merged}]\n")


def block_scalars(place, n):
    (place / "a.yaml").write_text(SECRET.format(name="a") + "".join(f"  k{i}: |\n    v\n" for i in range(n)))


def block_scalars_before_a_long_line(place, n):
    scalars = "".join(f"  k{i}: |\n    v\n" for i in range(n))
    (place / "a.yaml").write_text(SECRET.format(name="a") + scalars + "  long: " + "x" * n * 10)


def keys_under_a_long_pattern(place, n):
    n = min(n, 20_000)
    rule = f"creation_rules:\n- encrypted_regex: '{'.*' * 2_000}x'\n  age: {AGE}\n"
    (place / ".sops.yaml").write_text(rule)
    (place / "a.enc.yaml").write_text("".join(f"{'k' * 100}{i}: v\n" for i in range(n)))
    return n


def files_under_a_long_config(place, n):
    n = min(n, 8_000)
    (place / ".sops.yaml").write_text(RULES + f"# {'x' * 500_000}\n")
    for i in range(n):
        (place / f"a{i}.enc.yaml").write_text(SECRET.format(name="a"))
    return n


def configs_of_thirty_rules(place, n):
    n = min(n, 5_000)
    rule = f"- path_regex: ^%d/[a-z]+\\.enc\\.yaml$\n  encrypted_regex: ^(data|stringData)$\n  age: {AGE}\n"
    rules = "creation_rules:\n" + "".join(rule % i for i in range(30))
    for i in range(n):
        directory = place / f"d{i}"
        directory.mkdir()
        (directory / ".sops.yaml").write_text(rules)
        (directory / "a.enc.yaml").write_text("a: b\n")
    return n


def a_value(place, n):
    (place / "a.enc.yaml").write_text(f"a: ENC[AES256_GCM,data:{'AAAA' * n * 4},iv:x,tag:x,type:str]\n{SOPS}")


def base64(place, n):
    (place / "a.yaml").write_text(f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata:\n  a: {'QUFB' * n * 4}\n")


def binary_envelope(place, n):
    (place / "a.bin").write_text(f'{{"data": "ENC[AES256_GCM,data:{"AAAA" * n * 4}]", "sops": {{"mac": "x", "lastmodified": "x"}}}}')


def ignored_names(place, n):
    n = min(n, 35_000)  # sops-lint reads up to 512 KiB
    (place / ".gitignore").write_text("".join(f"/x{i}/*.yaml\n" for i in range(n)))
    (place / "a.yaml").write_text(SECRET.format(name="a"))
    return n


def settings(place, n):
    (place / ".sops-lint.yaml").write_text("exclude:\n" + "".join(f"- x{i}/**\n" for i in range(n)))


SHAPES = [value for value in list(globals().values()) if callable(value) and getattr(value, "__module__", None) == __name__]


def in_child(shape, place, n):
    """Makes a repository in a process of its own: the system counts the memory of the parent as a child's."""
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            made = shape(place, n)
            os.write(sender, str(n if made is None else made).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(sender)
    with os.fdopen(receiver) as pipe:
        made = pipe.read()
    os.waitpid(child, 0)
    return int(made)


class Bench:
    """A program, and how it is measured."""

    def __init__(self, args):
        self.program = os.path.abspath(args.program)
        self.cost = args.cost
        self.runs = args.runs
        self.is_quick = args.quick
        self.empty = self.measure(lambda place, n: None, 1)[0]

    def run(self, place):
        """Scans once. Returns the processor time in seconds and the peak memory in MiB."""
        run = subprocess.Popen(
            [self.program, "scan", "--exit-zero", "--threads", "1", "--output", os.devnull, "."],
            cwd=place, env={"HOME": str(place), "PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": "1782777600"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        if run.returncode not in (0, 2):
            sys.exit(f"growth.py: the program ended with {run.returncode}")
        unit = 1 if sys.platform == "darwin" else 1024
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / (1024 * 1024)

    def measure(self, shape, n):
        """Returns the least processor time and memory at size n, and whether the shape can grow further."""
        with tempfile.TemporaryDirectory() as directory:
            place = pathlib.Path(directory)
            (place / ".git").mkdir()
            made = in_child(shape, place, n)
            sizes = [file.stat().st_size for file in place.rglob("*") if file.is_file()]
            size = max(sizes, default=0)
            self.is_one_file = len(sizes) <= FEW
            can_grow = size <= MAX_BYTES and made >= n
            runs = [self.run(place) for _ in range(self.runs)] if size <= MAX_BYTES else [(math.inf, 0)]
        return min(run[0] for run in runs), min(run[1] for run in runs), can_grow

    def judge(self, shape):
        """Returns the largest size with its time and memory, and the exponent if there is one. A single file grows to
        its maximum."""
        n, measured, can_grow = START, [], True
        while can_grow and (len(measured) < 3 or self.is_one_file and not self.is_quick):
            spent, memory, can_grow = self.measure(shape, n)
            if spent < math.inf and (can_grow or not measured):
                last = (n, spent - self.empty, memory)
                if len(measured) < 3 and (measured or last[1] >= self.cost):
                    measured.append(last)
            n *= 2
        if len(measured) < 2:
            return (*last, None)
        growth = math.log2(measured[-1][1] / measured[0][1]) / (len(measured) - 1)
        return (*last, growth)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--bound", type=float, default=1.3)
    parser.add_argument("--cost", type=float, default=0.2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--memory", type=float, default=256)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    bench = Bench(args)
    print(f"an empty repository: {bench.empty:.3f} s")
    print(f"{'shape':<36} {'n':>9} {'cpu':>9} {'memory':>10}  exponent")
    missed = []
    for shape in SHAPES:
        title = shape.__name__.replace("_", " ")
        if args.only not in title:
            continue
        n, spent, memory, exponent = bench.judge(shape)
        is_missed = (exponent is not None and exponent >= args.bound) or spent > args.seconds or memory > args.memory
        verdict = "bounded" if exponent is None else f"{exponent:.2f}"
        print(f"{title:<36} {n:>9} {spent:>7.2f} s {memory:>6.0f} MiB  {verdict}{'  MISSED' if is_missed else ''}", flush=True)
        missed += [title] if is_missed else []
    print(f"goals: exponents below {args.bound}, at the largest size up to {args.seconds:g} s and {args.memory:g} MiB")
    if missed:
        print("missed: " + ", ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
