#!/usr/bin/env python3
"""Makes a bare repository with a long history, for benches/git.sh.

Every commit changes one to three manifests, as in a repository for Flux: Deployments, ConfigMaps and
Secrets that look encrypted. One commit in a thousand adds a Secret in plaintext, and the next commit of
that file removes it. The same seed makes the same repository.
"""

import argparse
import base64
import random
import subprocess
import sys

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
spec:
  replicas: {number}
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
        - name: main
          image: registry.example.com/{namespace}/{name}:1.{number}.{random}
          resources:
            limits: {{cpu: {number}00m, memory: {number}28Mi}}
          env:
            - name: PASSWORD
              valueFrom: {{secretKeyRef: {{name: {name}, key: password}}}}
"""
CONFIG_MAP = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  namespace: {namespace}
data:
  settings.ini: |
    [server]
    workers = {number}
    build = {random}
    listen = 0.0.0.0:8080
"""
PLAIN = """apiVersion: v1
kind: Secret
metadata:
  name: {name}
  namespace: {namespace}
stringData:
  password: bench-{random}-{number}
"""


# A data key that age wrapped, for a throw-away key.
RECIPIENT = "age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh"
DATA_KEY = [
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBYU1hVUWtYV1VZMDQ2YzBx",
    "cjBCMmFtMFhvU0RMVUdZRXBuMExNK0hSNXpnCnh4dVluZEsyWEZmei92R3Z5aDhK",
    "VDBGaVlPaW1QaE42SHZSOFh0OFhZSkkKLS0tIGZFa1oxY1ZubVphSWRZTFlXUWgz",
    "SlRlSDF6VFZmTGNpU2JLcjlXTmJ4R0EKBb37JmpD1MwzyQNEXECvZ841r6TecxDf",
    "M2AXHowQpwaoex0ijryjcGq3zsWqlFXqa4C3SwA9jZxF6QoKLekJ/w==",
]


def noise(draw, size):
    return base64.b64encode(draw.randbytes(size)).decode()


def encrypted(draw, fields):
    def value(size):
        parts = f"data:{noise(draw, size)},iv:{noise(draw, 32)},tag:{noise(draw, 16)}"
        return f"ENC[AES256_GCM,{parts},type:str]"

    lines = "".join(f"            {line}\n" for line in DATA_KEY)
    return (
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n  namespace: {namespace}\n".format(**fields)
        + f"stringData:\n  password: {value(20)}\n  user: {value(8)}\n"
        + f"sops:\n  age:\n    - recipient: {RECIPIENT}\n"
        + f"      enc: |\n            -----BEGIN AGE ENCRYPTED FILE-----\n{lines}            -----END AGE ENCRYPTED FILE-----\n"
        + f'  lastmodified: "2026-01-02T03:04:05Z"\n  mac: {value(128)}\n'
        + "  encrypted_regex: ^(data|stringData)$\n  version: 3.9.4\n"
    )


def content(draw, path):
    name = path.split("/")[-1].split(".")[0]
    fields = {
        "name": name,
        "namespace": path.split("/")[1],
        "number": draw.randint(1, 9),
        "random": draw.getrandbits(40),
    }
    if path.endswith(".sops.yaml"):
        return PLAIN.format(**fields) if draw.random() < 0.003 else encrypted(draw, fields)
    return (DEPLOYMENT if path.endswith("deployment.yaml") else CONFIG_MAP).format(**fields)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--commits", type=int, default=30_000)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    draw = random.Random(args.seed)
    endings = [".deployment.yaml", ".config.yaml", ".sops.yaml"]
    paths = [
        f"apps/team-{n % 40}/service-{n // 3}{endings[n % 3]}" for n in range(args.files)
    ]
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", args.out], check=True)
    importer = subprocess.Popen(["git", "-C", args.out, "fast-import", "--quiet"], stdin=subprocess.PIPE)
    write = importer.stdin.write

    def text(string):
        data = string.encode()
        write(b"data %d\n%s\n" % (len(data), data))

    for number in range(args.commits):
        write(b"commit refs/heads/main\n")
        write(b"committer B <b@example.com> %d +0000\n" % (1_600_000_000 + 600 * number))
        text(f"Change {number}")
        if number == 0:
            changed = paths
            write(b"M 100644 inline .sops.yaml\n")
            text("creation_rules:\n  - path_regex: \\.sops\\.yaml$\n    encrypted_regex: ^(data|stringData)$\n"
                 f"    age: {RECIPIENT}\n")
        else:
            changed = draw.sample(paths, draw.randint(1, 3))
        for path in changed:
            write(b"M 100644 inline %s\n" % path.encode())
            text(content(draw, path))
    importer.stdin.close()
    if importer.wait():
        sys.exit("git fast-import failed")
    # Packs as a server does, from new to old: fast-import writes chains of deltas from old to new.
    subprocess.run(["git", "-C", args.out, "repack", "-adfq"], check=True)


if __name__ == "__main__":
    main()
