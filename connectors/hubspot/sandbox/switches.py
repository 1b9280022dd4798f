"""Every behaviour of the HubSpot sandbox that can be turned: what is unverified, and the account's own settings.

Promise: each fact that the contract tags memory or unverified is one switch here, and its default is the harder case
for a client. `choices` says what else it may be. Names and meanings are repeated nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from syncd.sandbox.chassis import Refused


def _one(default: Any, *others: Any) -> Any:
    """A switch with a closed set of positions."""
    return field(default=default, metadata={"choices": (default, *others)})


@dataclass
class Switches:
    """All switches with their defaults. A bare number or JSON value may be set freely; other types are checked."""

    # Limits (section 16). A number of 0 means: as the tier has it.
    limits: str = _one("on", "off")
    tier: str = _one("professional", "starter", "enterprise", "addon", "oauth")
    ten_secondly_limit: int = 0
    daily_limit: int = 0
    search_per_s: int = 0
    association_limit: int = 0
    search_counts_daily: bool = True
    rate_limit_shape: str = _one("errorType", "category", "disguised")  # disguised: 500, as search once did
    retry_after_s: int = 0  # more than 0: 429 carries Retry-After, which is not promised

    # Reading
    list_limit_over: str = _one("reject", "clamp")
    archived_get: int = _one(404, 200)  # an archived record without archived=true
    read_lag: bool = False  # reads by id come from the lagging index; off, or nothing could ever be relied on
    merged_batch_read: str = _one("missing", "resolve", "drop")
    duplicate_ids_in_read: str = _one("reject", "dedupe")
    email_miss_html: bool = True  # on v3 and v4 paths a look-up by email that finds nothing answers HTML
    cleared_reads_as: str = _one("null", "empty")
    contacts_hs_lastmodifieddate: str = _one("stale", "absent")
    owners_page_max: int = 500

    # Writing
    noop_bumps: bool = True
    noop_adds_history: bool = True
    history_contacts: int = 45
    history_others: int = 20
    json_null: str = _one("reject", "clear", "ignore")
    patch_answer: str = _one("partial", "full")
    property_error_shape: str = _one("both", "text", "structured")
    unique_conflict_status: int = _one(400, 409)
    email_taken_on_update: int = _one(409, 400)
    own_additional_email: str = _one("conflict", "swap")
    archived_holds_email: bool = False
    conflict_cites: str = _one("merged_away", "survivor")
    empty_contact: str = _one("reject", "accept")
    unknown_delete: int = _one(204, 404)
    archive_unknown: int = _one(204, 207)
    gdpr_blocks_email: bool = True
    number_as: str = _one("trimmed", "as_sent")
    trim_strings: bool = False
    domain_cleaned: bool = True
    old_dates: str = _one("reject", "normalise")  # what versions before 2026-09 do with dates that are not midnight
    owner_check: bool = True
    default_lifecyclestage: str = "lead"
    deal_close_sets_closedate: bool = True
    stage_of_other: str = _one("reject", "follow", "accept")  # a stage that is not one of the record's pipeline
    bend: dict[str, dict[str, str]] = field(default_factory=dict)  # {"contacts": {"phone": "digits"}}, see values.BENDS

    # Batches
    multi_status: str = _one("by_version", "207")  # by_version: 2026-09 answers partial success with a plain 2xx
    trace_on_update: str = _one("old_versions", "always", "never")
    upsert_by_email_partial: bool = False
    contacts_update_by_property: str = _one("reject", "accept")
    shuffle_results: bool = True

    # Search
    search_lag_ms: int = 5000
    search_lag_spread: float = 0.5  # each change lags between (1 - spread) and all of it
    search_body_cap: str = _one("body", "filters", "off")
    search_groups_max: int = 5
    search_filters_max: int = 6
    search_filters_total: int = 18
    search_beyond_reach: str = _one("reject", "empty")
    neq_finds_empty: bool = False

    # Merges, associations
    merge_id: str = _one("new", "primary")
    deals_merge_id: str = _one("new", "primary")  # and tickets
    association_bumps_modified: bool = False
    batch_labels: str = _one("replace", "add")  # what a batch does with the labels that a pair has already
    first_becomes_primary: bool = False  # the only company of a contact or deal is its primary one, unasked
    archived_associations: str = _one("none", "kept")  # what an archived record is told to be associated with
    associations_per_record: int = 0  # with one other object; 0: without limit
    auto_associate: str = _one("associate", "off", "create")  # contacts with companies, by email domain
    association_list: str = _one("missing", "served")  # GET of a record's associations on 2026-09
    to_object_id: str = _one("by_version", "string", "integer")
    no_associations: str = _one("absent", "error")

    # Lists
    lists_tell_members: bool = True  # a search shows how many members a list has, and when one came or went last

    # Automation and account
    lifecycle_follows_deals: str = _one("on", "off")  # a deal makes its people opportunities, a won one customers
    recalculation_ms: int = 2000  # after a write HubSpot recalculates and bumps the stamp once more; 0: never
    automations: list[dict[str, Any]] = field(default_factory=list)
    required_at_create: dict[str, list[str]] = field(default_factory=dict)
    conditional_required: list[dict[str, str]] = field(default_factory=list)
    missing_scopes: list[str] = field(default_factory=list)
    missing_scopes_shape: str = _one("errors", "context")
    garbage_token: str = _one("expired", "invalid")
    refresh_token: str = _one("new", "same", "rotate")  # new: another each time, old ones go on working
    time_zone: str = "Europe/Berlin"

    def to_json(self) -> dict[str, Any]:
        """All switches with their values."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def change(self, changes: dict[str, Any]) -> None:
        """Sets switches, all or none. Refused for an unknown name or a position that the switch does not have."""
        known = {one.name: one for one in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise Refused(f"no switch {name!r}")
            choices = known[name].metadata.get("choices")
            if choices and value not in choices:
                raise Refused(f"switch {name!r} is one of {list(choices)}, not {value!r}")
            was = getattr(self, name)
            fits = isinstance(value, (int, float)) if isinstance(was, float) else type(value) is type(was)
            if not fits:
                raise Refused(f"switch {name!r} takes a {type(was).__name__}")
        for name, value in changes.items():
            setattr(self, name, value)
