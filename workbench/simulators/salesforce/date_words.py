"""SOQL's words for days: TODAY, LAST_N_DAYS:30, THIS_MONTH and their like, as half-open ranges of dates in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

DayRange = tuple[date, date]
_DAY: Final = timedelta(days=1)


def _month(day: date, months: int) -> date:
    """The first day of the month that lies `months` after the day's own."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def _week(day: date, weeks: int) -> date:
    """The Sunday that starts the week `weeks` after the day's own."""
    return day - timedelta(days=(day.weekday() + 1) % 7) + timedelta(weeks=weeks)


def _quarter(day: date, quarters: int) -> date:
    """The first day of the calendar quarter that lies `quarters` after the day's own."""
    return _month(day, 3 * quarters - (day.month - 1) % 3)


def _year(day: date, years: int) -> date:
    return date(day.year + years, 1, 1)


def _days(day: date, first: int, after: int) -> DayRange:
    return day + first * _DAY, day + after * _DAY


_PLAIN: Final[dict[str, Callable[[date], DayRange]]] = {
    "YESTERDAY": lambda day: _days(day, -1, 0),
    "TODAY": lambda day: _days(day, 0, 1),
    "TOMORROW": lambda day: _days(day, 1, 2),
    "LAST_WEEK": lambda day: (_week(day, -1), _week(day, 0)),
    "THIS_WEEK": lambda day: (_week(day, 0), _week(day, 1)),
    "NEXT_WEEK": lambda day: (_week(day, 1), _week(day, 2)),
    "LAST_MONTH": lambda day: (_month(day, -1), _month(day, 0)),
    "THIS_MONTH": lambda day: (_month(day, 0), _month(day, 1)),
    "NEXT_MONTH": lambda day: (_month(day, 1), _month(day, 2)),
    "LAST_QUARTER": lambda day: (_quarter(day, -1), _quarter(day, 0)),
    "THIS_QUARTER": lambda day: (_quarter(day, 0), _quarter(day, 1)),
    "NEXT_QUARTER": lambda day: (_quarter(day, 1), _quarter(day, 2)),
    "LAST_90_DAYS": lambda day: _days(day, -90, 1),
    "NEXT_90_DAYS": lambda day: _days(day, 1, 91),
    "LAST_YEAR": lambda day: (_year(day, -1), _year(day, 0)),
    "THIS_YEAR": lambda day: (_year(day, 0), _year(day, 1)),
    "NEXT_YEAR": lambda day: (_year(day, 1), _year(day, 2)),
}
_COUNTED: Final[dict[str, Callable[[date, int], DayRange]]] = {
    "LAST_N_DAYS": lambda day, count: _days(day, -count, 1),
    "NEXT_N_DAYS": lambda day, count: _days(day, 1, count + 1),
    "N_DAYS_AGO": lambda day, count: _days(day, -count, 1 - count),
    "LAST_N_WEEKS": lambda day, count: (_week(day, -count), _week(day, 0)),
    "NEXT_N_WEEKS": lambda day, count: (_week(day, 1), _week(day, count + 1)),
    "N_WEEKS_AGO": lambda day, count: (_week(day, -count), _week(day, 1 - count)),
    "LAST_N_MONTHS": lambda day, count: (_month(day, -count), _month(day, 0)),
    "NEXT_N_MONTHS": lambda day, count: (_month(day, 1), _month(day, count + 1)),
    "N_MONTHS_AGO": lambda day, count: (_month(day, -count), _month(day, 1 - count)),
    "LAST_N_QUARTERS": lambda day, count: (_quarter(day, -count), _quarter(day, 0)),
    "NEXT_N_QUARTERS": lambda day, count: (_quarter(day, 1), _quarter(day, count + 1)),
    "N_QUARTERS_AGO": lambda day, count: (_quarter(day, -count), _quarter(day, 1 - count)),
    "LAST_N_YEARS": lambda day, count: (_year(day, -count), _year(day, 0)),
    "NEXT_N_YEARS": lambda day, count: (_year(day, 1), _year(day, count + 1)),
    "N_YEARS_AGO": lambda day, count: (_year(day, -count), _year(day, 1 - count)),
}


def day_range(word: str, today: date) -> DayRange | None:
    """First day, and the day after the last, that a word means; None where it is no word for days.

    >>> day_range("LAST_N_DAYS:2", date(2026, 11, 24))
    (datetime.date(2026, 11, 22), datetime.date(2026, 11, 25))
    """
    name, _, count = word.upper().partition(":")
    if count:
        counted = _COUNTED.get(name)
        return None if counted is None else counted(today, int(count))
    plain = _PLAIN.get(name)
    return None if plain is None else plain(today)
