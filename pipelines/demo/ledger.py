"""The QuickBooks sandbox, as the builder's bookkeeper works in it: by its window, not by the product's tokens."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import simplejson

from pipelines.processes import ProcessError

Json = dict[str, Any]


class LedgerRefused(ProcessError):
    """The ledger did not take what the bookkeeper entered."""


class SandboxLedger:
    """One company of the sandbox."""

    def __init__(self, base_url: str, realm: str) -> None:
        self.realm = realm
        self._client = httpx.Client(base_url=base_url, timeout=60)

    @classmethod
    def found(cls, base_url: str, *, name: str) -> SandboxLedger:
        """Found a new company with a chart of accounts and nothing else."""
        ledger = cls(base_url, "")
        made = ledger._ask("POST", "/_sandbox/companies", {"name": name, "scenario": "empty"})
        ledger.realm = made["realm"]
        return ledger

    def create(self, entity: str, body: Json) -> Json:
        """Enter something new."""
        return self._act(entity, "create", body)

    def change(self, entity: str, remote_id: str, body: Json) -> Json:
        """Change something that is there; what the body leaves out stays as it is."""
        return self._act(entity, "update", {"Id": remote_id, **body})

    def read(self, entity: str, remote_id: str) -> Json:
        """Look something up."""
        return self._ask("GET", f"/_sandbox/objects/{self.realm}/{entity}/{remote_id}")

    def trial_balance(self) -> dict[str, Decimal]:
        """Return the ledger's own trial balance: account name → debit less credit."""
        found = self._ask("GET", f"/_sandbox/trial-balance/{self.realm}")
        return {row["name"]: Decimal(row["balance"]) for row in found["accounts"]}

    def account_ids(self) -> dict[str, str]:
        """Return account name → id, of the accounts that were ever posted to."""
        found = self._ask("GET", f"/_sandbox/trial-balance/{self.realm}")
        return {row["name"]: row["id"] for row in found["accounts"]}

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _act(self, entity: str, operation: str, body: Json) -> Json:
        wanted = {"realm": self.realm, "entity": entity, "operation": operation, "body": body}
        return self._ask("POST", "/_sandbox/act", wanted)

    def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        content = None if body is None else simplejson.dumps(body, use_decimal=True).encode()
        response = self._client.request(method, path, content=content)
        answer: Json = response.json(parse_float=Decimal)
        if response.is_error:
            raise LedgerRefused(
                f"The sandbox refused what the bookkeeper entered: {answer.get('error', answer)}"
            )
        return answer
