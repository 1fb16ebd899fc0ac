"""The mapping as an editor shows it: one line per thing that wants an account, and what its form sends back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from api.models.mapping_versions import MappingDraft, MappingRowShown
from api.models.mappings import MappingRowIn, MappingTarget

Key = tuple[str, UUID | None, UUID | None]
FIELD = "to"
_NONE = "-"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that wants an account, with what it has in the draft, or in the mapping where there is no draft."""

    target: MappingTarget
    value: str | None
    account_name: str | None
    # What the published mapping says; other than `value` where the draft changes it.
    was: str | None
    was_name: str | None

    @property
    def name(self) -> str:
        """The name of its field in the form."""
        return field_name(key_of(self.target))

    @property
    def state(self) -> str:
        """Mapped, unmapped or broken: with the draft, as it would be."""
        if self.value == self.was:
            return self.target.state
        return "mapped" if self.value else "unmapped"

    @property
    def is_changed(self) -> bool:
        """True where the draft says otherwise than the mapping."""
        return self.value != self.was

    @property
    def is_needed(self) -> bool:
        """True where documents use it and it has no account."""
        return self.state != "mapped" and (self.target.lines > 0 or self.target.held_records > 0)

    @property
    def title(self) -> str:
        """What people call it."""
        target = self.target
        if target.job:
            return f"Default of job {target.job}"
        return f"{target.code} {target.name}" if target.code else "Default of the company"

    def is_found(self, text: str) -> bool:
        """Say whether a search for this text means it."""
        where = f"{self.title} {self.target.division or ''} {self.account_name or ''}"
        return all(part in where.lower() for part in text.lower().split())


def key_of(row: MappingTarget | MappingRowShown | MappingRowIn) -> Key:
    """Return what a row maps."""
    return (row.platform_entity_type, row.platform_cost_code_id, row.platform_job_id)


def field_name(key: Key) -> str:
    """Return the form's name for a row."""
    profile, code, job = key
    return f"{FIELD}.{profile}.{code or _NONE}.{job or _NONE}"


def lines_of(targets: Iterable[MappingTarget], draft: MappingDraft | None) -> list[Line]:
    """Lay a draft over the mapping."""
    drafted = {key_of(row): row for row in draft.rows} if draft else None
    found = []
    for target in targets:
        own = target.provider_account_id if target.inherited_from is None else None
        own_name = target.provider_account_name if own else None
        if drafted is None:
            found.append(Line(target, own, own_name, own, own_name))
            continue
        row = drafted.get(key_of(target))
        value, name = (row.provider_account_id, row.provider_account_name) if row else (None, None)
        found.append(Line(target, value, name, own, own_name))
    return found


def rows_after(present: Sequence[MappingRowShown], sent: Mapping[str, str]) -> list[MappingRowIn]:
    """Return a draft's rows with what the form chose; rows that the page did not show stay as they are."""
    kept = {field_name(key_of(row)): _as_sent(row) for row in present}
    for name, account in sent.items():
        if account == "":
            kept.pop(name, None)
            continue
        before = kept.get(name)
        if before is None or before.provider_account_id != account:
            profile, code, job = name.split(".")[1:]
            kept[name] = MappingRowIn.model_validate(
                {
                    "platform_entity_type": profile,
                    "platform_cost_code_id": None if code == _NONE else code,
                    "platform_job_id": None if job == _NONE else job,
                    "provider_account_id": account,
                    "mapping_direction": before.mapping_direction if before else "both",
                }
            )
    return list(kept.values())


def _as_sent(row: MappingRowShown) -> MappingRowIn:
    return MappingRowIn(
        platform_entity_type=row.platform_entity_type,
        platform_cost_code_id=row.platform_cost_code_id,
        platform_job_id=row.platform_job_id,
        provider_account_id=row.provider_account_id,
        mapping_direction=row.mapping_direction,
    )
