"""A small mapping to write variations of, for the tests of this folder."""

from __future__ import annotations

from syncd.core.compile import compile_mapping
from syncd.core.funnel import compile_funnel
from syncd.core.mapping import Field, Mapping
from syncd.core.problem import Problem

HEAD = """\
mapping = "people"
marketing = { system = "hubspot", object = "contacts" }
crm = { system = "salesforce", object = "Lead", becomes = "Contact" }
[match]
by = ["email"]
"""
EMAIL = """\
[fields.email]
marketing = "email"
crm = "Email"
type = "email"
"""
FUNNEL = "[qualified]\nwhen = 'score >= 50'\n"


def text_of(*parts: str, head: str = HEAD, email: str = EMAIL) -> str:
    return "\n".join([head, *parts, email])


def problems_of(*parts: str, head: str = HEAD, email: str = EMAIL, funnel: str | None = None) -> list[Problem]:
    """The problems of the small mapping with these parts added."""
    agreed = compile_funnel(funnel, "funnel.toml", None)[0] if funnel else None
    mapping, problems = compile_mapping(text_of(*parts, head=head, email=email), "m.toml", agreed)
    assert (mapping is None) == bool(problems)
    return problems


def mapping_of(
    *parts: str, head: str = HEAD, email: str = EMAIL, funnel: str | None = None, file: str = "m.toml"
) -> Mapping:
    """The small mapping with these parts added, compiled."""
    agreed = compile_funnel(funnel, "funnel.toml", None)[0] if funnel else None
    mapping, problems = compile_mapping(text_of(*parts, head=head, email=email), file, agreed)
    assert mapping is not None, "\n".join(map(str, problems))
    return mapping


def field_of(lines: str) -> Field:
    """One more field, called `it`."""
    return mapping_of(f"[fields.it]\n{lines}").field("it")
