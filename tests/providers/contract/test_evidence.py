"""The evidence pack of a document, and the audit log that nobody can change, through the API and both sandboxes."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from resources.postgres import database_urls
from resources.postgres.urls import for_psycopg
from tests.api.world import problem
from tests.support.office import Office
from tests.support.office_api import OfficeApi


def test_a_pack_tells_what_was_sent_by_whom_and_what_changed_later(office: Office, api: OfficeApi) -> None:
    api.setting("bill", approval="review", closed_period="first_open_day")
    bill = office.bill(office.vendor())
    office.books.close_until("2026-05-31")
    api.sync()
    api.post("/approvals/accept-all", {"reason": "delivery note seen", "start_sync": True})
    (there,) = office.books.valid("bill")
    office.later(minutes=5)
    office.books.reprice("bill", there.id, "90.00")
    api.sync()

    pack = api.get(f"/evidence/bill/{bill}")
    (ledger,) = pack["ledgers"]
    assert (ledger["provider_entity_id"], ledger["linked_by"]) == (there.id, "created")
    (attempt,) = pack["attempts"]
    assert (attempt["state"], attempt["operation"], attempt["is_intact"]) == ("done", "create", True)
    assert attempt["approved_by"].startswith("api key owner")
    assert (attempt["posted_on"], attempt["mapping_version"], attempt["strategy"]) == (
        "2026-06-01",
        1,
        "last_write_wins",
    )
    assert attempt["payload"]["total"] == "100.00"
    assert len(attempt["payload_hash"]) == 64
    told = [(each["action"], each["is_after_last_send"]) for each in pack["changes"]]
    assert told == [("approval.accepted", False), ("push.create", False), ("sync.apply", True)]
    accepted, pushed, applied = pack["changes"]
    assert accepted["reason"] == "delivery note seen"
    assert (pushed["mapping_version"], pushed["after"]["remote_id"]) == (1, there.id)
    assert (applied["before"]["canonical"]["total"], applied["after"]["canonical"]["total"]) == (
        "100.00",
        "90.00",
    )
    assert applied["strategy"] == "last_write_wins"
    assert pack["record"]["total"] == "90.0000"


def test_a_record_that_nobody_has_is_not_found(api: OfficeApi) -> None:
    problem(api.client.get(f"/evidence/bill/{uuid4()}"), 404, "access.not_found")


@pytest.mark.parametrize(
    "statement", ["update audit_log set actor = 'nobody'", "delete from audit_log", "truncate audit_log"]
)
def test_nobody_changes_what_was_written_down_not_even_the_owner(office: Office, statement: str) -> None:
    office.bill(office.vendor())
    office.sync()
    with psycopg.connect(for_psycopg(database_urls(office.tieout.settings).admin)) as connection:
        connection.execute("set role tieout_owner")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            connection.execute(statement)  # type: ignore[call-overload]
    with pytest.raises((psycopg.errors.InsufficientPrivilege, sa.exc.ProgrammingError)):
        office.run(statement)
