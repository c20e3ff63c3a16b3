"""Push: what is approved is sent, once."""

from workbench.stages.push.report import PushReport
from workbench.stages.push.resend import Resend, resend
from workbench.stages.push.run import push_batch

__all__ = ["PushReport", "Resend", "push_batch", "resend"]
