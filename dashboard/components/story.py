"""A person's biography as one line of time. Pure rows -> HTML; every value is escaped, classes come from here alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from html import escape
from typing import Any, Final

from dashboard.components import markup
from dashboard.components.text import ACTION_LABELS, STATUS_COLOURS, plural

ICONS: Final = {"edit": "✎", "push": "⇄", "decision": "⚖", "messages": "✉"}
QUOTED: Final = 90


def story_html(events: Iterable[Mapping[str, Any]], zone: tzinfo) -> markup.Html:
    """Events (at, kind, title ...), newest first, each with its moment in the reader's zone."""
    lines = "".join(_line(event, event["at"].astimezone(zone)) for event in events)
    return markup.Html(f'<ol class="wb-story wb-life" aria-label="Biography">{lines}</ol>')


def _line(event: Mapping[str, Any], moment: datetime) -> str:
    kind = event["kind"] if event["kind"] in ICONS else "edit"
    head, note = {"push": _push, "messages": _messages, "decision": _decision}.get(kind, _edit)(event)
    shown = f"{moment.day} {moment:%b %Y}<br>{moment:%H:%M %Z}"
    return (
        f'<li><time datetime="{moment.isoformat()}">{shown}</time><i class="wb-at wb-at-{kind}" aria-hidden="true">'
        f"{ICONS[kind]}</i><div>{head}{f'<small dir=auto>{note}</small>' if note else ''}</div></li>"
    )


def _edit(event: Mapping[str, Any]) -> tuple[str, str]:
    return escape(event["title"]), ""


def _push(event: Mapping[str, Any]) -> tuple[str, str]:
    done = ACTION_LABELS.get(event["action"] or "", "Sent")
    fields = ", ".join(str(one["field"]) for one in (event["fields"] or ())[:6] if isinstance(one, Mapping))
    refused = f"; answered {', '.join(markup.code_link(code) for code in event['codes'])}" if event["codes"] else ""
    head = f"{markup.pill(event['status'], STATUS_COLOURS[event['status']])} {escape(event['title'])}"
    approved = f", approved by {event['approved_by']}" if event["approved_by"] else ""
    sent = escape(f"{event['direction']} · {done}{': ' + fields if fields else ''}")
    return head, sent + refused + escape(f" · batch {event['batch_id']}{approved}")


def _messages(event: Mapping[str, Any]) -> tuple[str, str]:
    incoming = f", {event['incoming']} incoming" if event["incoming"] else ""
    reasons = f" · {', '.join(event['reasons'])}" if event["reasons"] else ""
    body = event["body"]
    quoted = body[:QUOTED] + ("…" if len(body) > QUOTED else "")
    return escape(f"{plural(event['count'], 'message')}{incoming}{reasons}"), escape(quoted)


def _decision(event: Mapping[str, Any]) -> tuple[str, str]:
    return escape(event["title"]), escape(f"decided by {event['decided_by']}")
