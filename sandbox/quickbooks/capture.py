"""Change data capture: everything changed since a time, deleted objects as stubs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.kernel import wire
from sandbox.quickbooks import faults
from sandbox.quickbooks.query import changed_since
from sandbox.quickbooks.registry import BY_PATH, CDC_EXCLUDED
from sandbox.quickbooks.times import parse_moment, wire_epoch, wire_time

if TYPE_CHECKING:
    from sandbox.quickbooks.endpoints import Call

LOOK_BACK = timedelta(days=30)
OBJECTS_MAX = 1000


def capture(call: Call) -> bytes:
    """Answer `GET /cdc`."""
    names = [name.strip() for name in call.query.get("entities", "").split(",") if name.strip()]
    if not names:
        raise faults.required("entities")
    entities: list[str] = []
    for name in names:
        entity = BY_PATH.get(name.lower())
        if entity is None or entity in CDC_EXCLUDED:
            raise faults.FaultError(
                "2170", "Invalid Enumeration", f"Invalid Enumeration : {name[:40]} is not supported by CDC"
            )
        entities.append(entity)
    text = call.query.get("changedSince", "")
    if not text:
        raise faults.required("changedSince")
    # A + that was not encoded arrives as a blank and is refused, as a caller should notice it.
    since = parse_moment(text)
    if since is None:
        raise faults.FaultError(
            "2180", "Invalid date", f"Invalid date : {text[:40]} is not an ISO date or time"
        )
    if call.started - since > LOOK_BACK:
        raise faults.FaultError(
            "2180",
            "Invalid date",
            "Invalid date : changedSince cannot be more than 30 days in the past",
            element="changedSince",
        )
    room = OBJECTS_MAX
    groups: list[bytes] = []
    for entity in dict.fromkeys(entities):
        group = _group(call, entity, int(since.timestamp()), room)
        room -= len(group)
        groups.append(_wire(entity, group))
    time = wire_time(call.started, milliseconds=True).encode()
    return b'{"CDCResponse":[{"QueryResponse":[' + b",".join(groups) + b']}],"time":"' + time + b'"}'


def _group(call: Call, entity: str, since: int, room: int) -> list[bytes]:
    company = call.company
    since_moment = parse_moment(wire_epoch(since))
    live = (
        []
        if since_moment is None
        else [record.wire for record in changed_since(company, entity, since_moment)]
    )
    stubs = [
        wire.dumps(
            {
                "domain": "QBO",
                "status": "Deleted",
                "Id": stub["Id"],
                "MetaData": {"LastUpdatedTime": wire_epoch(int(stub["epoch"]))},
            }
        )
        for stub in company.store.rows(company.path("_deleted")).values()
        if stub["entity"] == entity and stub["epoch"] >= since
    ]
    return [*live, *stubs][:room]


def _wire(entity: str, group: list[bytes]) -> bytes:
    if not group:
        return b"{}"
    inner = b",".join(group)
    return b'{"%s":[%s],"startPosition":1,"maxResults":%d}' % (entity.encode(), inner, len(group))
