"""Labels: people say of sampled pairs whether they are one person, without seeing the rule or each other's answers.

Pairs are sampled by stratum (which rules propose them), so that rare disagreements are seen and totals can be
estimated. Answers are appended; the latest of a labeller counts, and an answer taken back is kept as `withdrawn`.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import combinations
from typing import Any, Final, Literal, get_args

import pyarrow as pa

from workbench.errors import ConfigurationError
from workbench.lab.judging import LabelledPair, Pair
from workbench.lab.measures import cohens_kappa, consensus
from workbench.store import Store

Verdict = Literal["same", "different", "unsure"]
VERDICTS: Final = get_args(Verdict)
WITHDRAWN: Final = "withdrawn"  # stands for an answer taken back; view.label leaves it out


def draw_sample(
    store: Store, proposed: Iterable[Mapping[str, Any]], *, size: int, sobject: str = "Contact", seed: int = 0
) -> int:
    """Replace the pairs to be labelled by a stratified sample of `proposed` pairs; how many there are.

    proposed: rows of rule, is_tie, record_id, contact_id, several per pair where several rules propose it. Every
    stratum gets the same share; what a small one leaves goes to the others. Labels already given stay.
    """
    by_pair: dict[Pair, set[str]] = defaultdict(set)
    for row in proposed:
        by_pair[row["record_id"], row["contact_id"]].add(f"{row['rule']} (tie)" if row["is_tie"] else row["rule"])
    strata: dict[str, list[Pair]] = defaultdict(list)
    for pair, rules in by_pair.items():
        strata["; ".join(sorted(rules))].append(pair)
    chosen = _allot(strata, size, seed)
    now = datetime.now(UTC)
    rows = [
        {
            "sobject": sobject,
            "record_id": pair[0],
            "contact_id": pair[1],
            "stratum": stratum,
            "stratum_size": len(strata[stratum]),
            "position": position,
            "drawn_at": now,
        }
        for position, (stratum, pair) in enumerate(chosen, start=1)
    ]
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("sobject", "record_id", "contact_id", "stratum")),
            *((name, pa.int64()) for name in ("stratum_size", "position")),
            ("drawn_at", pa.timestamp("us", tz="UTC")),
        ]
    )
    store.write(
        ("DELETE FROM lab.sample WHERE sobject = $sobject", {"sobject": sobject}),
        "INSERT INTO lab.sample BY NAME SELECT * FROM drawn",
        tables={"drawn": pa.Table.from_pylist(rows, schema=schema)},
    )
    return len(rows)


def next_pair(store: Store, labeller: str, *, sobject: str = "Contact") -> dict[str, Any] | None:
    """The next sampled pair this labeller has not judged: record_id, contact_id, remaining; None at the end.

    Blind: neither the stratum nor anybody's verdict is told, and the order mixes the strata.
    """
    rows = store.rows(
        """SELECT s.record_id, s.contact_id, count(*) OVER () AS remaining
           FROM lab.sample AS s
           WHERE s.sobject = $sobject AND NOT EXISTS (
               SELECT 1 FROM view.label AS l WHERE l.sobject = s.sobject AND l.record_id = s.record_id
               AND l.contact_id = s.contact_id AND l.labeller = $labeller)
           ORDER BY s.position LIMIT 1""",
        {"sobject": sobject, "labeller": labeller.strip()},
    )
    return rows[0] if rows else None


def sample_size(store: Store, *, sobject: str = "Contact") -> int:
    """How many pairs are drawn to be labelled; 0 before the first draw."""
    found = store.rows("SELECT count(*) AS n FROM lab.sample WHERE sobject = $sobject", {"sobject": sobject})
    return int(found[0]["n"])


def save_label(
    store: Store,
    pair: Pair,
    verdict: str,
    *,
    labeller: str,
    note: str = "",
    sobject: str = "Contact",
) -> None:
    """Append one answer. Raises ConfigurationError for another verdict or a nameless labeller."""
    if verdict not in VERDICTS:
        raise ConfigurationError(f"A verdict is one of {', '.join(VERDICTS)}, not {verdict!r}.")
    _append(store, pair, verdict, labeller=labeller, note=note, sobject=sobject)


def undo_label(store: Store, labeller: str, *, sobject: str = "Contact") -> Pair | None:
    """Take back this labeller's latest answer about a sampled pair, so that it is asked again; None without one."""
    rows = store.rows(
        """SELECT l.record_id, l.contact_id FROM view.label AS l
           JOIN lab.sample AS s
             ON s.sobject = l.sobject AND s.record_id = l.record_id AND s.contact_id = l.contact_id
           WHERE l.sobject = $sobject AND l.labeller = $labeller
           ORDER BY l.labelled_at DESC LIMIT 1""",
        {"sobject": sobject, "labeller": labeller.strip()},
    )
    if not rows:
        return None
    pair = (rows[0]["record_id"], rows[0]["contact_id"])
    _append(store, pair, WITHDRAWN, labeller=labeller, note="", sobject=sobject)
    return pair


def _append(store: Store, pair: Pair, verdict: str, *, labeller: str, note: str, sobject: str) -> None:
    if not labeller.strip():
        raise ConfigurationError("Say who labels: agreement between people cannot be measured otherwise.")
    store.write(
        (
            """INSERT INTO lab.label (sobject, record_id, contact_id, verdict, labeller, note, labelled_at)
               VALUES ($sobject, $record_id, $contact_id, $verdict, $labeller, $note, $labelled_at)""",
            {
                "sobject": sobject,
                "record_id": pair[0],
                "contact_id": pair[1],
                "verdict": verdict,
                "labeller": labeller.strip(),
                "note": note,
                "labelled_at": datetime.now(UTC),
            },
        )
    )


def verdicts(store: Store, *, sobject: str = "Contact") -> dict[Pair, dict[str, str]]:
    """Pair -> labeller -> latest verdict."""
    found: dict[Pair, dict[str, str]] = defaultdict(dict)
    for row in store.rows("SELECT * FROM view.label WHERE sobject = $sobject", {"sobject": sobject}):
        found[row["record_id"], row["contact_id"]][row["labeller"]] = row["verdict"]
    return dict(found)


def labelled_pairs(store: Store, *, sobject: str = "Contact") -> list[LabelledPair]:
    """Sampled pairs on which the labellers agree, weighted by their stratum; draws and doubts are left out."""
    given = verdicts(store, sobject=sobject)
    sample = store.rows("SELECT * FROM lab.sample WHERE sobject = $sobject", {"sobject": sobject})
    agreed = [
        (row, said)
        for row in sample
        if (said := consensus(given.get((row["record_id"], row["contact_id"]), {}))) is not None
    ]
    judged = Counter(row["stratum"] for row, _ in agreed)
    return [
        LabelledPair(row["record_id"], row["contact_id"], said == "same", row["stratum_size"] / judged[row["stratum"]])
        for row, said in agreed
    ]


def agreement(store: Store, *, sobject: str = "Contact") -> list[dict[str, Any]]:
    """Per two labellers: one, other, both, agree, and kappa with its interval over the pairs that both judged."""
    given = verdicts(store, sobject=sobject)
    people = sorted({labeller for said in given.values() for labeller in said})
    rows = []
    for one, other in combinations(people, 2):
        shared = [said for said in given.values() if one in said and other in said]
        first, second = [said[one] for said in shared], [said[other] for said in shared]
        agree = sum(a == b for a, b in zip(first, second, strict=True))
        kappa = cohens_kappa(first, second)
        rows.append({"one": one, "other": other, "both": len(shared), "agree": agree, "kappa": kappa})
    return rows


def disputed(store: Store, *, sobject: str = "Contact") -> list[Pair]:
    """Pairs that got both `same` and `different`: talk about these."""
    given = verdicts(store, sobject=sobject)
    return sorted(pair for pair, said in given.items() if {"same", "different"} <= set(said.values()))


def save_truth(store: Store, pairs: pa.Table, *, source: str, sobject: str = "Contact") -> int:
    """Replace the known truth: record_id, contact_id; rows with a blank side are left out. How many remain."""
    store.write(
        ("DELETE FROM lab.truth WHERE sobject = $sobject", {"sobject": sobject}),
        (
            """INSERT INTO lab.truth SELECT DISTINCT $sobject, record_id, contact_id, $source FROM known
               WHERE record_id IS NOT NULL AND contact_id IS NOT NULL""",
            {"sobject": sobject, "source": source},
        ),
        tables={"known": pairs},
    )
    return len(known_truth(store, sobject=sobject))


def known_truth(store: Store, *, sobject: str = "Contact") -> pa.Table:
    """record_id, contact_id of every known pair; no rows where the truth is not known."""
    return store.query("SELECT record_id, contact_id FROM lab.truth WHERE sobject = $sobject", {"sobject": sobject})


def _allot(strata: Mapping[str, Sequence[Pair]], size: int, seed: int) -> list[tuple[str, Pair]]:
    """An equal share of `size` per stratum, in an order that looks random and is always the same."""
    chosen: list[tuple[str, Pair]] = []
    remaining = size
    by_size = sorted(strata, key=lambda name: (len(strata[name]), name))
    for place, name in enumerate(by_size):
        share = remaining // (len(by_size) - place)
        shuffled = sorted(strata[name], key=lambda pair: _mixed(pair, seed))[:share]
        chosen += [(name, pair) for pair in shuffled]
        remaining -= len(shuffled)
    return sorted(chosen, key=lambda item: _mixed(item[1], seed + 1))


def _mixed(pair: Pair, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{pair[0]}/{pair[1]}".encode()).hexdigest()
