"""Vendor bills, purchase orders and journal entries that fit the work the draws bill for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from assets.demo.making.draws import LAST_DAY, LAST_MONTH, YEAR, ZERO, Progress, month_end
from assets.demo.making.plan import Code, Company, Document, Entry, EntryLine, Job, Line, Party, cents

BILLS_PER_JOB_AND_MONTH = 2
ORDERS_MAX = 12


class BillNumbers:
    """Each vendor numbers its bills its own way, upwards."""

    def __init__(self, company: Company, random: Random) -> None:
        self._next = {vendor.name: 1000 + 211 * place for place, vendor in enumerate(company.vendors)}
        self._random = random

    def next(self, vendor: Party) -> str:
        """The vendor's next number."""
        self._next[vendor.name] += self._random.randint(1, 4)
        return vendor.style.format(n=self._next[vendor.name])


def bills(company: Company, progress: dict[str, Progress], random: Random) -> list[Document]:
    """Draw up bills for a share of each month's work; subcontractors are held back a percentage until the end."""
    numbers = BillNumbers(company, random)
    found: list[Document] = []
    for job in company.jobs:
        withheld: dict[str, Decimal] = defaultdict(Decimal)
        for month, work in progress[job.number].work.items():
            worth = [(code, amount) for code, amount in work if amount > 2500]
            for code, amount in random.sample(worth, k=min(BILLS_PER_JOB_AND_MONTH, len(worth))):
                bill = _bill(company, job, month, code, amount, numbers, random)
                for line in bill.lines:
                    if line.role == "retainage":
                        withheld[bill.party] -= line.amount
                found.append(bill)
        found += _releases(company, job, withheld, numbers)
    return sorted(found, key=lambda bill: (bill.on, bill.party, bill.number))


def _bill(
    company: Company,
    job: Job,
    month: int,
    code_text: str,
    amount: Decimal,
    numbers: BillNumbers,
    random: Random,
) -> Document:
    code = next(code for code in company.codes if code.code == code_text)
    if random.random() < 0.3:
        code = random.choice(
            [other for other in company.codes if other.division == code.division and not other.items]
        )
    division = code.division.split(" ")[0]
    vendor = random.choice([vendor for vendor in company.vendors if division in vendor.divisions])
    on = min(date(YEAR, month, random.randint(3, 28)), LAST_DAY)
    bill = Document(
        "bill", numbers.next(vendor), vendor.name, job.number, on, on + timedelta(days=30), f"{job.name}, {code.name}",
    )  # fmt: skip
    target = cents(min(amount, Decimal(90_000)) * random.randint(68, 86) / 100)
    materials = [other for other in company.codes if other.items and other.division == code.division]
    if materials and random.random() < 0.45:
        bill.lines = _supplied(random.choice(materials), job, target, random)
        bill.memo = f"{job.name}, delivered {on.isoformat()}"
    else:
        bill.lines = _subcontracted(code, job, target, random)
        if company.vendor_retainage_percent and len(bill.lines) > 1:
            held = cents(bill.total * company.vendor_retainage_percent / 100)
            bill.lines.append(
                Line(
                    f"Less retainage {company.vendor_retainage_percent}%",
                    -held,
                    role="retainage",
                    job=job.number,
                )
            )
    return bill


def _supplied(code: Code, job: Job, target: Decimal, random: Random) -> list[Line]:
    """Lines of a delivery: quantities at a price, sometimes something taken back."""
    lines = []
    for name, price_text in random.sample(code.items, k=random.randint(1, len(code.items))):
        price = Decimal(price_text)
        quantity = Decimal(max(1, min(round(target / len(code.items) / price), 900)))
        lines.append(Line(name, cents(quantity * price), code.code, "work", quantity, price, job.number))
    if len(lines) > 1 and random.random() < 0.3:
        back = max(Decimal(1), (lines[0].quantity or ZERO) // 12)
        price = lines[0].price or ZERO
        lines.append(
            Line(
                f"Returned: {lines[0].description}",
                -cents(back * price),
                code.code,
                "work",
                -back,
                price,
                job.number,
            )
        )
    return lines


_PARTS = ("labor", "material", "equipment", "mobilization")


def _subcontracted(code: Code, job: Job, target: Decimal, random: Random) -> list[Line]:
    """Lines of a subcontractor's bill."""
    count = random.randint(1, 4) if code.cost_type == "Subcontract" else 1
    left = target
    lines = []
    for place, part in enumerate(_PARTS[:count]):
        amount = left if place == count - 1 else cents(left * random.randint(40, 70) / 100)
        left -= amount
        lines.append(
            Line(f"{code.name}, {part}" if count > 1 else code.name, amount, code.code, job=job.number)
        )
    return [line for line in lines if line.amount]


def _releases(
    company: Company, job: Job, withheld: dict[str, Decimal], numbers: BillNumbers
) -> Iterator[Document]:
    """Bills that release what was held back, once the job is done."""
    on = month_end(min(job.start_month + job.months - 1, LAST_MONTH)) + timedelta(days=20)
    if job.status != "closed" or on > LAST_DAY:
        return
    for name, amount in sorted(withheld.items()):
        vendor = next(vendor for vendor in company.vendors if vendor.name == name)
        line = Line("Retainage released", amount, role="retainage", job=job.number)
        yield Document(
            "bill",
            numbers.next(vendor),
            name,
            job.number,
            on,
            on + timedelta(days=30),
            f"{job.name}, final",
            [line],
        )


def purchase_orders(made: list[Document], random: Random) -> list[Document]:
    """Draw up orders for some deliveries, a little larger than what was billed, and name them on the bills."""
    found: list[Document] = []
    for bill in made:
        is_delivery = all(line.quantity is not None and line.quantity > 0 for line in bill.lines)
        if not is_delivery or len(found) == ORDERS_MAX or random.random() < 0.3:
            continue
        order = Document(
            "purchase_order", f"PO-{len(found) + 301}", bill.party, bill.job,
            max(bill.on - timedelta(days=21), date(YEAR, 1, 2)), None, "",
        )  # fmt: skip
        for line in bill.lines:
            quantity = (line.quantity or ZERO) + random.randint(0, 6)
            price = line.price or ZERO
            order.lines.append(
                Line(line.description, cents(quantity * price), line.code, "work", quantity, price, line.job)
            )
        bill.purchase_order = order.number
        found.append(order)
    return found


def journal_entries(company: Company, draws: list[Document], random: Random) -> list[Entry]:
    """Draw up a bookkeeper's year: depreciation, accruals, reclasses, over and under billing, retainage, warranty."""
    found = [
        *_depreciation(),
        *_over_and_under(random),
        *_moved_costs(company, random),
        _more_retainage(draws),
        _entry(
            date(YEAR, 9, 30),
            "Warranty set aside for the jobs handed over",
            _pair(
                "Warranty, jobs closed this quarter", Decimal("7500.00"), "Warranty Work", "Warranty Reserve"
            ),
        ),
    ]
    found.sort(key=lambda entry: entry.on)
    for place, entry in enumerate(found, start=1):
        entry.number = f"JE-{YEAR % 100}{place:03d}"
    return found


def _entry(on: date, memo: str, lines: list[EntryLine], *, kind: str = "adjustment") -> Entry:
    return Entry("", on, kind, memo, lines)


def _pair(description: str, amount: Decimal, debit: str, credit: str) -> list[EntryLine]:
    return [
        EntryLine(description, debit=amount, account=debit),
        EntryLine(description, credit=amount, account=credit),
    ]


def _depreciation() -> Iterator[Entry]:
    for month in range(1, LAST_MONTH):
        amount = Decimal("1862.50") if month < 6 else Decimal("2114.17")
        lines = _pair("Vehicles and equipment", amount, "Depreciation", "Accumulated Depreciation")
        yield _entry(month_end(month), "Monthly depreciation", lines)


def _over_and_under(random: Random) -> Iterator[Entry]:
    """The quarter's adjustment, taken back on the next day."""
    for month in (3, 6, 9):
        under, over = (cents(Decimal(random.randint(400_000, 2_400_000)) / 100) for _ in range(2))
        net = under - over
        lines = [
            EntryLine("Under-billed jobs", debit=under, account="Costs in Excess of Billings"),
            EntryLine("Over-billed jobs", credit=over, account="Billings in Excess of Costs"),
            EntryLine(
                "Earned more than billed" if net > 0 else "Billed more than earned",
                debit=max(-net, ZERO),
                credit=max(net, ZERO),
                account="Over and Under Billings",
            ),
        ]
        on = month_end(month)
        yield _entry(on, f"Over and under billings at {on.isoformat()}", lines, kind="wip")
        back = [EntryLine(line.description, line.credit, line.debit, line.account) for line in lines]
        next_day = on + timedelta(days=1)
        yield _entry(next_day, "Reversal of last month's over and under billings", back, kind="wip")


def _moved_costs(company: Company, random: Random) -> Iterator[Entry]:
    jobs = [job for job in company.jobs if job.status == "active"]
    mapped = [code for code in company.codes if code.code not in company.unmapped and not code.items]
    for month in (2, 5, 8, 10):
        job, one, other = random.choice(jobs), *random.sample(mapped, k=2)
        amount = cents(Decimal(random.randint(20_000, 300_000)) / 100)
        lines = [
            EntryLine(one.name, debit=amount, code=one.code, job=job.number),
            EntryLine(other.name, credit=amount, code=other.code, job=job.number),
        ]
        yield _entry(date(YEAR, month, 12), f"Moved to the right cost code, job {job.number}", lines)


def _more_retainage(draws: list[Document]) -> Entry:
    draw = next(draw for draw in draws if draw.total > 20_000)
    held = cents(draw.total / 40)
    lines = [
        EntryLine("Held back", debit=held, account="Retainage Receivable"),
        EntryLine(
            draw.number, credit=held, account="Accounts Receivable (A/R)", client=draw.party, job=draw.job
        ),
    ]
    return _entry(draw.on, f"Additional retainage agreed on {draw.number}", lines, kind="retainage")
