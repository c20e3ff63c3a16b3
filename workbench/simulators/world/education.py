"""A university on EDA: programs below its colleges, and what each student is to both, in the package's own objects.

Source: Salesforce wire reference, section 13.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from workbench.simulators.world.ids import salesforce_ids
from workbench.simulators.world.model import World
from workbench.simulators.world.people import text_choice
from workbench.simulators.world.seeding import generate

_PROGRAMS: Final = ("Biology, B.S.", "Nursing, B.S.N.", "Business, B.A.", "Computer Science, M.S.")
_PROGRAM_TYPE: Final = "01217000001U89EAAS"  # the record type Academic_Program of describe/eda.json
_STANDINGS: Final = ("Freshman", "Sophomore", "Junior", "Senior")
_FIRST_NUMBERS: Final = {"program": 9_000_000, "affiliation": 1_000, "enrollment": 2_000}


def education(contacts: int, seed: int) -> World:
    """The usual people as students: one affiliation with their college and one enrolment in a program each."""
    world = generate(contacts, seed)
    random = np.random.default_rng(seed)
    accounts, people = world.salesforce["Account"], world.salesforce["Contact"]
    students = people.filter(pl.col("AccountId").is_not_null() & ~pl.col("IsDeleted")).sort("Id")
    programs = _programs(accounts)
    affiliations = _affiliations(random, students)
    enrolled = _with_package_fields(random, people)
    return replace(
        world,
        salesforce={
            "Account": pl.concat([accounts, programs], how="diagonal"),
            "Contact": enrolled,
            "hed__Affiliation__c": affiliations,
            "hed__Program_Enrollment__c": _enrollments(random, students, affiliations, programs),
        },
    )


def _programs(accounts: pl.DataFrame) -> pl.DataFrame:
    """Four programs below each college: Account.ParentId leads to the college, and on to its school system."""
    colleges = accounts.filter(pl.col("Type") == "College")
    found = colleges.select(
        pl.col("Id").alias("ParentId"), "IsDeleted", "OwnerId", "CreatedById", "LastModifiedById",
        "CreatedDate", "LastModifiedDate", "SystemModstamp",
    ).join(pl.DataFrame({"Name": _PROGRAMS}), how="cross")  # fmt: skip
    numbers = _FIRST_NUMBERS["program"] + np.arange(found.height, dtype=np.int64)
    return found.with_columns(
        salesforce_ids("001", numbers).alias("Id"),
        pl.lit("Academic Program").alias("Type"),
        pl.lit(_PROGRAM_TYPE).alias("RecordTypeId"),
    )


def _affiliations(random: np.random.Generator, students: pl.DataFrame) -> pl.DataFrame:
    return students.select(
        salesforce_ids("aHE", _numbers("affiliation", students)).alias("Id"),
        pl.col("Id").alias("hed__Contact__c"),
        pl.col("AccountId").alias("hed__Account__c"),
        pl.lit("Student").alias("hed__Role__c"),
        text_choice(random, ("Current", "Former"), students.height).alias("hed__Status__c"),
        pl.lit(value=True).alias("hed__Primary__c"),
        pl.lit(date(2024, 8, 26)).alias("hed__StartDate__c"),
        "SystemModstamp",
    )


def _enrollments(
    random: np.random.Generator, students: pl.DataFrame, affiliations: pl.DataFrame, programs: pl.DataFrame
) -> pl.DataFrame:
    """Each student in the first program of the college; its name is looked up through two parents."""
    first = programs.unique("ParentId", keep="first", maintain_order=True).select(
        pl.col("ParentId").alias("AccountId"), pl.col("Id").alias("program")
    )
    placed = students.with_columns(affiliations["Id"].alias("affiliation")).join(
        first, on="AccountId", how="left", maintain_order="left"
    )
    return placed.select(
        salesforce_ids("aHF", _numbers("enrollment", placed)).alias("Id"),
        pl.col("Id").alias("hed__Contact__c"),
        pl.col("program").alias("hed__Account__c"),
        pl.col("affiliation").alias("hed__Affiliation__c"),
        text_choice(random, _STANDINGS, placed.height).alias("hed__Class_Standing__c"),
        pl.col("GPA__c").alias("hed__GPA__c"),
        pl.col("Graduation_Year__c").alias("hed__Graduation_Year__c"),
        pl.lit(date(2024, 5, 1)).alias("hed__Admission_Date__c"),
        "SystemModstamp",
    )


def _with_package_fields(random: np.random.Generator, people: pl.DataFrame) -> pl.DataFrame:
    """Which e-mail and phone counts, and the consent flags that EDA keeps beside Salesforce's own."""
    has_email = pl.col("Email").is_not_null()
    return people.with_columns(
        pl.when(has_email).then("Email").alias("hed__UniversityEmail__c"),
        pl.when(has_email).then(pl.lit("University")).alias("hed__Preferred_Email__c"),
        pl.when(pl.col("MobilePhone").is_not_null()).then(pl.lit("Mobile")).alias("hed__PreferredPhone__c"),
        pl.col("Do_Not_Contact__c").alias("hed__Do_Not_Contact__c"),
        pl.Series("hed__SMS_Opt_Out__c", random.random(people.height) < 0.04),
        pl.Series("hed__FERPA__c", random.random(people.height) < 0.5),
    )


def _numbers(kind: str, rows: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    return _FIRST_NUMBERS[kind] + np.arange(rows.height, dtype=np.int64)
