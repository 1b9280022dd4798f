"""Do both sides say the same of companies? Compared by rules written down here a second time.

Promise: as `judge`: nothing of the engine is used. Companies are paired by their web domain, then by name and country.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from syncd.demo.company import Cast
from syncd.demo.judging import Difference, Owners, digits, owner_differs, plain, same_text

Row = dict[str, Any]

INDUSTRIES = {
    "MACHINERY": "Manufacturing",
    "INDUSTRIAL_AUTOMATION": "Manufacturing",
    "MECHANICAL_OR_INDUSTRIAL_ENGINEERING": "Manufacturing",
    "AUTOMOTIVE": "Manufacturing",
    "ELECTRICAL_ELECTRONIC_MANUFACTURING": "Electronics",
    "CHEMICALS": "Chemicals",
    "MANAGEMENT_CONSULTING": "Consulting",
    "ACCOUNTING": "Consulting",
    "BANKING": "Banking",
    "BIOTECHNOLOGY": "Biotechnology",
    "PHARMACEUTICALS": "Biotechnology",
    "EDUCATION_MANAGEMENT": "Education",
}
KINDS = {
    "Prospect": "Prospect",
    "Customer - Direct": "Customer",
    "Customer - Channel": "Customer",
    "Partner": "Partner",
}


def domain(text: Any) -> str:
    """The bare name of a web address."""
    return re.sub(r"^(https?://)?(www\.)?", "", plain(text)).split("/")[0]


def company_pairs(cast: Cast) -> tuple[dict[str, str], list[Difference]]:
    """(account -> company) of all that belong together, and what is wrong about who belongs together."""
    companies, accounts = cast.hubs("companies"), cast.rows("Account")
    by_domain = {domain(row.get("domain")): key for key, row in companies.items() if row.get("domain")}
    by_name = {(plain(row.get("name")), plain(row.get("country"))): key for key, row in companies.items()}
    found: dict[str, str] = {}
    wrong = []
    for account, row in accounts.items():
        company = by_domain.get(domain(row.get("Website"))) if row.get("Website") else None
        company = company or by_name.get((plain(row.get("Name")), plain(row.get("BillingCountry"))))
        if company is None:
            wrong.append(Difference("an account is not in marketing", None, account))
        elif company in found.values():
            wrong.append(Difference("two accounts are one company", company, account))
        else:
            found[account] = company
    return found, wrong


def company_differences(cast: Cast, pairs: Mapping[str, str], owners: Owners) -> list[Difference]:
    """The fields in which paired companies differ."""
    companies, accounts = cast.hubs("companies"), cast.rows("Account")
    return [
        Difference(f"company {name} differs", company, account)
        for account, company in pairs.items()
        for name in _company(companies[company], accounts[account], owners)
    ]


def _company(values: Row, row: Row, owners: Owners) -> list[str]:
    found = [
        name
        for name, property_, field in (
            ("name", "name", "Name"),
            ("city", "city", "BillingCity"),
            ("country", "country", "BillingCountry"),
        )
        if not same_text(values.get(property_), row.get(field))
    ]
    if domain(values.get("domain")) != domain(row.get("Website")):
        found.append("domain")
    if digits(values.get("phone")) != digits(row.get("Phone")):
        found.append("phone")
    for name, property_, field in (
        ("employees", "numberofemployees", "NumberOfEmployees"),
        ("revenue", "annualrevenue", "AnnualRevenue"),
    ):
        if round(float(values.get(property_) or 0)) != round(row.get(field) or 0):
            found.append(name)
    ours, theirs = values.get("industry") or "", row.get("Industry") or ""
    if ours in INDUSTRIES or theirs in INDUSTRIES.values():
        found += ["industry"] if INDUSTRIES.get(ours, ours) != theirs else []
    if row.get("Type") in KINDS and values.get("crm_type") != KINDS[row["Type"]]:
        found.append("kind")
    if owner_differs(owners, values, row):
        found.append("owner")
    return found
