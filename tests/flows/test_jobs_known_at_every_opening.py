"""Whoever opens a connection knows its jobs: real-time passes, single steps, and with every dimension switched off."""

from __future__ import annotations

from uuid import UUID

from sync.records import Entity
from tests.flows.dimension_office import DimensionOffice
from tests.flows.quickbooks_world import QuickBooksWorld
from tests.flows.test_quickbooks_dimensions import a_job, office, only, world

__all__ = ["office", "world"]


def posted(world: QuickBooksWorld, office: DimensionOffice) -> tuple[str, str, str, str]:
    """A synced invoice on a job: client, job, invoice, and the job's id in QuickBooks."""
    office.save(("job", "sub_customer"))
    client = world.client()
    job = a_job(world, client)
    invoice_id = world.invoice(client, job_id=job)
    world.sync()
    (sub,) = world.query("select * from Customer where DisplayName = '1204 Maple Street'")
    return client, job, invoice_id, sub["Id"]


def one_step(world: QuickBooksWorld) -> None:
    """What a real-time pass or one step of a run does: open the connection anew, sync one entity, no pull."""
    run = world.tieout.note_run(
        UUID(world.builder_id),
        UUID(world.connection_id),
        entities=[Entity.INVOICE],
        direction="both",
        requested_by="real time",
        trigger="real_time",
    )
    with world.tieout.sync(world.builder_id, world.connection_id, run) as sync:
        sync.sync_entity(Entity.INVOICE)


def test_an_edit_sent_without_a_pull_keeps_the_invoice_on_its_job(
    world: QuickBooksWorld, office: DimensionOffice
) -> None:
    client, job, invoice_id, sub_id = posted(world, office)
    second = world.invoice(client, number="I-2", job_id=job)
    world.change("v2_invoices", invoice_id, memo="Second thoughts")
    one_step(world)
    world.change("v2_invoices", second, memo="Third thoughts")
    one_step(world)
    for number in ("I-1", "I-2"):
        assert only(world, "Invoice", number)["CustomerRef"]["value"] == sub_id


def test_with_dimensions_switched_off_an_invoice_on_a_job_stays_its_clients(
    world: QuickBooksWorld, office: DimensionOffice
) -> None:
    client, _, invoice_id, _ = posted(world, office)
    office.save()
    world.sync()
    now = only(world, "Invoice", "I-1")
    world.post(
        "invoice",
        {"Id": now["Id"], "SyncToken": now["SyncToken"], "sparse": True, "DueDate": "2026-12-30"},
    )
    world.sync()
    assert world.value("select client_id::text from v2_invoices where id = %s", invoice_id) == client
