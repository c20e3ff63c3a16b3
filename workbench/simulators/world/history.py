"""Messages and campaigns of a world: every channel and reason, and histories of exact length where asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from workbench.simulators.mainstay.history import CAMPAIGN_COLUMNS, MESSAGE_COLUMNS, USER, complete_history
from workbench.simulators.world import names
from workbench.simulators.world.people import WORLD_NOW, moments, text_choice

Array = np.ndarray[Any, Any]

_SENT: Final = 30  # campaigns 0 to 29 were sent and are visible; the rest are upcoming, cancelled, hidden or tests
_SPECIAL: Final = (
    {"status": "scheduled"},
    {"status": "scheduled", "recurring": True},
    {"status": "cancelled"},
    {"status": "in_progress"},
    {"status": "completed", "hidden": True},
    {"status": "completed", "test": True},
)
_NOW_SECONDS: Final = int(WORLD_NOW.timestamp())
MESSAGES_EACH: Final = 2.4  # of a contact in the mean; two of five contacts have none
_TALKING: Final = 0.6


@dataclass(frozen=True)
class WorldHistory:
    """Frames as in World."""

    messages: pl.DataFrame
    recipients: pl.DataFrame


def history(
    random: np.random.Generator,
    contacts: pl.DataFrame,
    message_counts: Mapping[str, int],
    campaign_counts: Mapping[str, int],
    messages_each: float = MESSAGES_EACH,
) -> WorldHistory:
    """History of these contacts; the two mappings fix the lengths of single contacts' histories, by Mainstay ID."""
    count = contacts.height
    ids = contacts["id"]
    campaign_count = _fixed(ids, campaign_counts, np.where(random.random(count) < 0.4, 0, random.integers(1, 6, count)))
    talking = min(_TALKING, messages_each)
    lengths = random.geometric(min(1.0, talking / messages_each), count) if messages_each else np.zeros(count, np.int64)
    message_count = _fixed(ids, message_counts, np.where(random.random(count) < 1 - talking, 0, lengths))
    first_campaign = random.integers(0, _SENT, count)
    recipients = _recipients(ids, campaign_count, first_campaign)
    campaigns = campaigns_of(recipients)
    owner = np.repeat(np.arange(count), message_count)
    messages = _messages(
        random, contacts, campaigns, owner=owner, of=campaign_count[owner], first=first_campaign[owner]
    )
    return WorldHistory(messages, recipients)


def _fixed(ids: pl.Series, wanted: Mapping[str, int], counts: Array) -> Array:
    if wanted:
        places = {contact_id: place for place, contact_id in enumerate(ids.to_list()) if contact_id in wanted}
        for contact_id, number in wanted.items():
            counts[places[contact_id]] = number
    return counts


def _recipients(ids: pl.Series, campaign_count: Array, first_campaign: Array) -> pl.DataFrame:
    """Each contact received so many different campaigns, one after the other from its first."""
    owner = np.repeat(np.arange(len(ids)), campaign_count)
    starts = np.repeat(np.cumsum(campaign_count) - campaign_count, campaign_count)
    number = (first_campaign[owner] + np.arange(len(owner)) - starts) % _SENT
    return pl.DataFrame({"campaign_id": _campaign_ids(number), "contact_id": ids.gather(owner)})


def _campaign_ids(numbers: Array) -> pl.Series:
    return pl.Series([f"c{number + 1}" for number in range(_SENT + len(_SPECIAL))]).gather(numbers)


def campaigns_of(recipients: pl.DataFrame) -> pl.DataFrame:
    """Every campaign, with what these recipients make of its counts."""
    sent = dict(recipients.group_by("campaign_id").len().iter_rows())
    rows = []
    for number in range(_SENT + len(_SPECIAL)):
        special = _SPECIAL[number - _SENT] if number >= _SENT else {"status": "completed" if number else "in_progress"}
        script = names.SCRIPTS[number % len(names.SCRIPTS)]
        is_interactive = number % 3 == 1
        when = WORLD_NOW - timedelta(days=9 * (number + 1), hours=number % 9)
        is_sent = special["status"] in ("completed", "in_progress")
        if not is_sent:
            when = WORLD_NOW + timedelta(days=number)
        reached = sent.get(f"c{number + 1}", 0)
        answered = reached * (number % 7 + 1) // 10 if is_interactive and is_sent else None
        rows.append(
            {
                "admithub_id": f"c{number + 1}",
                "name": f"{script} {when:%B %Y}",
                "description": "",
                "script_id": f"s{number % len(names.SCRIPTS) + 1}",
                "script_name": script,
                "type": "Interactive" if is_interactive else "Nudge",
                "scheduled_at": when,
                "sent_at": when + timedelta(seconds=5) if is_sent else None,
                "scheduler": names.STAFF[number % 2][0],
                "recipients": "Audience: Freshmen" if number % 2 else "Import: fall list",
                "sent_count": reached if is_sent else None,
                "responded_count": answered,
                "engagement": round(answered / reached, 3) if answered is not None and reached else None,
                **special,
            }
        )
    return complete_history(pl.DataFrame(rows, infer_schema_length=None), CAMPAIGN_COLUMNS)


def _messages(
    random: np.random.Generator,
    contacts: pl.DataFrame,
    campaigns: pl.DataFrame,
    *,
    owner: Array,
    of: Array,
    first: Array,
) -> pl.DataFrame:
    """One row per message of contact number `owner`, whose own campaigns are `of` ones from number `first` on."""
    count = len(owner)
    incoming = random.random(count) < 0.4
    kind = random.choice(["live_chat", "ai", "campaign", "other"], count, p=[0.15, 0.35, 0.35, 0.15])
    kind = np.where((kind == "campaign") & (of == 0), "other", kind)
    number = (first + random.integers(0, 1 << 30, count) % np.maximum(of, 1)) % _SENT
    sent_at = campaigns["sent_at"].head(_SENT).dt.epoch("s").to_numpy()[number]
    is_campaign = (kind == "campaign") & ~incoming
    seconds = np.where(is_campaign, sent_at, _NOW_SECONDS - random.integers(60, 300 * 86_400, count))
    about = contacts.select("id", "crm_id", "phone", "test_user")[owner] if count else contacts.clear()
    incoming_column = pl.Series("incoming", incoming)
    source = pl.when(incoming_column).then(None).otherwise(pl.Series("kind", kind.astype(str)))
    failed = ~incoming & (random.random(count) < 0.02)
    users = pl.Series([dict(zip(("id", "name", "email"), person, strict=True)) for person in names.STAFF], dtype=USER)
    body = pl.when(incoming_column).then(text_choice(random, names.INCOMING_TEXTS, count).alias("i")).otherwise(
        text_choice(random, names.OUTGOING_TEXTS, count, 0.02).alias("o")
    )  # fmt: skip
    channel = random.choice(["twilio", "web", "facebook"], count, p=[0.85, 0.12, 0.03])
    frame = about.select(
        pl.format("m{}", pl.int_range(1, pl.len() + 1)).alias("admithub_id"),
        pl.col("id").alias("admithub_contact_id"),
        pl.col("crm_id").alias("contact_crm_id"),
        moments(seconds).alias("created_at"),
        pl.when(pl.col("phone").is_null())
        .then(pl.lit("web"))
        .otherwise(pl.Series("c", channel.astype(str)))
        .alias("channel"),
        incoming_column,
        body.alias("body"),
        source.alias("source"),
        pl.Series("campaign_id", _campaign_ids(number)),
        pl.Series("campaign_name", campaigns["name"].head(_SENT).gather(number)),
        users.gather(random.integers(0, 2, count)).alias("user"),
        text_choice(random, names.TOPICS, count).alias("topic"),
        pl.col("test_user"),
        pl.Series("failed", failed),
        pl.when(pl.Series("f", failed)).then(pl.lit("30003")).alias("error_code"),
    )  # fmt: skip
    only = {"campaign_id": "campaign", "campaign_name": "campaign", "user": "live_chat", "topic": "ai"}
    shown = frame.with_columns(pl.when(pl.col("source") == why).then(name).alias(name) for name, why in only.items())
    return complete_history(shown, MESSAGE_COLUMNS)


def with_last_messages(contacts: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """The contacts with `contacted` and the moments of their last messages."""
    last = messages.group_by("admithub_contact_id").agg(
        pl.col("created_at").filter(pl.col("incoming")).max().alias("last_incoming_message_at"),
        pl.col("created_at").filter(~pl.col("incoming")).max().alias("last_outgoing_message_at"),
    )
    joined = contacts.join(last, left_on="id", right_on="admithub_contact_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("last_outgoing_message_at").is_not_null().alias("contacted"))
