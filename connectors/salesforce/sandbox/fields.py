"""One field and one object, as describe tells of them.

Promise: whatever the sandbox checks on a write or in a query is read from these values, and describe prints the same
values; so an object is a table (`objects.py`), not code. Key names: contract section 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

TEXTS = frozenset({"string", "textarea", "phone", "email", "url", "picklist", "multipicklist", "combobox"})
NUMBERS = frozenset({"int", "double", "currency", "percent"})
_SOAP = {
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "id": "tns:ID",
    "reference": "tns:ID",
    "address": "urn:address",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `formula` names how a calculated field is computed (`formulas.py`); `parts` are a compound's."""

    name: str
    label: str
    type: str = "string"
    length: int = 0
    createable: bool = True
    updateable: bool = True
    nillable: bool = True
    defaulted: bool = False
    default: Any = None
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    id_lookup: bool = False
    restricted: bool = False
    values: tuple[str, ...] = ()
    inactive: tuple[str, ...] = ()
    refers: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    precision: int = 0
    scale: int = 0
    formula: str | None = None
    compound: str | None = None
    filterable: bool = True
    sortable: bool = True
    name_field: bool = False
    hidden: bool = False
    """Field-level security keeps it from the API user: absent from describe, unknown to queries and writes."""

    @property
    def custom(self) -> bool:
        """Made by an administrator."""
        return self.name.endswith("__c")

    @property
    def indexed(self) -> bool:
        """Looked up by value often enough for the store to keep an index."""
        lookup = self.external_id or self.unique or self.id_lookup or self.type == "email"
        owner = self.name in ("OwnerId", "CreatedById", "LastModifiedById")
        return (lookup or (self.type == "reference" and not owner)) and self.name != "Id"

    @property
    def long_text(self) -> bool:
        """A long text area: not filterable, and heavy in pages."""
        return self.type == "textarea" and self.length > 255

    def describe(self) -> dict[str, Any]:
        """The field as describe prints it."""
        return {
            "aggregatable": self.type != "textarea",
            "aiPredictionField": False,
            "autoNumber": False,
            "byteLength": self.length * 3,
            "calculated": self.formula is not None,
            "calculatedFormula": None,
            "cascadeDelete": False,
            "caseSensitive": self.case_sensitive,
            "compoundFieldName": self.compound,
            "controllerName": None,
            "createable": self.createable,
            "custom": self.custom,
            "dataTranslationEnabled": False,
            "defaultValue": self.default if self.type == "boolean" else None,
            "defaultValueFormula": None,
            "defaultedOnCreate": self.defaulted,
            "dependentPicklist": False,
            "deprecatedAndHidden": False,
            "digits": self.precision if self.type == "int" else 0,
            "displayLocationInDecimal": False,
            "encrypted": False,
            "externalId": self.external_id,
            "extraTypeInfo": None,
            "filterable": self.filterable,
            "filteredLookupInfo": None,
            "formulaTreatNullNumberAsZero": False,
            "groupable": self.filterable and self.type not in ("double", "currency", "percent", "datetime"),
            "highScaleNumber": False,
            "htmlFormatted": False,
            "idLookup": self.id_lookup or self.external_id,
            "inlineHelpText": None,
            "label": self.label,
            "length": self.length,
            "mask": None,
            "maskType": None,
            "name": self.name,
            "nameField": self.name_field,
            "namePointing": len(self.refers) > 1,
            "nillable": self.nillable,
            "permissionable": self.nillable and self.createable,
            "picklistValues": self._picklist(),
            "polymorphicForeignKey": len(self.refers) > 1,
            "precision": 0 if self.type == "int" else self.precision,
            "queryByDistance": False,
            "referenceTargetField": None,
            "referenceTo": list(self.refers),
            "relationshipName": self.relationship,
            "relationshipOrder": None,
            "restrictedDelete": False,
            "restrictedPicklist": self.restricted,
            "scale": self.scale,
            "searchPrefilterable": self.type == "reference",
            "soapType": _SOAP.get(self.type, "xsd:string"),
            "sortable": self.sortable,
            "type": self.type,
            "unique": self.unique,
            "updateable": self.updateable,
            "writeRequiresMasterRead": False,
        }

    def _picklist(self) -> list[dict[str, Any]]:
        return [
            {
                "active": value not in self.inactive,
                "defaultValue": value == self.default,
                "label": value,
                "validFor": None,
                "value": value,
            }
            for value in (*self.values, *(one for one in self.inactive if one not in self.values))
        ]


@dataclass(frozen=True)
class ObjectType:
    """One object: its fields in order, and its flags."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: tuple[Field, ...]
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    replicateable: bool = True
    mergeable: bool = False

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """Fields by exact name: the only spelling that writes accept."""
        return {field.name: field for field in self.fields}

    @cached_property
    def by_lower(self) -> Mapping[str, Field]:
        """Fields by lower-case name: SOQL does not mind case."""
        return {field.name.lower(): field for field in self.fields}

    @cached_property
    def relationships(self) -> Mapping[str, Field]:
        """Reference fields by lower-case relationship name (`owner` -> OwnerId)."""
        return {field.relationship.lower(): field for field in self.fields if field.relationship}

    @cached_property
    def uniques(self) -> tuple[Field, ...]:
        """Fields whose values must differ between records."""
        return tuple(field for field in self.fields if field.unique)

    def summary(self, version: str) -> dict[str, Any]:
        """The object as describeGlobal lists it."""
        base = f"/services/data/v{version}/sobjects/{self.name}"
        return {
            "activateable": False,
            "associateEntityType": None,
            "associateParentEntity": None,
            "createable": self.createable,
            "custom": self.name.endswith("__c"),
            "customSetting": False,
            "deepCloneable": False,
            "deletable": self.deletable,
            "deprecatedAndHidden": False,
            "feedEnabled": self.createable,
            "hasSubtypes": False,
            "isInterface": False,
            "isSubtype": False,
            "keyPrefix": self.prefix,
            "label": self.label,
            "labelPlural": self.plural,
            "layoutable": self.createable,
            "mergeable": self.mergeable,
            "mruEnabled": self.createable,
            "name": self.name,
            "queryable": True,
            "replicateable": self.replicateable,
            "retrieveable": True,
            "searchable": self.createable,
            "triggerable": self.createable,
            "undeletable": self.deletable,
            "updateable": self.updateable,
            "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
        }
