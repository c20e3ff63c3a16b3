"""A phone that everybody gave: a hundred thousand records are decided one after the other, and it takes seconds."""

from __future__ import annotations

import time

import pytest
from world import World, mapping

from workbench.domain.fields import Direction
from workbench.engine.preview import make_preview
from workbench.store import Store

# A quiet machine takes a tenth of this.
SECONDS = 240


@pytest.mark.timeout(900)
@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_records_that_share_one_phone(tmp_path, count):
    world = World(Store(str(tmp_path / "world.duckdb")), mapping())
    world.record(0, MobilePhone="4045550101")
    world.land()
    world.store.write(
        f"""INSERT INTO salesforce."Contact"
            SELECT c.* REPLACE (printf('003XX%010dAAA', range) AS "Id", "SystemModstamp" + range * INTERVAL 1 SECOND
                                AS "SystemModstamp")
            FROM salesforce."Contact" AS c, range(1, {count})"""
    )
    started = time.perf_counter()

    report = make_preview(world.store, direction=Direction.EXPORT, revision=world.revision)

    assert time.perf_counter() - started < SECONDS
    print(count, round(time.perf_counter() - started, 1), "s", report.stage_seconds)
    assert {action: n for action, n in report.counts.items() if n} == {"create": 1, "blocked": count - 1}
    about = {"id": report.preview_id}
    groups = world.store.rows(
        "SELECT group_id, count(*) AS n FROM preview.change WHERE preview_id = $id GROUP BY ALL", about
    )
    assert groups == [{"group_id": 1, "n": count}]
    codes = world.store.rows(
        "SELECT code, count(*) AS n FROM preview.prediction WHERE preview_id = $id GROUP BY ALL", about
    )
    assert codes == [{"code": "phone-match-found-but-crmId-mismatch", "n": count - 1}]
