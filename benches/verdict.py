#!/usr/bin/env python3
"""Prints the measurements of scan.sh and the verdict on its goals. Exits with 1 if a goal is not met.

The argument is a directory with these files for `small`, and optionally for `large`: NAME.json from
hyperfine, NAME.files, and NAME.PROGRAM.memory in bytes; and `ratio`, the goal for both times, in times those of
rg.
"""

import json
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

MEMORY_GOAL = 100 * 2**20  # bytes, not reached
NOISE = 1.1  # tolerance for growth in proportion to the repository


@dataclass
class Measured:
    """The seconds and bytes of one program on one repository."""

    wall: float
    deviation: float
    cpu: float
    memory: int


def read(results, name):
    """The number of files of a repository, and the measurements of each program."""
    files = int((results / f"{name}.files").read_text())
    rounds = json.loads((results / f"{name}.json").read_text())["results"]
    programs = []
    for program in ("rg", "sops-lint"):
        own = [one for one in rounds if one["command"] == program]
        times = [time for one in own for time in one["times"]]
        cpu = mean(one["user"] + one["system"] for one in own)
        memory = int((results / f"{name}.{program}.memory").read_text())
        programs.append(Measured(mean(times), stdev(times), cpu, memory))
    return files, *programs


def show(name, files, rg, lint):
    print(f"\n{name}: {files:,} files")
    print(f"{'':12}{'wall, mean':>22}{'user + system':>16}{'peak memory':>16}")
    for program, it in (("rg", rg), ("sops-lint", lint)):
        wall = f"{it.wall * 1e3:.1f} ± {it.deviation * 1e3:.1f} ms"
        print(f"{program:12}{wall:>22}{it.cpu * 1e3:>13.1f} ms{it.memory / 2**20:>12.1f} MiB")
    ratios = (lint.wall / rg.wall, lint.cpu / rg.cpu, lint.memory / rg.memory)
    print(f"{'ratio to rg':12}{ratios[0]:>22.2f}{ratios[1]:>16.2f}{ratios[2]:>16.2f}")


def goals(measured, ratio):
    """Returns each goal: the verdict, the goal, and the measurement."""
    for name, (_, rg, lint) in measured.items():
        wall, cpu = lint.wall / rg.wall, lint.cpu / rg.cpu
        memory = lint.memory / 2**20
        yield wall <= ratio, f"{name}: wall at most {ratio:g} times rg", f"{wall:.2f}"
        yield cpu <= ratio, f"{name}: user + system at most {ratio:g} times rg", f"{cpu:.2f}"
        yield lint.memory < MEMORY_GOAL, f"{name}: memory below {MEMORY_GOAL >> 20} MiB", f"{memory:.1f} MiB"
    if "large" in measured:
        (few, _, small), (many, _, large) = measured["small"], measured["large"]
        times, goal = large.wall / small.wall, many / few
        text = f"large: wall at most {goal:.1f} times small (+{NOISE - 1:.0%} for noise)"
        yield times <= goal * NOISE, text, f"{times:.2f}"


def main():
    results = Path(sys.argv[1])
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors")
    names = [name for name in ("small", "large") if (results / f"{name}.json").exists()]
    measured = {name: read(results, name) for name in names}
    for name, one in measured.items():
        show(name, *one)
    print()
    judged = list(goals(measured, float((results / "ratio").read_text())))
    for is_met, goal, value in judged:
        print(f"{'PASS' if is_met else 'FAIL'}  {goal:58} {value}")
    sys.exit(0 if all(is_met for is_met, _, _ in judged) else 1)


if __name__ == "__main__":
    main()
