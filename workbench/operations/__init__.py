"""One function per use case: where stages meet. The command line, the screens and notebooks all act through these.

Loaded on first use, so that `workbench --help` and `import workbench` stay light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from workbench.operations.app_log import FaultLog, note_reveal
    from workbench.operations.batches import (
        BatchReport,
        PushReport,
        Slice,
        approve_batch,
        cancel_batch,
        check_push,
        create_batch,
        list_batches,
        pause_batch,
        push_batch,
        reject_batch,
        show_batch,
        submit_batch,
    )
    from workbench.operations.catalogues import read_mainstay_fields, read_salesforce_fields, refresh_fields
    from workbench.operations.conflicts import decide_conflict, decide_conflicts
    from workbench.operations.connections import check_connections
    from workbench.operations.dashboard import RunningDashboard, as_environment, running_dashboard
    from workbench.operations.demo import Chapter, DemoStory, Previewed, Pulled, Pushed, demo_sandbox, run_demo
    from workbench.operations.diagnosis import write_diagnosis
    from workbench.operations.directions import DirectionState, check_sends, list_directions, set_direction
    from workbench.operations.mapping_diff import Difference, diff_mappings
    from workbench.operations.mappings import (
        CheckedMapping,
        ImportedMapping,
        check_mapping,
        impact_of_mapping,
        import_mapping,
        sample_mapping,
    )
    from workbench.operations.readings import (
        explain_record,
        import_messages,
        make_preview,
        pull_systems,
    )
    from workbench.operations.sync_results import (
        Archive,
        Resend,
        Simulated,
        UndoReport,
        clear_results,
        count_clearable,
        latest_undo,
        moment_before,
        read_edits,
        resend,
        simulate_resend,
        undo_batch,
        write_csv,
        write_parquet,
    )
    from workbench.operations.wanted import is_pulled_for, wanted_columns
    from workbench.operations.workspace import Disconnected, connection_kinds, disconnect, open_store

_HOMES: Final = {
    "app_log": ("FaultLog", "note_reveal"),
    "batches": (
        "BatchReport",
        "PushReport",
        "Slice",
        "approve_batch",
        "cancel_batch",
        "check_push",
        "create_batch",
        "list_batches",
        "pause_batch",
        "push_batch",
        "reject_batch",
        "show_batch",
        "submit_batch",
    ),
    "catalogues": ("read_mainstay_fields", "read_salesforce_fields", "refresh_fields"),
    "conflicts": ("decide_conflict", "decide_conflicts"),
    "connections": ("check_connections",),
    "dashboard": (
        "RunningDashboard",
        "as_environment",
        "running_dashboard",
    ),
    "demo": (
        "Chapter",
        "DemoStory",
        "Previewed",
        "Pulled",
        "Pushed",
        "demo_sandbox",
        "run_demo",
    ),
    "diagnosis": ("write_diagnosis",),
    "directions": ("DirectionState", "check_sends", "list_directions", "set_direction"),
    "mapping_diff": (
        "Difference",
        "diff_mappings",
    ),
    "mappings": (
        "CheckedMapping",
        "ImportedMapping",
        "check_mapping",
        "impact_of_mapping",
        "import_mapping",
        "sample_mapping",
    ),
    "readings": (
        "explain_record",
        "import_messages",
        "make_preview",
        "pull_systems",
    ),
    "sync_results": (
        "Archive",
        "Resend",
        "Simulated",
        "UndoReport",
        "clear_results",
        "count_clearable",
        "latest_undo",
        "moment_before",
        "read_edits",
        "resend",
        "simulate_resend",
        "undo_batch",
        "write_csv",
        "write_parquet",
    ),
    "wanted": ("is_pulled_for", "wanted_columns"),
    "workspace": (
        "Disconnected",
        "connection_kinds",
        "disconnect",
        "open_store",
    ),
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Archive",
    "BatchReport",
    "Chapter",
    "CheckedMapping",
    "DemoStory",
    "Difference",
    "DirectionState",
    "Disconnected",
    "FaultLog",
    "ImportedMapping",
    "Previewed",
    "Pulled",
    "PushReport",
    "Pushed",
    "Resend",
    "RunningDashboard",
    "Simulated",
    "Slice",
    "UndoReport",
    "approve_batch",
    "as_environment",
    "cancel_batch",
    "check_connections",
    "check_mapping",
    "check_push",
    "check_sends",
    "clear_results",
    "connection_kinds",
    "count_clearable",
    "create_batch",
    "decide_conflict",
    "decide_conflicts",
    "demo_sandbox",
    "diff_mappings",
    "disconnect",
    "explain_record",
    "impact_of_mapping",
    "import_mapping",
    "import_messages",
    "is_pulled_for",
    "latest_undo",
    "list_batches",
    "list_directions",
    "make_preview",
    "moment_before",
    "note_reveal",
    "open_store",
    "pause_batch",
    "pull_systems",
    "push_batch",
    "read_edits",
    "read_mainstay_fields",
    "read_salesforce_fields",
    "refresh_fields",
    "reject_batch",
    "resend",
    "run_demo",
    "running_dashboard",
    "sample_mapping",
    "set_direction",
    "show_batch",
    "simulate_resend",
    "submit_batch",
    "undo_batch",
    "wanted_columns",
    "write_csv",
    "write_diagnosis",
    "write_parquet",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"workbench.operations has no {name}")
    return getattr(import_module(f"workbench.operations.{home}"), name)
