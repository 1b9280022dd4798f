"""Short ways to write down the fields of `objects_*.py`: the usual kinds, and the groups that objects share."""

from __future__ import annotations

from typing import Any

from connectors.salesforce.sandbox.fields import Field

CURRENCIES: tuple[tuple[str, float], ...] = (
    ("EUR", 1.0),
    ("USD", 1.08),
    ("GBP", 0.86),
    ("SEK", 11.2),
    ("CHF", 0.95),
)
"""ISO code and conversion rate; the first is the corporate currency."""
CURRENCY_FIELD = "CurrencyIsoCode"
HANDED = ("Waiting", "Delivered", "Accepted", "Rejected", "Blocked", "Out of scope")
CLOCKS = ("On track", "Due soon", "Breached", "Met", "Met late", "Paused")
SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.")


def text(name: str, label: str, length: int, **more: Any) -> Field:
    """A line of text."""
    return Field(name, label, "string", length, **more)


def area(name: str, label: str, length: int, **more: Any) -> Field:
    """Text of several lines; long ones can be neither filtered nor sorted by."""
    short = length <= 255
    return Field(name, label, "textarea", length, filterable=short, sortable=short, **more)


def pick(name: str, label: str, values: tuple[str, ...], **more: Any) -> Field:
    """One of a list of values."""
    return Field(name, label, "picklist", more.pop("length", 255), values=values, **more)


def flag(name: str, label: str, **more: Any) -> Field:
    """True or false, never blank."""
    return Field(name, label, "boolean", nillable=False, defaulted=True, default=False, **more)


def number(name: str, label: str, kind: str = "double", precision: int = 18, scale: int = 0, **more: Any) -> Field:
    """A number of some kind."""
    return Field(name, label, kind, precision=precision, scale=scale, **more)


def lookup(name: str, label: str, relationship: str | None, *refers: str, **more: Any) -> Field:
    """A reference to one of some objects."""
    return Field(name, label, "reference", 18, refers=refers, relationship=relationship, **more)


def system(name: str, label: str, kind: str, **more: Any) -> Field:
    """Set by the server only."""
    more.setdefault("nillable", False)
    return Field(name, label, kind, createable=False, updateable=False, **more)


def read_only(name: str, label: str, kind: str = "string", **more: Any) -> Field:
    """Seen, never written."""
    return Field(name, label, kind, createable=False, updateable=False, **more)


ID = system("Id", "Record ID", "id", length=18, defaulted=True, id_lookup=True)
STAMPS = (
    system("CreatedDate", "Created Date", "datetime", defaulted=True),
    system("CreatedById", "Created By ID", "reference", length=18, refers=("User",), relationship="CreatedBy"),
    system("LastModifiedDate", "Last Modified Date", "datetime", defaulted=True),
    system(
        "LastModifiedById",
        "Last Modified By ID",
        "reference",
        length=18,
        refers=("User",),
        relationship="LastModifiedBy",
    ),
    system("SystemModstamp", "System Modstamp", "datetime", defaulted=True),
)
DELETED = system("IsDeleted", "Deleted", "boolean", defaulted=True, default=False)


def master(object_name: str) -> Field:
    """Where a merged record lives on."""
    return read_only(
        "MasterRecordId", "Master Record ID", "reference", length=18, refers=(object_name,), relationship="MasterRecord"
    )


def owner(*refers: str) -> Field:
    """Who owns the record; by default whoever creates it."""
    return lookup("OwnerId", "Owner ID", "Owner", *refers, nillable=False, defaulted=True)


def currency_code() -> Field:
    """In which currency a record's amounts are. Only an org with several currencies has it (a switch)."""
    codes = tuple(code for code, _ in CURRENCIES)
    return pick(CURRENCY_FIELD, "Currency ISO Code", codes, length=3, restricted=True, defaulted=True, default=codes[0])


def name_parts() -> tuple[Field, ...]:
    """The name of a person and its parts."""
    return (
        text("LastName", "Last Name", 80, nillable=False, compound="Name"),
        text("FirstName", "First Name", 40, compound="Name"),
        pick("Salutation", "Salutation", SALUTATIONS, length=40, compound="Name"),
        read_only("Name", "Full Name", length=121, nillable=False, name_field=True),
    )


def address(prefix: str, label: str) -> tuple[Field, ...]:
    """An address and its parts."""
    compound = f"{prefix}Address" if prefix else "Address"
    part = f"{label} " if label else ""
    return (
        area(f"{prefix}Street", f"{part}Street", 255, compound=compound),
        text(f"{prefix}City", f"{part}City", 40, compound=compound),
        text(f"{prefix}State", f"{part}State/Province", 80, compound=compound),
        text(f"{prefix}PostalCode", f"{part}Zip/Postal Code", 20, compound=compound),
        text(f"{prefix}Country", f"{part}Country", 80, compound=compound),
        read_only(compound, f"{part}Address", "address", filterable=False, sortable=False),
    )


def reach() -> tuple[Field, ...]:
    """How a person is reached, and whether they may be."""
    return (
        Field("Phone", "Business Phone", "phone", 40),
        Field("MobilePhone", "Mobile Phone", "phone", 40),
        Field("Email", "Email", "email", 80, id_lookup=True),
        flag("HasOptedOutOfEmail", "Email Opt Out"),
        flag("DoNotCall", "Do Not Call"),
        text("EmailBouncedReason", "Email Bounced Reason", 255, createable=False),
        Field("EmailBouncedDate", "Email Bounced Date", "datetime", createable=False),
    )


def ours() -> tuple[Field, ...]:
    """The custom fields of the demo world, on Lead and Contact alike."""
    return (
        text("Syncd_Key__c", "Syncd Key", 255, external_id=True, unique=True),
        number("Marketing_Score__c", "Marketing Score"),
        text("Original_Source__c", "Original Source", 40),
        pick("Syncd_Hand_Off__c", "Hand-Off", HANDED, restricted=True),
        Field("Syncd_Qualified_At__c", "Qualified At", "datetime"),
        pick("Syncd_Follow_Up__c", "Follow-Up", CLOCKS, restricted=True),
        Field("Syncd_Follow_Up_Due__c", "Follow-Up Due", "datetime"),
        Field("Syncd_First_Touch__c", "First Touch", "datetime"),
        read_only("Age_Days__c", "Age in Days", "double", precision=18, formula="age_days"),
        read_only("Score_Band__c", "Score Band", length=1300, formula="score_band"),
    )
