# SPDX-License-Identifier: BSD-3-Clause
"""One line per test of a meson test log (JSON lines): result, name, and for all but OK the line that says why.

With a second argument N: instead, the last N lines of each test that failed.
"""
import json
import sys

PASSED = ("OK", "EXPECTEDFAIL", "SKIP")


def said(test):
    return [line for key in ("stdout", "stderr") for line in (test.get(key) or "").splitlines() if line.strip()]


def why(test):
    lines = said(test)
    for prefix in ("skip: ", "fail: "):
        told = [line[len(prefix):] for line in lines if line.startswith(prefix)]
        if told:
            return told[-1]
    if test["result"] == "TIMEOUT":
        return f"not done after {test['duration']:.0f} s"
    return lines[-1][:200] if lines else f"exit status {test['returncode']}"


def show(test, last):
    name = test["name"].split(" / ")[-1]
    if not last:
        print(test["result"], name, "" if test["result"] == "OK" else why(test), sep="\t")
    elif test["result"] not in PASSED:
        print(*(f"{name}| {line}" for line in said(test)[-last:]), sep="\n")


with open(sys.argv[1], encoding="utf-8") as log:
    for record in log:
        show(json.loads(record), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
