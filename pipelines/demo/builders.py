"""The demo builders on the platform: their files through the importer, an API key each, and their account mapping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from assets.demo import demo_builders, demo_file, demo_manifest
from pipelines.demo.api import Json, TieoutApi
from pipelines.demo.state import BuilderState
from resources.imports.importer import Imports
from resources.store.api_keys import create_api_key
from resources.store.database import Database
from resources.store.demo import add_builder
from sync.clock import Clock
from sync.imports.options import ImportOptions


@dataclass(frozen=True, slots=True)
class DemoBuilder:
    """One made-up builder as its manifest describes it."""

    slug: str
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        """What the builder is called."""
        return str(self.manifest["name"])

    @property
    def provider(self) -> str:
        """The accounting system its books are to be kept in."""
        return str(self.manifest["provider"])


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a builder's files."""

    files: int
    rows: int
    problems: int


def all_builders() -> list[DemoBuilder]:
    """Return the demo's builders."""
    return [DemoBuilder(slug, demo_manifest(slug)) for slug in demo_builders()]


def import_builder(
    database: Database, builder: DemoBuilder, state: BuilderState, *, clock: Clock
) -> Imported:
    """Bring a builder and its files onto the platform; what is there already stays as it is."""
    manifest = builder.manifest
    add_builder(
        database,
        state.builder_id,
        name=builder.name,
        time_zone=manifest["time_zone"],
        currency=manifest["currency"],
    )
    imports = Imports(database, clock=clock)
    reports = [
        imports.import_file(
            UUID(state.builder_id),
            file["entity"],
            demo_file(builder.slug, file["file"]),
            imported_by="demo",
            # Real files have mistakes: what is right goes in, the rest is reported.
            options=ImportOptions(is_partial=True),
        )
        for file in manifest["files"]
    ]
    return Imported(
        files=len(reports),
        rows=sum(report.rows_written for report in reports),
        problems=sum(report.problem_count for report in reports),
    )


def give_key(database: Database, state: BuilderState) -> None:
    """Make an API key for a builder that has none yet."""
    if not state.api_key:
        state.api_key = create_api_key(database, UUID(state.builder_id), name="demo", role="owner")


def map_accounts(api: TieoutApi, builder: DemoBuilder, state: BuilderState) -> tuple[int, list[str]]:
    """Map every cost code but the ones the manifest leaves open; return how many rows, and the codes left open."""
    wanted = builder.manifest["mapping"]
    accounts = {account["name"]: account["id"] for account in api.accounts(state.connection_id)}
    mapping = api.mapping(state.connection_id)
    rows = [
        {
            "platform_entity_type": target["platform_entity_type"],
            "platform_cost_code_id": target["platform_cost_code_id"],
            "provider_account_id": account_id,
        }
        for target in mapping["rows"]
        if (account_id := _account_of(target, wanted, accounts)) is not None
    ]
    saved = api.save_mapping(
        state.connection_id, version=mapping["version"], rows=rows, note="The demo's first mapping"
    )
    left_open = [
        f"{target['code']} {target['name']}"
        for target in saved["rows"]
        if target["platform_entity_type"] == "cost_code" and target["state"] == "unmapped"
    ]
    return len(rows), left_open


def _account_of(target: Json, wanted: Json, accounts: dict[str, str]) -> str | None:
    profile, code = target["platform_entity_type"], target["code"]
    suggestion = target["suggestion"]["provider_account_id"] if target["suggestion"] else None
    if profile == "cost_code":
        if code in wanted["unmapped"]:
            return None
        division = str(target["division"] or code).split()[0]
        return accounts.get(wanted["accounts_by_division"].get(division, ""), suggestion)
    if profile == "revenue":
        return accounts.get(wanted["revenue"], suggestion)
    if profile == "asset":
        name = wanted["retainage_receivable"] if code is None else wanted["stored_materials"]
        return accounts.get(name, suggestion)
    return accounts.get(wanted["retainage_payable"], suggestion) if code is None else suggestion
