"""Pulling: both systems as they are now, landed in the store and visible to previews once complete."""

from workbench.stages.pull.messages import import_messages
from workbench.stages.pull.report import FieldDrift, ObjectReport, PullReport
from workbench.stages.pull.run import pull
from workbench.store.landing import latest_pulls

__all__ = ["FieldDrift", "ObjectReport", "PullReport", "import_messages", "latest_pulls", "pull"]
