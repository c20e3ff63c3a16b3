"""What tests of pulls share: both sandboxes, a store, and the pull between them."""

import asyncio
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from pydantic import SecretStr
from ticking import Clock

from workbench.domain.mapping import parse_mapping, salesforce_paths
from workbench.mainstay import MainstayClient
from workbench.salesforce import SalesforceClient, SalesforceWriter
from workbench.settings import MainstaySettings, SalesforceSettings, Settings
from workbench.simulators.sandbox import Sandbox
from workbench.stages.pull import pull
from workbench.store import Store

STARTER = Path(__file__).parents[2] / "data" / "mappings" / "starter.yaml"
WANTED = {
    item.sobject: ["Name", "HomePhone", *salesforce_paths(item)] for item in parse_mapping(STARTER.read_text()).objects
}
START = datetime(2026, 11, 24, 12, tzinfo=UTC)


def rows_of(prepared):
    """What a write would read of prepared rows."""
    return duckdb.sql(f"FROM {prepared.source.sql}").to_arrow_table().to_pylist()


@contextmanager
def sandbox_of(world, tmp_path, **options):
    clock = Clock(START)
    with Sandbox(world, page_size=50, clock=clock, **options) as sandbox:
        yield Pulling(sandbox, tmp_path / "store.duckdb", clock)


class Pulling:
    """A sandbox, a store, and the pull between them."""

    def __init__(self, sandbox, database, clock):
        connection = sandbox.connection
        self.sandbox = sandbox
        self.clock = clock
        self.store = Store(str(database))
        self.settings = Settings(
            database=str(database),
            salesforce=SalesforceSettings(
                instance_url=connection["salesforce"]["instance_url"],
                access_token=SecretStr(connection["salesforce"]["access_token"]),
                consumer_key=connection["salesforce"]["client_id"],
                consumer_secret=SecretStr(connection["salesforce"]["client_secret"]),
            ),
            mainstay=MainstaySettings(
                base_url=connection["mainstay"]["base_url"], token=SecretStr(connection["mainstay"]["token"])
            ),
        )

    def __call__(self, wanted=WANTED, **options):
        return pull(self.store, self.settings, wanted=wanted, clock=self.clock, **options)

    def rows(self, sql):
        return self.store.rows(sql)

    def value(self, sql):
        [row] = self.rows(sql)
        [value] = row.values()
        return value

    def contents(self):
        """Every landing table without the pull that brought each row."""
        tables = self.rows(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('salesforce', 'mainstay')"
        )
        return {
            (t["table_schema"], t["table_name"]): sorted(
                self.rows(f'SELECT * EXCLUDE (_pull_id) FROM {t["table_schema"]}."{t["table_name"]}"'), key=str
            )
            for t in tables
        }

    def write_salesforce(self, operation, sobject, *records):
        with SalesforceClient(self.settings.salesforce) as client:
            [results] = SalesforceWriter(client).write(operation, sobject, records)
        assert all(item.success for item in results), results
        return [item.record_id for item in results]

    def put(self, contact_id, body):
        async def send():
            async with MainstayClient(self.settings.mainstay) as client:
                return await client.send("PUT", f"contacts/{contact_id}/", body)

        assert asyncio.run(send()).outcome == "success"

    def page_requests(self, part):
        return [item.path for item in self.sandbox.requests if item.method == "GET" and part in item.path]


def stop_at(stage, rows):
    def progress(name, done, _total):
        if name == stage and done >= rows:
            raise KeyboardInterrupt

    return progress
