"""Ordinary people: what Salesforce holds of each, and what Mainstay would hold if nothing had gone astray.

Everything is one polars frame with a row per person; `record_columns` and `contact_columns` are the two views of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
import polars as pl

from workbench.simulators.mainstay.shape import json_texts
from workbench.simulators.world import names
from workbench.simulators.world.ids import WHOLE, Part, salesforce_ids, unique_phones
from workbench.simulators.world.model import CAMPUSES

# The worlds' own present: every stamp lies before it, and what the workbench writes later lies after.
WORLD_NOW: Final = datetime(2025, 9, 1, tzinfo=UTC)
_EPOCH_SECONDS: Final = int(WORLD_NOW.timestamp())
_DAY: Final = 86_400
SANDBOX_USER: Final = "005Wb0000000001IAA"  # the one user of the Salesforce sandbox


def text_choice(random: np.random.Generator, texts: Sequence[str], count: int, nulls: float = 0.0) -> pl.Series:
    """`count` random picks; a share `nulls` of them null."""
    picked = pl.Series(texts, dtype=pl.String).gather(random.integers(0, len(texts), count))
    return picked.set(pl.Series(random.random(count) < nulls), None) if nulls else picked


def moments(seconds: np.ndarray[Any, Any]) -> pl.Series:
    """Seconds since 1970 as UTC datetimes."""
    return pl.Series(seconds.astype(np.int64) * 1_000_000).cast(pl.Datetime("us", "UTC"))


def past_seconds(random: np.random.Generator, count: int, days: int) -> np.ndarray[Any, Any]:
    """Random seconds in the last `days` before the worlds' present."""
    return _EPOCH_SECONDS - random.integers(3600, days * _DAY, count)


def accounts(random: np.random.Generator, people: int) -> pl.DataFrame:
    """School systems and their colleges; some colleges stand alone."""
    systems, colleges = 4 + min(people // 5000, 40), 16 + min(people // 500, 400)
    count = systems + colleges
    ids = salesforce_ids("001", random.permutation(count * 7)[:count].astype(np.int64) + 62_000)
    places = len(names.PLACES)
    labels = [f"{names.PLACES[i % places]} School System{_tail(i // places)}" for i in range(systems)]
    kinds = ("College", "Community College", "State University")
    labels += [f"{names.PLACES[i * 3 % places]} {kinds[i % 3]}{_tail(i // places)}" for i in range(colleges)]
    parents = [None] * systems + [
        None if i % 9 == 8 else ids[int(p)] for i, p in enumerate(random.integers(0, systems, colleges))
    ]
    stamps = moments(past_seconds(random, count, 900))
    cities = [names.CITIES[i % len(names.CITIES)] for i in range(count)]
    return pl.DataFrame(
        {
            "Id": ids,
            "IsDeleted": [False] * count,
            "Name": labels,
            "ParentId": pl.Series(parents, dtype=pl.String),
            "Type": ["School System"] * systems + ["College"] * colleges,
            "BillingCity": [city for city, _ in cities],
            "BillingState": [state for _, state in cities],
            "OwnerId": [SANDBOX_USER] * count,
            "CreatedById": [SANDBOX_USER] * count,
            "LastModifiedById": [SANDBOX_USER] * count,
            "CreatedDate": stamps,
            "LastModifiedDate": stamps,
            "SystemModstamp": stamps,
        }
    )


def _tail(number: int) -> str:
    return f" {number + 1}" if number else ""


def people(random: np.random.Generator, count: int, schools: pl.DataFrame, part: Part = WHOLE) -> pl.DataFrame:
    """One row per person: `slot` (counted over all parts), true attributes, two phones of their own, their college."""
    first, last = (random.integers(0, len(pool), count) for pool in (names.FIRST_NAMES, names.LAST_NAMES))
    phones = unique_phones(random, 2 * count, part)
    colleges = schools.with_row_index().filter(pl.col("Type") == "College")["index"].to_numpy()
    parents = schools.select(pl.col("Id").alias("ParentId"), pl.col("Name").alias("system"))
    school_names = schools.join(parents, on="ParentId", how="left", maintain_order="left")
    account = pl.Series(random.choice(colleges, count)).set(pl.Series(random.random(count) < 0.04), None)
    plain = pl.concat_str(
        pl.Series([p for _, p in names.FIRST_NAMES]).gather(first).alias("f"), pl.lit("."),
        pl.Series([p for _, p in names.LAST_NAMES]).gather(last).alias("l"),
        pl.int_range(part.first + 1, part.first + count + 1).cast(pl.String), pl.lit("@"),
        text_choice(random, names.MAIL_HOSTS, count).alias("h"),
    )  # fmt: skip
    gpa = np.round(2 + 2 * random.random(count), 2)
    start = date(2024, 8, 24).toordinal() - date(1970, 1, 1).toordinal()
    frame = pl.DataFrame(
        {
            "slot": np.arange(part.first, part.first + count),
            "first": pl.Series([n for n, _ in names.FIRST_NAMES]).gather(first),
            "last": pl.Series([n for n, _ in names.LAST_NAMES]).gather(last),
            "preferred": text_choice(random, names.PREFERRED_NAMES, count, 0.75),
            "phone": phones[:count],
            "spare_phone": phones[count:],
            "guardian": pl.Series(unique_guardians(random, count, part), dtype=pl.String),
            "language": text_choice(random, names.LANGUAGES, count, 0.3),
            "campus": text_choice(random, CAMPUSES, count, 0.15),
            "year": pl.Series(random.integers(2025, 2031, count)).set(pl.Series(random.random(count) < 0.1), None),
            "gpa": pl.Series(gpa).set(pl.Series(random.random(count) < 0.2), None),
            "enrolled": pl.Series((start + random.integers(0, 700, count)).astype(np.int32)).cast(pl.Date),
            "has_portal": random.random(count) < 0.7,
            "first_gen": pl.Series(random.random(count) < 0.35).set(pl.Series(random.random(count) < 0.1), None),
            "notes": text_choice(random, names.NOTES, count, 0.6),
            "high_school": text_choice(random, names.HIGH_SCHOOLS, count, 0.1),
            "account_id": school_names["Id"].gather(account),
            "college": school_names["Name"].gather(account),
            "system": school_names["system"].gather(account),
        }
    )
    return frame.with_columns(
        plain.alias("email"),
        pl.when("has_portal").then(pl.format("https://portal.example.edu/s/{}", "slot")).alias("portal"),
    ).with_columns(pl.when(pl.col("slot") % 17 != 3).then("email").alias("email"))


def unique_guardians(random: np.random.Generator, count: int, part: Part) -> list[str | None]:
    """Guardians' phones; several children may have one guardian."""
    own = unique_phones(random, max(4, count // 2), part)
    picked = random.integers(0, len(own) * 2, count).tolist()
    return [own[index] if index < len(own) else None for index in picked]


def written_phones(random: np.random.Generator, phones: pl.Series) -> pl.Series:
    """Phones as people type them: six styles, the digits unchanged."""
    style = pl.Series("style", random.integers(0, 8, len(phones)))
    a, e, s = (pl.col("p").str.slice(start, length) for start, length in ((0, 3), (3, 3), (6, 4)))
    styled = (
        pl.when(pl.col("p").is_null()).then(None)
        .when(pl.col("style") == 0).then(pl.format("({}) {}-{}", a, e, s))
        .when(pl.col("style") == 1).then(pl.format("{}-{}-{}", a, e, s))
        .when(pl.col("style") == 2).then(pl.format("+1 {} {} {}", a, e, s))
        .when(pl.col("style") == 3).then(pl.format("{}.{}.{}", a, e, s))
        .when(pl.col("style") == 4).then(pl.format("1-{}-{}-{}", a, e, s))
        .otherwise(pl.col("p"))
    )  # fmt: skip
    return pl.DataFrame({"p": phones, "style": style}).select(styled.alias("written"))["written"]


def records(random: np.random.Generator, crowd: pl.DataFrame) -> pl.DataFrame:
    """Salesforce Contacts of these people (they carry `record_id`), every stored field, before anything special."""
    count = crowd.height
    stamp_seconds = past_seconds(random, count, 400)
    # Records loaded in one transaction share their stamp; FIFO then goes by Id.
    loads = past_seconds(random, max(1, count // 40), 400)
    in_load = random.random(count) < 0.3
    stamp_seconds = np.where(in_load, loads[random.integers(0, len(loads), count)], stamp_seconds)
    created = np.minimum(stamp_seconds, _EPOCH_SECONDS - random.integers(30 * _DAY, 900 * _DAY, count))
    cities = random.integers(0, len(names.CITIES), count)
    stamps = moments(stamp_seconds)
    born = (date(2003, 1, 1).toordinal() - date(1970, 1, 1).toordinal() + random.integers(0, 2200, count)).astype(
        np.int32
    )
    return crowd.select(
        pl.col("record_id").alias("Id"),
        pl.lit(value=False).alias("IsDeleted"),
        pl.col("account_id").alias("AccountId"),
        text_choice(random, ("Ms.", "Mr.", "Mx."), count, 0.8).alias("Salutation"),
        pl.col("first").alias("FirstName"),
        pl.col("last").alias("LastName"),
        pl.col("email").str.to_lowercase().alias("Email"),
        written_phones(random, crowd["phone"]).alias("MobilePhone"),
        written_phones(random, crowd["guardian"]).alias("HomePhone"),
        pl.lit(None, pl.String).alias("Phone"),
        pl.Series("Birthdate", born).cast(pl.Date),
        pl.format("{} Elm Street", pl.col("slot") % 900 + 1).alias("MailingStreet"),
        pl.Series("MailingCity", [city for city, _ in names.CITIES]).gather(cities),
        pl.Series("MailingState", [state for _, state in names.CITIES]).gather(cities),
        text_choice(random, ("Web", "Campus visit", "Fair"), count, 0.5).alias("LeadSource"),
        pl.lit(None, pl.String).alias("Title"),
        pl.lit(None, pl.String).alias("Description"),
        student_id().alias("Student_ID__c"),
        pl.col("preferred").alias("Preferred_Name__c"),
        pl.col("language").alias("Language__c"),
        _spoken_status(random, crowd["sms"], 0.3).alias("SMS_Status__c"),
        _spoken_status(random, crowd["web"], 0.2).alias("Web_Status__c"),
        pl.col("campus").alias("Campus__c"),
        pl.col("year").cast(pl.String).alias("Graduation_Year__c"),
        pl.col("gpa").alias("GPA__c"),
        pl.when(pl.col("slot") % 11 != 4).then("enrolled").alias("Enrollment_Date__c"),
        pl.col("portal").alias("Portal__c"),
        pl.col("first_gen").fill_null(value=False).alias("First_Generation__c"),
        pl.col("notes").alias("Advisor_Notes__c"),
        pl.col("high_school").alias("High_School__c"),
        pl.Series("Do_Not_Contact__c", random.random(count) < 0.03),
        pl.lit(SANDBOX_USER).alias("OwnerId"),
        pl.lit(SANDBOX_USER).alias("CreatedById"),
        pl.lit(SANDBOX_USER).alias("LastModifiedById"),
        moments(created).alias("CreatedDate"),
        stamps.alias("LastModifiedDate"),
        stamps.alias("SystemModstamp"),
    )


def _spoken_status(random: np.random.Generator, status: pl.Series, share: float) -> pl.Series:
    """A status as somebody typed it, for a share of the people; null for the rest and where there is no channel."""
    spelling = pl.Series(random.integers(0, 3, len(status)))
    is_told = pl.Series(random.random(len(status)) < share)
    frame = pl.DataFrame({"s": status, "k": spelling, "told": is_told})
    styled = (
        pl.when(pl.col("k") == 0).then(pl.col("s").str.replace("-", " ").str.to_titlecase())
        .when(pl.col("k") == 1).then(pl.col("s").str.to_uppercase())
        .otherwise(pl.col("s"))
    )  # fmt: skip
    return frame.select(pl.when("told").then(styled).alias("status"))["status"]


def contacts(random: np.random.Generator, crowd: pl.DataFrame) -> pl.DataFrame:
    """Mainstay contacts of these people (they carry `contact_id`, `crm_id`, `sms`, `web`), in step with Salesforce."""
    count = crowd.height
    created = past_seconds(random, count, 380)
    modified = created + (random.random(count) * (_EPOCH_SECONDS - created)).astype(np.int64)
    bad = random.random(count) < 0.01
    return crowd.select(
        pl.col("contact_id").alias("id"),
        "crm_id",
        student_id().alias("enrollment_id"),
        pl.col("first").alias("first_name"),
        pl.col("preferred").alias("preferred_name"),
        pl.col("last").alias("last_name"),
        "email",
        "phone",
        pl.Series("invalid_phone", bad),
        pl.lit(None, pl.String).alias("previous_phone"),
        "language",
        pl.col("sms").alias("messaging_status_sms"),
        pl.col("web").alias("messaging_status_web_bot"),
        pl.when(pl.col("phone").is_null()).then(pl.lit("web")).otherwise(pl.lit("twilio")).alias("channel"),
        pl.Series("archived", random.random(count) < 0.015),
        pl.Series("test_user", random.random(count) < 0.004),
        pl.Series("permitted_user_status", random.random(count) > 0.01),
        pl.Series("ai_disabled", random.random(count) < 0.02),
        pl.Series("deliverability_failure_count", np.where(bad, 3, 0)),
        pl.when(pl.col("slot") % 6 == 1).then(pl.lit(["fall-import"])).alias("labels"),
        moments(created).alias("created"),
        moments(modified).alias("last_modified_at"),
        json_texts(pl.col("system")).alias("custom.School System"),
        json_texts(pl.col("college")).alias("custom.College"),
        json_texts(pl.col("high_school")).alias("custom.High School"),
        json_texts(pl.col("campus")).alias("custom.Campus"),
        pl.col("year").cast(pl.String).alias("custom.Graduation Year"),
        json_numbers(pl.col("gpa")).alias("custom.GPA"),
        pl.when(pl.col("slot") % 11 != 4)
        .then(json_texts(pl.col("enrolled").cast(pl.String)))
        .alias("custom.Enrollment Date"),
        json_texts(pl.col("portal")).alias("custom.Portal"),
        pl.col("first_gen").fill_null(value=False).cast(pl.String).alias("custom.First Generation"),
        json_texts(pl.col("notes")).alias("custom.Advisor Notes"),
        json_texts(pl.col("guardian")).alias("custom.Guardian Phone"),
        json_texts(pl.lit(text_choice(random, names.STATUS_NOTES, count, 0.7))).alias("custom.CB/Status"),
    )  # fmt: skip


def student_id() -> pl.Expr:
    """Unique; a few people have none."""
    return pl.when(pl.col("slot") % 23 != 5).then(pl.format("S{}", pl.col("slot") + 1_000_000))


def json_numbers(values: pl.Expr) -> pl.Expr:
    """Numbers as JSON, whole ones without a point, as Mainstay stores them."""
    return (
        pl.when(values == values.floor()).then(values.cast(pl.Int64).cast(pl.String)).otherwise(values.cast(pl.String))
    )
