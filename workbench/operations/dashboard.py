"""The dashboard as a child process: its own Streamlit server on loopback, over the same store and connections."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from pydantic import BaseModel, SecretStr

from workbench.errors import ConfigurationError
from workbench.settings import Settings

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 5.0
APP: Final = Path(__file__).resolve().parents[2] / "dashboard" / "serve.py"


@dataclass(frozen=True)
class RunningDashboard:
    """A dashboard that answers at `url`."""

    url: str
    process: subprocess.Popen[bytes]

    def wait(self) -> None:
        """Until it ends by itself, or Ctrl-C."""
        self.process.wait()


@contextmanager
def running_dashboard(
    settings: Settings, *, port: int = 0, open_browser: bool = False, app: Path = APP
) -> Iterator[RunningDashboard]:
    """Start the dashboard, wait until it answers, and stop it at the end.

    Raises ConfigurationError when the dashboard is not installed or does not start.
    """
    if not app.is_file():
        raise ConfigurationError(f"The dashboard is not installed here ({app.parent.name}/app.py is missing).")
    chosen = _free_port(port)
    url = f"http://127.0.0.1:{chosen}"
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(app), *_options(chosen)],
            # The child inherits the shell's environment; the settings of this process go on top of it.
            env={**os.environ, **as_environment(settings)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=app.parent.parent,
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop the child
        )
        try:
            _wait_until_ready(process, url, said)
            if open_browser:
                webbrowser.open(url)
            yield RunningDashboard(url, process)
        finally:
            _stop(process)


def as_environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, secrets in clear: for a child process only, never for printing."""
    found: dict[str, str] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            for part in type(value).model_fields:
                found |= _variable(f"{name}__{part}", getattr(value, part))
        else:
            found |= _variable(name, value)
    found["WORKBENCH_DATABASE"] = str(Path(settings.database).resolve())
    return found


def _variable(name: str, value: object) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
    else:  # settings of several parts are read as JSON
        text = json.dumps(value) if isinstance(value, dict | list) else str(value)
    return {f"WORKBENCH_{name.upper()}": text}


def _options(port: int) -> list[str]:
    return [
        "--server.address=127.0.0.1",
        f"--server.port={port}",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
        "--server.fileWatcherType=none",
    ]


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise ConfigurationError(f"Port {port} is taken. Name another with --port; 0 takes a free one.") from None
        return int(probe.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, said: IO[bytes]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said.seek(0)
            last = said.read().decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise ConfigurationError(f"The dashboard stopped while starting: {last[0]}")
        try:
            with opener.open(f"{url}/_stcore/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise ConfigurationError(f"The dashboard did not answer within {START_SECONDS:.0f} seconds.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
