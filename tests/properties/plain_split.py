"""A plain judge of splits: who belongs together, what was asked for and what came out, counted anew from the raw rows."""

from __future__ import annotations

from collections import defaultdict
from itertools import product


def components(rows, links):
    """Sets of subjects that belong together: by group, by link, and by whoever is between (a search, no union-find)."""
    shared = defaultdict(set)
    for row in rows:
        for name in (*([("group", row.group)] if row.group else []), *links.get(row.subject, ())):
            shared[name].add(row.subject)
    of = defaultdict(set)
    for name, members in shared.items():
        for subject in members:
            of[subject].add(name)
    seen, out = set(), []
    for row in rows:
        if row.subject in seen:
            continue
        found, front = {row.subject}, [row.subject]
        while front:
            for name in of[front.pop()]:
                for other in shared[name] - found:
                    found.add(other)
                    front.append(other)
        seen |= found
        out.append(found)
    return out


def counted(rows, place, parts):
    """Subjects of each part, and of those with each label: {(label or "", part): count}."""
    out = dict.fromkeys(product([*sorted({x for r in rows for x in r.labels}), ""], parts), 0)
    for row in rows:
        for name in ("", *row.labels):
            out[name, place[row.subject]] += 1
    return out


def distance(rows, place, fractions, min_positive, are_grouped):
    """The distance that a certificate tells, by its definition: chi-square, sizes ten times as heavy as all labels.

    Where groups move, sizes weigh a fifth of all labels.
    """
    parts = [p for p, f in fractions.items() if f > 0]
    labels = sorted({x for r in rows for x in r.labels})
    counts = counted(rows, place, parts)
    order = sorted(parts, key=lambda p: ["train", "test", "val"].index(p) if not p.startswith("fold") else 9)
    out = 0.0
    for name in ("", *labels):
        whole = sum(counts[name, p] for p in parts)
        given = [0] * len(parts)
        for n in range(min(whole, min_positive * len(parts))):
            given[n % len(parts)] += 1
        for part in parts:
            target = fractions[part] * whole
            heavy = 1 if name else (0.2 if are_grouped else 10) * (len(labels) + 1)
            out += heavy * (counts[name, part] - target) ** 2 / target
            if name:
                out += 1e4 * max(0, given[order.index(part)] - counts[name, part]) ** 2
    return out


def best_distance(rows, groups, fractions, min_positive):
    """The smallest distance of all splits there are."""
    parts = [p for p, f in fractions.items() if f > 0]
    best = float("inf")
    for chosen in product(parts, repeat=len(groups)):
        place = {s: part for group, part in zip(groups, chosen, strict=True) for s in group}
        best = min(best, distance(rows, place, fractions, min_positive, max(map(len, groups)) > 1))
    return best
