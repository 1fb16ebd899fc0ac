"""Where a notice leads: the page in Tieout that shows what it is about, and the records behind it on both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resources.record_links import RecordLinks
from resources.registry import PROVIDERS
from resources.settings import Settings
from sync.notices import Kind, Notice, notice

# Under the address of a connection's pages; a kind that is not here is shown on the page of all connections.
_TABS: Mapping[Kind, str] = {
    "dead_letters": "/errors",
    "held": "/errors",
    "conflicts": "/conflicts",
    "outage_began": "/history",
    "outage_ended": "/history",
}
INTEGRATIONS = "/integrations"
# What a notice names record by record: as many as fit into a mail that is read.
NAMED: tuple[Kind, ...] = ("dead_letters", "held", "conflicts")
RECORDS_NAMED_MAX = 5


@dataclass(frozen=True, slots=True)
class NamedRecord:
    """One record behind a notice: what is the matter with it, and where it is shown; None where a side has no page for it."""

    label: str
    message: str
    url: str
    platform_url: str | None
    provider_url: str | None
    provider: str


@dataclass(frozen=True, slots=True)
class Told:
    """A notice with the page that shows it, and the first of the records behind it."""

    notice: Notice
    url: str
    records: Sequence[NamedRecord] = field(default=())
    # How many records there are beyond those that are named.
    more: int = 0


def page_of(kind: Kind, connection_id: object | None) -> str:
    """Return the path of the page that shows what a notice is about."""
    tab = _TABS.get(kind)
    return INTEGRATIONS if tab is None or connection_id is None else f"{INTEGRATIONS}/{connection_id}{tab}"


def said_of(row: Mapping[str, Any], *, title: str) -> Notice:
    """Return the words of a notice's row; `title` is the provider's, and stands for a company without a name."""
    return notice(
        row["kind"],
        company=row["company_name"] or title,
        provider=title,
        records=row["records"],
        facts=row["facts"],
    )


def told(row: Mapping[str, Any], records: Sequence[Mapping[str, Any]], *, settings: Settings) -> Told:
    """Return a notice's row as a mail says it; `records` are the rows of `notices_records`."""
    spec = PROVIDERS.get(row["provider"] or "")
    title = spec.title if spec else ""
    said = said_of(row, title=title)
    page = f"{settings.public_base_url}{page_of(row['kind'], row['connection_id'])}"
    links = RecordLinks(settings)
    named = [
        NamedRecord(
            label=each["label"] or each["platform_entity_type"].replace("_", " "),
            message=each["error_message"] or "",
            url=_page_of_record(row["kind"], each, page=page, settings=settings),
            **links.of_row(each),
            provider=title,
        )
        for each in records
    ]
    return Told(said, page, named, max(0, row["records"] - len(named)))


def _page_of_record(kind: Kind, record: Mapping[str, Any], *, page: str, settings: Settings) -> str:
    """Return where a record is decided about, or else where everything about it is shown."""
    if kind == "conflicts":
        return f"{page}/{record['id']}"
    if record["record_id"] is None:
        return page
    entity = record["platform_entity_type"]
    return f"{settings.public_base_url}{INTEGRATIONS}/records/{entity}/{record['record_id']}"
