"""Suggestions for a mapping: how fast for 500 codes and 1,000 accounts, and how right on labelled charts.

`--misses` lists every code whose pick is wrong, and every one that is held though an account would be right.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator, Sequence

from sync import mapping_suggestions, mapping_words
from sync.mapping import CostCode, ProviderAccount
from sync.mapping_evidence import Choice
from sync.mapping_suggestions import MARGIN, THRESHOLD, Ranked, rank
from tests.bench.measure import figure
from tests.support.charts import LabelledChart, labelled_charts

CODES, ACCOUNTS, DIVISIONS = 500, 1_000, 25
ROUNDS = 7
# What the builder may have chosen already, in the figures with history: every third code.
CHOSEN_EVERY = 3


def main() -> None:
    """Print speed, then precision and recall of each chart, the held-out ones apart, and the curve."""
    charts = labelled_charts()
    _speed(charts)
    tuned = [chart for chart in charts if not chart.is_held_out]
    apart = [chart for chart in charts if chart.is_held_out]
    for name, group in (("tuned", tuned), ("held_out", apart)):
        for chart in group:
            _judge(f"mapping.{name}.{chart.name}", [chart])
        _judge(f"mapping.{name}.all", group)
        _judge(f"mapping.{name}.with_choices", group, with_choices=True)
    for threshold in range(50, 100, 5):
        _judge(f"mapping.curve.tuned.{threshold}", tuned, threshold=threshold)
        _judge(f"mapping.curve.held_out.{threshold}", apart, threshold=threshold)
    for margin in (0, 3, 6, 10, 15):
        _judge(f"mapping.margin.tuned.{margin}", tuned, margin=margin)
        _judge(f"mapping.margin.held_out.{margin}", apart, margin=margin)
    if "--misses" in sys.argv:
        for chart in charts:
            for line in _misses(chart):
                sys.stdout.write(f"{chart.name}: {line}\n")


def made_up(charts: Sequence[LabelledChart]) -> tuple[list[CostCode], list[ProviderAccount]]:
    """Return as many codes and accounts as the figure asks for, in the words of the labelled charts."""
    names = [each.name for chart in charts for each in (*chart.accounts, *chart.codes)]
    vocabulary = sorted({word for name in names for word, _ in mapping_words.words(name)})
    draw = random.Random(7)

    def name() -> str:
        return " ".join(draw.sample(vocabulary, draw.randint(1, 4)))

    divisions = [name() for _ in range(DIVISIONS)]
    codes = [
        CostCode(
            str(number),
            f"{number // 50 + 1:02d}-{number % 50 * 10:03d}",
            name(),
            divisions[number % DIVISIONS],
            cost_type=draw.choice(["labor", "material", "subcontract", None]),
        )
        for number in range(CODES)
    ]
    kinds = ("cost_of_goods_sold", "expense")
    accounts = [
        ProviderAccount(str(number), name(), kinds[number % 2], str(5000 + number))
        for number in range(ACCOUNTS)
    ]
    return codes, accounts


def _speed(charts: Sequence[LabelledChart]) -> None:
    codes, accounts = made_up(charts)
    walls, cpus = [], []
    for _ in range(ROUNDS):
        mapping_words.words.cache_clear()
        wall, cpu = time.perf_counter(), time.process_time()
        rank("cost_code", cost_codes=codes, accounts=accounts)
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    figure(
        "mapping.suggest",
        min(walls),
        "ms",
        codes=CODES,
        accounts=ACCOUNTS,
        cpu_ms=min(cpus),
        median_ms=sorted(walls)[ROUNDS // 2],
        wanted_below_ms=200,
    )


def _judge(
    name: str,
    charts: Sequence[LabelledChart],
    *,
    threshold: int = THRESHOLD,
    margin: int = MARGIN,
    with_choices: bool = False,
) -> None:
    picked = right = mappable = near = codes = 0
    for chart in charts:
        for code, ranked in _ranked(chart, with_choices=with_choices):
            codes += 1
            good = chart.right[code.id]
            mappable += bool(good)
            near += bool(good & {each.account_id for each in ranked.candidates})
            pick = _pick(ranked, threshold=threshold, margin=margin)
            picked += pick is not None
            right += pick in good
    figure(
        name,
        right / picked if picked else 0.0,
        "precision",
        codes=codes,
        picked=picked,
        wrong=picked - right,
        recall=right / mappable,
        top_3_recall=near / mappable,
    )


def _ranked(chart: LabelledChart, *, with_choices: bool = False) -> Iterator[tuple[CostCode, Ranked]]:
    known = chart.codes[::CHOSEN_EVERY] if with_choices else ()
    choices = [Choice(code, min(chart.right[code.id])) for code in known if chart.right[code.id]]
    asked = [code for code in chart.codes if code not in known]
    found = rank("cost_code", cost_codes=asked, accounts=chart.accounts, choices=choices)
    for code in asked:
        yield code, found.get(code.id, Ranked((), None))


def _pick(ranked: Ranked, *, threshold: int = THRESHOLD, margin: int = MARGIN) -> str | None:
    """Return what would be picked at another threshold or margin."""
    scores = [each.score for each in ranked.candidates]
    if not scores or scores[0] < threshold or (len(scores) > 1 and scores[0] - scores[1] < margin):
        return None
    return ranked.candidates[0].account_id


def _misses(chart: LabelledChart) -> Iterator[str]:
    for code, ranked in _ranked(chart):
        good, pick = chart.right[code.id], _pick(ranked)
        if pick in good or (pick is None and not good):
            continue
        kind = "held " if pick is None else "WRONG"
        near = ", ".join(f"{each.account_id} {each.score}" for each in ranked.candidates) or "nothing near"
        yield f"{kind} {code.code} {code.name}: {near}; right: {' or '.join(sorted(good)) or 'none'}"


assert mapping_suggestions.CANDIDATES_MAX == 3, "the figures say top 3"

if __name__ == "__main__":
    main()
