"""The demo: both systems run here, and the whole flow goes once in each direction, then looks what is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import SecretStr

from workbench.domain.fields import Direction
from workbench.engine.preview import PreviewReport
from workbench.interrupts import heard_presses
from workbench.operations.mappings import import_mapping, sample_mapping
from workbench.operations.readings import make_preview, pull_systems
from workbench.settings import MainstaySettings, SalesforceSettings, Settings
from workbench.stages.approve import BatchReport, Slice, approve_batch, create_batch
from workbench.stages.push import PushReport, push_batch
from workbench.store import Store

REQUESTER: Final = "Dana (analyst)"
APPROVER: Final = "Sam (approver)"

Progress = Callable[[str, int, int | None], None]
Watch = Callable[[], AbstractContextManager[Progress]]


@contextmanager
def no_bars() -> Iterator[Progress]:
    """For a demo that nobody watches."""
    yield lambda _stage, _done, _total: None


@dataclass(frozen=True)
class Pulled:
    """Both systems were read. `report` as `workbench pull --json` prints it."""

    report: dict[str, Any]
    seconds: float
    is_first: bool


@dataclass(frozen=True)
class Previewed:
    """One direction was previewed; `is_again`: after its changes were pushed."""

    report: PreviewReport
    is_again: bool


@dataclass(frozen=True)
class Pushed:
    """One direction was requested by one person, approved by another, and sent."""

    direction: Direction
    batch: BatchReport
    push: PushReport


Chapter = Pulled | Previewed | Pushed


@dataclass(frozen=True)
class DemoStory:
    """The whole demo in order, and the seconds of each step."""

    chapters: tuple[Chapter, ...]
    seconds: dict[str, float] = field(default_factory=dict)


@contextmanager
def demo_sandbox(settings: Settings, *, contacts: int, seed: int) -> Iterator[Settings]:
    """Run both systems with synthetic people; the given settings, pointed at them."""
    # The sandbox is heavy, and only the demo and `workbench sandbox` need it.
    from workbench.simulators import world  # noqa: PLC0415
    from workbench.simulators.sandbox import Sandbox  # noqa: PLC0415

    with Sandbox(world.generate(contacts, seed)) as sandbox:
        salesforce, mainstay = sandbox.connection["salesforce"], sandbox.connection["mainstay"]
        yield settings.model_copy(
            update={
                "salesforce": SalesforceSettings(
                    instance_url=salesforce["instance_url"], access_token=SecretStr(salesforce["access_token"])
                ),
                "mainstay": MainstaySettings(base_url=mainstay["base_url"], token=SecretStr(mainstay["token"])),
            }
        )


def run_demo(store: Store, settings: Settings, *, tell: Callable[[Chapter], None], watch: Watch = no_bars) -> DemoStory:
    """Mapping and pull; per direction preview, request, approve, push, pull and preview again; the export once more.

    `tell` hears of each chapter as it ends; `watch` opens the progress bars of each stage. Predicted failures are sent
    too: here, to prove the predictions.
    """
    demo = _Demo(store, settings, tell, watch)
    import_mapping(store, settings, sample_mapping(), by=REQUESTER, reason="the starter mapping", source="The sample")
    demo.pull()
    for direction in (Direction.EXPORT, Direction.IMPORT):
        demo.sync(direction)
        demo.pull()
        demo.preview(direction, is_again=True)
    demo.preview(Direction.EXPORT, is_again=True)
    return DemoStory(tuple(demo.chapters), demo.seconds)


@contextmanager
def _interrupt_afterwards() -> Iterator[None]:
    """Ctrl-C lets a push finish its chunk and report; afterwards it ends the story all the same."""
    with heard_presses() as presses:
        yield
        presses.raise_if_pressed()


@dataclass
class _Demo:
    store: Store
    settings: Settings
    tell: Callable[[Chapter], None]
    watch: Watch
    chapters: list[Chapter] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def pull(self) -> None:
        is_first = not self.chapters
        with self._timed("pull") as progress:
            started = time.perf_counter()
            report = pull_systems(self.store, self.settings, progress=progress)
        self._end(Pulled(report, time.perf_counter() - started, is_first))

    def preview(self, direction: Direction, *, is_again: bool = False) -> PreviewReport:
        with self._timed("preview") as progress:
            report = make_preview(self.store, self.settings, direction, progress=progress)
        self._end(Previewed(report, is_again))
        return report

    def sync(self, direction: Direction) -> None:
        preview = self.preview(direction)
        with self._timed("request and approve"):
            asked = create_batch(self.store, preview.preview_id, by=REQUESTER, chosen=Slice(all=True))
            approved = approve_batch(self.store, self.settings, asked.batch, by=APPROVER, reason="looks right")
        with self._timed("push") as progress, _interrupt_afterwards():
            pushed = push_batch(self.store, self.settings, asked.batch, by=APPROVER, progress=progress)
        self._end(Pushed(direction, approved, pushed))

    def _end(self, chapter: Chapter) -> None:
        self.chapters.append(chapter)
        self.tell(chapter)

    @contextmanager
    def _timed(self, name: str) -> Iterator[Progress]:
        started = time.perf_counter()
        with self.watch() as progress:
            yield progress
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
