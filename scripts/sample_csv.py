"""Write data/samples/csv: what the two exports of one small sandbox look like when people save them by hand.

The Salesforce file is a report export: labels for headers, Ids of 15 characters, checkboxes as 1 and 0, dates month
first, and the report's own lines at the end. The people are synthetic.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from workbench.simulators import world

FOLDER: Final = Path(__file__).resolve().parents[1] / "data" / "samples" / "csv"
PEOPLE: Final = 300
SEED: Final = 11
REPORT: Final = {
    "Contact ID": "Id",
    "First Name": "FirstName",
    "Last Name": "LastName",
    "Mobile": "MobilePhone",
    "Email": "Email",
    "Student ID": "Student_ID__c",
    "Campus": "Campus__c",
    "High School": "High_School__c",
    "Graduation Year": "Graduation_Year__c",
    "GPA": "GPA__c",
    "Enrollment Date": "Enrollment_Date__c",
    "First Generation": "First_Generation__c",
    "Last Modified Date": "SystemModstamp",
}
CONTACTS: Final = {
    "Mainstay ID": "id",
    "CRM ID": "crm_id",
    "First Name": "first_name",
    "Last Name": "last_name",
    "Phone": "phone",
    "Email": "email",
    "Enrollment ID": "enrollment_id",
    "SMS Status": "messaging_status_sms",
    "Test User": "test_user",
    "Campus": "custom.Campus",
    "High School": "custom.High School",
    "Graduation Year": "custom.Graduation Year",
    "GPA": "custom.GPA",
    "Enrollment Date": "custom.Enrollment Date",
    "First Generation": "custom.First Generation",
}
FOOTER: Final = ("Students with their campus", "Confidential Information - Do Not Distribute", "Example University")


def write(
    path: Path, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], footer: Sequence[str] = ()
) -> None:
    """One CSV with headers for field names."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, quoting=csv.QUOTE_ALL)
        lines.writerow(columns)
        lines.writerows([_cell(row[name], name) for name in columns.values()] for row in rows)
        for line in ("", *footer):
            file.write(f'"{line}"\n' if line else "\n")


def _cell(value: Any, name: str) -> str:
    if value is None:
        return ""
    if name == "Id":
        return str(value)[:15]
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return value.strftime("%m/%d/%Y, %I:%M %p")
    if isinstance(value, date):
        return value.strftime("%m/%d/%Y")
    return str(orjson.loads(value)) if name.startswith("custom.") else str(value)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    people = world.generate(PEOPLE, SEED)
    records = [row for row in people.salesforce["Contact"].to_dicts() if not row["IsDeleted"]]
    write(FOLDER / "salesforce_report.csv", records, REPORT, FOOTER)
    write(FOLDER / "mainstay_contacts.csv", people.contacts.to_dicts(), CONTACTS)
