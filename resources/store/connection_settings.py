"""How and when a connection is synced: reading it, and replacing it as a whole, checked and audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from resources.spec import Preference
from resources.store.audit import AuditEntry, write_audit
from resources.store.database import Transaction, json_text
from sync.compare import EndPolicy, Strategy
from sync.errors import ConnectError, InvalidSetting, NotFound
from sync.records import DEFAULT_DIRECTION, HISTORY, SYNC_ORDER, Direction, Entity
from sync.schedule import next_due, zone_of
from sync.window import read_window

REAL_TIME = "real_time"
HISTORY_FROM = "history_from"


@dataclass(frozen=True, slots=True)
class EntityChoice:
    """How one entity is synced; no strategy means the connection's."""

    entity: Entity
    is_enabled: bool
    direction: Direction
    conflict_strategy: str | None
    # What is done about the other side's when one side's ended; None goes by the strategy, "stays" saves no other one.
    ended_here: EndPolicy | Literal["stays"] | None = "stays"
    ended_there: EndPolicy | Literal["stays"] | None = "stays"
    # None: as it is
    closed_period: str | None = None
    approval: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """How and when one connection is synced; `next_due_at` follows from it."""

    sync_schedule: str
    sync_window: Mapping[str, Any] | None
    time_zone: str
    conflict_strategy: str
    is_real_time: bool
    entities: Sequence[EntityChoice]
    # What the provider alone lets one choose; None leaves every choice as it is.
    preferences: Mapping[str, str | None] | None = None
    # From which day on closed documents of the ledger are brought in; None: all, "stays" saves no other one.
    history_from: date | Literal["stays"] | None = "stays"
    next_due_at: datetime | None = None
    provider: str = ""


def read_settings(tx: Transaction, builder_id: UUID, *, connection_id: UUID) -> ConnectionSettings:
    """Return a connection's settings, with the defaults of entities that have none; raises NotFound."""
    names = {"builder_id": builder_id, "connection_id": connection_id}
    row = tx.row("settings_read", **names)
    if row is None:
        raise NotFound(what="connection", id=str(connection_id))
    own = {each["entity"]: each for each in tx.records("settings_entities", **names)}
    return ConnectionSettings(
        sync_schedule=row["sync_schedule"],
        sync_window=row["sync_window"],
        time_zone=row["time_zone"],
        conflict_strategy=row["conflict_strategy"],
        is_real_time=row["is_real_time"],
        entities=[_choice(entity, own.get(entity)) for entity in SYNC_ORDER],
        preferences={
            key: value
            for key, value in row["settings"].items()
            if isinstance(value, str) and key not in (REAL_TIME, HISTORY_FROM)
        },
        history_from=_day(row["settings"].get(HISTORY_FROM)),
        next_due_at=row["next_due_at"],
        provider=row["provider"],
    )


def save_settings(
    tx: Transaction,
    builder_id: UUID,
    *,
    connection_id: UUID,
    wanted: ConnectionSettings,
    saved_by: str,
    now: datetime,
    known: Sequence[Preference] = (),
) -> ConnectionSettings:
    """Replace a connection's settings and return them; raises NotFound, or InvalidSetting with a sentence.

    `known` are the provider's own preferences; one that is not given a value stays as it is.
    """
    before = read_settings(tx, builder_id, connection_id=connection_id)
    for choice in wanted.entities:
        _check(choice)
    # A manual connection has hours for real time, too.
    zone_of(wanted.time_zone)
    read_window(wanted.sync_window)
    due = next_due(wanted.sync_schedule, after=now, time_zone=wanted.time_zone, window=wanted.sync_window)
    names = {"builder_id": builder_id, "connection_id": connection_id}
    chosen = dict(wanted.preferences or {})
    _check_preferences(tx, chosen, known, names)
    if wanted.history_from != "stays":
        chosen[HISTORY_FROM] = wanted.history_from.isoformat() if wanted.history_from else None
    tx.run(
        "settings_save",
        **names,
        sync_schedule=wanted.sync_schedule,
        sync_window=None if wanted.sync_window is None else json_text(wanted.sync_window),
        time_zone=wanted.time_zone,
        conflict_strategy=wanted.conflict_strategy,
        is_real_time=wanted.is_real_time,
        preferences=json_text({key: value for key, value in chosen.items() if value is not None}),
        without=[key for key, value in chosen.items() if value is None],
        next_due_at=due,
        now=now,
    )
    tx.run("settings_save_entities", **names, rows=json_text([asdict(each) for each in wanted.entities]))
    after = read_settings(tx, builder_id, connection_id=connection_id)
    _must_not_both_win(tx, names, after)
    turned = _turned(before.entities, after.entities)
    if before.history_from != after.history_from:
        turned = sorted({*turned, *HISTORY})
    if turned:
        tx.run("settings_look_again", **names, entities=turned)
    decided = _strategies_changed(before, after)
    if decided:
        tx.run("queue_conflicts_reopen", **names, entities=decided)
    here, there = _ends_changed(before.entities, after.entities)
    if here or there:
        tx.run("settings_ends_again", **names, here=here, there=there)
    write_audit(
        tx,
        AuditEntry(
            saved_by,
            "settings.saved",
            connection_id=connection_id,
            before=_plain(before),
            after=_plain(after),
        ),
    )
    return after


def must_not_both_win_when_connected(
    tx: Transaction, builder_id: UUID, *, connection_id: UUID, provider: str
) -> None:
    """Refuse to connect a ledger that would win where another connected one already does; raises ConnectError.

    Settings outlive a disconnection, and meanwhile another ledger of the builder may have been set to win.
    """
    settings = read_settings(tx, builder_id, connection_id=connection_id)
    names = {"builder_id": builder_id, "connection_id": connection_id}
    found = _also_won_by_another(tx, names, settings)
    if found is not None:
        other, entities = found
        raise ConnectError(
            provider=provider,
            reason=f"by its settings it wins about {entities} (provider_wins), and so does {other}, and two ledgers that"
            " both win would change the same records to and fro; choose another strategy in the settings of one of them",
        )


def _must_not_both_win(tx: Transaction, names: Mapping[str, UUID], settings: ConnectionSettings) -> None:
    found = _also_won_by_another(tx, names, settings)
    if found is not None:
        other, entities = found
        raise InvalidSetting(
            name="conflict_strategy",
            reason=f"{other} wins about {entities} already (provider_wins), and two ledgers that both win would change the"
            " same records to and fro; choose another strategy here or there, or switch the entity off in one of them",
        )


def _also_won_by_another(
    tx: Transaction, names: Mapping[str, UUID], settings: ConnectionSettings
) -> tuple[str, str] | None:
    """Name another ledger that wins about the same entities, and these: each would undo what the other says, without an end."""
    mine = _won_by_ledger(settings)
    for other in tx.rows("settings_other_connections", **names):
        theirs = read_settings(tx, names["builder_id"], connection_id=other["id"])
        both = [entity for entity in SYNC_ORDER if entity in mine & _won_by_ledger(theirs)]
        if both:
            return str(other["title"]), ", ".join(each.replace("_", " ") for each in both)
    return None


def _won_by_ledger(settings: ConnectionSettings) -> set[Entity]:
    return {
        each.entity
        for each in settings.entities
        if each.is_enabled
        # What is only brought in, such as payments, is in one ledger only.
        and each.direction != "pull"
        and (each.conflict_strategy or settings.conflict_strategy) == Strategy.PROVIDER_WINS
    }


def _turned(before: Sequence[EntityChoice], after: Sequence[EntityChoice]) -> list[Entity]:
    """Name the entities whose way or switch changed: what was left behind by the old one is looked at again."""
    ways = {each.entity: (each.direction, each.is_enabled) for each in before}
    return [each.entity for each in after if (each.direction, each.is_enabled) != ways[each.entity]]


def _ends_changed(
    before: Sequence[EntityChoice], after: Sequence[EntityChoice]
) -> tuple[list[Entity], list[Entity]]:
    """Name the entities with another policy for what ended here, and those with another for what ended there."""
    was = {each.entity: each for each in before}
    here = [each.entity for each in after if each.ended_here != was[each.entity].ended_here]
    there = [each.entity for each in after if each.ended_there != was[each.entity].ended_there]
    return here, there


def _strategies_changed(before: ConnectionSettings, after: ConnectionSettings) -> list[str]:
    """Name the entities whose conflicts another strategy decides from now on."""

    def strategies(settings: ConnectionSettings) -> dict[Entity, str]:
        return {
            each.entity: each.conflict_strategy or settings.conflict_strategy for each in settings.entities
        }

    was, now = strategies(before), strategies(after)
    return [entity.value for entity in now if was.get(entity) != now[entity]]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _choice(entity: Entity, row: Mapping[Any, Any] | None) -> EntityChoice:
    if row is None:
        return EntityChoice(
            entity,
            is_enabled=True,
            direction=DEFAULT_DIRECTION[entity],
            conflict_strategy=None,
            ended_here=None,
            ended_there=None,
            closed_period="hold",
            approval="direct",
        )
    return EntityChoice(
        entity,
        is_enabled=row["is_enabled"],
        direction=row["direction"],
        conflict_strategy=row["conflict_strategy"],
        ended_here=row["ended_here"],
        ended_there=row["ended_there"],
        closed_period=row["closed_period"],
        approval=row["approval"],
    )


def _check(choice: EntityChoice) -> None:
    if DEFAULT_DIRECTION[choice.entity] == "pull" and choice.direction != "pull":
        words = choice.entity.value.replace("_", " ")
        raise InvalidSetting(
            name=f"entities.{choice.entity.value}.direction",
            reason=f"a {words} is only brought in from the ledger; choose pull, or switch it off",
        )


def _check_preferences(
    tx: Transaction,
    chosen: Mapping[str, str | None],
    known: Sequence[Preference],
    names: Mapping[str, Any],
) -> None:
    by_key = {each.key: each for each in known}
    for key, value in chosen.items():
        found = by_key.get(key)
        if found is None:
            there = f"it has {', '.join(by_key)}" if by_key else "it has none of its own"
            raise InvalidSetting(
                name=f"preferences.{key}",
                reason=f"this connection's accounting system does not know it; {there}",
            )
        if value is None:
            continue
        if found.values and value not in found.values:
            raise InvalidSetting(
                name=f"preferences.{key}", reason=f"'{value[:40]}' is none of {' and '.join(found.values)}"
            )
        if not found.values and tx.row("settings_account", **names, account=value) is None:
            raise InvalidSetting(
                name=f"preferences.{key}",
                reason=f"'{value[:40]}' is no active account of this connection; take an id from its list of accounts",
            )


def _plain(settings: ConnectionSettings) -> dict[str, Any]:
    shown = asdict(settings)
    shown["next_due_at"] = settings.next_due_at.isoformat() if settings.next_due_at else None
    shown["history_from"] = str(settings.history_from) if settings.history_from else None
    return shown
