"""What tests of pulls begin with; other modules have worlds of their own."""

import pytest

from tests.flow.pulling import sandbox_of
from workbench.simulators.world import generate


@pytest.fixture(scope="module")
def world():
    return generate(300, 7)


@pytest.fixture
def pulling(world, tmp_path):
    with sandbox_of(world, tmp_path) as found:
        yield found
