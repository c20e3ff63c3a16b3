"""How fast the sandbox starts and serves, and what memory it takes; figures are of its own process.

    python benchmarks/sandbox.py --contacts 1000000 --messages-per-contact 10 [--json]

Rows per CPU second of the server, over plain HTTP on loopback: contact and message pages of Mainstay, then one bulk query
of Salesforce with 25 columns. `own_mb` is memory of the process itself, `mapped_mb` what the file cache holds for it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

PAGE = 1000
DATA = "/services/data/v62.0"
COLUMNS = (
    "Id, IsDeleted, SystemModstamp, LastModifiedDate, FirstName, LastName, Email, MobilePhone, HomePhone, Student_ID__c, "
    "Preferred_Name__c, Language__c, SMS_Status__c, Web_Status__c, Campus__c, Graduation_Year__c, GPA__c, "
    "Enrollment_Date__c, Portal__c, First_Generation__c, Advisor_Notes__c, High_School__c, Do_Not_Contact__c, "
    "Account.Name, Account.Parent.Name"
)


class Process:
    """CPU seconds and memory of a running process, from /proc."""

    def __init__(self, pid: int) -> None:
        self.folder = Path(f"/proc/{pid}")

    def cpu_seconds(self) -> float:
        parts = (self.folder / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> dict[str, int]:
        told = dict(line.split(":", 1) for line in (self.folder / "status").read_text().splitlines())
        return {
            name: int(told[key].split()[0]) // 1024
            for name, key in (("own_mb", "RssAnon"), ("mapped_mb", "RssFile"), ("peak_mb", "VmHWM"))
        }


def timed(name: str, process: Process, work) -> dict:
    wall, cpu = time.perf_counter(), process.cpu_seconds()
    rows = work()
    wall, cpu = time.perf_counter() - wall, process.cpu_seconds() - cpu
    rates = {"rows_per_second": round(rows / wall), "rows_per_cpu_second": round(rows / max(cpu, 0.01))}
    return {
        "step": name,
        "rows": rows,
        "seconds": round(wall, 1),
        "cpu_seconds": round(cpu, 1),
        **rates,
        **process.memory(),
    }


def pages(http: httpx.Client, path: str, key: bytes) -> int:
    """Rows of every page; counted in the bytes, for parsing is the client's affair."""
    rows, following = 0, path
    while following:
        body = http.get(following).raise_for_status().content
        rows += body.count(key)
        head = json.loads(body[: body.index(b',"results":[')] + b"}")
        following = head["next"]
    return rows


def bulk(http: httpx.Client) -> int:
    told = {"operation": "queryAll", "query": f"SELECT {COLUMNS} FROM Contact"}
    job = f"{DATA}/jobs/query/{http.post(f'{DATA}/jobs/query', json=told).json()['id']}"
    while http.get(job).json()["state"] != "JobComplete":
        time.sleep(0.1)
    rows, locator = 0, ""
    while locator != "null":
        params = {"maxRecords": "100000"} | ({"locator": locator} if locator else {})
        with http.stream("GET", f"{job}/results", params=params) as answer:
            for _ in answer.iter_raw():
                pass
            locator = answer.headers["Sforce-Locator"]
            rows += int(answer.headers["Sforce-NumberOfRecords"])
    return rows


def measured(contacts: int, messages: float) -> list[dict]:
    command = [
        Path(sys.executable).with_name("workbench"), "sandbox", "--json", "--contacts", str(contacts),
        "--messages-per-contact", str(messages), "--page-size", str(PAGE),
    ]  # fmt: skip
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            connection = json.loads(running.stdout.readline())
            process = Process(running.pid)
            seconds = round(time.perf_counter() - begun, 1)
            found = [
                {
                    "step": "start",
                    "rows": contacts,
                    "seconds": seconds,
                    "cpu_seconds": process.cpu_seconds(),
                    **process.memory(),
                }
            ]
            known = connection["mainstay"]
            headers = {"Authorization": f"APIToken {known['token']}"}
            with httpx.Client(base_url=known["base_url"], headers=headers, trust_env=False, timeout=60) as http:
                hidden = "/contacts/?include_test_contacts=true&include_nonpermitted_contacts=true"
                found.append(timed("mainstay contacts", process, lambda: pages(http, hidden, b'"admithub_id":')))
                said = "/messages/?include_test_user=true"
                found.append(timed("mainstay messages", process, lambda: pages(http, said, b'"admithub_id":')))
            known = connection["salesforce"]
            headers = {"Authorization": f"Bearer {known['access_token']}"}
            with httpx.Client(base_url=known["instance_url"], headers=headers, trust_env=False, timeout=300) as http:
                found.append(timed("salesforce bulk query", process, lambda: bulk(http)))
            return found
        finally:
            running.terminate()
            running.wait(timeout=60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--messages-per-contact", type=float, default=2.4)
    parser.add_argument("--json", action="store_true", help="one object a line")
    asked = parser.parse_args()
    for row in measured(asked.contacts, asked.messages_per_contact):
        if asked.json:
            print(json.dumps(row))
            continue
        rate = f"{row['rows_per_cpu_second']:>9,} rows/CPU s" if "rows_per_cpu_second" in row else ""
        print(
            f"{row['step']:<22}{row['rows']:>11,} rows {row['seconds']:>7.1f} s {row['cpu_seconds']:>7.1f} CPU s "
            f"{row['own_mb']:>6,} MB own {row['mapped_mb']:>6,} MB mapped {rate}"
        )


if __name__ == "__main__":
    main()
