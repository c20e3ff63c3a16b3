"""A conversation as bubbles: the learner left, outgoing right with its reason, the time below and, in full, on hover.

Pure rows -> HTML. Message text enters through `html.escape` alone; classes come from an allow-list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from html import escape
from itertools import groupby
from typing import Any, Final

from dashboard.components.markup import Html

KINDS: Final = {"AI": "ai", "Campaign": "campaign", "Live Chat": "live-chat", "Other": "other"}


def thread_html(messages: Iterable[Mapping[str, Any]], name: str, zone: tzinfo) -> Html:
    """Messages, oldest first, by day in the reader's zone: sent_at, is_incoming, body, kind, reason, is_failed."""
    lines: list[str] = []
    for day, group in groupby(messages, key=lambda message: message["sent_at"].astimezone(zone).date()):
        lines.append(f'<li class="wb-day"><span>{day:%A}, {day.day} {day:%B %Y}</span></li>')
        before: tuple[Any, ...] | None = None
        for message in group:
            same = (message["is_incoming"], message["reason"])
            lines.append(_bubble(message, name, zone, is_continued=same == before))
            before = same
    return Html(
        f'<ol class="wb-thread" aria-label="Conversation with {escape(name, quote=True)}">{"".join(lines)}</ol>'
    )


def _bubble(message: Mapping[str, Any], name: str, zone: tzinfo, *, is_continued: bool) -> str:
    moment: datetime = message["sent_at"].astimezone(zone)
    shown = f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M %Z}"
    side, who = ("in", name) if message["is_incoming"] else ("out", "Outgoing")
    reason = "" if message["is_incoming"] else _reason(message)
    failed = '<span class="wb-undelivered">not delivered</span>' if message.get("is_failed") else ""
    body = escape(message["body"] or "").replace("\n", "<br>") or '<span class="wb-empty">no text</span>'
    return (
        f'<li class="wb-msg wb-{side}{" wb-cont" if is_continued else ""}">{reason}'
        f'<div class="wb-bubble" tabindex="0" dir="auto" data-ts="{escape(shown, quote=True)}">{body}'
        f'<span class="wb-sr">{escape(who)}, {escape(shown)}</span></div>'
        f'<time class="wb-when" datetime="{moment.isoformat()}" aria-hidden="true">{moment:%H:%M}</time>{failed}</li>'
    )


def _reason(message: Mapping[str, Any]) -> str:
    kind = KINDS.get(message["kind"], "other")
    return f'<span class="wb-reason wb-{kind}">{escape(message["reason"] or "Other")}</span>'
