"""Ids and phones, vectorised and unique."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

Numbers = np.ndarray[Any, np.dtype[np.int64]]

_BASE62: Final = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", np.uint8)
_SUFFIX: Final = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", np.uint8)
_HEX: Final = np.frombuffer(b"0123456789abcdef", np.uint8)
# Area codes in use; with the exchange 555, which is not given to subscribers, 10,000 numbers each.
_AREA_CODES: Final = np.array(
    [
        201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228,
        229, 231, 234, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302,
        303, 304, 305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323, 325, 330,
        331, 334, 336, 337, 339, 347, 351, 352, 360, 361, 386, 401, 402, 404, 405, 406, 407, 408, 409, 410,
        412, 413, 414, 415, 417, 419, 423, 424, 425, 430, 432, 434, 435, 440, 443, 458, 469, 470, 475, 478,
        479, 480, 484, 501, 502, 503, 504, 505, 507, 508, 509, 510, 512, 513, 515, 516, 517, 518, 520, 530,
        540, 541, 551, 559, 561, 562, 563, 567, 570, 571, 573, 574, 575, 580, 585, 586, 601, 602, 603, 605,
        606, 607, 608, 609, 610, 612, 614, 615, 616, 617, 618, 619, 620, 623, 626, 630, 631, 636, 641, 646,
        650, 651, 660, 661, 662, 678, 682, 701, 702, 703, 704, 706, 707, 708, 712, 713, 714, 715, 716, 717,
        718, 719, 720, 724, 727, 731, 732, 734, 740, 754, 757, 760, 762, 763, 765, 769, 770, 772, 773, 774,
        775, 779, 781, 785, 786, 801, 802, 803, 804, 805, 806, 808, 810, 812, 813, 814, 815, 816, 817, 818,
        828, 830, 831, 832, 843, 845, 847, 848, 850, 856, 857, 858, 859, 860, 862, 863, 864, 865, 870, 878,
        901, 903, 904, 906, 907, 908, 909, 910, 912, 913, 914, 915, 916, 917, 918, 919, 920, 925, 928, 931,
        936, 937, 940, 941, 947, 949, 951, 952, 954, 956, 970, 971, 972, 973, 978, 979, 980, 985, 989,
    ],
    np.int64,
)  # fmt: skip
PHONE_POOL: Final = len(_AREA_CODES) * 10_000


@dataclass(frozen=True)
class Part:
    """One of `of` parts of a world, among which all that must be unique is dealt out. `first`: its first person."""

    number: int = 0
    of: int = 1
    first: int = 0


WHOLE: Final = Part()


def salesforce_ids(prefix: str, numbers: Numbers) -> pl.Series:
    """18-character Ids: prefix, a number in base 62 in which case matters, and the 3 characters that tell the case.

    Each third of 5 characters gives one suffix character: bit k is set where character k is A-Z.
    """
    matrix = np.empty((len(numbers), 18), np.uint8)
    matrix[:, :6] = np.frombuffer(f"{prefix}Hs0".encode(), np.uint8)
    rest = numbers.copy()
    for column in range(14, 5, -1):
        matrix[:, column] = _BASE62[rest % 62]
        rest //= 62
    is_upper = (matrix[:, :15] >= ord("A")) & (matrix[:, :15] <= ord("Z"))
    bits = is_upper.reshape(-1, 3, 5) @ np.array([1, 2, 4, 8, 16])
    matrix[:, 15:] = _SUFFIX[bits]
    return _texts(matrix)


def mainstay_ids(random: np.random.Generator, count: int, part: Part = WHOLE) -> pl.Series:
    """`ah` + 15 hexadecimal digits, unique."""
    share = 16**15 // part.of
    numbers = np.unique(random.integers(0, share, size=count + count // 1000 + 8))
    chosen = random.permutation(numbers)[:count] + share * part.number
    matrix = np.empty((count, 17), np.uint8)
    matrix[:, :2] = np.frombuffer(b"ah", np.uint8)
    for column in range(16, 1, -1):
        matrix[:, column] = _HEX[chosen % 16]
        chosen = chosen // 16
    return _texts(matrix)


def unique_phones(random: np.random.Generator, count: int, part: Part = WHOLE) -> list[str]:
    """Ten-digit phones that pass Mainstay's rule, all different. Raises ValueError past `PHONE_POOL`."""
    share = PHONE_POOL // part.of
    if count > share:
        raise ValueError(f"the sandbox has {PHONE_POOL:,} phones; {count * part.of:,} were asked for")
    picked = random.choice(share, size=count, replace=False) * part.of + part.number
    numbers = _AREA_CODES[picked // 10_000] * 10_000_000 + 5_550_000 + picked % 10_000
    texts: list[str] = numbers.astype("U10").tolist()
    return texts


def _texts(matrix: np.ndarray[Any, np.dtype[np.uint8]]) -> pl.Series:
    width = matrix.shape[1]
    return pl.Series(np.ascontiguousarray(matrix).view(f"S{width}").ravel().astype(f"U{width}"), dtype=pl.String)
