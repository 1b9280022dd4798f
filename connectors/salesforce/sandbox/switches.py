"""What can be switched: facts about the vendor that nobody could verify, habits of an org, and limits.

Promise: the default of an unverified fact is the case that is harder for a client. Each switch names the contract
section it belongs to. Setting an unknown name, or a value of another type, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from syncd.sandbox.wire import Refused


def _inbound() -> list[dict[str, Any]]:
    return [{"object": "Lead", "owner": "Inbound Leads"}]


@dataclass
class Switches:
    """All switches with their defaults. Durations in virtual seconds."""

    # --- login (2)
    jwt_public_key: str = ""
    """PEM of the key or certificate that JWT assertions must be signed with."""
    jwt_accept_any: bool = False
    """Take any well-formed assertion, whoever signed it."""
    jwt_life_s: int = 300
    """How far ahead `exp` may lie."""
    login_host: str = "my_domain"
    """`login`: this host is login.salesforce.com, where client credentials are refused."""
    instance_url: str = ""
    """What token answers name as instance_url; empty: the host that was asked."""
    rotate_refresh_token: bool = False
    session_life_s: int = 7200
    """Of inactivity."""
    shared_sessions: bool = True
    """Unverified: revoking one token of a client ends the others."""
    logins_per_hour: int = 3600

    # --- envelope and limits (3, 11)
    daily_limit: int = 100_000
    used_elsewhere: int = 0
    """API calls of other integrations in the last 24 h."""
    per_app_limit: int = 0
    """The limits header also tells the use of this app against this figure; 0: it does not."""
    limits_lag_s: int = 300
    """How stale GET /limits may be; the Sforce-Limit-Info header is exact."""
    batch_counts_each: bool = True
    """Unverified: each sub-request of composite/batch is an API call."""
    method_override: bool = False
    """Unverified: `?_HttpMethod=PATCH` works on POST."""
    read_only: bool = False
    """Maintenance: reads work, writes are refused."""

    # --- queries (4)
    page_rows: int = 2_000
    """Most rows of a page; below 200 only to make tests small."""
    random_pages: bool = True
    """Now and then a page is smaller than asked for."""
    shuffle_ties: bool = True
    """Rows that compare equal come in any order; without ORDER BY that is all of them."""
    locator_life_s: int = 172_800
    locator_once: bool = False
    """A nextRecordsUrl can be read once only."""
    locator_live: bool = True
    """Unverified: a cursor remembers ids, values are read at page time (deleted rows fall out). False: a snapshot."""
    offset_caps_total: bool = True
    """Reported: `OFFSET 0` caps totalSize at 2000."""

    # --- stamps and deletions (5)
    undelete_moves_stamp: bool = False
    """Unverified: a restored record gets a new SystemModstamp, so that it shows as changed."""
    reparent_moves_stamp: bool = False
    """Unverified: children of a merged record get one."""
    touch_after_s: float = 0.0
    """A back-end job moves SystemModstamp of what the API wrote, this much later; 0: none does."""
    commit_lag_s: float = 0.0
    """What people do becomes visible this much later than its stamp (a long transaction)."""
    replication_lag_s: int = 60
    """latestDateCovered lies at least this far back."""
    bin_days: int = 15
    archive_days: int = 365
    """Events, and closed tasks, that are older are archived by the act `archive`."""
    foreign_id_malformed: bool = True
    """Unverified: a retrieve with the id of another object's record is refused as a whole."""
    archived_by_id: bool = False
    """Unverified: a retrieve by id shows archived activities."""
    purge_clears_delete_log: bool = True
    """A purged record is missing from `deleted` too."""
    bin_holds_unique: bool = False
    """Unverified: unique values of records in the recycle bin stay taken."""
    score_band_from: int = 50
    """An administrator's formula: changing it changes Score_Band__c everywhere, and no stamp."""

    # --- writes (6, 7, 8)
    assignment_rules: bool = True
    """Leads are re-owned on API create and update unless the caller says Sforce-Auto-Assign: FALSE."""
    assignments: list[dict[str, Any]] = field(default_factory=_inbound)
    """In order, the first that fits: object, owner (a queue's name or a user's e-mail), when (a SOQL condition)."""
    validation_rules: list[dict[str, Any]] = field(default_factory=list)
    """object, error_when (a SOQL condition), message, field."""
    automations: list[dict[str, Any]] = field(default_factory=list)
    """Flows: object, on (create | update | both), when (a SOQL condition), set {field: value}."""
    ignored_fields: list[str] = field(default_factory=list)
    """`Lead.Rating`: API writes to it are acknowledged and leave no trace."""
    duplicate_rule: str = "off"
    """off | alert | block: Leads and Contacts with the e-mail of another."""
    precondition_field: str = "SystemModstamp"
    """Unverified: what If-Unmodified-Since compares; or LastModifiedDate."""
    composite_preconditions: bool = True
    """Conditional headers of composite sub-requests are honoured."""
    body_of_412: bool = False
    """A failed precondition carries an error array; False: no body."""
    external_key_in_body_refused: bool = True
    """Unverified: the key of an upsert's path must not be in its body."""
    parser_error_fails_batch: bool = True
    """A value of the wrong JSON type fails a whole collections request, not its record."""
    unknown_member_status: str = "default"
    """Unverified: a status that a campaign does not have quietly becomes its default; `as_given`: it is stored;
    `refused`: it is a bad value of a restricted picklist."""
    tracked_fields: list[str] = field(default_factory=lambda: ["OwnerId", "Status"])
    """Lead fields with history tracking: changes write LeadHistory rows."""

    # --- values (14)
    trim_text: bool = True
    blank_to_null: bool = True
    crlf: bool = True
    """New lines of text areas come back as carriage return and line feed."""
    lower_email: bool = False
    """Unverified, and said to be the other way: e-mail addresses are stored in lower case."""
    round_numbers: bool = True
    """Numbers are rounded to the field's scale."""
    length_in_utf16: bool = True
    """Characters outside the basic plane count as two."""
    null_boolean_refused: bool = True
    errors_list_fields: bool = False
    """Refused values name their field in `fields`; else its label in the text does."""
    bends: list[dict[str, str]] = field(default_factory=list)
    """The org's own cleaning, on every save: object, field, how (upper | lower | digits | cut:N)."""

    # --- conversion (16)
    convert_mapping: dict[str, str] = field(default_factory=dict)
    """Lead field -> Contact field for custom fields; all others stay on the Lead only."""
    conversion_moves_stamp: bool = False
    """Unverified: tasks, events and campaign members that go over to the contact get a new SystemModstamp."""
    conversion_role_primary: bool = False
    """Reported: the role that a conversion makes is not the primary one."""

    # --- bulk (9)
    bulk_queue_s: float = 0.5
    bulk_batch_s: float = 0.5
    """Per internal batch of 10,000 rows."""
    bulk_query_s: float = 0.5
    bulk_shuffle: bool = True
    bulk_result_rows: int = 50_000
    """Most rows of one page of query results."""

    # --- org
    multi_currency: bool = True
    """The org has several currencies: records carry CurrencyIsoCode. False: no object has that field."""
    org_id: str = ""
    """Another organisation's id, as after a sandbox refresh; empty: the demo org."""
    is_sandbox: bool = False

    def change(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Sets some; returns all. Refused for an unknown name or a value of another type."""
        for name, value in changes.items():
            if name not in vars(self):
                raise Refused(f"no switch {name}; there are {', '.join(sorted(vars(self)))}")
            known = getattr(self, name)
            number = isinstance(known, float) and isinstance(value, int) and not isinstance(value, bool)
            if type(value) is not type(known) and not number:
                raise Refused(f"switch {name} takes a {type(known).__name__}")
        for name, value in changes.items():
            setattr(self, name, value)
        return dict(vars(self))
