"""`tieout sync`: one sync of one connection in this process, or a rehearsal of it that writes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from resources.wiring import Tieout
    from sync.rehearsal import Foreseen, Rehearsal
    from sync.summary import EntitySummary, TieOut

RECORDS_SHOWN_MAX = 200


def sync_command(
    builder: Annotated[str, typer.Argument(help="The builder's name or id.")],
    provider: Annotated[
        str | None,
        typer.Option(help="quickbooks_online or xero; may be left out while there is one connection."),
    ] = None,
    entity: Annotated[
        list[str] | None,
        typer.Option(help="Only this kind of record, such as bill; may be given several times."),
    ] = None,
    direction: Annotated[
        Literal["both", "push", "pull"],
        typer.Option(help="push: only send. pull: only bring in. What is left out waits."),
    ] = "both",
    rehearse: Annotated[
        bool,
        typer.Option("--rehearse", help="Say what the sync would do, record by record; write nothing."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, amounts as decimal texts, for programs.")
    ] = False,
) -> None:
    """Sync one builder with its accounting system now, or rehearse it.

    Rehearse first: tieout sync "Cedar Ridge Homes" --rehearse reads the ledger, works out everything a sync would
    do, and prints what would be created, changed, voided, linked, brought in, held and left in conflict, with amounts.
    Neither book is written to. Then leave out --rehearse to do it.

    A document needs its vendor or client in the ledger, so that --entity bill alone holds bills of new vendors: say
    --entity vendor --entity bill. Ends with status 0 when everything went through, 2 when something is held, failed or
    in conflict (tieout's queues say what), 1 when the sync could not be done.
    """
    from resources.imports.builders import find_builder
    from resources.logging import configure_logging
    from resources.postgres import start_embedded
    from resources.settings import load_settings
    from resources.wiring import Tieout

    settings = load_settings()
    configure_logging(settings)
    if settings.is_embedded:
        start_embedded(settings)
    with Tieout(settings) as tieout:
        builder_id = find_builder(tieout.database, builder)
        connection_id = _connection(tieout, builder_id, provider)
        names = entity or []
        run = _rehearse if rehearse else _sync
        waits = run(tieout, str(builder_id), connection_id, names=names, direction=direction, as_json=as_json)
    if waits:
        raise typer.Exit(2)


def _connection(tieout: Tieout, builder_id: UUID, provider: str | None) -> UUID:
    from api.chosen import chosen_connection
    from resources.store import views
    from sync.errors import InvalidInput

    with tieout.database.builder_tx(builder_id) as tx:
        if provider is None:
            found: UUID = chosen_connection(tx, None)["id"]
            return found
        rows = [row for row in views.connections(tx) if row["provider"] == provider]
    if not rows:
        raise InvalidInput(
            f"This builder has no connection to {provider}. Name one that it has, or connect it first."
        )
    chosen: UUID = rows[0]["id"]
    return chosen


def _entities(names: Sequence[str]) -> list[Any]:
    from sync.errors import InvalidInput
    from sync.records import SYNC_ORDER, Entity

    known = [each.value for each in SYNC_ORDER]
    if wrong := [name for name in names if name not in known]:
        raise InvalidInput(f"There is no kind of record called {wrong[0]}. Choose of {', '.join(known)}.")
    return [Entity(name) for name in known if name in names]


def _rehearse(
    tieout: Tieout,
    builder_id: str,
    connection_id: UUID,
    *,
    names: Sequence[str],
    direction: Any,
    as_json: bool,
) -> bool:
    from uuid import UUID

    from resources.store import rehearsals

    request = rehearsals.RehearsalRequest(
        connection_id, "command line", entities=_entities(names), direction=direction
    )
    rehearsal_id = rehearsals.create(
        tieout.database, UUID(builder_id), request=request, now=tieout.clock.now()
    )
    found = tieout.rehearse(builder_id, rehearsal_id)
    if as_json:
        print(json.dumps(_rehearsal_json(found), ensure_ascii=False, indent=2))
    else:
        _print_rehearsal(found)
    return any(total.outcome in ("held", "conflict", "failed") for total in found.totals)


def _rehearsal_json(found: Rehearsal) -> dict[str, Any]:
    return {
        "id": found.id,
        "provider_calls": found.provider_calls,
        "records_read": found.records_read,
        "totals": [
            {
                "entity": total.entity,
                "outcome": total.outcome,
                "book": total.book,
                "records": total.records,
                "amount": f"{total.amount:f}",
                "currency": total.currency,
            }
            for total in found.totals
        ],
        "records": [_record_json(each) for each in found.records],
    }


def _record_json(each: Foreseen) -> dict[str, Any]:
    return {
        "entity": each.entity,
        "outcome": each.outcome,
        "book": each.book,
        "label": each.label,
        "amount": None if each.amount is None else f"{each.amount:f}",
        "currency": each.currency,
        "reason": each.reason,
        "fields": list(each.fields),
    }


def _print_rehearsal(found: Rehearsal) -> None:
    if not found.totals:
        print("A sync would do nothing: both sides agree.")
    for total in found.totals:
        print(
            f"{total.records:>6}  {total.entity.replace('_', ' '):<14} {_place(total.outcome, total.book):<22}"
            f" {_money(total.amount, total.currency):>18}"
        )
    if found.records:
        print()
    for each in found.records:
        print(
            f"{_place(each.outcome, each.book):<22} {each.label:<44} {_money(each.amount, each.currency):>18}"
        )
        for change in each.fields:
            print(f"{'':<22} {_change(change)}")
        if each.outcome in ("held", "conflict", "failed"):
            print(f"{'':<22} {each.reason}")
    shown = sum(total.records for total in found.totals)
    if shown > len(found.records):
        print(f"… and {shown - len(found.records)} more; GET /rehearsals/{found.id}/records has them all.")
    print(f"\nThis was a rehearsal ({found.id}): nothing was written to either book.")


def _place(outcome: str, book: str | None) -> str:
    return outcome if book is None else f"{outcome} {'in the ledger' if book == 'ledger' else 'here'}"


def _money(amount: Any, currency: str | None) -> str:
    return "" if not amount else f"{amount:,.2f} {currency or ''}".strip()


def _change(change: Mapping[str, Any]) -> str:
    left, right = ("ours", "theirs") if "theirs" in change else ("before", "after")
    name = str(change["field"]).replace("_", " ")
    if isinstance(change.get(left), list) or isinstance(change.get(right), list):
        return f"{name}: {len(change.get(left) or [])} → {len(change.get(right) or [])}"
    return f"{name}: {change.get(left) or '–'} → {change.get(right) or '–'}"


def _sync(
    tieout: Tieout,
    builder_id: str,
    connection_id: UUID,
    *,
    names: Sequence[str],
    direction: Any,
    as_json: bool,
) -> bool:
    from uuid import UUID

    from sync.errors import SyncError
    from sync.records import SYNC_ORDER

    chosen = _entities(names) or list(SYNC_ORDER)
    run_id = tieout.note_run(
        UUID(builder_id), connection_id, entities=chosen, direction=direction, requested_by="command line"
    )
    summaries, proof = [], None
    try:
        with tieout.sync(builder_id, str(connection_id), run_id) as sync:
            sync.pull_changes()
            summaries = [sync.sync_entity(each) for each in chosen]
            # The proof is about all of the books: it is made when all of them were looked at.
            proof = sync.tie_out() if len(chosen) == len(SYNC_ORDER) else None
            sync.finish()
    except SyncError as error:
        tieout.finish_run(builder_id, str(connection_id), run_id, error=error.user_message)
        raise
    if as_json:
        print(json.dumps(_sync_json(run_id, summaries, proof), ensure_ascii=False, indent=2))
    else:
        _print_sync(summaries, proof)
    return any(each.held or each.failed or each.conflicts for each in summaries)


def _sync_json(run_id: str, summaries: Sequence[EntitySummary], proof: TieOut | None) -> dict[str, Any]:
    return {
        "id": run_id,
        "entities": {
            each.entity.value: {
                name: {"records": tally.count, "amount": f"{tally.amount:f}"}
                for name, tally in each.tallies.items()
                if tally.count
            }
            for each in summaries
        },
        "is_tied": proof.is_tied if proof is not None else None,
        "difference": f"{proof.difference:f}" if proof is not None else None,
    }


def _print_sync(summaries: Sequence[EntitySummary], proof: TieOut | None) -> None:
    for each in summaries:
        done = [
            f"{tally.count} {name}" + (f" ({tally.amount:,.2f})" if tally.amount else "")
            for name, tally in each.tallies.items()
            if tally.count
        ]
        print(f"{each.entity.replace('_', ' '):<14} {', '.join(done) or 'both sides agree'}")
        for trouble in (*each.held, *each.conflicts, *each.failed):
            print(f"{'':<14} {trouble.sentence}")
    if proof is not None:
        said = "agree to the cent" if proof.is_tied else f"differ by up to {proof.difference:,.2f}"
        print(f"{'tie-out':<14} both sides {said}")
