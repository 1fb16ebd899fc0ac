"""Jobs, cost codes and cost types in QuickBooks' own lists: saved over the API, sent, and read back from its books."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from resources.settings import Settings
from resources.store.database import Database
from sync.records import Entity
from tests.flows.dimension_office import DimensionOffice
from tests.flows.quickbooks_world import QuickBooksWorld, quickbooks_world

Json = dict[str, Any]


@pytest.fixture
def world(settings: Settings, database: Database) -> Iterator[QuickBooksWorld]:
    with quickbooks_world(settings, database) as made:
        accounts = {row["Name"]: row for row in made.query("select * from Account maxresults 1000")}
        income = next(row["Id"] for row in accounts.values() if row["AccountType"] == "Income")
        cost = next(row["Id"] for row in accounts.values() if row["AccountType"] == "Cost of Goods Sold")
        made.map_to({"revenue": income, "cost_code": cost})
        yield made


@pytest.fixture
def office(world: QuickBooksWorld) -> Iterator[DimensionOffice]:
    with DimensionOffice(world) as office:
        yield office


def a_job(world: QuickBooksWorld, client: str, number: str = "1204", name: str = "Maple Street") -> str:
    return world.add("v2_jobs", number=number, name=name, client_id=client)


def only(world: QuickBooksWorld, entity: str, number: str) -> Json:
    (found,) = world.query(f"select * from {entity} where DocNumber = '{number}'")
    return found


def classes(world: QuickBooksWorld) -> dict[str, str]:
    """The active classes that the company did not have from the start: name → id."""
    old = {"Commercial", "Residential", "Service"}
    return {row["Name"]: row["Id"] for row in world.query("select * from Class") if row["Name"] not in old}


def details(document: Json) -> list[Json]:
    return [
        line[line["DetailType"]] for line in document["Line"] if line["DetailType"] != "SubTotalLineDetail"
    ]


def test_jobs_become_sub_customers_and_cost_types_classes(
    world: QuickBooksWorld, office: DimensionOffice
) -> None:
    office.save(("job", "sub_customer"), ("cost_type", "class"))
    client, vendor = world.client(), world.vendor()
    job = a_job(world, client)
    world.change("v2_cost_codes", world.code, cost_type="Subcontract")
    invoice_id = world.invoice(client, job_id=job)
    world.bill(vendor, job_id=job, amounts=("60.00", "40.25"))
    _, summaries, proof, _ = world.sync()
    assert [summaries[each].failed for each in (Entity.INVOICE, Entity.BILL)] == [[], []]

    (sub,) = world.query("select * from Customer where DisplayName = '1204 Maple Street'")
    assert (sub["Job"], sub["FullyQualifiedName"]) == (True, "Ann Ortega:1204 Maple Street")
    kind = classes(world)["Subcontract"]
    invoice, bill = only(world, "Invoice", "I-1"), only(world, "Bill", "B-1")
    assert invoice["CustomerRef"]["value"] == sub["Id"]
    assert [each["ClassRef"]["value"] for each in details(invoice)] == [kind]
    assert [(each["CustomerRef"]["value"], each["ClassRef"]["value"]) for each in details(bill)] == [
        (sub["Id"], kind)
    ] * 2
    assert proof.is_tied, [line for line in proof.lines if line.difference]

    # The job's invoice stays the client's here, whatever comes back, and an edit leaves it on its job there.
    world.change("v2_invoices", invoice_id, memo="Second thoughts")
    world.sync()
    assert only(world, "Invoice", "I-1")["CustomerRef"]["value"] == sub["Id"]
    assert world.value("select client_id::text from v2_invoices where id = %s", invoice_id) == client
    assert world.value("select count(*) from v2_clients") == 1
    _, summaries, _, calls = world.sync()
    assert (calls, sum(each.processed for each in summaries.values())) == (1, 0)


def test_an_option_that_was_found_by_name_is_neither_renamed_nor_archived(
    world: QuickBooksWorld, office: DimensionOffice
) -> None:
    theirs = world.post("class", {"Name": "1204 maple street"})
    office.save(("job", "class"))
    job = a_job(world, world.client())
    world.bill(world.vendor(), job_id=job)
    world.sync()
    assert [each["ClassRef"]["value"] for each in details(only(world, "Bill", "B-1"))] == [theirs["Id"]]
    world.run("update v2_jobs set name = 'Maple Court' where id = %s", job)
    world.sync()
    world.run("update v2_jobs set status = 'closed' where id = %s", job)
    world.sync()
    assert classes(world) == {"1204 maple street": theirs["Id"]}
    (option,) = office.options()
    assert (option["state"], option["label"]) == ("archived", "1204 Maple Court")
    world.bill(world.vendor("Late Supply"), number="B-2", job_id=job)
    world.sync()
    assert [each["ClassRef"]["value"] for each in details(only(world, "Bill", "B-2"))] == [theirs["Id"]]
    world.sync()
    assert classes(world) == {"1204 maple street": theirs["Id"]}
    _, summaries, _, calls = world.sync()
    assert (calls, sum(each.processed for each in summaries.values())) == (1, 0)


def test_an_option_that_was_made_follows_its_job_and_ends_with_it(
    world: QuickBooksWorld, office: DimensionOffice
) -> None:
    office.save(("job", "class"))
    job = a_job(world, world.client())
    world.bill(world.vendor(), job_id=job)
    world.sync()
    theirs = {"Id": classes(world)["1204 Maple Street"]}
    assert [each["ClassRef"]["value"] for each in details(only(world, "Bill", "B-1"))] == [theirs["Id"]]
    world.run("update v2_jobs set name = 'Maple Court' where id = %s", job)
    world.sync()
    assert classes(world) == {"1204 Maple Court": theirs["Id"]}
    world.run("update v2_jobs set status = 'closed' where id = %s", job)
    world.sync()
    assert classes(world) == {}
    (option,) = office.options()
    assert (option["state"], option["label"]) == ("archived", "1204 Maple Court")
    # A late bill of the closed job still finds its class.
    world.bill(world.vendor("Late Supply"), number="B-2", job_id=job)
    world.sync()
    assert [each["ClassRef"]["value"] for each in details(only(world, "Bill", "B-2"))] == [theirs["Id"]]
    world.sync()
    assert classes(world) == {}


def test_a_job_that_is_opened_again_gets_no_sub_customer_that_was_merged_away(
    world: QuickBooksWorld, office: DimensionOffice
) -> None:
    office.save(("job", "sub_customer"))
    client, vendor = world.client(), world.vendor()
    job, other = a_job(world, client), a_job(world, client, number="1205", name="Oak Lane")
    world.bill(vendor, number="B-1", job_id=job)
    world.bill(vendor, number="B-2", job_id=other)
    world.sync()
    (keep,) = world.query("select * from Customer where DisplayName = '1205 Oak Lane'")
    merged: set[str] = set()
    # Twice: QuickBooks answers a request that it has seen with the sub-customer that is gone, whenever it is asked.
    for number in ("B-3", "B-4"):
        (sub,) = world.query("select * from Customer where DisplayName = '1204 Maple Street'")
        world.run("update v2_jobs set status = 'closed' where id = %s", job)
        world.sync()
        world.merge("Customer", keep=keep["Id"], lose=sub["Id"])
        merged.add(sub["Id"])
        world.run("update v2_jobs set status = 'active' where id = %s", job)
        world.bill(vendor, number=number, job_id=job)
        _, summaries, _, _ = world.sync()
        assert summaries[Entity.BILL].failed == []
        (line,) = details(only(world, "Bill", number))
        (sub,) = world.query("select * from Customer where DisplayName = '1204 Maple Street'")
        assert line["CustomerRef"]["value"] == sub["Id"]
        assert sub["Id"] not in merged


def test_switching_a_dimension_on_changes_nothing_that_was_sent(
    world: QuickBooksWorld, office: DimensionOffice
) -> None:
    job = a_job(world, world.client())
    bill_id = world.bill(world.vendor(), job_id=job)
    world.sync()
    before = only(world, "Bill", "B-1")
    office.save(("job", "class"))
    _, summaries, _, _ = world.sync()
    assert summaries[Entity.BILL].processed == 0
    assert only(world, "Bill", "B-1") == before
    other = a_job(world, world.client("Bo Diaz"), "1300", "Oak Lane")
    world.change("v2_bills", bill_id, job_id=other)
    world.sync()
    kind = classes(world)["1300 Oak Lane"]
    assert [each["ClassRef"]["value"] for each in details(only(world, "Bill", "B-1"))] == [kind]


def test_a_new_job_reaches_the_ledger_though_the_ledger_changed_the_document_meanwhile(
    world: QuickBooksWorld, office: DimensionOffice
) -> None:
    office.save(("job", "class"))
    client = world.client()
    bill_id = world.bill(world.vendor(), job_id=a_job(world, client))
    world.sync()
    there = only(world, "Bill", "B-1")
    there["Line"][0]["Amount"] = 120
    world.run("update v2_bill_lines set description = 'Ours' where bill_id = %s", bill_id)
    world.change("v2_bills", bill_id, job_id=a_job(world, client, "1300", "Oak Lane"))
    world.post("bill", {**there, "sparse": True})
    world.run("update entity_settings set conflict_strategy = 'manual' where entity = 'bill'")
    world.sync()
    assert [label for label, _ in world.queue("conflict")] == ["Bill B-1 (Ridge Concrete)"]
    world.run(
        "update links set decision = 'use_theirs', state = 'open', decided_ours_checksum = ours_checksum,"
        " decided_theirs_checksum = theirs_checksum where entity = 'bill'"
    )
    world.sync()
    (line,) = only(world, "Bill", "B-1")["Line"]
    assert line["Amount"] == 120
    assert line["AccountBasedExpenseLineDetail"]["ClassRef"]["value"] == classes(world)["1300 Oak Lane"]


def test_classes_that_are_switched_off_hold_with_the_way_out_and_go_out_by_themselves(
    world: QuickBooksWorld, office: DimensionOffice
) -> None:
    world.post("preferences", {"sparse": True, "AccountingInfoPrefs": {"ClassTrackingPerTxnLine": False}})
    office.save(("job", "class"))
    job = a_job(world, world.client())
    world.bill(world.vendor(), job_id=job)
    world.sync()
    ((label, sentence),) = world.queue("held")
    assert label == "Bill B-1 (Ridge Concrete)"
    assert sentence.startswith(
        "Bill B-1 (Ridge Concrete) waits because job 1204 Maple Street is no class in QuickBooks"
    )
    assert "switch it on there under Account and settings > Advanced > Categories" in sentence
    world.post("preferences", {"sparse": True, "AccountingInfoPrefs": {"ClassTrackingPerTxnLine": True}})
    world.sync()
    assert world.queue("held") == []
    assert len(world.query("select * from Bill where DocNumber = 'B-1'")) == 1


def test_journal_entries_carry_their_jobs(world: QuickBooksWorld, office: DimensionOffice) -> None:
    office.save(("job", "sub_customer"), ("cost_code", "class"))
    job = a_job(world, world.client())
    entry = world.add("v2_journal_entries", number="JE-1", entry_date="2026-05-20", status="posted")
    (bank,) = world.rows(
        "select record_id from links where entity = 'account' and record_id is not null limit 1"
    )
    expense = world.value(
        "select id::text from v2_accounts where account_type = 'expense' and is_active order by name limit 1"
    )
    world.add(
        "v2_journal_entry_lines",
        journal_entry_id=entry,
        position=1,
        cost_code_id=world.code,
        job_id=job,
        debit="75.00",
    )
    world.add(
        "v2_journal_entry_lines", journal_entry_id=entry, position=2, account_id=expense, credit="75.00"
    )
    world.sync()
    assert bank
    (sub,) = world.query("select * from Customer where DisplayName = '1204 Maple Street'")
    first, second = details(only(world, "JournalEntry", "JE-1"))
    assert first["Entity"] == {
        "Type": "Customer",
        "EntityRef": {"value": sub["Id"], "name": sub["DisplayName"]},
    } or (first["Entity"]["EntityRef"]["value"] == sub["Id"])
    assert first["ClassRef"]["name"] == "03-100 Concrete"
    assert "ClassRef" not in second
    world.change("v2_journal_entries", entry, memo="Adjusted")
    world.sync()
    first, _ = details(only(world, "JournalEntry", "JE-1"))
    assert first["Entity"]["EntityRef"]["value"] == sub["Id"]
    assert world.value("select client_id from v2_journal_entry_lines where position = 1") is None


def test_item_mode_uses_one_item_per_cost_code_on_both_sides(
    world: QuickBooksWorld, office: DimensionOffice
) -> None:
    office.save(("cost_code", "item"))
    world.invoice(world.client())
    world.bill(world.vendor())
    _, _, proof, _ = world.sync()
    (item,) = [row for row in world.query("select * from Item") if row["Name"] == "03-100 Concrete"]
    (sold,) = details(only(world, "Invoice", "I-1"))
    (bought,) = details(only(world, "Bill", "B-1"))
    assert sold["ItemRef"]["value"] == item["Id"]
    assert bought["ItemRef"]["value"] == item["Id"]
    assert "AccountRef" not in bought
    assert proof.is_tied, [line for line in proof.lines if line.difference]
    world.sync()
    _, summaries, _, calls = world.sync()
    assert (calls, sum(each.processed for each in summaries.values())) == (1, 0)


def test_an_item_that_posts_elsewhere_than_the_mapping_says_is_told_before_it_is_sent(
    world: QuickBooksWorld, office: DimensionOffice
) -> None:
    expenses = world.query("select * from Account where AccountType = 'Expense'")
    item = world.post(
        "item",
        {"Name": "03-100 Concrete", "Type": "Service", "ExpenseAccountRef": {"value": expenses[0]["Id"]}},
    )
    office.save(("cost_code", "item"))
    world.bill(world.vendor())
    world.sync()
    ((_, sentence),) = world.queue("error")
    assert "uses the item 03-100 Concrete, which posts to" in sentence
    assert "change the account of the item there, or map its cost code to the same one" in sentence
    assert item["Id"]
    assert world.query("select * from Bill where DocNumber = 'B-1'") == []


def test_a_cost_code_is_mapped_to_an_item_that_is_there_by_its_name(
    world: QuickBooksWorld, office: DimensionOffice
) -> None:
    cost = world.value(
        "select provider_account_id from v2_account_mappings where platform_entity_type = 'cost_code'"
    )
    theirs = world.post("item", {"Name": "Flatwork", "Type": "Service", "ExpenseAccountRef": {"value": cost}})
    office.save(("cost_code", "item"))
    office.name("cost_code", world.code, list_name="item", name="Flatwork")
    world.bill(world.vendor())
    world.sync()
    (bought,) = details(only(world, "Bill", "B-1"))
    assert bought["ItemRef"]["value"] == theirs["Id"]


def test_tax_codes_are_sent_by_document_and_role_and_a_wrong_one_is_told(
    world: QuickBooksWorld, office: DimensionOffice
) -> None:
    office.save(tax=[("invoice", None, "non"), ("bill", None, "Exempt")])
    world.invoice(world.client())
    world.bill(world.vendor())
    world.sync()
    assert [each["TaxCodeRef"]["value"] for each in details(only(world, "Invoice", "I-1"))] == ["NON"]
    ((_, sentence),) = world.queue("error")
    assert sentence.startswith(
        "Bill B-1 (Ridge Concrete) was not sent: QuickBooks has no tax code “Exempt”, which is chosen for its lines"
    )
