"""A world of any size from a seed: situations by design, the crowd around them by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl

from workbench.simulators.mainstay.shape import complete_contacts, json_text
from workbench.simulators.world import people
from workbench.simulators.world.history import MESSAGES_EACH, campaigns_of, history, with_last_messages
from workbench.simulators.world.ids import Part, mainstay_ids, salesforce_ids
from workbench.simulators.world.joining import joined
from workbench.simulators.world.model import CUSTOM_FIELDS, TRUTH_COLUMNS, World
from workbench.simulators.world.situations import GONE, SITUATIONS
from workbench.simulators.world.stage import Stage

Situation = Callable[[Stage], None]

_ONE_SIDED: Final = 0.12  # of each side's people the other side does not know; at small sizes more, to fit situations
_ONE_SIDED_NEED: Final = 40
_REPEAT_EVERY: Final = 2000  # each situation once per so many contacts
PART: Final = 50_000  # contacts made at once: what a world of any size needs in memory


@dataclass(frozen=True)
class _Sizes:
    """Slots of the crowd: known to both sides, to Salesforce alone, to Mainstay alone."""

    both: int
    one_sided: int

    @property
    def total(self) -> int:
        return self.both + 2 * self.one_sided


@dataclass(frozen=True)
class _Plan:
    """What was asked for, of a world or of one part of it; the schools are the whole world's."""

    contacts: int
    seed: int
    schools: pl.DataFrame
    situations: tuple[Situation, ...]
    rounds: int | None
    messages_each: float


def generate(
    contacts: int,
    seed: int,
    situations: Sequence[Situation] = SITUATIONS,
    *,
    rounds: int | None = None,
    messages_each: float = MESSAGES_EACH,
) -> World:
    """A world with exactly `contacts` Salesforce Contacts and as many Mainstay contacts; the same for the same seed.

    About 60 % of the people are linked by CRM ID, 10 % share only a phone, 5 % only an e-mail, 11 % are only in
    Salesforce, 11 % only in Mainstay. Every situation is there once per 2,000 contacts, and once at least from 200 on;
    smaller worlds hold the first ones that fit; `rounds` asks for another number. `messages_each`: their mean number
    per contact. Vectorised, in parts of 50,000 contacts; a larger world's frames are mapped from disk.
    Raises ValueError for fewer than one contact, and past the phones there are (some 1,400,000 contacts).
    """
    if contacts < 1:
        raise ValueError("a world needs at least one contact")
    random = np.random.default_rng(seed)
    plan = _Plan(contacts, seed, people.accounts(random, contacts), tuple(situations), rounds, messages_each)
    count = -(-contacts // PART)
    if count == 1:
        made = _part(random, plan, Part())
        return replace(made, campaigns=campaigns_of(made.recipients))
    return joined(_parts(plan, count))


def _parts(plan: _Plan, count: int) -> Iterator[World]:
    """The parts of a large world, each with people of its own; the schools are common to all."""
    first = 0
    for number in range(count):
        size = plan.contacts * (number + 1) // count - plan.contacts * number // count
        rounds = None if plan.rounds is None else max(1, round(plan.rounds * size / plan.contacts))
        random = np.random.default_rng([plan.seed, number])
        yield _part(random, replace(plan, contacts=size, rounds=rounds), Part(number, count, first))
        first += _sizes(size).total


def _sizes(contacts: int) -> _Sizes:
    one_sided = max(round(contacts * _ONE_SIDED), min(round(contacts * 0.4), _ONE_SIDED_NEED))
    return _Sizes(contacts - one_sided, one_sided)


def _part(random: np.random.Generator, plan: _Plan, part: Part) -> World:
    """A world without campaigns: they are counted over all parts."""
    sizes, seed = _sizes(plan.contacts), plan.seed
    crowd = people.people(random, sizes.total, plan.schools, part)
    numbers = random.permutation(sizes.total).astype(np.int64) + part.first
    crowd = crowd.with_columns(
        salesforce_ids("003", 3_844_000 + numbers * 3 + seed % 1000).alias("record_id"),
        mainstay_ids(random, sizes.total, part).alias("contact_id"),
    )
    stage = _played(crowd, sizes, part.first, plan)
    crowd = _with_links(random, crowd, sizes, stage)
    records = _with_overrides(
        people.records(random, crowd.filter(pl.col("sides") != "contact")),
        "Id",
        {actor.record_id: actor.record for actor in stage.actors if actor.sides != "contact"},
    ).with_columns(pl.col("SystemModstamp").alias("LastModifiedDate"))
    known = _contacts(random, crowd, stage)
    past = history(
        random,
        known,
        {a.contact_id: a.message_count for a in stage.actors if a.message_count is not None},
        {a.contact_id: a.campaign_count for a in stage.actors if a.campaign_count is not None},
        plan.messages_each,
    )
    known = complete_contacts(with_last_messages(known, past.messages), CUSTOM_FIELDS)
    return World(
        {"Account": plan.schools, "Contact": _with_deleted(records, known).sample(fraction=1, shuffle=True, seed=seed)},
        known.sample(fraction=1, shuffle=True, seed=seed + 1),
        CUSTOM_FIELDS,
        past.messages,
        recipients=past.recipients,
        truth=_truth(crowd, stage),
    )


def _played(crowd: pl.DataFrame, sizes: _Sizes, first: int, plan: _Plan) -> Stage:
    ends = (0, sizes.both, sizes.both + sizes.one_sided, sizes.total)
    stage = Stage(
        crowd["record_id"],
        crowd["contact_id"],
        crowd["phone"],
        crowd["spare_phone"],
        {"both": range(ends[0], ends[1]), "record": range(ends[1], ends[2]), "contact": range(ends[2], ends[3])},
        first,
    )
    for _ in range(plan.rounds or max(1, plan.contacts // _REPEAT_EVERY)):
        for situation in plan.situations:
            stage.play(situation)
    return stage


def _with_links(random: np.random.Generator, crowd: pl.DataFrame, sizes: _Sizes, stage: Stage) -> pl.DataFrame:
    """Who is known where and how: `sides`, `kind` (linked, phone, email, alone), `crm_id`, statuses, `is_actor`."""
    count = sizes.total
    slot = np.arange(count)
    sides = np.where(slot < sizes.both, "both", np.where(slot < sizes.both + sizes.one_sided, "record", "contact"))
    free = slice(stage.used["both"], sizes.both)
    kind = np.full(count, "linked", dtype="U6")
    chance = random.random(sizes.both)[free]
    kind[free] = np.where(chance < 0.115, "phone", np.where(chance < 0.165, "email", "linked"))
    kind[sizes.both :] = "alone"
    is_actor = np.zeros(count, np.bool_)
    is_actor[[actor.slot - stage.first for actor in stage.actors]] = True
    has_link = pl.Series((kind == "linked") & (sides == "both"))
    is_lost = pl.Series((sides == "contact") & (random.random(count) < 0.2))
    gone = pl.concat_str(pl.lit(GONE.split("{", 1)[0]), pl.col("slot").cast(pl.String).str.zfill(8), pl.lit("AAA"))
    sms = np.where(random.random(count) < 0.88, "opted-in", np.where(random.random(count) < 0.7, "opted-out", "paused"))
    is_web = pl.Series(kind == "email")
    has_web = pl.Series(random.random(count) < 0.2)
    return crowd.with_columns(
        pl.Series("sides", sides.astype(str)),
        pl.Series("kind", kind.astype(str)),
        pl.Series("is_actor", is_actor),
        pl.when(has_link).then("record_id").when(is_lost).then(gone).alias("crm_id"),
        pl.when(is_web).then(None).otherwise(pl.Series("sms", sms.astype(str))).alias("sms"),
        pl.when(has_web | is_web).then(pl.lit("opted-in")).alias("web"),
    )


def _contacts(random: np.random.Generator, crowd: pl.DataFrame, stage: Stage) -> pl.DataFrame:
    known = crowd.filter(pl.col("sides") != "record")
    frame = people.contacts(random, known)
    frame = frame.with_columns(_drift(random, known, frame))
    overrides = {
        actor.contact_id: {
            name: json_text(value) if name.startswith("custom.") and value is not None else value
            for name, value in actor.contact.items()
        }
        for actor in stage.actors
        if actor.sides != "record"
    }
    return _with_overrides(frame, "id", overrides)


def _drift(random: np.random.Generator, known: pl.DataFrame, frame: pl.DataFrame) -> list[pl.Expr]:
    """How Mainstay has come to differ: some fields of some ordinary people are older, newer or missing there."""
    count = known.height
    is_free = ~known["is_actor"]
    is_linked = is_free & (known["kind"] == "linked")
    drifts = is_linked & pl.Series(random.random(count) < 0.55)

    def some(share: float, among: pl.Series = drifts) -> pl.Series:
        return among & pl.Series(random.random(count) < share)

    elsewhere = random.permutation(count)
    is_email = is_free & (known["kind"] == "email")
    moved, came_back = some(0.06), some(0.05)
    is_anonymous = some(0.25, is_free & (known["kind"] == "alone"))
    spare = known["spare_phone"]
    swapped = {
        name: pl.when(some(share)).then(frame[name].gather(elsewhere)).otherwise(name).alias(name)
        for name, share in (
            ("first_name", 0.12), ("language", 0.1), ("custom.High School", 0.1), ("custom.Campus", 0.2),
            ("custom.Graduation Year", 0.3), ("custom.GPA", 0.4), ("custom.Enrollment Date", 0.1),
            ("custom.College", 0.1), ("custom.School System", 0.1), ("custom.Advisor Notes", 0.15),
            ("custom.Portal", 0.05), ("custom.Guardian Phone", 0.1), ("custom.First Generation", 0.1),
        )
    }  # fmt: skip
    return [
        *swapped.values(),
        pl.when(is_anonymous).then(None).otherwise("last_name").alias("last_name"),
        pl.when(some(0.15) | is_anonymous).then(None).otherwise("enrollment_id").alias("enrollment_id"),
        pl.when(some(0.5)).then("preferred_name").otherwise(pl.when(~drifts).then("preferred_name")).alias("preferred_name"),
        pl.when(some(0.12)).then(pl.lit("old.") + pl.col("email"))
        .when(some(0.1, is_linked | is_email)).then(pl.col("email").str.to_uppercase())
        .otherwise("email").alias("email"),
        pl.when(is_email).then(None).when(moved | came_back).then(spare).otherwise("phone").alias("phone"),
        pl.when(is_email).then(pl.lit("web")).otherwise("channel").alias("channel"),
        pl.when(came_back).then("phone").otherwise("previous_phone").alias("previous_phone"),
    ]  # fmt: skip


def _with_overrides(frame: pl.DataFrame, key: str, overrides: Mapping[str, Mapping[str, Any]]) -> pl.DataFrame:
    """The frame with single values replaced: `overrides` by row key, then column. Touches only named columns."""
    places = dict(zip(frame[key].to_list(), range(frame.height), strict=True)) if overrides else {}
    by_column: dict[str, tuple[list[int], list[Any]]] = {}
    for row_key, values in overrides.items():
        for name, value in values.items():
            rows, new = by_column.setdefault(name, ([], []))
            rows.append(places[row_key])
            new.append(value)
    columns = [
        frame[name].scatter(rows, pl.Series(new, dtype=frame.schema[name])) for name, (rows, new) in by_column.items()
    ]
    return frame.with_columns(columns)


def _with_deleted(records: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The records with some deleted ones in the recycle bin: half of those that Mainstay still links to."""
    gone = known.filter(pl.col("crm_id").str.starts_with(GONE.split("{", 1)[0]))["crm_id"].sort()
    bin_ids = gone.gather_every(2)
    if bin_ids.is_empty() or records.is_empty():
        return records
    row = records.head(1).select(pl.exclude("Student_ID__c", "MobilePhone", "Email"))
    deleted = pl.concat([row] * len(bin_ids)).with_columns(bin_ids.alias("Id"), pl.lit(value=True).alias("IsDeleted"))
    return pl.concat([records, deleted], how="diagonal").select(records.columns)


def _truth(crowd: pl.DataFrame, stage: Stage) -> pl.DataFrame:
    """Every pair of records of one person, and one-sided people, with the situation each was made for."""
    places = [actor.slot - stage.first for actor in stage.actors]
    person = crowd["slot"].to_numpy().copy()
    person[places] = [actor.person for actor in stage.actors]
    named = pl.Series("situation", [None], pl.String).new_from_index(0, crowd.height)
    named = named.scatter(places, [actor.situation for actor in stage.actors])
    frame = crowd.select(
        "slot", "sides", "record_id", "contact_id",
        pl.format("p{}", pl.Series("person", person) + 1).alias("person_id"),
        named,
    )  # fmt: skip
    records = frame.filter(pl.col("sides") != "contact").select("person_id", "record_id", "situation", "slot")
    contacts = frame.filter(pl.col("sides") != "record").select("person_id", "contact_id", "situation", "slot")
    pairs = records.join(contacts, on="person_id", how="full", coalesce=True)
    return pairs.select(
        "person_id", "record_id", "contact_id", pl.coalesce("situation", "situation_right").alias("situation"),
        pl.coalesce("slot", "slot_right").alias("slot"),
    ).sort("slot").select(*TRUTH_COLUMNS)  # fmt: skip
