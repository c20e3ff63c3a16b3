"""Worlds with one kind of trouble in plenty, for demos and tests of the screens that deal with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from workbench.domain.fields import MainstayField
from workbench.simulators.mainstay.shape import json_text
from workbench.simulators.world import situations as of
from workbench.simulators.world.education import education
from workbench.simulators.world.model import World
from workbench.simulators.world.seeding import generate

HOSTILE_FIELDS: Final = (
    MainstayField('He said "hi" / it\'s \\ 50%', "Text", is_custom=True),
    MainstayField("'; DROP TABLE contact; --", "Text", is_custom=True),
    MainstayField("<b>GPA</b> | class.1", "Number", is_custom=True),
    MainstayField("名前 👋", "Text", is_custom=True),
)


def scenario(name: str, contacts: int = 300, seed: int = 1) -> World:
    """The world of a name in `SCENARIOS`, with dashes or blanks. Raises ValueError for another name."""
    found = SCENARIOS.get(scenario_name(name))
    if found is None:
        raise ValueError(f"no such scenario: {name}; there are {', '.join(SCENARIOS)}")
    return found(contacts, seed)


def scenario_name(text: str) -> str:
    """A name as people write it, `Family phones`, in the form that `SCENARIOS` has."""
    return text.strip().lower().replace(" ", "-").replace("_", "-")


def duplicates(contacts: int, seed: int) -> World:
    """One person twice in Salesforce, twice in Mainstay, and one e-mail address on both."""
    kinds = (of.one_person_twice_in_salesforce, of.email_on_two_contacts, of.email_on_two_records, of.email_matches)
    return generate(contacts, seed, kinds, rounds=max(1, contacts // 30))


def family_phones(contacts: int, seed: int) -> World:
    """Brothers, sisters and parents on one phone, and phones handed on between them."""
    kinds = (
        of.family_shares_phone, of.family_in_one_load, of.family_with_free_contact, of.phone_has_other_crm_id,
        of.phone_handed_on, of.phone_handed_on_too_early, of.phones_swapped, of.freed_phone_creates,
    )  # fmt: skip
    return generate(contacts, seed, kinds, rounds=max(1, contacts // 60))


def blank_wipe(contacts: int, seed: int) -> World:
    """A load has blanked campus, notes, school and phone of most records: pushing deletions would wipe Mainstay."""
    world = generate(contacts, seed)
    records = world.salesforce["Contact"]
    is_wiped = pl.Series(np.random.default_rng(seed).random(records.height) < 0.7)
    wiped = ("MobilePhone", "Campus__c", "Advisor_Notes__c", "High_School__c", "Graduation_Year__c")
    blanked = records.with_columns(pl.when(~is_wiped).then(name).alias(name) for name in wiped)
    return replace(world, salesforce={**world.salesforce, "Contact": blanked})


def loop(contacts: int, seed: int) -> World:
    """Everybody belongs to two colleges, and Mainstay names other ones: a parent written back re-syncs them all."""
    world = generate(contacts, seed)
    schools = world.salesforce["Account"]
    two = schools.filter((pl.col("Type") == "College") & pl.col("ParentId").is_not_null())["Id"].head(2)
    records = world.salesforce["Contact"]
    places = pl.Series(np.arange(records.height) % 2)
    moved = records.with_columns(two.gather(places).alias("AccountId"))
    renamed = world.contacts.with_columns(
        pl.when(pl.col("custom.College").is_not_null())
        .then(pl.lit(json_text("Renamed College")))
        .alias("custom.College")
    )
    return replace(world, salesforce={**world.salesforce, "Contact": moved}, contacts=renamed)


def renamed_field(contacts: int, seed: int) -> World:
    """In Mainstay, High School has become Secondary School and GPA a text; mappings still name the old ones."""
    world = generate(contacts, seed)
    new = {
        "High School": MainstayField("Secondary School", "Text", is_custom=True),
        "GPA": MainstayField("GPA", "Text", is_custom=True),
    }
    fields = tuple(new.get(field.name, field) for field in world.custom_fields)
    as_text = pl.when(pl.col("custom.GPA").is_not_null()).then(pl.format('"{}"', "custom.GPA"))
    frame = world.contacts.with_columns(as_text.alias("custom.GPA"))
    frame = frame.rename({"custom.High School": "custom.Secondary School"})
    return replace(world, custom_fields=fields, contacts=frame)


def hostile(contacts: int, seed: int) -> World:
    """Markup, scripts, formulas, right-to-left marks and emoji in values, messages and field names."""
    kinds = (of.words_with_meaning, of.texts_at_the_limit, of.hostile_names, of.hostile_texts)
    world = generate(contacts, seed, kinds, rounds=max(1, contacts // 60))
    columns = [
        pl.lit("7" if field.data_type == "Number" else json_text(of.HOSTILE_TEXTS[number % 3])).alias(field.path)
        for number, field in enumerate(HOSTILE_FIELDS)
    ]
    bodies = pl.Series([*of.HOSTILE_TEXTS, *(first for first, _ in of.HOSTILE_NAMES)])
    places = pl.Series(np.arange(world.messages.height) % len(bodies))
    return replace(
        world,
        custom_fields=(*world.custom_fields, *HOSTILE_FIELDS),
        contacts=world.contacts.with_columns(columns),
        messages=world.messages.with_columns(bodies.gather(places).alias("body")),
    )


SCENARIOS: Final[dict[str, Callable[[int, int], World]]] = {
    "duplicates": duplicates,
    "family-phones": family_phones,
    "blank-wipe": blank_wipe,
    "loop": loop,
    "renamed-field": renamed_field,
    "hostile": hostile,
    "education": education,
}
