"""A browser that opens tabs and is told by each page when it stands; nobody watches its requests.

Playwright follows every request of a page and brings scripts of its own into it: 0.1 to 0.3 s of a load on two cores.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

# Each time the page comes to stand (nothing runs, nothing is grey, `READY` is there) it says when, as drawn.
STANDS = """(() => {
  const isIdle = IDLE;
  let stood = false;
  const look = () => {
    const stands = isIdle() && document.querySelector(READY) !== null;
    if (stands && !stood) requestAnimationFrame(() => setTimeout(() => console.log('stands', performance.now())));
    stood = stands;
  };
  new MutationObserver(look).observe(document, {subtree: true, childList: true, attributes: true});
})()"""
AFTERWARDS = 0.4  # seconds in which a page that stands may move again


class Tabs:
    """Tabs of one browser, over its own socket (Chrome DevTools Protocol)."""

    def __init__(self, socket: ClientConnection, idle: str) -> None:
        self.socket, self.idle, self.numbers = socket, idle, itertools.count(1)

    def load_ms(self, address: str, ready: str) -> float:
        """A new tab, which stays open: milliseconds from its start until it stands for good.

        Raises TimeoutError when it does not within a minute.
        """
        tab = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        script = STANDS.replace("IDLE", self.idle).replace("READY", json.dumps(ready))
        for method, named in (
            ("Runtime.enable", {}), ("Page.enable", {}), ("Page.addScriptToEvaluateOnNewDocument", {"source": script}),
            ("Page.navigate", {"url": address}),
        ):  # fmt: skip
            self.ask(method, session, **named)
        stood = None
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                said = json.loads(self.socket.recv(timeout=60 if stood is None else AFTERWARDS))
            except TimeoutError:
                break
            if said.get("method") == "Runtime.consoleAPICalled" and said["params"]["args"][0].get("value") == "stands":
                stood = float(said["params"]["args"][1]["value"])
                ends = time.monotonic() + AFTERWARDS
        if stood is None:
            raise TimeoutError(f"{address} did not come to stand within a minute")
        return stood

    def ask(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        number = next(self.numbers)
        about = {"sessionId": session} if session else {}
        self.socket.send(json.dumps({"id": number, "method": method, "params": params, **about}))
        while (answer := json.loads(self.socket.recv(timeout=60))).get("id") != number:
            pass
        found: dict[str, Any] = answer["result"]
        return found


@contextlib.contextmanager
def tabs(chromium: Path, arguments: list[str], profile: Path, idle: str) -> Iterator[Tabs]:
    """A browser with a profile of its own: it keeps what it fetched, and scripts as it compiled them."""
    command = [
        str(chromium), "--headless=new", *arguments, "--remote-debugging-port=0", f"--user-data-dir={profile}",
        "--window-size=1440,900", "about:blank",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_address(profile), max_size=None, proxy=None) as socket:
            found = Tabs(socket, idle)
            yield found
            with contextlib.suppress(ConnectionClosed):
                found.ask("Browser.close")
    finally:
        process.wait(20)


def _address(profile: Path) -> str:
    """Where a browser that has just been started listens; it writes that into its profile."""
    told = profile / "DevToolsActivePort"
    for _ in range(300):
        if told.exists() and len(lines := told.read_text().splitlines()) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.1)
    raise TimeoutError("the browser did not start within half a minute")
