"""From a link to a decision: gathers what `sync.compare.decide` needs, resolving references only where it must."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sync import fields, history, jobs, merge, periods
from sync.clock import Skew
from sync.compare import GONE, Decision, Situation, decide
from sync.incoming import BackResolver, to_platform
from sync.mapping import MappingTable
from sync.outgoing import Reference, Resolver, Sent, references, to_ledger
from sync.records import Canonical, Entity, name_key
from sync.shown import shown
from sync.store import Work
from sync.stored import ClosedBooks, EntitySetting, LinkView


@dataclass(frozen=True, slots=True)
class Context:
    """What deciding and carrying out one batch of links needs to know, loaded once for the batch."""

    entity: Entity
    setting: EntitySetting
    mapping: MappingTable
    out: Resolver
    back: BackResolver
    # The versions that documents of the batch were sent under and that may go out again.
    older: Mapping[str, MappingTable] = field(default_factory=dict)

    @property
    def hears_of_jobs(self) -> bool:
        """Whether a line's job reaches the ledger, as an account or as an option."""
        return self.mapping.has_job_defaults or self.out.dimensions.uses_jobs

    # Until when the ledger's books are closed, as far as is known here.
    closed: ClosedBooks = field(default_factory=ClosedBooks)
    skew: Skew | None = None
    # Documents older than the history that is brought in, by the ledger's ids, which money pays that is here or comes in.
    paid_here: frozenset[str] = frozenset()
    # Customers of the ledger that are active vendors of ours too, or the reverse.
    shared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judged:
    """A link, what shall be done about it, and what differs."""

    link: LinkView
    decision: Decision
    # Ours with what the ledger changed, and the ledger's own values, both in our dialect, where the two can be merged.
    merged: Canonical | None = None
    theirs_as_ours: Canonical | None = None


def load_context(work: Work, entity: Entity, links: Sequence[LinkView], *, provider_title: str) -> Context:
    """Load the references, names and mapping of a batch in a handful of statements."""
    ours: set[Reference] = set()
    theirs: set[Reference] = set()
    for link in links:
        if link.ours is not None:
            ours.update(references(entity, link.ours.canonical))
        if link.theirs is not None:
            theirs.update(references(entity, link.theirs.canonical))
    mapping, setting = work.mapping(), work.entity_setting(entity)
    remote_ids = work.remote_ids(ours)
    return Context(
        entity=entity,
        setting=setting,
        mapping=mapping,
        out=Resolver(
            provider_title=provider_title,
            mapping=mapping,
            remote_ids=remote_ids,
            merged=work.merged_names(ours - remote_ids.keys()),
            names=work.our_names(ours),
            code_names=work.code_names(),
            dimensions=work.dimension_table(),
            tax_codes=work.tax_codes(),
        ),
        back=BackResolver(
            provider_title=provider_title,
            mapping=mapping,
            record_ids=work.record_ids(theirs),
            names=work.their_names(theirs),
        ),
        older={version: work.mapping(version) for version in _versions_sent(links)},
        closed=work.closed_books() if entity in periods.DATED else ClosedBooks(),
        shared=work.shared_names(
            entity, [link.remote_id for link in links if link.remote_id and _ended_here(link)]
        ),
        paid_here=history.paid_here(work, entity, links, setting),
    )


def _ended_here(link: LinkView) -> bool:
    return link.ours is not None and link.ours.state in GONE


def _versions_sent(links: Sequence[LinkView]) -> list[str]:
    """Name the mapping versions of documents that changed here since they were sent; the others go nowhere."""
    return sorted(
        {
            version
            for link in links
            if link.ours_checksum != link.base_ours_checksum
            for version in link.line_versions.values()
        }
    )


# What must agree for two records that were never linked to be the same one (requirement §5: amount, date, status).
KEY_FIELDS: Mapping[Entity, tuple[str, ...]] = {
    Entity.ACCOUNT: ("name", "type"),
    Entity.CUSTOMER: ("name",),
    Entity.VENDOR: ("name",),
    Entity.INVOICE: ("date", "party", "total"),
    Entity.BILL: ("date", "party", "total"),
    Entity.JOURNAL_ENTRY: ("date", "lines"),
    Entity.PAYMENT: ("date", "party", "amount"),
    Entity.BILL_PAYMENT: ("date", "party", "amount"),
    Entity.DEPOSIT: ("date", "amount"),
}


def as_sent(link: LinkView, context: Context) -> Sent:
    """Return what the ledger was last told about this document, and under which versions of the mapping."""
    return Sent(link.base_ours, link.base_theirs, link.line_versions, context.older)


def in_ledger_terms(link: LinkView, context: Context, *, sent: Sent | None = None) -> Canonical:
    """Return our record in the provider's dialect; raises a Held error naming what it waits for.

    `sent` is told under which mapping version each line goes out.
    """
    assert link.ours is not None
    resolved = to_ledger(
        link.entity,
        link.ours.canonical,
        label=link.label,
        resolver=context.out,
        sent=sent or as_sent(link, context),
    )
    return periods.in_ledger_dates(link, resolved)


def judge(link: LinkView, context: Context) -> Judged:
    """Decide about one link. Raises a Held error where the values cannot even be compared yet."""
    ours_changed = _ours_changed(link, context)
    theirs_changed = link.theirs is not None and link.theirs_checksum != link.base_theirs_checksum
    has_base = link.base_ours_checksum is not None and link.base_theirs_checksum is not None
    same = False
    together: tuple[Canonical, Canonical] | None = None
    if link.ours is not None and link.theirs is not None and link.theirs.state != "deleted":
        if not has_base:
            same = not differing_key_fields(link, context) and link.theirs.state == link.ours.state
        elif (
            ours_changed and theirs_changed and link.ours.state == "active" and link.theirs.state == "active"
        ):
            same = fields.same_values(link.entity, in_ledger_terms(link, context), link.theirs.canonical)
            together = None if same else _merge(link, context)
            if same and _job_moved(link, context):
                # Both say the same, but the ledger has yet to hear of the job: nothing is overwritten by saying it.
                same, theirs_changed = False, False
    situation = Situation(
        ours=link.ours.state if link.ours else None,
        theirs=link.theirs.state if link.theirs else None,
        ours_changed=ours_changed,
        theirs_changed=theirs_changed,
        has_base=has_base,
        same_values=same,
        disjoint_fields=together is not None,
        direction=context.setting.direction,
        strategy=context.setting.strategy,
        decision=link.decision,
        ours_changed_at=link.ours.changed_at if link.ours else None,
        theirs_changed_at=link.theirs.changed_at if link.theirs else None,
        skew=context.skew,
        ended_here=context.setting.ended_here,
        ended_there=context.setting.ended_there,
        merged_into=link.theirs.merged_into if link.theirs else None,
        is_shared=link.remote_id in context.shared,
        is_before_history=history.is_left(
            link, context.setting, here=context.back.record_ids, paid_here=context.paid_here
        ),
    )
    both, theirs = together or (None, None)
    return Judged(link, decide(situation), merged=both, theirs_as_ours=theirs)


def _ours_changed(link: LinkView, context: Context) -> bool:
    if link.ours is None or link.ours_checksum == link.base_ours_checksum:
        return False
    return not jobs.is_no_change(
        link.ours.canonical,
        link.base_ours,
        state=link.ours.state,
        base_checksum=link.base_ours_checksum,
        uses_jobs=context.hears_of_jobs,
    )


def _job_moved(link: LinkView, context: Context) -> bool:
    assert link.ours is not None
    return context.hears_of_jobs and jobs.any_moved(link.base_ours, link.ours.canonical)


def _merge(link: LinkView, context: Context) -> tuple[Canonical, Canonical] | None:
    """Return both sides' changes in one record, and theirs alone; None where they touch the same or do not add up."""
    if link.ours is None or link.theirs is None or link.base_ours is None or link.base_theirs is None:
        return None
    mine = merge.our_changes(link.entity, link.ours.canonical, link.base_ours)
    yours = merge.their_changes(link.entity, link.theirs.canonical, link.base_theirs, link.base_ours)
    if link.entity in merge.WITH_LINES:
        mine, yours = merge.without_agreed(
            link.entity, link.ours.canonical, link.theirs.canonical, mine, yours
        )
    if not merge.are_disjoint(mine, yours):
        return None
    theirs = in_platform_terms(link, context)
    both = merge.merged(
        link.entity,
        link.ours.canonical,
        theirs,
        our_change=mine,
        their_change=yours,
        told_apart=merge.are_told_apart(link.base_ours, link.base_theirs),
    )
    return None if both is None else (both, theirs)


def in_platform_terms(link: LinkView, context: Context) -> Canonical:
    """Return their record in our dialect; raises a Held error naming what it waits for."""
    assert link.theirs is not None
    ours = to_platform(
        link.entity,
        link.theirs.canonical,
        label=link.label,
        resolver=context.back,
        base_ours=link.base_ours,
        base_theirs=link.base_theirs,
        is_chosen=link.decision is not None,
    )
    return periods.in_our_dates(link, ours)


def differing_key_fields(link: LinkView, context: Context) -> list[str]:
    """Name the key fields in which two records that were never linked differ; references are compared where known."""
    assert link.ours is not None
    assert link.theirs is not None
    ours = dict(link.ours.canonical)
    if "party" in KEY_FIELDS[link.entity]:
        reference = next(iter(references(link.entity, {"party": ours.get("party")})), None)
        ours["party"] = context.out.remote_ids.get(reference) if reference else None
    left = fields.comparable(link.entity, ours)
    right = fields.comparable(link.entity, link.theirs.canonical)
    if link.entity is Entity.JOURNAL_ENTRY:
        left["lines"], right["lines"] = _sides(left["lines"]), _sides(right["lines"])
    if link.entity in (Entity.CUSTOMER, Entity.VENDOR, Entity.ACCOUNT):
        left["name"], right["name"] = name_key(str(left["name"])), name_key(str(right["name"]))
    return [name for name in KEY_FIELDS[link.entity] if left[name] != right[name]]


def _sides(lines: list[Canonical]) -> list[tuple[str, str]]:
    return sorted((line.get("debit", "0.00"), line.get("credit", "0.00")) for line in lines)


def conflict_data(link: LinkView, context: Context, names: ConflictNames) -> dict[str, object]:
    """Show a conflict as three values per field: ours, last agreed, theirs, as they are compared and as people read them."""
    assert link.ours is not None
    ours = fields.comparable(link.entity, _shown_ours(link, context))
    theirs = fields.comparable(link.entity, link.theirs.canonical) if link.theirs else {}
    base = fields.comparable(link.entity, link.base_theirs) if link.base_theirs else {}
    changed = _changed_by(link)
    differing = [
        {
            "field": name,
            "ours": ours[name],
            "base": base.get(name),
            "theirs": theirs.get(name),
            "changed_by": changed(name),
            **_in_words(link, name, context, names),
        }
        for name in fields.COMPARED[link.entity]
        if ours[name] != theirs.get(name)
    ]
    left = fields.money_of(link.ours.canonical)
    right = fields.money_of(link.theirs.canonical) if link.theirs and link.theirs.canonical else None
    return {
        "fields": differing,
        "ours_state": link.ours.state,
        "theirs_state": link.theirs.state if link.theirs else None,
        "ours_checksum": link.ours_checksum,
        "theirs_checksum": link.theirs_checksum,
        "money_difference": f"{left - right:f}" if left is not None and right is not None else None,
        "direction": context.setting.direction,
        "names": _names(link),
    }


def _changed_by(link: LinkView) -> Callable[[str], str | None]:
    """Return who changed a field since both last agreed; None, where they never did."""
    is_known = link.ours and link.theirs and link.theirs.canonical and link.base_ours and link.base_theirs
    if not is_known:
        return lambda _name: None
    assert link.ours is not None
    assert link.theirs is not None
    assert link.base_ours is not None
    assert link.base_theirs is not None
    entity, base = link.entity, link.base_ours
    here = merge.our_changes(entity, link.ours.canonical, base).names
    there = merge.their_changes(entity, link.theirs.canonical, link.base_theirs, base).names
    said = {(True, True): "both", (True, False): "platform", (False, True): "provider"}
    return lambda name: said.get((name in here, name in there), "neither")


def _names(link: LinkView) -> dict[str, object]:
    """What must differ for both records to be kept side by side: names, or numbers where there are any."""
    is_name = link.entity in (Entity.ACCOUNT, Entity.CUSTOMER, Entity.VENDOR)
    field_name = "name" if is_name else "number"
    sides = {"ours": link.ours, "theirs": link.theirs}
    return {
        "is_name": is_name,
        **{
            side: (found.canonical.get(field_name) if found is not None else None)
            for side, found in sides.items()
        },
    }


@dataclass(frozen=True, slots=True)
class ConflictNames:
    """What the records of a conflict refer to, by name: ours in our ids, theirs in the provider's."""

    ours: Mapping[Reference, str]
    theirs: Mapping[Reference, str]


def conflict_names(work: Work, link: LinkView) -> ConflictNames:
    """Load the names for one conflict; the accounts of lines are in no batch's references."""
    ours = set(references(link.entity, link.ours.canonical)) if link.ours else set()
    theirs: set[Reference] = set()
    for canonical in (link.theirs.canonical if link.theirs else None, link.base_theirs):
        if canonical:
            theirs.update(references(link.entity, canonical))
            theirs.update(
                (Entity.ACCOUNT, str(line["account"]))
                for line in canonical.get("lines") or ()
                if line.get("account")
            )
    return ConflictNames(work.our_names(ours), work.their_names(theirs))


def _in_words(link: LinkView, field: str, context: Context, names: ConflictNames) -> dict[str, object]:
    assert link.ours is not None
    sides = (
        ("ours_shown", link.ours.canonical, names.ours),
        ("base_shown", link.base_theirs, names.theirs),
        ("theirs_shown", link.theirs.canonical if link.theirs else None, names.theirs),
    )
    return {
        side: shown(link.entity, field, canonical, name=known.get, codes=context.out.code_names)
        for side, canonical, known in sides
    }


def _shown_ours(link: LinkView, context: Context) -> Canonical:
    """Return ours for display: the party as the provider knows it where linked, the lines as they are."""
    assert link.ours is not None
    mine = dict(link.ours.canonical)
    for reference in references(link.entity, {"party": mine.get("party")}):
        mine["party"] = context.out.remote_ids.get(reference, mine["party"])
    return periods.in_ledger_dates(link, mine)
