"""The store: one transaction a write, many processes, clear sentences."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import textwrap
import threading
import time

import duckdb
import pyarrow as pa
import pytest

from workbench.errors import ConfigurationError, StepFailed, StoreBusy
from workbench.store import Store, database, identifier, literal
from workbench.store.database import Streamed
from workbench.store.migrations import scripts
from workbench.store.steps import make_table


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "data" / "t.duckdb"), patience_seconds=0.3)


def test_a_new_store_is_migrated_once(store):
    again = Store(store.dsn)
    names = [row["name"] for row in again.rows("SELECT name FROM config.migration ORDER BY name")]
    assert names == sorted(set(names))
    assert names[0] == "0001_schemas"


def test_a_store_of_a_newer_version_is_neither_read_nor_written(store):
    lacking, later = scripts()[-1][0], "9999_later"
    for name in (lacking, later):
        store.write(("DELETE FROM config.migration WHERE name = $name", {"name": name}))
    store.write(("INSERT INTO config.migration VALUES ($name, now())", {"name": later}))
    with pytest.raises(ConfigurationError, match=r"newer version of the workbench \(9999_later is not known"):
        Store(store.dsn)
    assert lacking not in {row["name"] for row in store.rows("SELECT name FROM config.migration")}


def test_a_failing_write_leaves_nothing(store):
    with pytest.raises(duckdb.Error):
        store.write(
            "INSERT INTO mainstay.field (name) VALUES ('half')",
            "INSERT INTO mainstay.field (nope) VALUES ('other half')",
        )
    assert store.rows("SELECT name FROM mainstay.field") == []


def test_tables_are_readable_by_name_in_a_write(store):
    store.write("INSERT INTO mainstay.field BY NAME SELECT * FROM given", tables={"given": pa.table({"name": ["a"]})})
    assert store.rows("SELECT name FROM mainstay.field WHERE name = $name", {"name": "a"}) == [{"name": "a"}]


def test_a_store_held_elsewhere_is_busy_and_says_so(store):
    with store.path.with_name(store.path.name + ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreBusy, match="in use by another process"):
            store.rows("SELECT 1 AS one")


def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database" * 100)
    with pytest.raises(ConfigurationError, match=r"notes\.txt"):
        Store(str(path))


def test_modes_that_are_not_built_say_so():
    with pytest.raises(ConfigurationError, match="quack"):
        Store("quack:localhost:9494")


def test_a_failed_step_shows_no_value(store):
    con = duckdb.connect()
    con.execute("CREATE SCHEMA work")
    with pytest.raises(StepFailed) as caught:
        make_table(con, "broken", "SELECT CAST('4045550101 Ana' AS INTEGER) AS x")
    assert "4045550101" not in str(caught.value)
    assert caught.value.step == "work.broken"


def test_names_and_texts_are_quoted():
    assert identifier('a"b') == '"a""b"'
    assert literal("O'Brien") == "'O''Brien'"
    for bad in ("", "a\0b"):
        with pytest.raises(ValueError, match="column name"):
            identifier(bad)


@pytest.mark.slow
def test_processes_and_threads_lose_no_row(tmp_path):
    """Four processes of three threads each write and read one file; every row is there."""
    path = tmp_path / "shared.duckdb"
    Store(str(path))
    script = textwrap.dedent(
        f"""
        import sys, threading
        from workbench.store import Store
        def work(name):
            store = Store({str(path)!r})
            for index in range(5):
                store.write(("INSERT INTO mainstay.field (name) VALUES ($n)", {{"n": f"{{sys.argv[1]}}-{{name}}-{{index}}"}}))
                store.rows("SELECT count(*) AS n FROM mainstay.field")
        threads = [threading.Thread(target=work, args=(name,)) for name in range(3)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        """
    )
    running = [subprocess.Popen([sys.executable, "-c", script, str(number)]) for number in range(4)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0, 0]
    assert Store(str(path)).rows("SELECT count(DISTINCT name) AS n FROM mainstay.field") == [{"n": 60}]


def test_what_was_committed_stays_where_the_file_can_grow_no_more(store):
    """A full disk met after the commit, on the way from the log into the file: the write stands, the next one is refused."""
    script = textwrap.dedent(f"""
        import os, resource
        from workbench.errors import StoreFull
        from workbench.store import Store
        store = Store({store.dsn!r})
        size = os.stat({store.dsn!r}).st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        count = size // 80
        rows = f"INSERT INTO mainstay.field (name) SELECT md5(random()::VARCHAR) FROM range({{count}})"
        try:
            for number in range(1, 20):
                store.write(rows)
                print(number * count)
        except StoreFull as error:
            print(error)
        """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *written, said = done.stdout.splitlines()
    assert "is full" in said
    assert store.rows("SELECT count(*) AS n FROM mainstay.field")[0]["n"] == int(written[-1])


@pytest.mark.parametrize(
    "name", ["salesforce", "mainstay", "preview", "view", "work", "config", "journal", "workbench"]
)
def test_the_file_may_be_called_like_one_of_our_schemas(tmp_path, name):
    store = Store(str(tmp_path / f"{name}.duckdb"))
    store.write("INSERT INTO journal.pull (pull_id, system) VALUES (1, 'mainstay')")
    assert store.rows("SELECT p.system FROM journal.pull AS p") == [{"system": "mainstay"}]
    with duckdb.connect() as con, store.attached(con):
        assert con.execute("SELECT count(*) FROM store.journal.pull").fetchone() == (1,)


def test_a_parquet_file_is_readable_in_a_write_by_its_name(tmp_path):
    file = tmp_path / "rows.parquet"
    duckdb.sql("SELECT 7 AS n").write_parquet(str(file))
    store = Store(str(tmp_path / "store.duckdb"))
    store.write(
        "CREATE TABLE salesforce.n AS SELECT n FROM given", tables={"given": Streamed(f"read_parquet('{file}')")}
    )
    assert store.rows("SELECT n FROM salesforce.n") == [{"n": 7}]
    assert store.rows("SELECT table_name FROM information_schema.tables WHERE table_name = 'given'") == []


def test_a_landing_leaves_later_writes_the_memory_they_had(store, tmp_path, monkeypatch):
    monkeypatch.setattr(database, "LEAST_MEGABYTES", 40)
    file = tmp_path / "rows.parquet"
    duckdb.sql("SELECT 7 AS n").write_parquet(str(file))
    store.write("CREATE TEMP TABLE n AS FROM given", tables={"given": Streamed(f"read_parquet('{file}')")})
    store.write("CREATE TEMP TABLE long AS SELECT list(range) AS numbers FROM range(10_000_000)")


def test_who_has_the_store_attached_reads_on_while_a_writer_waits(store):
    with duckdb.connect() as con, store.attached(con):
        waits = threading.Thread(
            target=Store(store.dsn).write, args=("INSERT INTO mainstay.field (name) VALUES ('late')",)
        )
        waits.start()
        time.sleep(0.2)  # by now it holds the gate
        assert store.rows("SELECT name FROM mainstay.field") == []
    waits.join()
    assert store.rows("SELECT name FROM mainstay.field") == [{"name": "late"}]


def test_a_reading_answers_several_questions_and_holds_writers_until_its_end(store):
    with store.reading():
        assert store.rows("SELECT 1 AS n") == [{"n": 1}]
        with store.reading(), duckdb.connect() as con, store.attached(con):
            assert con.execute("SELECT count(*) FROM store.mainstay.field").fetchone() == (0,)
        held = threading.Thread(
            target=Store(store.dsn).write, args=("INSERT INTO mainstay.field (name) VALUES ('late')",)
        )
        held.start()
        assert store.rows("SELECT name FROM mainstay.field") == []
        with pytest.raises(RuntimeError, match="within a reading"):
            store.write("INSERT INTO mainstay.field (name) VALUES ('never')")
    held.join()
    assert store.rows("SELECT name FROM mainstay.field") == [{"name": "late"}]
