"""The main job on given records: the public FEBRL pair, and EDA's sample organisation, served as the two orgs."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.domain.fields import Direction
from workbench.operations import (
    Slice,
    approve_batch,
    create_batch,
    import_mapping,
    make_preview,
    pull_systems,
    push_batch,
)
from workbench.settings import Settings
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import from_folder
from workbench.store import Store

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
STARTER = Path(__file__).parents[2] / "data" / "mappings" / "starter.yaml"
EDA = """
version: 1
objects:
  - sobject: Contact
    export:
      fields:
        - {salesforce: FirstName, mainstay: first_name}
        - {salesforce: LastName, mainstay: last_name}
        - {salesforce: MobilePhone, mainstay: phone}
        - {salesforce: Email, mainstay: email}
"""


def settings_of(sandbox: Sandbox, store: Path) -> Settings:
    connection = sandbox.connection
    return Settings(
        _env_file=None,
        database=str(store),
        mainstay={"base_url": connection["mainstay"]["base_url"], "token": connection["mainstay"]["token"]},
        salesforce={
            "instance_url": connection["salesforce"]["instance_url"],
            "access_token": connection["salesforce"]["access_token"],
        },
    )


@pytest.mark.slow
@pytest.mark.parametrize(("sample", "mapping"), [("febrl", SAMPLES / "febrl" / "mapping.yaml"), ("eda", None)])
def test_the_main_job_on_given_records(tmp_path, sample, mapping):
    document = mapping.read_text() if mapping else EDA
    store = Store(str(tmp_path / "given.duckdb"))
    with Sandbox(from_folder(SAMPLES / sample)) as sandbox:
        settings = settings_of(sandbox, tmp_path / "given.duckdb")
        import_mapping(store, settings, document, by="Ann")
        pull_systems(store, settings)
        report = make_preview(store, settings, Direction.EXPORT)
        assert sum(report.counts.values()) == len(sandbox.salesforce_org.records("Contact"))
        assert report.counts["create"] + report.counts["update"] + report.counts["link"] > 0
        batch = create_batch(store, report.preview_id, by="Ann", chosen=Slice()).batch
        approve_batch(store, settings, batch, by="Bob")
        pushed = push_batch(store, settings, batch)
        assert pushed.state == "done"
        wrong = store.rows("SELECT change_id FROM view.sync_result WHERE NOT is_as_predicted")
        assert wrong == []
        pull_systems(store, settings)
        again = make_preview(store, settings, Direction.EXPORT)
        assert again.counts["create"] == again.counts["link"] == 0
