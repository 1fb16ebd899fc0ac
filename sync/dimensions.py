"""Dimensions: what a job, a cost code or a cost type becomes in the ledger besides the account a line is booked on.

Promises the lists a ledger may have, what a connection chose for each, how an option of a list is named, and what a
line carries. Making, renaming and ending options is `sync.options`; storage is `resources/store`.

A line that was sent before keeps what it has in the ledger, like its account; only a new line, or one on another job
or code, is told anew. The options a bookkeeper chooses by hand are therefore left alone and are no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sync.errors import DimensionMissing, InvalidSetting
from sync.jobs import job_moved
from sync.records import Entity, name_key

Subject = Literal["job", "cost_code", "cost_type"]
SUBJECTS: tuple[Subject, ...] = get_args(Subject)
ListName = Literal["sub_customer", "class", "location", "item", "tracking"]
LISTS: tuple[ListName, ...] = get_args(ListName)
OptionState = Literal["making", "ready", "archived", "refused"]

SUBJECT_WORDS: Mapping[Subject, str] = {"job": "job", "cost_code": "cost code", "cost_type": "cost type"}
LIST_WORDS: Mapping[ListName, str] = {
    "sub_customer": "sub-customer",
    "class": "class",
    "location": "location",
    "item": "item",
    "tracking": "tracking option",
}
# The documents whose lines carry dimensions, in the order in which they are synced.
DOCUMENTS: tuple[Entity, ...] = (Entity.INVOICE, Entity.BILL, Entity.JOURNAL_ENTRY)
# The shortest limit of any list, so that an option has the same name everywhere.
OPTION_NAME_LENGTH_MAX = 100
CATEGORIES_MAX = 2


@dataclass(frozen=True, slots=True)
class Place:
    """A list of the ledger: one of a kind, or one of its tracking categories by name."""

    list: ListName
    category: str = ""

    @property
    def words(self) -> str:
        """What a sentence calls one entry of it."""
        return (
            f"option of the tracking category “{self.category}”" if self.category else LIST_WORDS[self.list]
        )


@dataclass(frozen=True, slots=True)
class Dimension:
    """One choice: each subject of this kind becomes an option of this list."""

    subject: Subject
    place: Place


@dataclass(frozen=True, slots=True)
class Option:
    """What one subject is in one list of the ledger, as far as it came.

    `remote_id` is there once it is ready. While it is not, it is the entry that it was last.
    """

    place: Place
    subject: Subject
    subject_id: str
    # The subject as the platform called it when the option was last looked at.
    label: str
    name: str
    state: OptionState
    remote_id: str | None = None
    # The list of the ledger it belongs to, where a line has to name it too (a tracking category).
    list_id: str | None = None
    parent_id: str | None = None
    message: str | None = None
    # The name a person gave it in the ledger, instead of one made of the subject.
    named: str | None = None
    # Made by us; what was found is the bookkeeper's own, and is neither renamed nor archived.
    is_made: bool = False

    @property
    def is_there(self) -> bool:
        """Whether an entry of the ledger stands for it, in use or archived."""
        return self.state in ("ready", "archived") and self.remote_id is not None

    @property
    def key(self) -> tuple[Place, str]:
        """What the option stands for."""
        return (self.place, self.subject_id)


def option_name(label: str) -> str:
    """Return the name of an option: the subject's, without what no ledger takes in a name."""
    plain = " ".join(label.replace(":", " - ").split())
    return plain[:OPTION_NAME_LENGTH_MAX].rstrip()


@dataclass(frozen=True, slots=True)
class DimensionTable:
    """What sync looks options up in, for one batch of documents."""

    dimensions: Sequence[Dimension] = ()
    options: Mapping[tuple[Place, str], Option] = field(default_factory=dict)
    cost_types: Mapping[str, str] = field(default_factory=dict)
    provider_title: str = ""

    @property
    def uses_jobs(self) -> bool:
        """Whether a line's job reaches the ledger."""
        return any(each.subject == "job" for each in self.dimensions)

    def of_line(
        self, line: Mapping[str, Any], *, before: Mapping[str, Any] | None, label: str
    ) -> dict[str, Any]:
        """Return what a line has to carry, by list; empty where it keeps what it has.

        `before` is the line as it was last agreed on. Raises DimensionMissing where the ledger has no such option yet.
        """
        found: dict[str, Any] = {}
        for dimension in self.dimensions:
            if not self._is_told(dimension, line, before):
                continue
            subject_id = self.subject_of(dimension.subject, line)
            if subject_id is None or (dimension.place.list == "item" and not _is_work(line)):
                continue
            option = self.options.get((dimension.place, subject_id))
            if option is None or option.state != "ready" or option.remote_id is None:
                raise self._missing(dimension, option, subject_id, label=label)
            if dimension.place.list == "tracking":
                found.setdefault("tracking", []).append(
                    {"category": option.list_id, "option": option.remote_id}
                )
            else:
                found[dimension.place.list] = option.remote_id
        return {"dimensions": found} if found else {}

    def parent_of(self, remote_id: str) -> str | None:
        """Return whose job a sub-customer is: the provider's id of the client."""
        return next(
            (
                each.parent_id
                for each in self.options.values()
                if each.place.list == "sub_customer" and each.is_there and each.remote_id == remote_id
            ),
            None,
        )

    def subject_of(self, subject: Subject, line: Mapping[str, Any]) -> str | None:
        """Return what stands on a line of ours for a subject."""
        if subject == "job":
            return line.get("job")
        code = line.get("code")
        return self.cost_types.get(code) if subject == "cost_type" and code else code

    @staticmethod
    def _is_told(dimension: Dimension, line: Mapping[str, Any], before: Mapping[str, Any] | None) -> bool:
        if before is None:
            return True
        if dimension.subject == "job":
            return job_moved(before, line)
        return bool(before.get("code") != line.get("code"))

    def _missing(
        self, dimension: Dimension, option: Option | None, subject_id: str, *, label: str
    ) -> DimensionMissing:
        subject = f"{SUBJECT_WORDS[dimension.subject]} {option.label if option else subject_id}"
        reason = option.message if option is not None and option.message else "the next sync makes it"
        return DimensionMissing(
            label=label,
            subject=subject,
            place=dimension.place.words,
            provider=self.provider_title,
            reason=reason,
            key=f"{dimension.place.list}:{dimension.place.category}:{dimension.subject}:{subject_id}",
        )


def _is_work(line: Mapping[str, Any]) -> bool:
    return (line.get("role") or "work") == "work"


# ---------------------------------------------------------------- settings


def read_dimensions(stored: Iterable[Mapping[str, Any]]) -> tuple[Dimension, ...]:
    """Return a connection's choices as they are kept in its settings."""
    return tuple(
        Dimension(each["subject"], Place(each["list"], str(each.get("category") or ""))) for each in stored
    )


def shown_dimensions(dimensions: Iterable[Dimension]) -> list[dict[str, str | None]]:
    """Return choices as they are kept and shown."""
    return [
        {"subject": each.subject, "list": each.place.list, "category": each.place.category or None}
        for each in dimensions
    ]


def check_dimensions(
    wanted: Sequence[Dimension], *, offered: Mapping[Subject, Sequence[ListName]], provider_title: str
) -> None:
    """Raise InvalidSetting with a sentence where choices cannot stand together or the provider has no such list."""
    taken: dict[tuple[str, str], Dimension] = {}
    for position, each in enumerate(wanted):
        name = f"dimensions[{position}]"
        place = each.place
        subject = SUBJECT_WORDS[each.subject]
        if place.list not in offered.get(each.subject, ()):
            choices = " or ".join(LIST_WORDS[one] for one in offered.get(each.subject, ())) or "nothing"
            raise InvalidSetting(
                name=f"{name}.list",
                reason=f"in {provider_title} a {subject} cannot become a {LIST_WORDS[place.list]}; choose {choices}",
            )
        if place.list == "tracking" and not place.category:
            raise InvalidSetting(name=f"{name}.category", reason="name the tracking category")
        if place.list != "tracking" and place.category:
            reason = f"a {LIST_WORDS[place.list]} belongs to no category; leave it out"
            raise InvalidSetting(name=f"{name}.category", reason=reason)
        other = taken.setdefault((place.list, name_key(place.category)), each)
        if other is not each:
            reason = (
                f"a line has one {place.words}, and {SUBJECT_WORDS[other.subject]}s already become one;"
                " choose another list for one of them"
            )
            raise InvalidSetting(name=name, reason=reason)
    if sum(each.place.list == "tracking" for each in wanted) > CATEGORIES_MAX:
        reason = f"a line has at most {CATEGORIES_MAX} tracking categories; leave one out"
        raise InvalidSetting(name="dimensions", reason=reason)
