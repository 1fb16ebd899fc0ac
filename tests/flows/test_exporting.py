"""Exporting: what is in the file, what is kept from a spreadsheet, and that importing it again changes nothing."""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from resources.exports.exporter import ExportWanted, export
from resources.store.database import Database
from sync.errors import InvalidInput
from sync.exports.datasets import DATASETS, ExportFormat, dataset_of
from sync.imports.formats import ImportEntity
from sync.imports.formulas import ID_HEADING, restored
from sync.imports.texts import clean_text
from sync.money import round_cents
from sync.records import name_key
from tests.support.imports import Books

FORMATS = list(ExportFormat)
# The order in which files are imported: what documents name comes first.
ORDER = [
    "cost_codes",
    "clients",
    "vendors",
    "jobs",
    "accounts",
    "purchase_orders",
    "invoices",
    "bills",
    "journal_entries",
    "payments",
]


def insert(books: Books, table: str, **values: Any) -> UUID:
    """One row as any program of the platform writes it."""
    row: dict[str, Any] = {"builder_id": books.builder_id, "id": uuid4(), **values}
    with books.database.builder_tx(books.builder_id) as tx:
        tx.connection.exec_driver_sql(
            f"insert into {table} ({', '.join(row)}) values ({', '.join(f'%({name})s' for name in row)})",
            row,
        )
    found: UUID = row["id"]
    return found


def exported(books: Books, dataset: str, kind: ExportFormat, folder: Path, **filters: Any) -> Path:
    wanted = ExportWanted(dataset_of(dataset), kind, filters)
    return export(
        books.database, books.builder_id, wanted, path=folder / f"{uuid4()}" / f"{dataset}.{kind}"
    ).path


def table_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


@pytest.fixture
def books(database: Database) -> Books:
    return Books(database)


@pytest.fixture
def invoice(books: Books) -> UUID:
    client = insert(books, "v2_clients", name='Quillon, "Bert"')
    code = insert(books, "v2_cost_codes", code="03-100", name="Footings")
    found = insert(
        books,
        "v2_invoices",
        number="D-1",
        client_id=client,
        invoice_date=date(2026, 3, 31),
        status="approved",
        total=Decimal("90071992547409.93"),
    )
    for position, (amount, description) in enumerate(
        [("90071992547409.93", "=HYPERLINK(1)"), ("-0.00", "Ünïcode — 梁")], start=1
    ):
        insert(
            books,
            "v2_invoice_lines",
            invoice_id=found,
            position=position,
            amount=Decimal(amount),
            description=description,
            cost_code_id=code,
        )
    return found


def test_a_csv_file_has_the_headings_of_an_import_and_amounts_digit_by_digit(
    books: Books, invoice: UUID, tmp_path: Path
) -> None:
    path = exported(books, "invoices", ExportFormat.CSV, tmp_path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf"), "Excel knows UTF-8 by its mark"
    first, second = table_of(path)
    assert (first["Number"], first["Client"], first["Date"]) == ("D-1", 'Quillon, "Bert"', "2026-03-31")
    assert (first["Amount"], first["Total"], second["Amount"]) == (
        "90071992547409.93",
        "90071992547409.93",
        "0.00",
    )
    assert second["Number"] == "D-1", "each row can be filtered by its document"
    assert first[ID_HEADING] == str(invoice)


def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(
    books: Books, invoice: UUID, tmp_path: Path
) -> None:
    (first, _) = table_of(exported(books, "invoices", ExportFormat.CSV, tmp_path))
    assert first["Description"] == "'=HYPERLINK(1)"
    sheet = openpyxl.load_workbook(exported(books, "invoices", ExportFormat.XLSX, tmp_path)).active
    described = [cell for row in sheet.iter_rows() for cell in row if "HYPERLINK" in str(cell.value)]
    assert [(cell.data_type, cell.value) for cell in described] == [("s", "'=HYPERLINK(1)")]


def test_a_workbook_has_typed_cells_frozen_headings_and_widths(
    books: Books, invoice: UUID, tmp_path: Path
) -> None:
    sheet = openpyxl.load_workbook(exported(books, "invoices", ExportFormat.XLSX, tmp_path)).active
    headings = [cell.value for cell in sheet[1]]
    row = dict(zip(headings, sheet[3], strict=True))
    assert sheet.freeze_panes == "A2"
    assert row["Date"].is_date
    assert (row["Amount"].data_type, row["Amount"].number_format) == ("n", "#,##0.00;[Red]-#,##0.00")
    assert sheet.column_dimensions["A"].width > 15
    # More digits than Excel can keep are not rounded: they are a text.
    assert sheet.cell(2, headings.index("Amount") + 1).value == "90071992547409.93"


def test_json_lines_nest_the_lines_of_a_document(books: Books, invoice: UUID, tmp_path: Path) -> None:
    path = exported(books, "invoices", ExportFormat.JSONL, tmp_path)
    (text,) = path.read_text().splitlines()
    document = json.loads(text, parse_float=Decimal)
    assert (document["number"], document["total"], document["tieout_id"]) == (
        "D-1",
        Decimal("90071992547409.93"),
        str(invoice),
    )
    assert [line["description"] for line in document["lines"]] == ["=HYPERLINK(1)", "Ünïcode — 梁"]


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("kind", FORMATS)
def test_every_export_works_while_there_is_nothing_in_it(
    books: Books, dataset: str, kind: ExportFormat, tmp_path: Path
) -> None:
    path = exported(books, dataset, kind, tmp_path)
    if kind is ExportFormat.CSV:
        assert table_of(path) == []
        assert path.read_text(encoding="utf-8-sig").count(",") == len(DATASETS[dataset].columns) - 1
    if kind is ExportFormat.JSONL:
        assert path.read_text() == ""


def test_documents_of_other_days_and_states_are_filtered_out(
    books: Books, invoice: UUID, tmp_path: Path
) -> None:
    for filters, rows in (
        ({"since": date(2026, 3, 31), "until": date(2026, 4, 1)}, 2),
        ({"until": date(2026, 3, 31)}, 0),
        ({"status": "draft"}, 0),
        ({"status": "approved"}, 2),
    ):
        assert len(table_of(exported(books, "invoices", ExportFormat.CSV, tmp_path, **filters))) == rows


def test_a_filter_that_an_export_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(InvalidInput, match=r"cannot be filtered by entity.*: status, since, until"):
        ExportWanted(dataset_of("invoices"), ExportFormat.CSV, {"entity": "bill"})


def test_another_builder_s_rows_are_in_nobody_else_s_file(
    books: Books, invoice: UUID, database: Database, tmp_path: Path
) -> None:
    assert table_of(exported(Books(database), "invoices", ExportFormat.CSV, tmp_path)) == []


def test_an_export_that_fails_leaves_no_half_file(books: Books, invoice: UUID, tmp_path: Path) -> None:
    def stop(_rows: int) -> None:
        raise KeyboardInterrupt

    for number in range(3):
        insert(books, "v2_vendors", name=f"Vendor {number}")
    wanted = ExportWanted(dataset_of("vendors"), ExportFormat.CSV)
    path = tmp_path / "vendors.csv"
    path.write_text("what was there before")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("resources.exports.writing.ROWS_PER_CALL", 1)
        export(books.database, books.builder_id, wanted, path=path, on_rows=stop)
    assert path.read_text() == "what was there before"
    assert [each.name for each in tmp_path.iterdir()] == ["vendors.csv"]


# ------------------------------------------------------------------ there and back

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Co", "Cn")), min_size=1, max_size=25
).map(clean_text).filter(lambda text: bool(text) and restored(text) == text)  # fmt: skip
SIGNED = st.tuples(st.sampled_from(["", "", "=", "'", "+", "-", "@", "'="]), TEXT).map("".join)
NAME = (
    st.text("abcdefghij kl,'&.ÉéŁ", min_size=3, max_size=20)
    .map(clean_text)
    .filter(lambda name: len(name_key(name)) > 2)
)
CENTS = st.integers(-(10**9), 10**9).map(lambda cents: Decimal(cents) / 100)
DAY = st.integers(0, 700).map(lambda days: date(2025, 1, 1) + timedelta(days=days))
LINES = st.lists(
    st.tuples(SIGNED, CENTS, st.sampled_from(["work", "retainage", "stored_materials"])),
    min_size=1,
    max_size=3,
)
DOCUMENTS = st.lists(
    st.tuples(DAY, SIGNED, LINES, st.sampled_from(["draft", "approved"])), min_size=1, max_size=4
)
ORDERS = st.lists(
    st.tuples(
        DAY,
        st.sampled_from(["draft", "open", "received", "closed", "cancelled"]),
        st.lists(
            st.tuples(SIGNED, st.integers(1, 10**6).map(lambda n: Decimal(n) / 10**4), st.integers(1, 10**7)),
            min_size=1,
            max_size=3,
        ),
    ),
    min_size=1,
    max_size=3,
)
# Each takes every kind of record there and back; more by hand.
ROUNDS = int(os.environ.get("EXPORT_ROUNDS", "3"))
PAYMENTS = st.lists(st.tuples(DAY, SIGNED, st.none() | SIGNED, st.integers(0, 10**6)), min_size=1, max_size=3)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", FORMATS)
@settings(
    max_examples=ROUNDS,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    written=st.fixed_dictionaries(
        {
            "names": st.lists(NAME, min_size=2, max_size=3, unique_by=name_key),
            "invoices": DOCUMENTS,
            "bills": DOCUMENTS,
            "orders": ORDERS,
            "entries": st.lists(st.tuples(DAY, SIGNED, st.integers(1, 10**8)), min_size=1, max_size=3),
            "payments": PAYMENTS,
            "note": SIGNED,
        }
    )
)
def test_what_is_exported_and_imported_again_is_the_same(
    database: Database,
    tmp_path_factory: pytest.TempPathFactory,
    kind: ExportFormat,
    written: dict[str, Any],
) -> None:
    folder = tmp_path_factory.mktemp("round")
    books, other = Books(database), Books(database)
    fill(books, **written)
    for dataset in ORDER:
        path = exported(books, dataset, kind, folder)
        assert has_rows(path, kind), f"{dataset}: nothing of it was tried"
        again = books.bring(dataset, path)
        assert again.documents_written == 0, (
            f"{dataset}: importing an export of what is here changed something"
        )
        other.bring(dataset, path)
        assert same(exported(other, dataset, kind, folder), path, kind=kind), dataset


def test_everything_that_can_be_imported_goes_there_and_back() -> None:
    # Opening balances are journal entries once they are here.
    assert {*ORDER, ImportEntity.OPENING_BALANCES} == set(ImportEntity)


def has_rows(path: Path, kind: ExportFormat) -> bool:
    if kind is ExportFormat.XLSX:
        return bool(openpyxl.load_workbook(path).active.max_row > 1)
    return len(path.read_text(encoding="utf-8-sig").splitlines()) > (kind is ExportFormat.CSV)


def same(one: Path, other: Path, *, kind: ExportFormat) -> bool:
    """Whether two exports say the same, their own ids aside."""
    return content(one, kind) == content(other, kind)


def content(path: Path, kind: ExportFormat) -> Any:
    if kind is ExportFormat.JSONL:
        documents = [json.loads(line, parse_float=Decimal) for line in path.read_text().splitlines()]
        return [{key: value for key, value in each.items() if key != "tieout_id"} for each in documents]
    if kind is ExportFormat.CSV:
        return [{key: value for key, value in row.items() if key != ID_HEADING} for row in table_of(path)]
    rows = list(openpyxl.load_workbook(path).active.iter_rows(values_only=True))
    place = rows[0].index(ID_HEADING)
    return [row[:place] + row[place + 1 :] for row in rows]


def fill(
    books: Books,
    *,
    names: list[str],
    orders: list[Any],
    invoices: list[Any],
    bills: list[Any],
    entries: list[Any],
    payments: list[Any],
    note: str,
) -> None:
    """A builder's books, as its programs may have written them."""
    clients = [
        insert(books, "v2_clients", name=name, city=clean_text(note), is_active=place > 0)
        for place, name in enumerate(names)
    ]
    vendors = [insert(books, "v2_vendors", name=name, email="a@b.example") for name in names]
    codes = [
        insert(books, "v2_cost_codes", code=f"0{place}-100", name=name) for place, name in enumerate(names)
    ]
    jobs = [
        insert(
            books,
            "v2_jobs",
            number=f"26-{place}",
            name=name,
            client_id=clients[0],
            contract_amount=Decimal("1234.50"),
        )
        for place, name in enumerate(names)
    ]
    accounts = [
        insert(
            books, "v2_accounts", name=name, number=f"60{place}0", account_type="expense", description=note
        )
        for place, name in enumerate(names)
    ]
    for place, (day, status, lines) in enumerate(orders):
        order(
            books,
            f"PO-{place}",
            lines,
            codes,
            vendor_id=vendors[0],
            job_id=jobs[-1],
            order_date=day,
            status=status,
        )
    for place, (day, memo, lines, status) in enumerate(invoices):
        document(
            books,
            "invoice",
            {
                "number": f"D-{place}",
                "client_id": clients[-1],
                "job_id": jobs[0],
                "invoice_date": day,
                "memo": memo,
                "status": status,
            },
            lines,
            codes,
        )
    for place, (day, memo, lines, status) in enumerate(bills):
        number = None if place == 1 else f"B {place}"
        document(
            books,
            "bill",
            {
                "number": number,
                "vendor_id": vendors[-1],
                "bill_date": day,
                "due_date": day,
                "memo": memo,
                "status": status,
            },
            lines,
            codes,
        )
    for place, (day, memo, cents) in enumerate(entries):
        entry = insert(
            books, "v2_journal_entries", number=f"J-{place}", entry_date=day, memo=memo, status="posted"
        )
        for position, side in enumerate(("debit", "credit"), start=1):
            insert(
                books,
                "v2_journal_entry_lines",
                journal_entry_id=entry,
                position=position,
                account_id=accounts[position % 2],
                **{side: Decimal(cents) / 100},
            )

    for place, (day, memo, reference, cents) in enumerate(payments):
        payment(books, clients[-1], day, memo, None if place else reference, cents, place)


def order(books: Books, number: str, lines: list[Any], codes: list[UUID], **values: Any) -> None:
    amounts = [round_cents(quantity * Decimal(price) / 100) for _, quantity, price in lines]
    found = insert(books, "v2_purchase_orders", number=number, total=sum(amounts, Decimal(0)), **values)
    for position, ((description, quantity, price), amount) in enumerate(
        zip(lines, amounts, strict=True), start=1
    ):
        insert(
            books,
            "v2_purchase_order_lines",
            purchase_order_id=found,
            position=position,
            description=description,
            quantity=quantity,
            unit_price=Decimal(price) / 100,
            amount=amount,
            cost_code_id=codes[-1],
        )


def payment(
    books: Books, client: UUID, day: date, memo: str, reference: str | None, cents: int, place: int
) -> None:
    invoices = books.rows("select id, total from v2_invoices order by number limit 2")
    applied = [(found, min(total, Decimal(1) / 100)) for found, total in invoices]
    # Each another amount, so that those without a reference are not one payment.
    amount = Decimal(cents) / 100 + len(applied) + place + 1
    found = insert(
        books,
        "v2_payments",
        client_id=client,
        payment_date=day,
        amount=amount,
        unapplied_amount=amount - sum((each for _, each in applied), Decimal(0)),
        reference=reference,
        method="check",
        memo=memo,
    )
    for invoice_id, each in applied:
        insert(books, "v2_payment_applications", payment_id=found, invoice_id=invoice_id, amount=each)


def document(books: Books, kind: str, values: dict[str, Any], lines: list[Any], codes: list[UUID]) -> None:
    """An invoice or bill; credits are no documents of their own, so that its first line outweighs the others."""
    total = sum((amount for _, amount, _ in lines), Decimal(0))
    if total <= 0:
        lines, total = [*lines, ("the rest", 1 - total, "work")], Decimal(1)
    found = insert(books, f"v2_{kind}s", **values, total=total)
    for position, (description, amount, role) in enumerate(lines, start=1):
        insert(
            books,
            f"v2_{kind}_lines",
            **{f"{kind}_id": found},
            position=position,
            description=description,
            amount=amount,
            role=role,
            cost_code_id=None if role == "retainage" else codes[0],
        )
