"""Take docs/images/*.png, light and dark, of every screen, over the store of a small demo.

    python scripts/screenshots.py [--contacts 5000] [--only overview,results]

Runs the sandbox, the demo's story and the dashboard on this machine; needs Debian's chromium.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from workbench.operations import create_batch
from workbench.store import Store

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1440, "height": 900}
TALL = {"overview": 1500, "preview": 1500, "approvals": 1200, "mapping": 1300}
SEEN_BY = {"WORKBENCH_ACCESS__USER": "Sam (approver)", "WORKBENCH_ACCESS__LOCAL_ROLE": "approver"}


def shots(store: Store) -> dict[str, str]:
    """Image name -> address, with a person and a result worth looking at."""
    person = store.rows(
        """SELECT contact_id FROM view.message AS m JOIN view.sync_result AS s ON s.mainstay_id = m.contact_id
           GROUP BY contact_id ORDER BY count(*) DESC, contact_id LIMIT 1"""
    )
    partial = store.rows("SELECT name FROM view.sync_result WHERE status = 'partial' ORDER BY result_number LIMIT 1")
    who = person[0]["contact_id"] if person else ""
    return {
        "overview": "",
        "preview": "previews",
        "conflicts": "conflicts",
        "approvals": "approvals",
        "results": "results",
        "result": f"results?result={partial[0]['name']}" if partial else "results",
        "people": f"people?id={who}",
        "campaigns": "campaigns",
        "labels": "labels",
        "mapping": "mapping",
        "fields": "fields",
        "errors": "errors",
        "logs": "logs",
        "settings": "settings",
    }


def leave_a_batch_open(store: Store) -> None:
    """The demo decides all its batches; the approvals screen is worth a picture with one that waits."""
    latest = store.rows("SELECT max(preview_id) AS preview_id FROM view.preview WHERE direction = 'export'")
    create_batch(store, latest[0]["preview_id"], by="Dana (analyst)")


def browser_helpers() -> Any:
    spec = importlib.util.spec_from_file_location("browser", ROOT / "tests" / "dashboard" / "browser.py")
    if spec is None or spec.loader is None:
        raise SystemExit("tests/dashboard/browser.py is missing.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    parser = argparse.ArgumentParser(description="Take the screenshots of the documentation.")
    parser.add_argument("--contacts", type=int, default=5000)
    parser.add_argument("--only", default="", help="Image names, by commas.")
    parser.add_argument("--database", help="Use this store instead of a new demo's.")
    parser.add_argument("--into", type=Path, default=IMAGES)
    chosen = parser.parse_args()
    browser = browser_helpers()
    if not browser.CHROMIUM.exists():
        raise SystemExit("Install chromium first: apt-get install chromium fonts-noto-color-emoji")
    chosen.into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="workbench-shots-") as folder:
        database = chosen.database or str(Path(folder) / "demo.duckdb")
        if not chosen.database:
            demo = ["--database", database, "demo", "--contacts", str(chosen.contacts), "--no-open"]
            subprocess.run(
                [str(Path(sys.executable).with_name("workbench")), *demo], check=True, stdout=subprocess.DEVNULL
            )
            leave_a_batch_open(Store(database))
        wanted = [name for name in chosen.only.split(",") if name]
        addresses = {k: v for k, v in shots(Store(database)).items() if not wanted or k in wanted}
        with (
            browser.serve(database, Path(folder) / "streamlit.log", environment=SEEN_BY) as url,
            browser.chromium() as chrome,
        ):
            for scheme in ("light", "dark"):
                take(browser, chrome, url, addresses, scheme=scheme, into=chosen.into)


def take(browser: Any, chrome: Any, url: str, addresses: dict[str, str], *, scheme: str, into: Path) -> None:
    context = chrome.new_context(viewport=SIZE, color_scheme=scheme, reduced_motion="reduce", timezone_id="UTC")
    page = context.new_page()
    for name, address in addresses.items():
        page.set_viewport_size({**SIZE, "height": TALL.get(name, SIZE["height"])})
        page.goto(f"{url}/{address}")
        browser.wait_idle(page, settle=700)
        page.screenshot(path=into / f"{name}-{scheme}.png")
        faults = page.get_by_test_id("stException").count()
        print(f"{name} {scheme}" + (f": {faults} faults" if faults else ""))
    context.close()


if __name__ == "__main__":
    main()
