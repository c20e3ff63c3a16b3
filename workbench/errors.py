"""The one error tree, sorted by what the reader can do about it.

WorkbenchError
  ConfigurationError    change a setting or a mapping (all problems collected, raised together)
  AuthenticationFailed  connect again
  RemoteError           the other system answered something that cannot be used; read the sentence
    TransientError      retried for you; seen only when retries ran out
  StoreBusy             another process is writing; try again
    StoreFull           free disk space, then try again
  NotFound              the preview, batch, change or result you named does not exist
  ApprovalRefused       the batch may not take this step; the sentence says why
    StaleBatch          preview again
  NotAllowed            another role, or a fresh sign-in, is needed; the sentence names it
  StepFailed            a bug or a schema drift; carries step and SQL

A record that an API refuses is an outcome, not an exception.
"""

from __future__ import annotations

from collections.abc import Sequence


class WorkbenchError(Exception):
    """What happened, to what, and what to do next, in one sentence. `exit_code` is the shell's."""

    exit_code = 1


class ConfigurationError(WorkbenchError):
    """A setting or a mapping has to change; `problems` lists every reason found, not only the first."""

    exit_code = 2

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        self.problems = list(problems)
        super().__init__("\n".join([message, *(f"  - {problem}" for problem in self.problems)]))


class AuthenticationFailed(WorkbenchError):
    """A system refused the credentials; connect again."""

    exit_code = 3


class RemoteError(WorkbenchError):
    """A system answered something that cannot be used; `code` is its own error code, where it gave one."""

    exit_code = 3

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None) -> None:
        self.code = code
        self.status = status
        super().__init__(message)


class TransientError(RemoteError):
    """A passing fault that outlived the retries; try the same command again."""


class StoreBusy(WorkbenchError):
    """Another process holds the store; try again."""

    exit_code = 4


class StoreFull(StoreBusy):
    """The disk that holds the store is full; what was committed before stands. Free space and try again."""


class NotFound(WorkbenchError):
    """What was named does not exist in the store."""

    exit_code = 2


class ApprovalRefused(WorkbenchError):
    """The batch may not take this step; the sentence says why."""


class StaleBatch(ApprovalRefused):
    """What the batch pinned has moved; make a new preview."""


class NotAllowed(WorkbenchError):
    """The person may not do this; the sentence names the role or the sign-in that is needed."""


class StepFailed(WorkbenchError):
    """A SQL step failed: a bug or a schema drift. `step` and `sql` say where."""

    def __init__(self, step: str, sql: str, reason: str) -> None:
        self.step = step
        self.sql = sql
        super().__init__(f"Step {step} failed: {reason}. Pull again; if it stays, report the step and its SQL.")
