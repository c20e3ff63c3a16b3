"""The dashboard over many sync results: read models, and pages in a real browser where chromium is installed.

    python benchmarks/dashboard.py --results 10000 1000000 [--no-browser | --no-models] [--stores FOLDER] [--json]

Every figure is the median in milliseconds. What matters is the ratio between the sizes: paging should not grow.
A busy machine stretches the clock but hardly the work, so pages also show what they cost the processors: `server` is
the dashboard's process, `browser` all of chromium's. "Streamlit alone" is a page of one title: what no page can beat.
Browsers have a profile, as people's have; "known" is one that has opened the page twice before. Loads are told by the page
itself (`tabs.py`); what is done in a page is done by Playwright.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from tabs import tabs

from workbench import views_dashboard
from workbench.store import Store
from workbench.views_dashboard import ResultFilter

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 9
SIZE = {"width": 1440, "height": 900}
# What a person waits for; the pages' own targets on two cores.
TARGETS = {"load: ": 1500.0, "act: ": 500.0}
MOST_RATIO = 1.5
CHANGED = """before => {
  const shown = [...document.querySelectorAll('[data-testid="stCaptionContainer"]')].map(e => e.innerText);
  return shown.some(text => /\\d of \\d/.test(text)) && !shown.includes(before);
}"""

FILL = (
    """CREATE TABLE mainstay.contact AS
       SELECT 'ah' || n AS id, '003' || lpad(CAST(n AS VARCHAR), 12, '0') AS crm_id, 'Amy' || (n % 997) AS first_name,
              'Lee' || (n % 4999) AS last_name, 'amy' || n || '@mail.example.org' AS email,
              lpad(CAST(2000000000 + n AS VARCHAR), 10, '0') AS phone
       FROM range(CAST($count / 5 AS BIGINT)) AS t (n)""",
    """INSERT INTO journal.outcome BY NAME
       SELECT n + 1 AS result_number, 1 AS batch_id, 'P1-' || n AS change_id,
              CASE WHEN n % 4 = 0 THEN 'import' ELSE 'export' END AS direction,
              CASE WHEN n % 40 = 0 THEN 'fail' WHEN n % 13 = 0 THEN 'partial' ELSE 'success' END AS status,
              CASE WHEN n % 40 = 0 THEN ['duplicate-contact'] WHEN n % 13 = 0
                   THEN [CASE WHEN n % 2 = 0 THEN 'invalid-email' ELSE 'invalid-attribute-data: GPA' END] ELSE [] END
                  AS codes,
              CASE WHEN n % 40 = 0 THEN '[{"code":"duplicate-contact","message":"' || repeat('x', 120) || '"}]'
                   WHEN n % 13 = 0 THEN '[{"code":"invalid-email","message":"Row # 1: invalid email"}]' END
                  AS fail_message,
              'PUT http://127.0.0.1:9/contacts/003' || n || '/' AS endpoint,
              '{"first_name":"Amy","phone":"' || n || '","custom":{"GPA":3.1,"Campus":"North"}}' AS request_body,
              200 AS response_status, 'Contact' AS sobject,
              '003' || lpad(CAST(n % CAST($count / 5 AS BIGINT) AS VARCHAR), 12, '0') AS record_id,
              'ah' || (n % CAST($count / 5 AS BIGINT)) AS mainstay_id, 1 + (n % 3) AS attempts,
              CASE WHEN n % 40 = 0 THEN 'fail' WHEN n % 13 = 0 THEN 'partial' ELSE 'success' END AS predicted_status,
              CASE WHEN n % 40 = 0 THEN ['duplicate-contact'] WHEN n % 13 = 0 THEN ['invalid-email'] ELSE [] END
                  AS predicted_codes,
              'push' AS origin, TIMESTAMPTZ '2026-01-01' + to_seconds(n) AS finished_at
       FROM range($count) AS t (n)""",
    """INSERT INTO journal.attempt BY NAME
       SELECT 1 AS batch_id, change_id, 1 AS number, 'mainstay' AS system, 'PUT' AS method, endpoint AS url,
              request_body, 200 AS response_status, request_body AS response_body, codes, 12.5 AS ms,
              finished_at AS sent_at
       FROM journal.outcome WHERE $count > 0""",
    """INSERT INTO journal.pull
       SELECT 1, 'mainstay', 'contact', 'full', 'complete', CAST($count / 5 AS BIGINT), now(), now(), now()""",
    """INSERT INTO journal.batch
       SELECT 1, 1, 'export', 'done', '{}', 'digest', 'd', $count, 'Dana', 'Sam', true, NULL, now(), now()""",
)


def filled(path: Path, count: int) -> Store:
    is_new = not path.exists()
    store = Store(str(path))
    if is_new:
        store.write(*[(sql, {"count": count}) for sql in FILL])
    return store


def median_ms(act: Callable[[], Any], rounds: int = ROUNDS) -> float:
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        act()
        took.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(took), 1)


def read_models(store: Store, count: int) -> dict[str, float]:
    def page(**named: Any) -> Callable[[], Any]:
        chosen = ResultFilter(**{name: named.pop(name) for name in ("status", "code", "text") if name in named})
        return lambda: views_dashboard.page_of_results(store, chosen, **named)

    last = count // 50
    return {
        "has anything moved": median_ms(lambda: views_dashboard.moment(store)),
        "first page": median_ms(page()),
        "last page": median_ms(page(page=last)),
        "last page, by status": median_ms(page(page=last, sort="status")),
        "first page, by code": median_ms(page(sort="code")),
        "first page, failed only": median_ms(page(status="fail")),
        "first page, one code": median_ms(page(code="invalid-attribute-data")),
        "search a name": median_ms(page(text="amy12 lee7")),
        "count, failed only": median_ms(lambda: views_dashboard.count_results(store, ResultFilter(status="fail"))),
        "one result with attempts": median_ms(lambda: views_dashboard.sync_result(store, f"SR-{count // 2}")),
        "totals": median_ms(lambda: views_dashboard.result_totals(store)),
        "scores of all codes": median_ms(lambda: views_dashboard.all_scores(store)),
        "dictionary frequencies": median_ms(lambda: views_dashboard.entry_activity(store)),
    }


def pages(store: Store, folder: Path) -> dict[str, float]:
    browser = browser_helpers()
    if not browser.CHROMIUM.exists():
        print("no chromium here: pages are left out", file=sys.stderr)
        return {}
    from playwright.sync_api import sync_playwright

    (folder / "title.py").write_text('import streamlit as st\n\nst.title("Title")\n')
    with sync_playwright() as playwright:
        desk = Desk(browser, playwright, folder)
        with browser.serve(store.dsn, folder / "bare.log", entry=str(folder / "title.py")) as url:
            found = loads(desk, url, (("Streamlit alone", "/", "h1"),))
        with browser.serve(store.dsn, folder / "streamlit.log") as url:
            found |= loads(desk, url)
            with desk.browser("person") as person:
                return found | interactions(browser, person, url)


@dataclass(frozen=True)
class Desk:
    """Where people open the dashboard: browsers with a profile each, which keeps what they fetched and compiled."""

    helper: Any
    playwright: Any
    folder: Path

    def browser(self, name: str) -> Any:
        """With Playwright, which acts in it."""
        return self.helper.profile(self.playwright, self.folder / name, viewport=SIZE)

    def tabs(self, name: str) -> Any:
        """Without, so that nobody watches its requests."""
        return tabs(self.helper.CHROMIUM, self.helper.ARGUMENTS, self.folder / name, self.helper.IDLE)


class Meter:
    """Processor time of the dashboard's process and of chromium's, both children of this one."""

    def __init__(self) -> None:
        self.started = self.read()

    @staticmethod
    def read() -> dict[str, float]:
        spent = {"server": 0.0, "browser": 0.0}
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                command, times = " ".join(process.cmdline()), process.cpu_times()
                kind = "server" if "streamlit" in command else "browser" if "chromium" in command else None
                if kind is not None:
                    spent[kind] += times.user + times.system
        return spent

    def each(self, name: str, rounds: int) -> dict[str, float]:
        """Milliseconds per round since the start."""
        now = self.read()
        return {f"{kind}: {name}": (now[kind] - self.started[kind]) * 1000 / rounds for kind in now}


def browser_helpers() -> Any:
    spec = importlib.util.spec_from_file_location("browser", ROOT / "tests" / "dashboard" / "browser.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LOADED = (("sync results", "/results", ".wb-grid tbody tr"), ("overview", "/", "h3, h2"))


def loads(desk: Desk, url: str, wanted: tuple[tuple[str, str, str], ...] = LOADED) -> dict[str, float]:
    """A whole page load until nothing moves: in a browser that was never here, then in one that was here twice."""
    found = {}
    for name, path, ready in wanted:
        cold = []
        for number in range(ROUNDS):
            with desk.tabs(f"new {name} {number}") as stranger:
                cold.append(stranger.load_ms(url + path, ready))
        with desk.tabs(f"known {name}") as person:
            for _ in range(2):
                person.load_ms(url + path, ready)
            meter = Meter()
            warm = [person.load_ms(url + path, ready) for _ in range(ROUNDS)]
            costs = meter.each(f"{name}, known", ROUNDS)
        found[f"load: {name}, never here"] = round(statistics.median(cold), 1)
        found[f"load: {name}, known"] = round(statistics.median(warm), 1)
        found |= costs
    return found


def interactions(browser: Any, person: Any, url: str) -> dict[str, float]:
    """From the click until the page shows what was asked for and stands still."""
    page = person.new_page()
    page.goto(f"{url}/results")
    browser.wait_idle(page)
    status = page.locator(".st-key-status")
    pager = page.get_by_test_id("stPagination").get_by_role("button")
    told = page.get_by_test_id("stCaptionContainer").filter(has_text=re.compile(r"\d of \d")).first
    drawer = page.get_by_role("dialog")
    fourth = page.get_by_role("table", name="Sync results").get_by_role("link").nth(3)

    def until_changed(act: Callable[[], Any]) -> float:
        before = told.inner_text()
        start = time.perf_counter()
        act()
        page.wait_for_function(CHANGED, arg=before, polling=10, timeout=30_000)
        page.wait_for_function(browser.IDLE, polling=10, timeout=30_000)
        return (time.perf_counter() - start) * 1000

    def timed(name: str, *acts: Callable[[], float]) -> None:
        meter = Meter()
        took = [act() for _ in range(ROUNDS) for act in acts]
        found[f"act: {name}"] = round(statistics.median(took), 1)
        found.update(meter.each(name, len(took)))

    def changing(act: Callable[[], Any]) -> Callable[[], float]:
        return lambda: until_changed(act)

    def open_row() -> float:
        start = time.perf_counter()
        fourth.click()
        drawer.get_by_role("tab").first.wait_for(timeout=30_000)
        page.wait_for_function(browser.IDLE, polling=10, timeout=30_000)
        took = (time.perf_counter() - start) * 1000
        page.keyboard.press("Escape")
        drawer.wait_for(state="hidden")
        browser.wait_idle(page)
        return took

    search = page.get_by_placeholder("Name, id, result")
    found: dict[str, float] = {}
    timed("next page", changing(pager.last.click))
    timed("open a result", open_row)
    timed("search a name", changing(lambda: search.fill("amy12 lee")), changing(lambda: search.fill("")))
    timed("filter by status", changing(status.get_by_text("partial").click), changing(status.get_by_text("fail").click))
    page.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--no-browser", action="store_true", help="Only the read models.")
    parser.add_argument("--no-models", action="store_true", help="Only the pages.")
    parser.add_argument("--stores", type=Path, help="Keep the filled stores in this folder and use them again.")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    table: dict[int, dict[str, float]] = {}
    busy = [os.getloadavg()[0]]
    for count in chosen.results:
        with tempfile.TemporaryDirectory(prefix="workbench-bench-") as folder:
            store = filled((chosen.stores or Path(folder)) / f"bench-{count}.duckdb", count)
            table[count] = {} if chosen.no_models else read_models(store, count)
            if not chosen.no_browser:
                table[count] |= pages(store, Path(folder))
        busy.append(os.getloadavg()[0])
    if chosen.json:
        print(json.dumps(table))
        return
    first, last = chosen.results[0], chosen.results[-1]
    print(f"{'median ms':32}" + "".join(f"{count:>12,}" for count in chosen.results) + "     ratio")
    for name, start in table[first].items():
        shown = "".join(f"{table[count][name]:12.1f}" for count in chosen.results)
        ratio = f"{table[last][name] / start:10.2f}" if start else f"{'':10}"
        print(f"{name:32}{shown}{ratio}  {verdict(name, start, table[last][name])}")
    print(
        f"{os.cpu_count()} processors, load {', '.join(f'{load:.1f}' for load in busy)} (before, and after each size)"
    )


def verdict(name: str, small: float, large: float) -> str:
    """Whether a page keeps its targets; read models have none of their own."""
    limit = next((target for start, target in TARGETS.items() if name.startswith(start)), None)
    if limit is None:
        return ""
    if "never here" in name or "alone" in name:
        return "(the browser fetches and compiles Streamlit itself)" if "never here" in name else ""
    missed = [f"over {limit:.0f} ms"] if max(small, large) > limit else []
    missed += [f"over {MOST_RATIO} times"] if large / small > MOST_RATIO else []
    return "misses: " + ", ".join(missed) if missed else f"within {limit:.0f} ms"


if __name__ == "__main__":
    main()
