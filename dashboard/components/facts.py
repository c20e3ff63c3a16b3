"""Names and values, predictions and outcomes, as HTML that escapes everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from dashboard.components.text import STATUS_LABELS, html_value

MONO: Final = ("Record Id", "Mainstay ID", "Request Endpoint", "Change", "CRM ID")


def facts_html(values: Mapping[str, object]) -> str:
    """A list of names and values."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd{' class="mono"' if name in MONO else ''}>{html_value(value)}</dd>"
        for name, value in values.items()
    )
    return f'<dl class="wb-facts">{rows}</dl>'


def verdicts_html(row: Mapping[str, Any]) -> str:
    """What was predicted beside what came back. row: predicted_status, predicted_codes, status, codes."""
    return (
        f'<div class="wb-pair"><div><span>Predicted</span>{_verdict(row["predicted_status"], row["predicted_codes"])}'
        f"</div><div><span>Actual</span>{_verdict(row['status'], row['codes'])}</div></div>"
    )


def _verdict(status: str | None, codes: Sequence[str] | None) -> str:
    label = escape(STATUS_LABELS.get(status or "", "No prediction"))
    listed = "".join(f"<br><code>{escape(code)}</code>" for code in codes or ())
    return f"<b>{label}</b>{listed}"


def diff_html(fields: Sequence[Mapping[str, Any]]) -> str:
    """Field changes, before and after. fields: field, before, after."""
    rows = "".join(
        f"<div><dt>{escape(str(one['field']))}</dt><dd><span class='b'>{html_value(one.get('before'))}</span>"
        f"<span class='arrow' aria-label='becomes'>→</span><span class='a'>{html_value(one.get('after'))}</span></dd></div>"
        for one in fields
    )
    return f'<dl class="wb-diff">{rows}</dl>'
