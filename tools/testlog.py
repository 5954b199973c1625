# SPDX-License-Identifier: BSD-3-Clause
"""One line per test of a meson test log (JSON lines): result, name, and for all but OK the line that says why."""
import json
import sys


def why(test):
    lines = [line for key in ("stdout", "stderr") for line in (test.get(key) or "").splitlines() if line.strip()]
    for prefix in ("skip: ", "fail: "):
        told = [line[len(prefix):] for line in lines if line.startswith(prefix)]
        if told:
            return told[-1]
    if test["result"] == "TIMEOUT":
        return f"not done after {test['duration']:.0f} s"
    return lines[-1][:200] if lines else f"exit status {test['returncode']}"


for record in open(sys.argv[1], encoding="utf-8"):
    test = json.loads(record)
    name = test["name"].split(" / ")[-1]
    print(test["result"], name, "" if test["result"] == "OK" else why(test), sep="\t")
