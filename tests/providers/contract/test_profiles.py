"""The four profiles and both directions of a mapping, set over the API and read back from the ledger's own balances."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.api.world import exact
from tests.support.office import Office
from tests.support.office_api import OfficeApi

Row = dict[str, Any]


def row(profile: str, account: str, *, code: str | None = None, job: str | None = None, **more: str) -> Row:
    return {
        "platform_entity_type": profile,
        "platform_cost_code_id": code,
        "platform_job_id": job,
        "provider_account_id": account,
        **more,
    }


def save(api: OfficeApi, *rows: Row) -> None:
    exact(api.client.put("/mappings", {"version": api.get("/mappings")["version"], "rows": list(rows)}))


def opened(api: OfficeApi, *wanted: tuple[str, str, str]) -> list[str]:
    """Accounts (name, kind, number) that the bookkeeper has just opened, as the product has seen them."""
    made = [api.office.books.add_account(name, kind, number=number) for name, kind, number in wanted]
    api.sync()
    return made


def lines(office: Office, table: str, document: str, *wanted: tuple[str | None, str, str]) -> None:
    """Give a document these lines (code, role, amount) instead of its own, and their sum."""
    column = "bill_id" if table == "v2_bills" else "invoice_id"
    office.run(f"delete from {table[:-1]}_lines where {column} = %s", document)
    for position, (code, role, amount) in enumerate(wanted, 1):
        more = {"cost_code_id": code, "role": role, "amount": amount, "description": f"{role} {position}"}
        office.add(f"{table[:-1]}_lines", **{column: document}, position=position, **more)
    office.change(table, document, total=sum((Decimal(each[2]) for each in wanted), Decimal(0)))


def test_costs_sales_assets_and_liabilities_are_booked_apart_with_defaults_that_say_where_they_are_from(
    office: Office, api: OfficeApi
) -> None:
    site, other, held_for_us, held_by_us, stored = opened(
        api,
        ("Site Works", "cost", "5190"),
        ("Any Other Cost", "cost", "5990"),
        ("Withheld By Clients", "asset", "1290"),
        ("Withheld From Trades", "liability", "2290"),
        ("Materials In The Yard", "asset", "1295"),
    )
    books, concrete = office.books, office.code
    rebar, odd = (
        office.add("v2_cost_codes", code=code, name=name)
        for code, name in (("03-200", "Rebar"), ("99-100", "Oddments"))
    )
    job = office.add("v2_jobs", number="1204", name="Maple Street")
    income, cost = books.account("income"), books.account("cost")
    save(
        api,
        row("cost_code", cost, code=concrete),
        row("cost_code", cost, code=rebar),
        row("cost_code", site, job=job),
        row("cost_code", other),
        row("revenue", income, code=concrete),
        row("asset", held_for_us),
        row("asset", stored, code=concrete),
        row("liability", held_by_us),
    )
    shown = {
        (each["platform_entity_type"], each["platform_cost_code_id"]): each
        for each in api.get("/mappings")["rows"]
        if each["platform_job_id"] is None
    }
    inherited = shown["cost_code", odd]
    assert (inherited["state"], inherited["inherited_from"], inherited["provider_account_id"]) == (
        "mapped",
        "company",
        other,
    )
    before = books.balances()
    vendor, client = office.vendor(), office.client()
    first, second = office.bill(vendor), office.bill(vendor, number="B-2", job_id=job)
    lines(
        office,
        "v2_bills",
        first,
        (concrete, "work", "60.00"),
        (rebar, "work", "40.00"),
        (odd, "work", "7.00"),
        (None, "retainage", "-10.00"),
    )
    lines(office, "v2_bills", second, (odd, "work", "25.00"))
    invoice = office.invoice(client)
    lines(
        office,
        "v2_invoices",
        invoice,
        (concrete, "work", "500.00"),
        (concrete, "stored_materials", "80.00"),
        (None, "retainage", "-50.00"),
    )
    api.sync()
    assert api.held() == []
    after = books.balances()
    moved = {
        account: after.get(account, Decimal(0)) - before.get(account, Decimal(0)) for account in (*after,)
    }
    assert {account: amount for account, amount in moved.items() if amount} == {
        cost: Decimal(100),  # two codes on one account
        other: Decimal(7),  # the company's default
        site: Decimal(25),  # the job's default goes before it
        held_by_us: Decimal(-10),
        income: Decimal(-500),
        stored: Decimal(-80),
        held_for_us: Decimal(50),
        books.account("receivable"): Decimal(530),
        books.account("payable"): Decimal(-122),
    }
    sources = {
        source
        for (found,) in office.rows(
            "select after -> 'account_sources' from audit_log where action = 'push.create' and entity = 'bill'"
        )
        for source in found
    }
    assert sources == {"code", "job", "company"}
    assert office.settled().proof.is_tied


def test_what_suggestions_draft_is_booked_once_it_is_published(office: Office, api: OfficeApi) -> None:
    (framing,) = opened(api, ("Framing", "cost", "5610"))
    code = office.add("v2_cost_codes", code="06-100", name="Rough framing")
    bill = office.bill(office.vendor())
    lines(office, "v2_bills", bill, (code, "work", "75.00"))
    api.sync()
    assert [reason for _, reason in api.held()] == ["hold.mapping_missing"]
    (gap,) = [each for each in api.get("/mappings")["rows"] if each["platform_cost_code_id"] == code][:1]
    assert (gap["suggestion"]["provider_account_id"], gap["suggestion"]["score"] >= 70) == (framing, True)
    draft = api.post("/mappings/drafts", {"with_suggestions": True})
    impact = api.get(f"/mappings/drafts/{draft['id']}/impact")
    assert [each["records"] for each in impact["released"]] == [1]
    api.post(f"/mappings/drafts/{draft['id']}/publish", {"revision": 1})
    api.sync()
    assert office.books.bill_lines("B-1") == [(Decimal(75), framing)]
    assert api.held() == []


def test_a_row_sends_reads_back_or_both_as_its_direction_says(office: Office, api: OfficeApi) -> None:
    accounts = dict(
        zip(
            ("push", "pull", "both"),
            opened(api, *((f"Works {n}", "cost", f"519{n}") for n in range(3))),
            strict=True,
        )
    )
    codes = {
        way: office.add("v2_cost_codes", code=f"7{n}-100", name=f"Trade {way}")
        for n, way in enumerate(accounts)
    }
    save(
        api,
        *(row("cost_code", accounts[way], code=codes[way], mapping_direction=way) for way in accounts),
        row("revenue", office.books.account("income"), code=office.code),
    )
    assert {
        each["mapping_direction"]: each["state"]
        for each in api.get("/mappings")["rows"]
        if each["platform_entity_type"] == "cost_code" and each["mapping_direction"]
    } == {"push": "mapped", "pull": "unmapped", "both": "mapped"}
    api.setting("bill", direction="both")
    vendor = office.vendor()
    for way, code in codes.items():
        ours = office.bill(vendor, number=f"OURS-{way}")
        lines(office, "v2_bills", ours, (code, "work", "10.00"))
    api.sync()
    party = office.books.valid("bill")[0].party
    for way, account in accounts.items():
        office.books.enter("bill", party, number=f"THEIRS-{way}", amount="20.00", account=account)
    api.sync()
    assert office.books.bill_lines("OURS-push") == [(Decimal(10), accounts["push"])]
    assert office.books.bill_lines("OURS-both") == [(Decimal(10), accounts["both"])]
    assert api.held() == [("Bill OURS-pull (Ridge Concrete)", "hold.mapping_missing")]
    coded = dict(
        office.rows(
            "select b.number, l.cost_code_id::text from v2_bills b join v2_bill_lines l on l.bill_id = b.id"
            " where b.number like 'THEIRS%%'"
        )
    )
    assert coded == {"THEIRS-push": None, "THEIRS-pull": codes["pull"], "THEIRS-both": codes["both"]}


def test_an_entity_is_born_where_its_direction_says_and_edits_of_a_pair_go_both_ways(
    office: Office, api: OfficeApi
) -> None:
    """push: what is new there stays there · both: it comes here · pull: nothing of ours is sent."""
    vendor = office.vendor()
    first = office.bill(vendor)
    api.sync()
    (there,) = office.books.valid("bill")
    office.books.enter("bill", there.party, number="T-1", amount="30.00")
    office.later(minutes=5)
    office.books.reprice("bill", there.id, "90.00")
    api.sync()
    here = "select number, total from v2_bills order by number"
    assert office.rows(here) == [("B-1", Decimal(90))], (
        "an edit of what was sent comes back, new bills do not"
    )
    api.setting("bill", direction="both")
    api.sync()
    assert office.rows(here) == [("B-1", Decimal(90)), ("T-1", Decimal(30))]
    api.setting("bill", direction="pull")
    office.bill(vendor, number="B-2")
    office.run("update v2_bill_lines set amount = 77 where bill_id = %s", first)
    office.change("v2_bills", first, total=77)
    api.sync()
    assert {one.number: one.total for one in office.books.valid("bill")} == {
        "B-1": Decimal(90),
        "T-1": Decimal(30),
    }
    assert ("B-1", Decimal(90)) in office.rows(here), "where only the ledger may change it, ours follows"
    api.setting("bill", direction="push")
    api.sync()
    assert {one.number for one in office.books.valid("bill")} == {"B-1", "B-2", "T-1"}
