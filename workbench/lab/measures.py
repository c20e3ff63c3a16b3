"""Numbers with their doubt: precision, recall, F1 and agreement between raters, with 95 % intervals. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Z_95: Final = 1.959963984540054


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval; `value` is None where there was nothing to judge."""

    value: float | None
    low: float = 0.0
    high: float = 1.0

    def __str__(self) -> str:
        return "" if self.value is None else f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class Score:
    """How right a linking is. Counts are weighted, and so may be fractions, where they come from a sample.

    right: links that join one person; wrong: links that join two; missed: known pairs that were not linked.
    seen: how many judged pairs stand behind it, after weighting (Kish); the intervals rest on it.
    """

    right: float
    wrong: float
    missed: float
    seen: float | None = None

    @property
    def precision(self) -> Share:
        return self._share(self.right, self.right + self.wrong)

    @property
    def recall(self) -> Share:
        return self._share(self.right, self.right + self.missed)

    @property
    def f1(self) -> Share:
        """F1 rises with right / (right + wrong + missed), a plain share: its interval is that share's, carried over."""
        overlap = self._share(self.right, self.right + self.wrong + self.missed)
        if overlap.value is None:
            return overlap
        return Share(*(2 * end / (1 + end) for end in (overlap.value, overlap.low, overlap.high)))

    def _share(self, part: float, whole: float) -> Share:
        everything = self.right + self.wrong + self.missed
        shrink = 1.0 if self.seen is None or not everything else self.seen / everything
        return wilson(part * shrink, whole * shrink)


def wilson(part: float, whole: float, z: float = Z_95) -> Share:
    """The share `part` of `whole` with Wilson's score interval, which stays honest near 0 and 1 and for small samples.

    Source: E. B. Wilson, 1927, "Probable inference, the law of succession, and statistical inference".

    >>> print(wilson(9, 10))
    0.900 (0.596 to 0.982)
    """
    if whole <= 0:
        return Share(None)
    share = part / whole
    centre = share + z * z / (2 * whole)
    spread = z * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    scale = 1 + z * z / whole
    return Share(share, max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


def cohens_kappa(first: Sequence[str], second: Sequence[str]) -> Share:
    """Agreement of two raters on the same items beyond chance: 1 always, 0 as by chance, with its 95 % interval.

    Without a value where it is undefined: no items, or both always give one same verdict, as chance alone would.
    The interval takes the agreement by chance as given, as Cohen did, and Wilson's interval for the agreement seen: so
    ten agreements out of ten are not taken for certainty.
    Source: J. Cohen, 1960, "A coefficient of agreement for nominal scales".

    >>> print(cohens_kappa(["same", "same", "different", "different"], ["same", "same", "different", "same"]))
    0.500 (-0.399 to 0.909)
    """
    if len(first) != len(second):
        raise ValueError("two raters are compared on the same items")
    count = len(first)
    if not count:
        return Share(None)
    agreed = sum(a == b for a, b in zip(first, second, strict=True))
    one, other = Counter(first), Counter(second)
    by_chance = sum(one[word] * other[word] for word in one) / (count * count)
    if by_chance == 1:
        return Share(None)
    seen = wilson(agreed, count)
    assert seen.value is not None
    return Share(*((end - by_chance) / (1 - by_chance) for end in (seen.value, seen.low, seen.high)))


def effective_size(weights: Sequence[float]) -> float:
    """How many equal observations a weighted sample is worth (Kish, 1965)."""
    squares = sum(weight * weight for weight in weights)
    return sum(weights) ** 2 / squares if squares else 0.0


def consensus(verdicts: Mapping[str, str]) -> str | None:
    """What the raters of one pair say together: the verdict that most gave; None for a draw, or where all are unsure.

    `verdicts`: rater -> same | different | unsure.
    """
    counted = Counter(verdict for verdict in verdicts.values() if verdict != "unsure")
    best = counted.most_common(2)
    if not best or (len(best) == 2 and best[0][1] == best[1][1]):
        return None
    return best[0][0]
