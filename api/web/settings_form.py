"""The form of a connection's settings: what it shows, what it sends back, and at which field a sentence belongs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from api.models.connection_settings import ConnectionSettingsIn, ConnectionSettingsShown
from sync.errors import InvalidSetting
from sync.records import DEFAULT_DIRECTION, SYNC_ORDER
from sync.schedule import MANUAL, PRESETS

CUSTOM = "custom"
# What a person may choose per kind; an empty choice of the first three goes by the connection's strategy.
_PER_KIND = ("conflict_strategy", "ended_here", "ended_there", "closed_period", "approval", "direction")
_NO_CHOICE = frozenset({"conflict_strategy", "ended_here", "ended_there"})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings as the form shows them: saved ones, or what a person just sent."""

    values: Mapping[str, Any]
    # Field -> its sentence; under "" what belongs to no field.
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_custom(self) -> bool:
        """True where the schedule is of the person's own making."""
        return self.values["sync_schedule"] not in (MANUAL, *PRESETS)


def shown_settings(found: ConnectionSettingsShown) -> Settings:
    """Show the settings that are saved."""
    return Settings(found.model_dump(mode="json", by_alias=True))


def sent_settings(sent: Mapping[str, str], days: list[str], present: Settings) -> dict[str, Any]:
    """Read a form into the settings it means; what was typed stays as it was typed."""
    schedule = sent.get("schedule", MANUAL)
    wanted: dict[str, Any] = {
        "sync_schedule": sent.get("cron", "").strip() if schedule == CUSTOM else schedule,
        "sync_window": None,
        "time_zone": sent.get("time_zone", "").strip(),
        "conflict_strategy": sent.get("conflict_strategy", ""),
        "is_real_time": "is_real_time" in sent,
        "history_from": sent.get("history_from") or None,
        "entities": [_kind(entity.value, sent) for entity in SYNC_ORDER],
        "preferences": {
            each["name"]: sent.get(f"preferences.{each['name']}") or None
            for each in present.values["preferences"]
        },
    }
    if "has_window" in sent:
        window = {"days": days, "from": sent.get("opens", ""), "until": sent.get("closes", "")}
        wanted["sync_window"] = window
    return wanted


def as_typed(wanted: Mapping[str, Any], present: Settings, wrong: Mapping[str, str]) -> Settings:
    """Show again what a person sent, with the sentences that refuse it."""
    preferences = [
        {**each, "value": wanted["preferences"].get(each["name"])} for each in present.values["preferences"]
    ]
    return Settings({**present.values, **wanted, "preferences": preferences}, wrong)


def checked(wanted: Mapping[str, Any]) -> ConnectionSettingsIn | dict[str, str]:
    """Return the settings, or the sentence for each field that cannot be used."""
    try:
        return ConnectionSettingsIn.model_validate(wanted)
    except ValidationError as error:
        return {_field(each["loc"]): _sentence(_field(each["loc"]), each["msg"]) for each in error.errors()}


def refused(error: InvalidSetting) -> dict[str, str]:
    """Return the sentence of a refusal at the field that it is about."""
    name = str(error.details.get("name", ""))
    known = ("sync_schedule", "sync_window", "time_zone")
    is_placed = name in known or name.startswith(("preferences.", "entities."))
    return {name if is_placed else "": error.user_message}


def _kind(entity: str, sent: Mapping[str, str]) -> dict[str, Any]:
    chosen: dict[str, Any] = {"entity": entity, "is_enabled": f"{entity}.is_enabled" in sent}
    for name in _PER_KIND:
        value = sent.get(f"{entity}.{name}", "")
        if value or name in _NO_CHOICE:
            chosen[name] = value or None
    # A kind with one way only has no choice in the form.
    chosen.setdefault(
        "direction", DEFAULT_DIRECTION[next(each for each in SYNC_ORDER if each.value == entity)]
    )
    return chosen


def _field(place: tuple[int | str, ...]) -> str:
    if place[:1] == ("entities",) and len(place) > 2 and isinstance(place[1], int):
        return f"entities.{SYNC_ORDER[place[1]].value}.{place[2]}"
    return ".".join(str(part) for part in place[:2]) if place[:1] == ("preferences",) else str(place[0])


def _sentence(name: str, message: str) -> str:
    if name == "sync_window":
        return "Choose at least one day, and both hours as 06:00."
    if name == "history_from":
        return "Write the day as 2026-01-31, or leave it empty."
    if name == "sync_schedule":
        return "Write the schedule as five cron fields, for example 30 6 * * 1-5."
    return f"This cannot be used: {message}."
