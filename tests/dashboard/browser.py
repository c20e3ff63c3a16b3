"""A dashboard of our own and Debian's chromium, without any request to the outside."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
    "--disable-extensions", "--mute-audio", "--font-render-hinting=none", "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
IDLE = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  return !!app && app.getAttribute('data-test-connection-state') === 'CONNECTED'
    && app.getAttribute('data-test-script-state') === 'notRunning'
    && !document.querySelector('[data-stale="true"]')
    && !document.querySelector('[data-testid="stSkeleton"], [data-testid="stSpinner"]');
}"""
# No credentials of the shell reach the page under test; both systems are addresses where nobody listens.
SANDBOX = {
    "WORKBENCH_MAINSTAY__BASE_URL": "http://127.0.0.1:9/",
    "WORKBENCH_MAINSTAY__TOKEN": "secret-token",
    "WORKBENCH_SALESFORCE__INSTANCE_URL": "http://127.0.0.1:8",
    "WORKBENCH_SALESFORCE__ACCESS_TOKEN": "00Dsecret!session",
}


def wait_idle(page, settle=120):
    """Nothing runs and nothing is stale, and still so a moment later: a callback may start another run."""
    page.wait_for_function(IDLE, timeout=60_000, polling=20)
    page.wait_for_timeout(settle)
    page.wait_for_function(IDLE, timeout=60_000, polling=20)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serve(database, log: Path, *, entry="dashboard/serve.py", environment=None, port=0, options=()) -> Iterator[str]:
    """The dashboard on a free port of 127.0.0.1, stopped at the end."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH_")}
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", entry, "--server.address=127.0.0.1", f"--server.port={port}",
             "--server.headless=true", "--browser.gatherUsageStats=false", "--server.fileWatcherType=none", *options],
            cwd=ROOT, env={**inherited, **SANDBOX, "WORKBENCH_DATABASE": str(database), **(environment or {})},
            stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            _wait_until_ready(process, url, log)
            yield url
        finally:
            process.terminate()
            process.wait(10)


def _wait_until_ready(process, url, log):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), opener.open(f"{url}/_stcore/health", timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@contextlib.contextmanager
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, headless=True)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def profile(playwright, folder: Path, **options):
    """A browser with a profile, as people have: it keeps what it fetched, and scripts as it compiled them."""
    browser = playwright.chromium.launch_persistent_context(
        folder, executable_path=CHROMIUM, args=ARGUMENTS, headless=True, **options
    )
    try:
        yield browser
    finally:
        browser.close()
