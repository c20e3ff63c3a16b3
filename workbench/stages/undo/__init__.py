"""Undo: what a batch wrote, put back by an ordinary preview that passes approval like any other."""

from workbench.stages.undo.run import UndoReport, latest_undo, undo_batch

__all__ = ["UndoReport", "latest_undo", "undo_batch"]
