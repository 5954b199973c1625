# SPDX-License-Identifier: BSD-3-Clause
"""Delta debugging: the smallest part of a list that still fails, as far as time allows."""
import time


def shrink(items, fails, seconds):
    """None: the whole list does not fail again."""
    deadline = time.monotonic() + seconds
    if not fails(items):
        return None
    # Without the pauses between batches most failures stay, and every further try is shorter.
    plain = [item for item in items if item != "settle"]
    if len(plain) < len(items) and fails(plain):
        items = plain
    # What came last most likely matters: look for the shortest tail first.
    size = len(items) // 2
    while size and time.monotonic() < deadline:
        at = 0
        while at < len(items) and time.monotonic() < deadline:
            candidate = items[:at] + items[at + size:]
            if fails(candidate):
                items = candidate
            else:
                at += size
        size //= 2
    return items
