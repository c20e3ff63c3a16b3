"""Labelling inside a notebook: a page of three buttons, served to this machine alone, shown in the cell.

A notebook's own output cannot call back into its kernel without a widget library; a form on a loopback server can, in
every notebook program and without any script from elsewhere. The address holds a secret, so that no other page on this
machine can read or answer.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from workbench.errors import WorkbenchError
from workbench.lab.judging import Pair
from workbench.lab.labels import VERDICTS

if TYPE_CHECKING:
    from workbench.lab.bench import MatchLab, Question

LARGEST_FORM: Final = 10_000
HEIGHT: Final = 460
BUTTONS: Final = (("same", "Same person", "s"), ("different", "Different people", "d"), ("unsure", "Unsure", "u"))
UNDO_KEY: Final = "z"
_STYLE: Final = """
:root{color-scheme:light dark;font:15px/1.45 system-ui,sans-serif}
body{margin:0;padding:.6rem .9rem;background:light-dark(#fff,#1c2128);color:light-dark(#1f2933,#e4e8ee)}
header{display:flex;gap:.8rem;align-items:center;margin-bottom:.5rem;font-size:.87rem}
progress{flex:1;height:.5rem;accent-color:#0f766e}
table{width:100%;border-collapse:collapse;margin-bottom:.8rem;table-layout:fixed}
th,td{text-align:left;padding:.34rem .5rem;border-top:1px solid light-dark(#e3e8ee,#353d47);overflow-wrap:anywhere}
thead th{border:0;font-size:.8rem;font-weight:500;opacity:.65}
tbody th{font-weight:400;opacity:.65}
.none{opacity:.45;font-style:italic}
form{display:flex;gap:.5rem;align-items:center;flex-wrap:wrap}
button{font:inherit;padding:.4rem .8rem;border-radius:7px;border:1px solid light-dark(#cbd2da,#4a545f);cursor:pointer;
  background:light-dark(#f5f7fa,#2a313a);color:inherit}
button:hover,button:focus-visible{border-color:#0f766e;outline:2px solid #0f766e55}
button[value=undo]{margin-left:auto;border:0;background:none}
kbd{font:.78rem ui-monospace,monospace;opacity:.6;margin-left:.35rem}
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; form-action 'self'"
_KEYS: Final = """
addEventListener("keydown", pressed => {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || pressed.repeat) return;
  const button = document.querySelector(`button[data-key="${CSS.escape(pressed.key.toLowerCase())}"]`);
  if (button) { pressed.preventDefault(); button.click(); }
});
"""


class LabelPage:
    """Pairs of one labeller as a page in the cell; answers go to the store at once. `.url` opens it elsewhere here."""

    def __init__(self, lab: MatchLab, labeller: str) -> None:
        self.lab = lab
        self.labeller = labeller
        self._secret = secrets.token_urlsafe(24)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True, name="labels").start()

    @property
    def path(self) -> str:
        return f"/{self._secret}/"

    @property
    def url(self) -> str:
        """Where the page is, on this machine alone; its secret lasts as long as the kernel."""
        return f"http://{self.host}{self.path}"

    def close(self) -> None:
        """Stop serving; the answers given are kept."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, form: Mapping[str, str]) -> None:
        """One press of a button: a verdict about the pair that was shown, or `undo`."""
        verdict = form.get("verdict", "")
        if verdict == "undo":
            self.lab.undo(by=self.labeller)
        elif verdict in VERDICTS and self._is_asked(pair := (form.get("record", ""), form.get("contact", ""))):
            self.lab.label(pair, verdict, by=self.labeller)

    def _is_asked(self, pair: Pair) -> bool:
        """Whether this pair is the one asked now: a page left open elsewhere answers nothing twice."""
        asked = self.lab.next_pair(self.labeller)
        return asked is not None and asked.pair == pair

    def html(self) -> str:
        """The page as it is now."""
        size = self.lab.sample_size
        question = self.lab.next_pair(self.labeller)
        done = size - (question.remaining if question else 0)
        head = (
            f"<header><span>{escape(self.labeller)}</span>"
            f'<progress value="{done}" max="{max(size, 1)}"></progress><span>{done} of {size}</span></header>'
        )
        if not size:
            return _page("<p>No pairs to label yet: <code>lab.draw_sample()</code></p>")
        if question is None:
            return _page(f"{head}<p>All pairs are labelled. Thank you.</p><form method=post>{_undo(done)}</form>")
        return _page(head + _sides(question) + _form(question, done))

    def _repr_html_(self) -> str:
        return (
            f'<iframe src="{escape(self.url)}" width="100%" height="{HEIGHT}" frameborder="0" '
            f'title="Pairs to label"></iframe><small>Keys: click into the frame, then s, d, u; z takes the last answer '
            "back. Empty? This page is served on the kernel's machine alone; in a shell there: <code>workbench label "
            f"--by {escape(self.labeller)}</code></small>"
        )


def _page(body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pairs to label</title>'
        f"<style>{_STYLE}</style>{body}<script>{_KEYS}</script></html>"
    )


def _sides(question: Question) -> str:
    rows = "".join(
        f"<tr><th>{escape(str(row['attribute']).replace('_', ' '))}</th>{_cell(row['salesforce'])}"
        f"{_cell(row['mainstay'])}</tr>"
        for row in question.rows
    )
    return f"<table><thead><tr><th></th><th>Salesforce</th><th>Mainstay</th></tr></thead><tbody>{rows}</tbody></table>"


def _cell(value: Any) -> str:
    return '<td class="none">blank</td>' if value is None else f"<td>{escape(str(value))}</td>"


def _form(question: Question, done: int) -> str:
    record, contact = (escape(one, quote=True) for one in question.pair)
    buttons = "".join(
        f'<button name="verdict" value="{value}" data-key="{key}">{label}<kbd>{key}</kbd></button>'
        for value, label, key in BUTTONS
    )
    return (
        f'<form method="post"><input type="hidden" name="record" value="{record}">'
        f'<input type="hidden" name="contact" value="{contact}">{buttons}{_undo(done)}</form>'
    )


def _undo(done: int) -> str:
    if not done:
        return ""
    return f'<button name="verdict" value="undo" data-key="{UNDO_KEY}">Take back<kbd>{UNDO_KEY}</kbd></button>'


def _handler(page: LabelPage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """GET shows the pair to judge, POST keeps an answer and shows the next; everything else is not found."""

        def do_GET(self) -> None:
            self._reply(page.html) if self._is_ours() else self.send_error(HTTPStatus.NOT_FOUND)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if not self._is_ours() or length > LARGEST_FORM:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            form = parse_qs(self.rfile.read(length).decode(errors="replace"))
            try:
                page.answer({name: values[0] for name, values in form.items()})
            except WorkbenchError as error:
                said = str(error)
                self._reply(lambda: _page(f"<p>{escape(said)}</p>"))
                return
            self.send_response(HTTPStatus.SEE_OTHER)
            self.send_header("Location", page.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _is_ours(self) -> bool:
            """The secret stands in the path; the name of the host stops pages that renamed this machine."""
            return (
                secrets.compare_digest(self.path.encode(), page.path.encode()) and self.headers.get("Host") == page.host
            )

        def _reply(self, make: Callable[[], str]) -> None:
            try:
                text = make()
            except WorkbenchError as error:
                text = _page(f"<p>{escape(str(error))}</p>")
            body = text.encode()
            self.send_response(HTTPStatus.OK)
            for name, value in (
                ("Content-Type", "text/html; charset=utf-8"),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
                ("Referrer-Policy", "no-referrer"),
                ("Content-Security-Policy", _POLICY),
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the address holds the secret."""

    return Handler
