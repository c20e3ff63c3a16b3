"""Push: what is approved is sent, once."""

from workbench.stages.push.pause import pause_batch
from workbench.stages.push.report import PushReport
from workbench.stages.push.resend import Resend, Simulated, resend, simulate_resend
from workbench.stages.push.run import push_batch

__all__ = ["PushReport", "Resend", "Simulated", "pause_batch", "push_batch", "resend", "simulate_resend"]
