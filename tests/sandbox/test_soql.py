"""SOQL of the Salesforce sandbox: contract section 4."""

from __future__ import annotations

import pytest
from salesforce_org import Api


@pytest.fixture
def org() -> Api:
    """Four Leads, a few seconds apart."""
    api = Api(shuffle_ties=False)
    for last, more in (
        ("Adams", {"Email": "Ann@x.example", "Marketing_Score__c": 10, "Rating": "Hot"}),
        ("brown", {"Email": "bob@x.example", "Marketing_Score__c": 20, "HasOptedOutOfEmail": True}),
        ("Clark", {"Rating": "Cold", "City": "50%_off"}),
        ("O'Neil", {"Email": "o@x.example", "Marketing_Score__c": 30.0, "Rating": "Hot"}),
    ):
        api.make(LastName=last, **more)
        api.advance(10)
    return api


def names(org: Api, where: str, order: str = "LastName") -> list[str]:
    return [row["LastName"] for row in org.rows(f"SELECT LastName FROM Lead WHERE {where} ORDER BY {order}")]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("LastName = 'ADAMS'", ["Adams"]),
        ("Email != 'bob@x.example'", ["Adams", "Clark", "O'Neil"]),
        ("Email = null", ["Clark"]),
        ("Email = ''", []),
        ("Email != null", ["Adams", "brown", "O'Neil"]),
        ("Marketing_Score__c > 10", ["brown", "O'Neil"]),
        ("Marketing_Score__c <= 20", ["Adams", "brown"]),
        ("NOT Marketing_Score__c > 10", ["Adams", "Clark"]),
        ("Email LIKE '%n@x%'", ["Adams"]),
        ("Email LIKE '_ob@%'", ["brown"]),
        (r"City LIKE '50\%\_%'", ["Clark"]),
        (r"City = '50\%\_off'", ["Clark"]),
        (r"LastName = 'O\'Neil'", ["O'Neil"]),
        ("Rating IN ('hot', 'warm')", ["Adams", "O'Neil"]),
        ("Rating NOT IN ('hot')", ["brown", "Clark"]),
        ("HasOptedOutOfEmail = TRUE", ["brown"]),
        ("HasOptedOutOfEmail = null", ["Adams", "Clark", "O'Neil"]),
        ("(Rating = 'Hot' OR Rating = 'Cold') AND Email != null", ["Adams", "O'Neil"]),
        ("(NOT Rating = 'Hot') AND Email != null", ["brown"]),
        ("Owner.Email = 'integration@acme.example' AND Owner.Type = 'User'", ["Adams", "brown", "Clark", "O'Neil"]),
        ("CreatedDate = TODAY", ["Adams", "brown", "Clark", "O'Neil"]),
        ("CreatedDate < TODAY", []),
        ("CreatedDate >= LAST_N_DAYS:3", ["Adams", "brown", "Clark", "O'Neil"]),
        ("CreatedDate > NEXT_MONTH OR Rating = 'Cold'", ["Clark"]),
        ("lead.lastname = 'clark'", ["Clark"]),
        ("Id IN (SELECT LeadId FROM CampaignMember)", []),
        ("Id NOT IN (SELECT LeadId FROM CampaignMember) AND LastName < 'c'", ["Adams", "brown"]),
    ],
)
def test_a_condition_selects_what_the_vendor_selects(org: Api, where: str, expected: list[str]) -> None:
    """Text compares without case, a blank is unlike every value, escapes are decoded."""
    assert names(org, where) == expected


def test_a_time_window_is_half_open_and_zones_are_understood(org: Api) -> None:
    """`>=` keeps the second itself, `<` leaves it out; an offset is converted; fractions lie between seconds."""
    stamps = [row["SystemModstamp"] for row in org.rows("SELECT SystemModstamp FROM Lead ORDER BY SystemModstamp, Id")]
    first, second = (stamp.replace("+0000", "Z") for stamp in stamps[:2])
    assert names(org, f"SystemModstamp >= {first} AND SystemModstamp < {second}") == ["Adams"]
    assert names(org, f"SystemModstamp > {first} AND SystemModstamp <= {second}") == ["brown"]
    assert names(org, f"SystemModstamp = {first}") == ["Adams"]
    shifted = stamps[0].replace("00:00:00.000+0000", "02:00:00+02:00")
    assert names(org, f"SystemModstamp = {shifted}") == ["Adams"]
    between = stamps[0].replace(".000+0000", ".500Z")
    assert names(org, f"SystemModstamp < {between}") == ["Adams"]
    assert "Adams" not in names(org, f"SystemModstamp >= {between}")


def test_the_index_and_a_full_scan_agree(org: Api) -> None:
    """What an index answers is what testing every row answers."""
    assert names(org, "Email = 'ANN@X.EXAMPLE'") == names(org, "(Email = 'ann@x.example' OR Email = 'none@x.example')")
    key = org.rows("SELECT Id FROM Lead WHERE LastName = 'brown'")[0]["Id"]
    assert names(org, f"Id = '{key[:15]}'") == names(org, f"Id IN ('{key}', '{key}')") == ["brown"]
    assert names(org, f"Id = '{key}' AND Rating = 'Hot'") == []


def test_nulls_come_first_unless_told_otherwise(org: Api) -> None:
    """In both directions."""
    for order in ("Marketing_Score__c", "Marketing_Score__c DESC"):
        assert names(org, "LastName != null", order)[0] == "Clark"
        assert names(org, "LastName != null", f"{order} NULLS LAST")[-1] == "Clark"
    assert names(org, "LastName != null", "Rating NULLS LAST, LastName DESC") == ["Clark", "O'Neil", "Adams", "brown"]


def test_ties_are_shuffled_unless_id_decides() -> None:
    """An engine that forgets `, Id` is to notice."""
    api = Api()
    for number in range(30):
        api.make(LastName=f"L{number}")
    one, other = (api.rows("SELECT Id FROM Lead ORDER BY SystemModstamp") for _ in range(2))
    assert one != other
    assert sorted(map(str, one)) == sorted(map(str, other))
    by_id = [api.rows("SELECT Id FROM Lead ORDER BY SystemModstamp, Id") for _ in range(2)]
    assert by_id[0] == by_id[1] == sorted(by_id[0], key=lambda row: row["Id"])
    unordered = [api.rows("SELECT Id FROM Lead") for _ in range(2)]
    assert unordered[0] != unordered[1]


def test_parents_come_as_records_and_missing_ones_as_null(org: Api) -> None:
    """`Owner.Email`, `CreatedBy.Name`; attributes with type and address of the parent itself."""
    lead = org.make("Lead", LastName="Z")
    org.act("edit", object="Lead", key=lead, values={"OwnerId": org.app.org.cast.queue})
    text = (
        f"SELECT Id, Owner.Name, Owner.IsActive, CreatedBy.Email, ConvertedContact.Name FROM Lead WHERE Id = '{lead}'"
    )
    record = org.query(text).body["records"][0]
    assert record["Owner"]["attributes"]["type"] == "Group"
    assert (record["Owner"]["Name"], record["Owner"]["IsActive"]) == ("Inbound Leads", None)
    assert record["CreatedBy"]["Email"] == "integration@acme.example"
    assert record["ConvertedContact"] is None
    assert list(record) == ["attributes", "Id", "Owner", "CreatedBy", "ConvertedContact"]


def test_counting_and_grouping(org: Api) -> None:
    """COUNT() has a total and no records; COUNT(Id) has one record with expr0; groups carry field names and aliases."""
    assert org.query("SELECT COUNT() FROM Lead WHERE Rating = 'Hot'").body == {
        "totalSize": 2,
        "done": True,
        "records": [],
    }
    record = org.query("SELECT COUNT(Id), MAX(Marketing_Score__c) best FROM Lead").body["records"][0]
    assert record == {"attributes": {"type": "AggregateResult"}, "expr0": 4, "best": 30.0}
    grouped = org.rows("SELECT Rating, COUNT(Id) n FROM Lead GROUP BY Rating ORDER BY Rating")
    assert [(row["Rating"], row["n"]) for row in grouped] == [(None, 1), ("Cold", 1), ("Hot", 2)]


def test_offset_caps_the_total_and_is_bounded(org: Api) -> None:
    """OFFSET ≤ 2000, and the reported quirk that it caps totalSize is a switch."""
    assert names(org, "LastName != null", "LastName LIMIT 2 OFFSET 1") == ["brown", "Clark"]
    assert org.query("SELECT Id FROM Lead OFFSET 2001").codes == ["NUMBER_OUTSIDE_VALID_RANGE"]


def test_fields_all_needs_a_limit_and_repeats_are_refused(org: Api) -> None:
    """FIELDS(ALL) and FIELDS(CUSTOM) need LIMIT ≤ 200."""
    assert len(org.rows("SELECT FIELDS(ALL) FROM Lead LIMIT 200")[0]) > 40
    custom = org.rows("SELECT FIELDS(CUSTOM) FROM Lead LIMIT 1")[0]
    assert all(name.endswith("__c") for name in custom)
    for text in ("SELECT FIELDS(ALL) FROM Lead", "SELECT FIELDS(CUSTOM) FROM Lead LIMIT 201"):
        assert org.query(text).codes == ["MALFORMED_QUERY"]
    reply = org.query("SELECT Id, FIELDS(ALL) FROM Lead LIMIT 1")
    assert reply.codes == ["INVALID_FIELD"]
    assert "duplicate field selected: Id" in reply.message


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("SELECT Id FRM Lead", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT FROM Lead", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY", "<EOF>"),
        ("SELECT Id FROM Lead WHERE A = 1 AND B = 2 OR C = 3", "MALFORMED_QUERY", "'OR'"),
        ("SELECT Id FROM Lead WHERE NOT Rating = 'Hot' AND Email = null", "MALFORMED_QUERY", "'AND'"),
        ("SELECT Id FROM Lead WHERE Email = 'a", "MALFORMED_QUERY", "closing quote"),
        (r"SELECT Id FROM Lead WHERE Email = 'a\x'", "MALFORMED_QUERY", "Illegal string escape"),
        ("SELECT * FROM Lead", "MALFORMED_QUERY", "no viable alternative"),
        ("SELECT Id, (SELECT Id FROM Tasks) FROM Lead", "MALFORMED_QUERY", "sub-select"),
        ("SELECT Id FROM Lead WITH SECURITY_ENFORCED", "MALFORMED_QUERY", "WITH"),
        ("SELECT Id FROM Lead; DROP", "MALFORMED_QUERY", "';'"),
        ("SELECT COUNT(), Id FROM Lead", "MALFORMED_QUERY", "only element"),
        ("SELECT Name, COUNT(Id) FROM Lead", "MALFORMED_QUERY", "grouped or aggregated: Name"),
        ("SELECT COUNT(Id) FROM Lead LIMIT 5", "MALFORMED_QUERY", "LIMIT"),
        ("SELECT Nope FROM Lead", "INVALID_FIELD", "No such column 'Nope' on entity 'Lead'. If you are attempting"),
        ("SELECT Nope.Id FROM Lead", "INVALID_FIELD", "Didn't understand relationship 'Nope'"),
        ("SELECT Id FROM Lead WHERE Nope = 1", "INVALID_FIELD", "'Nope'"),
        ("SELECT Id FROM Lead ORDER BY Nope", "INVALID_FIELD", "'Nope'"),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported"),
        ("SELECT Id FROM Lead WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
        ("SELECT Id FROM Lead ORDER BY Description", "INVALID_FIELD", "can not be sorted"),
        ("SELECT Id FROM Lead WHERE CreatedDate > '2024-01-01T00:00:00Z'", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2024-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2024-01-01T00:00:00", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Lead WHERE Email = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM Lead WHERE Marketing_Score__c = '5'", "INVALID_FIELD", "should not be enclosed in quotes"),
        ("SELECT Id FROM Lead WHERE Id = 'garbage'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: garbage"),
        ("SELECT Id FROM Lead WHERE Id LIKE '00Q%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field"),
        ("SELECT Id FROM Lead WHERE HasOptedOutOfEmail > TRUE", "INVALID_QUERY_FILTER_OPERATOR", "boolean"),
        ("SELECT Id FROM Lead WHERE Rating INCLUDES ('Hot')", "INVALID_QUERY_FILTER_OPERATOR", "picklist"),
        ("", "MALFORMED_QUERY", "query string"),
    ],
)
def test_what_the_vendor_refuses_is_refused_with_its_code(org: Api, text: str, code: str, words: str) -> None:
    """No unknown tail is ignored: a sandbox that guesses teaches bad queries."""
    reply = org.query(text)
    assert (reply.status, reply.codes) == (400, [code])
    assert words in reply.message


def test_an_error_shows_its_place(org: Api) -> None:
    """A caret under the token, with row and column."""
    assert org.query("SELECT Id FROM Nope").message.startswith(
        "\nSELECT Id FROM Nope\n               ^\nERROR at Row:1:Column:16\nsObject type"
    )


def test_multipicklists_are_sets() -> None:
    """INCLUDES('A;B', 'C') is (A and B) or C; order does not matter."""
    api = Api()
    api.act(
        "field",
        object="Lead",
        field="Topics__c",
        set={"type": "multipicklist", "length": 255, "values": ["A", "B", "C"]},
    )
    api.make(LastName="ab", Topics__c="B;A")
    api.make(LastName="c", Topics__c="C")
    api.make(LastName="none")
    assert api.rows("SELECT Topics__c FROM Lead WHERE LastName = 'ab'") == [{"Topics__c": "A;B"}]
    assert names(api, "Topics__c INCLUDES ('A;B')") == ["ab"]
    assert names(api, "Topics__c INCLUDES ('A;C', 'C')") == ["c"]
    assert names(api, "Topics__c EXCLUDES ('A')") == ["c", "none"]
    assert names(api, "Topics__c = 'B;A'") == ["ab"]


def test_pages_end_where_the_server_likes(org: Api) -> None:
    """Only `done` tells the end: pages may be smaller than asked for, and are never larger than 2000 or below 200."""
    org.app.switch({"random_pages": True})
    for number in range(700):
        org.act("create", object="Lead", values={"LastName": f"P{number}", "Company": "C"})
    sizes = []
    for _ in range(12):
        reply = org.query("SELECT Id FROM Lead ORDER BY Id", Sforce_Query_Options="batchSize=300")
        seen = [row["Id"] for row in reply.body["records"]]
        while not reply.body["done"]:
            sizes.append(len(reply.body["records"]))
            reply = org.call("GET", reply.body["nextRecordsUrl"])
            seen += [row["Id"] for row in reply.body["records"]]
        assert len(seen) == len(set(seen)) == reply.body["totalSize"] == 704
        assert "nextRecordsUrl" not in reply.body
    assert set(sizes) > {300}
    assert all(200 <= size <= 300 for size in sizes)


def test_locators_die_and_are_not_guessed() -> None:
    """400 INVALID_QUERY_LOCATOR for a made-up offset, one used twice where that matters, and one that is too old."""
    api = Api(page_rows=2)
    for number in range(5):
        api.make(LastName=f"P{number}")
    url = api.query("SELECT Id FROM Lead").body["nextRecordsUrl"]
    assert url.endswith("-2")
    assert api.call("GET", url.replace("-2", "-3")).codes == ["INVALID_QUERY_LOCATOR"]
    assert api.call("GET", url).status == api.call("GET", url).status == 200
    api.app.switch({"locator_once": True})
    assert [api.call("GET", url).status for _ in range(2)] == [200, 400]
    url = api.query("SELECT Id FROM Lead", "queryAll").body["nextRecordsUrl"]
    assert "/query/" in url
    api.app.switch({"session_life_s": 10**9})
    api.advance(172_801)
    assert api.call("GET", url).codes == ["INVALID_QUERY_LOCATOR"]


@pytest.mark.parametrize("live", [True, False])
def test_a_cursor_remembers_ids_or_values(live: bool) -> None:
    """Unverified which; both positions of the switch are real."""
    api = Api(page_rows=1, locator_live=live)
    keys = sorted(api.make(LastName=f"P{number}") for number in range(3))
    first = api.query("SELECT Id, LastName FROM Lead ORDER BY Id").body
    api.act("edit", object="Lead", key=keys[1], values={"LastName": "new"})
    api.act("delete", object="Lead", key=keys[2])
    second = api.call("GET", first["nextRecordsUrl"]).body
    third = api.call("GET", second["nextRecordsUrl"]).body
    assert (second["records"][0]["LastName"] == "new") is live
    assert len(third["records"]) == (0 if live else 1)
    assert third["done"]


def test_query_all_shows_the_recycle_bin() -> None:
    """`query` hides deleted rows even from a filter that asks for them; queryAll shows them."""
    api = Api()
    key = api.make()
    api.act("delete", object="Lead", key=key)
    assert api.rows("SELECT Id FROM Lead WHERE IsDeleted = true") == []
    assert api.rows("SELECT Id, IsDeleted FROM Lead", "queryAll") == [{"Id": key, "IsDeleted": True}]
