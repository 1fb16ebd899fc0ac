"""Mischief and control: faults, limits, clock, seeds, snapshots, the bookkeeper's hand, the page."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.launch import main
from sandbox.quickbooks import create_app
from sandbox.quickbooks.emulator import QuickBooks
from tests.sandbox.quickbooks.conftest import Start
from tests.sandbox.quickbooks.driver import Books, Refused, cost_line

BILL = {"VendorRef": {"value": "5"}, "Line": [{**cost_line("44"), "Amount": 44}]}


def count(books: Books, entity: str = "Bill") -> int:
    return int(books.query(f"select count(*) from {entity}")["totalCount"])


# --- faults ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "is_executed"),
    [
        ("drop_before", False),
        ("drop_after", True),
        ("cut_body", True),
        ("timeout_before", False),
        ("timeout_after", True),
    ],
)
def test_a_write_can_be_lost_before_or_after_it_took_effect(
    books: Books, kind: str, is_executed: bool
) -> None:
    books.control("/faults", {"kind": kind, "method": "POST", "entity": "Bill", "seconds": 30})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadTimeout, httpx.ReadError)):
        books.raw("POST", "bill", json=BILL, timeout=1.0 if kind.startswith("timeout") else 30)
    assert count(books) == int(is_executed)
    assert books.is_balanced()


def test_a_lost_answer_is_found_again_by_its_request_id(books: Books) -> None:
    books.control("/faults", {"kind": "drop_after", "entity": "Bill", "method": "POST"})
    with pytest.raises(httpx.RemoteProtocolError):
        books.raw("POST", "bill", json=BILL, params={"requestid": "again"})
    assert books.raw("POST", "bill", json=BILL, params={"requestid": "again"}).status_code == 200
    assert count(books) == 1


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        ({"kind": "status", "status": 429}, 429, "3001"),
        ({"kind": "status", "status": 500}, 500, "10000"),
        ({"kind": "status", "status": 401}, 401, "3200"),
        ({"kind": "status", "status": 403}, 403, "3100"),
        ({"kind": "stale_token"}, 400, "5010"),
        ({"kind": "closed_period"}, 400, "6210"),
        ({"kind": "expired_token"}, 401, "3200"),
        ({"kind": "forbidden"}, 403, "3100"),
        ({"kind": "fault", "options": {"code": "6190", "status": 403}}, 403, "6190"),
    ],
)
def test_asked_for_faults_come_in_the_providers_own_shape(
    books: Books, rule: dict[str, Any], status: int, code: str
) -> None:
    books.control("/faults", {**rule, "method": "POST"})
    with pytest.raises(Refused) as caught:
        books.a_bill("1")
    assert (caught.value.status, caught.value.code) == (status, code)
    assert books.a_bill("1")["TotalAmt"] == 1


def test_a_gateway_error_is_not_json(books: Books) -> None:
    books.control("/faults", {"kind": "status", "status": 503})
    assert books.raw("GET", "customer/1").headers["content-type"].startswith("text/html")


def test_a_throttle_may_come_as_xml(books: Books) -> None:
    books.control("/faults", {"kind": "xml_throttle"})
    answer = books.raw("GET", "customer/1")
    assert (answer.status_code, answer.text[:5]) == (429, "<?xml")


def test_rules_fire_on_the_nth_match_and_as_often_as_told(books: Books) -> None:
    books.control("/faults", {"kind": "status", "status": 503, "path": "*/customer/*", "nth": 2, "count": 2})
    assert [books.raw("GET", "customer/1").status_code for _ in range(4)] == [200, 503, 503, 200]


def test_the_same_seed_makes_the_same_mischief(books: Books) -> None:
    seen: list[list[int]] = []
    for _ in range(2):
        books.control("/reset", {"seed": 7, "snapshot": "fresh"})
        books.tokens, _realm = books.connect()
        books.control(
            "/faults",
            {"kind": "status", "status": 503, "probability": 0.5, "count": None, "path": "*/term/*"},
        )
        seen.append([books.raw("GET", "term/1").status_code for _ in range(12)])
    assert seen[0] == seen[1]
    assert {200, 503} == set(seen[0])


def test_a_truncated_page_keeps_its_counts(books: Books) -> None:
    books.control("/faults", {"kind": "truncated_page", "path": "*/query"})
    answer = books.query("select * from Customer")
    assert (len(answer["Customer"]), answer["maxResults"]) == (2, 4)


def test_a_revoked_grant_stays_revoked(books: Books) -> None:
    books.control("/faults", {"kind": "revoked_grant"})
    assert books.raw("GET", "customer/1").status_code == 401
    assert books.raw("GET", "customer/1").status_code == 401
    assert books.refresh(books.tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_bad_rule_is_refused_in_one_sentence(books: Books) -> None:
    with pytest.raises(Refused) as caught:
        books.control("/faults", {"kind": "gremlin"})
    assert "Unknown fault kind 'gremlin'. Known:" in caught.value.detail


# --- limits and metering -----------------------------------------------------------------------------------


def test_limits_are_off_until_switched_on_and_then_count(books: Books) -> None:
    assert books.control("/limits")["enabled"] is False
    books.control("/limits", {"enabled": True, "requests_per_minute": {"limit": 3, "seconds": 60}})
    books.control("/clock", {"shift_seconds": 61})
    statuses = [books.raw("GET", "customer/1").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    books.control("/clock", {"shift_seconds": 61})
    assert books.raw("GET", "customer/1").status_code == 200


def test_reads_are_metered_and_writes_are_free(books: Books) -> None:
    before = books.control("/metering").get(books.realm, {"metered_reads": 0, "free_writes": 0})
    books.get("Customer", "1")
    books.query("select * from Customer")
    books.a_bill("1")
    after = books.control("/metering")[books.realm]
    assert after["metered_reads"] - before["metered_reads"] == 2
    assert after["free_writes"] - before["free_writes"] == 1


# --- worlds --------------------------------------------------------------------------------------------------


def test_companies_can_be_added_with_a_scenario(books: Books) -> None:
    made = books.control("/companies", {"name": "North Wall Builders", "scenario": "contractor_with_history"})
    driver = Books(books.url, made["realm"])
    assert len(driver.rows("select * from Invoice maxresults 1000")) > 20
    assert driver.get("CompanyInfo", "1")["CompanyName"] == "North Wall Builders"
    driver.close()


def test_the_same_seed_gives_the_same_world() -> None:
    worlds = []
    for _ in range(2):
        emulator = QuickBooks()
        emulator.clock.freeze()
        emulator.clock.move_to(emulator.clock.now().replace(year=2026, month=6, day=1))
        emulator.reset({})
        emulator.seed({"realm": "9341450000000101", "size": 300, "seed": 5})
        company = emulator.company("9341450000000101")
        worlds.append({entity: [row.wire for row in table.rows.values()] for entity, table in company.tables.items()
                       if entity[0] != "_" and entity not in ("Preferences", "CompanyInfo")})  # fmt: skip
    texts = [json.dumps({k: [strip(row) for row in v] for k, v in world.items()}) for world in worlds]
    assert texts[0] == texts[1]


def strip(row: bytes) -> Any:
    body = json.loads(row)
    body.pop("MetaData")
    return body


def test_a_snapshot_brings_everything_back(books: Books) -> None:
    books.a_bill("10")
    books.control("/snapshots/before", {})
    books.a_bill("20")
    books.control("/snapshots/before/restore", {})
    assert count(books) == 1
    assert books.is_balanced()


def test_the_books_survive_a_restart(tmp_path: Path) -> None:
    first = create_app(data=tmp_path).emulator
    first.seed({"realm": "9341450000000101", "size": 200})
    sums = first.company("9341450000000101").ledger.trial_balance()
    first.store.close()
    second = create_app(data=tmp_path).emulator
    assert second.company("9341450000000101").ledger.trial_balance() == sums
    assert all(check.is_balanced for check in second.check_books().values())
    with pytest.raises(OSError, match="is in use by another sandbox"):
        create_app(data=tmp_path)
    second.store.close()


def test_an_unknown_scenario_stops_the_start_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quickbooks", "--port", "0", "--seed", "utopia"]) == 1
    assert "There is no scenario 'utopia'. Known: contractor" in capsys.readouterr().err


def test_a_killed_sandbox_has_lost_nothing_it_answered(tmp_path: Path, start: Start) -> None:
    first = start("--data", str(tmp_path))
    driver = Books(first.url)
    bill = driver.a_bill("12.34")
    first.kill()
    second = start("--data", str(tmp_path))
    again = httpx.get(f"{second.url}/_sandbox/objects/{driver.realm}/bill/{bill['Id']}").json(
        parse_float=Decimal
    )
    assert again == bill
    assert httpx.get(f"{second.url}/_sandbox/ledger").json()["balanced"]
    driver.close()


def test_the_bookkeeper_can_change_a_bill_behind_the_integrations_back(books: Books) -> None:
    bill = books.a_bill("100")
    line = {"Amount": 140, "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "36"}}}  # fmt: skip
    books.control(
        "/act", {"realm": books.realm, "entity": "Bill", "id": bill["Id"], "body": {"Line": [line]}}
    )
    after = books.get("Bill", bill["Id"])
    assert (after["TotalAmt"], after["SyncToken"]) == (140, "1")
    made = books.control("/act", {"realm": books.realm, "entity": "Vendor", "operation": "create",
                                  "body": {"DisplayName": "By hand"}})  # fmt: skip
    assert books.get("Vendor", made["Id"])["DisplayName"] == "By hand"
    with pytest.raises(Refused) as caught:
        books.control("/act", {"realm": books.realm, "entity": "Vendor", "operation": "create", "body": {}})
    assert "QuickBooks refuses: 2020" in caught.value.detail


def test_merged_names_take_their_documents_along(books: Books) -> None:
    bill = books.a_bill("100", "6")
    books.control("/merge", {"realm": books.realm, "entity": "Vendor", "keep": "5", "lose": "6"})
    assert books.get("Bill", bill["Id"])["VendorRef"]["value"] == "5"
    assert books.get("Vendor", "5")["Balance"] == 100
    with pytest.raises(Refused):
        books.get("Vendor", "6")
    assert books.is_balanced()


def test_the_page_shows_the_books_and_escapes_names(books: Books) -> None:
    books.a_bill("100", books.a_vendor("<b>Bold</b> & Sons")["Id"])
    page = books.http.get("/").text
    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; Sons" in page
    assert "<b>Bold</b>" not in page
    assert "Operating Checking" in page
    assert "the ledger balances" in page
    pressed = books.http.post("/_sandbox/faults", data={"rule": '{"kind": "slow", "seconds": 0}'})
    assert pressed.status_code == 303


def test_the_request_log_knows_what_was_asked(books: Books) -> None:
    books.get("Customer", "1")
    entry = books.control("/requests?count=1")["requests"][0]
    assert (entry["method"], entry["status"], entry["entity"], entry["tenant"]) == (
        "GET",
        200,
        "Customer",
        books.realm,
    )
    assert entry["ms"] > 0


def test_control_mistakes_end_in_one_sentence(books: Books) -> None:
    for path, body, words in (
        ("/seed", {"size": 0}, "size must be a whole number"),
        ("/reset", {"scenario": "utopia"}, "There is no scenario 'utopia'"),
        ("/switches", {"pkce": "maybe"}, "pkce can be enforce or ignore"),
        ("/limits", {"calls": 1}, "There is no limit 'calls'"),
        ("/clock", {"now": "2026-01-01"}, "needs a time with an offset"),
        ("/snapshots/none/restore", {}, "There is no snapshot 'none'"),
        ("/companies", {}, "name is missing"),
    ):
        with pytest.raises(Refused) as caught:
            books.control(path, body)
        assert words in caught.value.detail
