"""Reconcile: changes whose answer never came are read back on both systems; nothing is guessed."""

from workbench.stages.reconcile.run import ReconcileReport, reconcile

__all__ = ["ReconcileReport", "reconcile"]
