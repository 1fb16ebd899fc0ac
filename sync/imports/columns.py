"""Which column of a file is which field: by known headings first, then by likeness.

A heading is taken for a field only when it is nearly one of the field's known headings; what is merely alike is
offered as a suggestion, because a wrong column imports wrong amounts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from sync.imports.formats import FORMATS, Field, Format, ImportEntity
from sync.imports.layouts import ColumnChoices, Layout

TAKEN_SCORE = 88.0
SUGGESTED_SCORE = 60.0
LAYOUT_SCORE = 100

_WORDS = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SPOKEN = {"#": " number ", "no.": " number ", "num.": " number ", "nr.": " number ", "$": " ", "&": " and "}


@dataclass(frozen=True, slots=True)
class Recognition:
    """Which column holds which field (`columns`: field name → column index), and which columns are not used."""

    columns: Mapping[str, int]
    unused: Sequence[int]
    missing: Sequence[Field]
    layout: Layout | None = None

    @property
    def score(self) -> int:
        """How well a row of headings fits: found fields, less what is missing; a known layout outdoes them all."""
        return len(self.columns) - len(self.missing) + (LAYOUT_SCORE if self.layout else 0)


def heading_key(text: str) -> str:
    """Return a heading in the form in which headings are compared."""
    spoken = _CAMEL.sub(" ", text).lower()
    for mark, word in _SPOKEN.items():
        spoken = spoken.replace(mark, word)
    return " ".join(_WORDS.sub(" ", spoken).split())


def recognise(headings: Sequence[str], format_: Format, choices: ColumnChoices | None = None) -> Recognition:
    """Decide which heading is which field of a format: a person's word first, then a known layout, then likeness."""
    given = choices or ColumnChoices()
    keys = [heading_key(heading) for heading in headings]
    layout = _layout(keys, format_, given.layouts)
    named = {**(layout.columns if layout else {}), **given.chosen}
    columns: dict[str, int] = {}
    for name, heading in named.items():
        if heading is not None and heading_key(heading) in keys:
            columns[name] = keys.index(heading_key(heading))
    # A layout names all that its files have; what it leaves out is not guessed.
    decided = named.keys() if layout is None else {field.name for field in format_.fields} | named.keys()
    for _, _, position, name in sorted(_scored(keys, format_)):
        if name not in decided and name not in columns and position not in columns.values():
            columns[name] = position
    unused = [position for position, key in enumerate(keys) if key and position not in columns.values()]
    absent = given.fixed.keys() | (layout.without | layout.fixed.keys() if layout else set())
    missing = [field for field in _missing(format_, columns) if field.name not in absent]
    return Recognition(columns, unused, missing, layout)


def _scored(keys: Sequence[str], format_: Format) -> list[tuple[float, int, int, str]]:
    scored: list[tuple[float, int, int, str]] = []
    for position, key in enumerate(keys):
        if not key:
            continue
        for field in format_.fields:
            score, rank = _likeness(key, field)
            if score >= TAKEN_SCORE:
                scored.append((-score, rank, position, field.name))
    return scored


def _layout(keys: Sequence[str], format_: Format, layouts: Sequence[Layout]) -> Layout | None:
    """Return the layout with the most telling headings that are all there."""
    there = set(keys)
    fitting = [
        layout
        for layout in layouts
        if layout.entity is format_.entity
        and layout.telling_headings
        and all(heading_key(heading) in there for heading in layout.telling_headings)
    ]
    return max(fitting, key=lambda layout: len(layout.telling_headings)) if fitting else None


def nearest_heading(field: Field, headings: Sequence[str]) -> str | None:
    """Return the heading that looks most like a field, if one does."""
    best: tuple[float, str] | None = None
    for heading in headings:
        score, _ = _likeness(heading_key(heading), field)
        if score >= SUGGESTED_SCORE and (best is None or score > best[0]):
            best = (score, heading)
    return best[1] if best else None


def likely_entity(headings: Sequence[str], *, other_than: ImportEntity) -> ImportEntity | None:
    """Return the entity whose format these headings fit completely, if another than the one asked for does."""
    fitting = [
        (recognise(headings, format_).score, entity)
        for entity, format_ in FORMATS.items()
        if entity != other_than and not recognise(headings, format_).missing
    ]
    return max(fitting)[1] if fitting else None


def _likeness(key: str, field: Field) -> tuple[float, int]:
    """Return how alike a heading and a field are, and the rank of the synonym (earlier ones are surer)."""
    if key in field.synonyms:
        return 101.0, field.synonyms.index(key)
    _, score, rank = process.extractOne(key, field.synonyms, scorer=fuzz.token_sort_ratio)
    return score, 100 + rank


def _missing(format_: Format, columns: Mapping[str, int]) -> list[Field]:
    stood_for = {group[0] for group in format_.alternatives if all(other in columns for other in group[1:])}
    return [
        field
        for field in format_.fields
        if field.is_required and field.name not in columns and field.name not in stood_for
    ]
