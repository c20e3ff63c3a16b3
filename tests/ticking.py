"""A clock for sandboxes that tests can foretell."""

from datetime import timedelta


class Clock:
    """Moves on by a second at each look; whatever shares it sees one order of events."""

    def __init__(self, start):
        self.now = start

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now
