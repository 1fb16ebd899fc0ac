"""Runs queries: which objects, in which order, in which envelope."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import islice
from typing import Any

from sandbox.kernel import wire
from sandbox.quickbooks.company import Company, Table
from sandbox.quickbooks.fields import TYPES
from sandbox.quickbooks.querytext import Condition, Query, parse, validation_error
from sandbox.quickbooks.records import Body, Record
from sandbox.quickbooks.registry import BY_PATH, QUERYABLE, RULES, Queryable
from sandbox.quickbooks.times import parse_date, parse_moment

Reader = Callable[[Record], Any]
Test = Callable[[Record], bool]
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "<": lambda a, b: bool(a < b),
    ">": lambda a, b: bool(a > b),
    "<=": lambda a, b: bool(a <= b),
    ">=": lambda a, b: bool(a >= b),
}
_CHANGED = "MetaData.LastUpdatedTime"
SORTED_RESULTS_MAX = 8
_TREES = frozenset({"Customer", "Account", "Item", "Class", "Department"})


class Answer:
    """The rows of a query, as stored wire bytes or as projections."""

    def __init__(self, entity: str, rows: list[bytes], *, start: int, total: int | None) -> None:
        self.entity = entity
        self.rows = rows
        self.start = start
        self.total = total

    def wire(self) -> bytes:
        """Return the `QueryResponse` object; an empty page is exactly `{}`."""
        if self.entity == "":
            return wire.dumps({"totalCount": self.total})
        if not self.rows:
            return b"{}"
        total = b"" if self.total is None else b',"totalCount":%d' % self.total
        tail = b',"startPosition":%d,"maxResults":%d' % (self.start, len(self.rows))
        return b'{"%s":[' % self.entity.encode() + b",".join(self.rows) + b"]" + tail + total + b"}"


def run_query(company: Company, text: str) -> Answer:
    """Run a statement."""
    query = parse(
        text,
        allow_bare_numbers=company.switch("bare_numbers") == "allow",
        allow_zero_start=company.switch("start_position_zero") == "allow",
    )
    entity = BY_PATH.get(query.entity.lower())
    if entity is None or entity not in QUERYABLE:
        raise validation_error(f"Entity {query.entity} is not queryable or does not exist")
    rules = QUERYABLE[entity]
    tests = [_test(company, entity, rules, condition) for condition in query.conditions]
    if _hides_inactive(entity, query):
        tests.append(_is_active)
    if query.is_count:
        return Answer("", [], start=1, total=sum(1 for _ in _matching(company, entity, query, tests)))
    page = _page(company, entity, rules, query, tests)
    if query.fields is None:
        rows = [record.wire for record in page]
    else:
        names = [_property(entity, name) for name in query.fields]
        rows = [_projected(record, names) for record in page]
    return Answer(entity, rows, start=query.start, total=len(rows) if rules.has_total else None)


def _is_active(record: Record) -> bool:
    return record.body.get("Active") is not False


def _hides_inactive(entity: str, query: Query) -> bool:
    return not RULES[entity].is_transaction and all(
        each.name.lower() != "active" for each in query.conditions
    )


def _matching(company: Company, entity: str, query: Query, tests: list[Test]) -> Iterator[Record]:
    for record in _candidates(company, entity, query):
        if all(test(record) for test in tests):
            yield record


def _candidates(company: Company, entity: str, query: Query) -> Iterable[Record]:
    """Return a small superset of the matches where an index can give one."""
    table = company.table(entity)
    for condition in query.conditions:
        name = condition.name.lower()
        if name == "id":
            return [table.rows[value] for value in dict.fromkeys(condition.values) if value in table.rows]
        if condition.operator == "=" and name in ("docnumber", "displayname"):
            prefix = f"number:{entity}:" if name == "docnumber" else "name:Names:"
            holders = company.holders(prefix + condition.values[0].lower())
            return [table.rows[number] for kind, number in holders if kind == entity]
    for condition in query.conditions:
        if condition.name.lower() == "metadata.lastupdatedtime" and condition.operator in (">", ">=", "="):
            moment = parse_moment(condition.values[0])
            if moment is not None:
                first = bisect_left(table.by_change, (int(moment.timestamp()), -1, ""))
                return [table.rows[key] for _, _, key in table.by_change[first:]]
    return table.rows.values()


def _page(company: Company, entity: str, rules: Queryable, query: Query, tests: list[Test]) -> list[Record]:
    """Return one page, by the cheapest way its order allows."""
    table = company.table(entity)
    order = tuple((_sortable(entity, rules, name), is_descending) for name, is_descending in query.order)
    first, last = query.start - 1, query.start - 1 + query.rows
    if not tests and order == (("Id", False),):
        return [table.rows[str(number)] for number in table.by_id[first:last]]
    if not tests and not order and RULES[entity].is_transaction:
        end = len(table.by_change)
        places = range(end - 1 - first, max(end - 1 - last, -1), -1)
        return [table.rows[table.by_change[place][2]] for place in places]
    if order in (((_CHANGED, False),), ((_CHANGED, False), ("Id", False))):
        start = max((_first_change(table, condition) for condition in query.conditions), default=0)
        if all(_is_start(condition) for condition in query.conditions) and RULES[entity].is_transaction:
            return _changed_page(table, start + first, start + last)
        return list(islice(_by_change(table, tests, start), first, last))
    return _sorted(company, entity, query, tests, order)[first:last]


def _is_start(condition: Condition) -> bool:
    """Return whether a condition only says from which change on."""
    return condition.name.lower() == _CHANGED.lower() and condition.operator in (">", ">=")


def _changed_page(table: Table, first: int, last: int) -> list[Record]:
    """Cut a page out of the order by change; only changes of the same second need sorting by id."""
    changes = table.by_change
    if first >= len(changes):
        return []
    low = bisect_left(changes, (changes[first][0], -1, ""))
    high = bisect_left(changes, (changes[min(last, len(changes)) - 1][0] + 1, -1, ""))
    numbers = sorted((epoch, int(key)) for epoch, _, key in changes[low:high])
    return [table.rows[str(number)] for _, number in numbers[first - low : last - low]]


def _by_change(table: Table, tests: list[Test], start: int) -> Iterator[Record]:
    """Yield by time of change, then by id, from a place in the order by change."""
    group: list[int] = []
    epoch = -1
    for changed, _, key in islice(table.by_change, start, None):
        if changed != epoch:
            yield from _passing(table, sorted(group), tests)
            group, epoch = [], changed
        group.append(int(key))
    yield from _passing(table, sorted(group), tests)


def _first_change(table: Table, condition: Condition) -> int:
    moment = parse_moment(condition.values[0]) if condition.name.lower() == _CHANGED.lower() else None
    if moment is None or condition.operator not in (">", ">=", "="):
        return 0
    second = int(moment.timestamp()) + (condition.operator == ">")
    return bisect_left(table.by_change, (second, -1, ""))


def _passing(table: Table, numbers: list[int], tests: list[Test]) -> Iterator[Record]:
    for number in numbers:
        record = table.rows[str(number)]
        if all(test(record) for test in tests):
            yield record


def _sorted(
    company: Company, entity: str, query: Query, tests: list[Test], order: tuple[tuple[str, bool], ...]
) -> list[Record]:
    """Return all matches in order, from memory when nothing has changed since the page before."""
    version = company.table(entity).version
    asked = (entity, query.conditions, order)
    kept = company.sorted_results.get(asked)
    if kept is not None and kept[0] == version:
        return kept[1]
    found = list(_matching(company, entity, query, tests))
    if not order and RULES[entity].is_transaction:
        found.sort(key=lambda record: (record.epoch, record.sequence), reverse=True)
    elif not order:
        found.sort(key=_default_name(entity))
    for name, is_descending in reversed(order):
        found.sort(key=_sorter(_reader(entity, name)), reverse=is_descending)
    if not any("current_date" in condition.values for condition in query.conditions):
        company.sorted_results[asked] = (version, found)
        while len(company.sorted_results) > SORTED_RESULTS_MAX:
            company.sorted_results.pop(next(iter(company.sorted_results)))
    return found


def _sorter(read: Reader) -> Callable[[Record], tuple[int, Any]]:
    return lambda record: _sort_key(read(record))


def _default_name(entity: str) -> Callable[[Record], str]:
    field = "FullyQualifiedName" if entity in _TREES else "DisplayName"
    return lambda record: str(record.body.get(field) or record.body.get("Name") or record.body["Id"])


def _sort_key(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    return (1, value.casefold() if isinstance(value, str) else value)


def _property(entity: str, name: str) -> str:
    """Return a property's own spelling; 4001 when the entity has none of that name."""
    type_name = entity
    path: list[str] = []
    for part in name.split("."):
        known = TYPES.get(type_name, {})
        found = next((each for each in known if each.lower() == part.lower()), None)
        if found is None and type_name == "" and part.lower() in ("value", "name", "type"):
            found = part.lower()
        if found is None:
            raise validation_error(f"Property {name} not found for Entity {entity}")
        path.append(found)
        kind = known.get(found, "s").removeprefix("*")
        type_name = kind[2:] if kind.startswith("o:") else ""
    return ".".join(path)


def _filterable(entity: str, rules: Queryable, name: str) -> str:
    found = _property(entity, name)
    if found not in rules.filters:
        raise validation_error(f"property '{name}' is not queryable")
    return found


def _sortable(entity: str, rules: Queryable, name: str) -> str:
    found = _property(entity, name)
    if found not in rules.sorts:
        raise validation_error(f"property '{name}' is not sortable")
    return found


@lru_cache(maxsize=65536)
def _epoch(text: str) -> int:
    moment = parse_moment(text)
    return 0 if moment is None else int(moment.timestamp())


def _reader(entity: str, name: str) -> Reader:
    if name == _CHANGED:
        return lambda record: record.epoch
    if name == "MetaData.CreateTime":
        return lambda record: _epoch(record.body["MetaData"]["CreateTime"])
    if name == "Id":
        return lambda record: int(record.body["Id"])
    kind = TYPES[entity].get(name, "")
    if kind == "r":
        return lambda record: (record.body.get(name) or {}).get("value")
    if name == "PrimaryEmailAddr":
        return lambda record: (record.body.get(name) or {}).get("Address")
    if kind.startswith("o:"):
        return lambda record: next(iter((record.body.get(name) or {"": {}}).values())).get("value")
    return lambda record: record.body.get(name)


def _test(company: Company, entity: str, rules: Queryable, condition: Condition) -> Test:
    name = _filterable(entity, rules, condition.name)
    operator = condition.operator
    if name == "Id" and operator not in ("=", "in"):
        raise validation_error("Id supports only = and IN")
    if name.startswith("AttachableRef."):
        return _attachable_test(name, condition)
    values = [_literal(company, entity, name, value) for value in condition.values]
    read = _reader(entity, name)
    if operator == "like":
        pattern = _like(condition.values[0])
        return lambda record: (value := read(record)) is not None and pattern(str(value)) is not None
    if operator == "in":
        wanted = frozenset(values)
        return lambda record: _folded(read(record)) in wanted
    compare, value = _COMPARE[operator], values[0]
    if value in ("", " "):
        return lambda record: operator == "=" and read(record) in (None, "")
    return lambda record: (found := _folded(read(record))) is not None and compare(found, value)


def _attachable_test(name: str, condition: Condition) -> Test:
    part = name.rpartition(".")[2].lower()
    wanted = frozenset(value.casefold() for value in condition.values)

    def test(record: Record) -> bool:
        links = record.body.get("AttachableRef") or []
        return any(str((link.get("EntityRef") or {}).get(part, "")).casefold() in wanted for link in links)

    return test


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _like(pattern: str) -> Callable[[str], Any]:
    expression = ".*".join(re.escape(part) for part in pattern.split("%"))
    return re.compile(expression, re.IGNORECASE | re.DOTALL).fullmatch


def _literal(company: Company, entity: str, name: str, text: str) -> Any:
    """Return a value of the property's kind; 4001 when the text is none."""
    if name in ("MetaData.LastUpdatedTime", "MetaData.CreateTime"):
        moment = parse_moment(company.today().isoformat() if text == "current_date" else text)
        if moment is None:
            raise validation_error(f"Invalid date time value {text[:40]} for property {name}")
        return int(moment.timestamp())
    if name == "Id":
        if not re.fullmatch(r"\d{1,25}", text):
            raise validation_error(f"Invalid value {text[:40]} for property Id")
        return int(text)
    kind = TYPES[entity].get(name, "s")
    if kind == "d":
        return _decimal(name, text)
    if kind == "b":
        if text.lower() not in ("true", "false"):
            raise validation_error(f"Invalid boolean value {text[:40]} for property {name}")
        return text.lower() == "true"
    if kind == "D":
        parsed = company.today() if text == "current_date" else parse_date(text)
        if parsed is None:
            raise validation_error(f"Invalid date value {text[:40]} for property {name}")
        return parsed.isoformat()
    return text.casefold()


def _decimal(name: str, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise validation_error(f"Invalid decimal value {text[:40]} for property {name}") from error
    if not value.is_finite():
        raise validation_error(f"Invalid decimal value {text[:40]} for property {name}")
    return value


def _projected(record: Record, names: list[str]) -> bytes:
    body: Body = {}
    for name in names:
        source: Any = record.body
        for part in name.split("."):
            source = source.get(part) if isinstance(source, dict) else None
        if source is None:
            continue
        target = body
        *above, last = name.split(".")
        for part in above:
            target = target.setdefault(part, {})
        target[last] = source
    return wire.dumps({**body, "domain": "QBO", "sparse": True})


def changed_since(company: Company, entity: str, since: datetime) -> list[Record]:
    """Return objects changed at or after a time, oldest change first."""
    table = company.table(entity)
    first = bisect_left(table.by_change, (int(since.astimezone(UTC).timestamp()), -1, ""))
    return [table.rows[key] for _, _, key in table.by_change[first:]]
