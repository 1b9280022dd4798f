"""What a text in a file of ours must look like, in words: a pattern tells nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NAMED: Final = "must be a name of small letters, digits, _ and -"
PATTERNS: Final[Mapping[str, tuple[str, str]]] = {
    r"^\d{1,6}(?:\.\d{1,3})?[mhdw]$": ("must be a time", "minutes, hours, days or weeks: 30m, 4h, 10d, 2w"),
    r"^\d{2}:\d{2}-\d{2}:\d{2}$": ("must be from one time of the day to another", "such as 08:00-17:00"),
    r"^([01]\d|2[0-3]):[0-5]\d$": ("must be a time of the day", "such as 08:00"),
    r"^[A-Z]{3}$": ("must be the code of a currency", "such as EUR"),
    r"^[A-Z]{2}$": ("must be the code of a country", "such as US"),
    r"^[a-z0-9_-]{1,64}$": (_NAMED, ""),
    r"^[a-z0-9][a-z0-9_-]{0,63}$": (_NAMED, ""),
    r"^[a-z][a-z0-9_]{0,63}$": ("must be a name of small letters, digits and _", "it begins with a letter"),
    r"^[A-Za-z0-9_.\-]+$": ("must be the name of an attribute", "letters, digits, _ . and - as the system has it"),
    r"^[A-Za-z0-9.:-]{1,253}$": ("must be the name of a host", "such as mail.example.com"),
    r"^[A-Za-z][A-Za-z0-9-]{0,63}$": ("must be the name of a header", "such as X-Remote-User"),
    r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$": ("must be the name of a module", "such as connectors.hubspot"),
    r"^[A-Za-z0-9][A-Za-z0-9@._-]{0,63}$": ("must be the name of a user", "letters, digits, @ . _ and -"),
}
"""Pattern -> what is wrong with a text that does not match, and how to mend it."""
