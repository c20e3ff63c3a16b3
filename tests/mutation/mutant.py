"""A mutation: a rule's text, what breaks it, and the tests that must notice, narrowest first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "workbench"


@dataclass(frozen=True)
class Mutation:
    """In `file` (below workbench/) the occurrence number `nth` of `find` becomes `replace`.

    `tests` are quick and look at the step alone; `wider` ones look at whatever those do not notice.
    """

    file: str
    find: str
    replace: str
    breaks: str
    tests: tuple[str, ...]
    nth: int = 0
    wider: tuple[str, ...] = ()

    def applied(self, text: str) -> str | None:
        """The broken text; None where the rule no longer stands in its file as it is named here."""
        start = -1
        for _ in range(self.nth + 1):
            start = text.find(self.find, start + 1)
            if start < 0:
                return None
        return text[:start] + self.replace + text[start + len(self.find) :]

    @property
    def line(self) -> int:
        """Where the rule stands, counted from 1; 0 where it does not."""
        text = (PACKAGE / self.file).read_text()
        broken = self.applied(text)
        if broken is None:
            return 0
        same = next((n for n, (old, new) in enumerate(zip(text, broken, strict=False)) if old != new), len(text))
        return text.count("\n", 0, same) + 1

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"
