"""Push: what is approved is sent, once."""

from workbench.stages.push.report import PushReport
from workbench.stages.push.run import push_batch

__all__ = ["PushReport", "push_batch"]
