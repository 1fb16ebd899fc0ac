"""Reading single records again, and looking in the ledger for records that could be one of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from resources.xero.chart import Chart
from resources.xero.client import PAGE_SIZE, Client
from resources.xero.read import Reader
from resources.xero.receipts import (
    BATCH,
    CREDIT_RESOURCES,
    PAYMENT_TYPES,
    RECEIPT,
    RECEIVED,
    TRANSFER,
    batch_deposit,
    credit,
    grouped,
    receipt,
    received_deposit,
    transfer_deposit,
)
from resources.xero.words import NAMES, RESOURCES, TYPES, clause_of
from sync.errors import RejectedByProvider
from sync.likeness import could_be
from sync.records import Canonical, Entity, RemoteRecord, name_key, number_key

Json = Mapping[str, Any]

CANDIDATES_MAX = 50
IDS_PER_CALL = 50
_NOT_IN_FILTERS = frozenset('",\\')


class Finder:
    """Reads and looks for records of one organisation."""

    def __init__(self, client: Client, *, reader: Reader, chart: Chart, home_currency: str) -> None:
        self._client = client
        self._reader = reader
        self._chart = chart
        self._home = home_currency

    # ------------------------------------------------------------------ by id

    def read(self, entity: Entity, remote_id: str) -> RemoteRecord | None:
        """Read one record as it stands now; None where Xero no longer has it."""
        if entity in RESOURCES:
            body = self._body(f"{RESOURCES[entity][0]}/{remote_id}")
            return self._reader.one(entity, body) if body is not None else None
        return self._deposit(remote_id) if entity is Entity.DEPOSIT else self._receipt(entity, remote_id)

    def read_many(self, entity: Entity, ids: Sequence[str]) -> list[RemoteRecord]:
        """Read records that are about to be changed, as many as possible in one call."""
        if entity not in RESOURCES or len(ids) == 1:
            return [record for one in ids if (record := self.read(entity, one)) is not None]
        bodies: list[Json] = []
        for start in range(0, len(ids), IDS_PER_CALL):
            bodies += self._by_ids(entity, ids[start : start + IDS_PER_CALL])
        return [record for body in bodies if (record := self._reader.one(entity, body)) is not None]

    def _by_ids(self, entity: Entity, ids: Sequence[str]) -> Sequence[Json]:
        resource, id_field = RESOURCES[entity]
        params = {"page": "1", "pageSize": "100"}
        if entity is Entity.ACCOUNT:
            wanted = set(ids)
            return [body for body in self._client.rows("Accounts") if str(body["AccountID"]) in wanted]
        if entity is Entity.JOURNAL_ENTRY:
            where = " OR ".join(f'{id_field}==Guid("{one}")' for one in ids)
            return self._client.rows(resource, {**params, "where": where})
        more = {"unitdp": "4"} if entity in TYPES else {"includeArchived": "true"}
        return self._client.rows(resource, {**params, **more, "IDs": ",".join(ids)})

    def _body(self, path: str) -> Json | None:
        try:
            rows = self._client.rows(path, {"unitdp": "4"} if path.startswith("Invoices") else None)
        except RejectedByProvider as error:
            if error.details.get("http_status") == 404:
                return None
            raise
        return rows[0] if rows else None

    def _receipt(self, entity: Entity, remote_id: str) -> RemoteRecord | None:
        kind, _, rest = remote_id.partition("/")
        if kind in CREDIT_RESOURCES:
            resource = CREDIT_RESOURCES[kind]
            body = self._body(f"{resource}/{rest}")
            return credit(resource, body, home_currency=self._home) if body is not None else None
        batch: Json | None = None
        if kind == BATCH:
            batch = self._body(f"BatchPayments/{rest.partition('/')[0]}")
            members: Sequence[Json] = self._payments(f'BatchPaymentID==Guid("{rest.partition("/")[0]}")')
        elif kind == RECEIPT:
            _, _, day, reference = rest.split("/", 3)
            members = self._payments(f'Reference=="{reference}" AND Date=={clause_of(day)}')
        else:
            body = self._body(f"Payments/{remote_id}")
            members = [body] if body is not None else []
        group = grouped(members).get((entity, remote_id))
        return receipt((entity, remote_id), group, home_currency=self._home, batch=batch) if group else None

    def batch_receipt(self, entity: Entity, batch_id: str) -> RemoteRecord | None:
        """Return the receipt that a batch of one contact's payments is."""
        groups = grouped(self._payments(f'BatchPaymentID==Guid("{batch_id}")'))
        found = [
            receipt(key, group, home_currency=self._home, batch=self._body(f"BatchPayments/{batch_id}"))
            for key, group in groups.items()
            if key[0] == entity
        ]
        return found[0] if len(found) == 1 else None

    def _deposit(self, remote_id: str) -> RemoteRecord | None:
        kind, _, rest = remote_id.partition("/")
        if kind == BATCH:
            body = self._body(f"BatchPayments/{rest}")
            if body is None:
                return None
            return batch_deposit(
                body, self._payments(f'BatchPaymentID==Guid("{rest}")'), home_currency=self._home
            )
        path = {RECEIVED: "BankTransactions", TRANSFER: "BankTransfers"}.get(kind)
        body = self._body(f"{path}/{rest}") if path is not None else None
        if body is None:
            return None
        make = received_deposit if kind == RECEIVED else transfer_deposit
        return make(body, home_currency=self._home)

    def _payments(self, where: str) -> list[dict[str, Any]]:
        return self._client.rows("Payments", {"where": where, "page": "1", "pageSize": str(PAGE_SIZE)})

    # ------------------------------------------------------------------ by what it says

    def find(self, entity: Entity, *, canonical: Canonical, marker: str) -> list[RemoteRecord]:
        """Look for records that could be this one: those with our mark first, then the same number, then lookalikes."""
        found = {record.remote_id: record for record in self._candidates(entity, canonical)}
        resembling = [
            one
            for one in found.values()
            if one.state != "deleted" and _resembles(one, entity, canonical, marker)
        ]
        wanted = number_key(canonical.get("number"))
        ranked = sorted(resembling, key=lambda one: (one.marker != marker, one.natural_key != wanted))
        return ranked[:CANDIDATES_MAX]

    def _candidates(self, entity: Entity, canonical: Canonical) -> list[RemoteRecord]:
        if entity is Entity.ACCOUNT:
            rows: Sequence[Json] = self._client.rows("Accounts")
            self._chart.fill(rows)
        elif entity in NAMES:
            params = {
                "searchTerm": str(canonical["name"]),
                "includeArchived": "true",
                "page": "1",
                "pageSize": str(PAGE_SIZE),
            }
            rows = self._client.rows("Contacts", params)
        elif entity in TYPES:
            rows = self._documents(canonical)
        elif entity is Entity.JOURNAL_ENTRY:
            rows = self._client.rows(
                "ManualJournals",
                {"where": f"Date=={clause_of(canonical['date'])}", "page": "1", "pageSize": str(PAGE_SIZE)},
            )
        elif entity is Entity.DEPOSIT:
            return []
        else:
            where = f'PaymentType=="{PAYMENT_TYPES[entity]}" AND Date=={clause_of(canonical["date"])}'
            groups = grouped(self._payments(where))
            batches = {
                str(one["BatchPaymentID"]): one
                for one in self._client.rows(
                    "BatchPayments", {"where": f"Date=={clause_of(canonical['date'])}"}
                )
            }
            return [
                receipt(
                    key,
                    group,
                    home_currency=self._home,
                    batch=batches.get(str(group[0].get("BatchPaymentID"))),
                )
                for key, group in groups.items()
                if key[0] == entity
            ]
        return [record for row in rows if (record := self._reader.one(entity, row)) is not None]

    def _documents(self, canonical: Canonical) -> list[dict[str, Any]]:
        params = {"page": "1", "pageSize": str(PAGE_SIZE), "unitdp": "4"}
        number = canonical.get("number") or ""
        rows = []
        if number and not _NOT_IN_FILTERS & set(number):
            rows += self._client.rows("Invoices", {**params, "InvoiceNumbers": number})
        where = f"Date=={clause_of(canonical['date'])}"
        return rows + self._client.rows(
            "Invoices", {**params, "ContactIDs": str(canonical["party"]), "where": where}
        )


def _resembles(record: RemoteRecord, entity: Entity, canonical: Canonical, marker: str) -> bool:
    if entity in NAMES:
        return record.natural_key == name_key(str(canonical["name"]))
    return could_be(record, entity, canonical, marker=marker)
