"""Every example in the match lab's own documentation is true."""

import doctest
import importlib
import pkgutil

import pytest

import workbench.lab
from workbench import settings

MODULES = [f"workbench.lab.{found.name}" for found in pkgutil.iter_modules(workbench.lab.__path__)]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_are_true(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def test_there_are_examples_at_all(monkeypatch):
    found = [doctest.testmod(importlib.import_module(module)).attempted for module in MODULES]
    assert sum(found) >= 5
    assert doctest.testmod(settings).attempted >= 2
