# SPDX-License-Identifier: BSD-3-Clause
"""Runs contestants in turn and says how they compare.

A round measures every contestant once, in an order that turns with each round, so a machine that grows slower
treats all alike. The ratio is the median of the rounds' ratios, not the ratio of medians.
"""
import statistics

from machine import Unavailable


def rounds(contestants, runs, note):
    """contestants: name → function giving a dict with "value". name → list of dicts, one a round; a contestant that
    cannot run drops out for good and leaves a note."""
    results = {name: [] for name in contestants}
    out = set()
    names = list(contestants)
    for i in range(runs):
        for name in names[i % len(names):] + names[:i % len(names)]:
            if name in out:
                continue
            try:
                results[name].append(contestants[name]())
            except Unavailable as why:
                note(f"{name}: {why}")
                out.add(name)
    return {name: [] if name in out else list_ for name, list_ in results.items()}


def median(values):
    return statistics.median(values) if values else None


def compare(bench, case, unit, ours, vs, theirs, extra=()):
    """One line of output from two contestants' rounds (either may be empty). Keys in `extra` are carried over as medians."""
    values, vs_values = [r["value"] for r in ours], [r["value"] for r in theirs]
    ratios = [a / b for a, b in zip(values, vs_values) if b]
    line = {"bench": bench, "case": case, "value": median(values), "unit": unit, "vs": vs, "vs_value": median(vs_values),
            "ratio": median(ratios), "n": len(values) or len(vs_values), "min": min(values, default=None),
            "max": max(values, default=None)}
    for key in extra:
        line[key] = median([r[key] for r in ours if r.get(key) is not None])
        line[f"vs_{key}"] = median([r[key] for r in theirs if r.get(key) is not None])
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in line.items()}
