"""The words of the trade: what a name of a cost code or an account says, reduced to what tells one from another.

Deterministic tables and nothing learned. A word stands for itself (its stem), for the trade it belongs to ("shingle" is
roofing), and some words only say what kind of cost is meant (labor, material, subcontract, equipment) or nearly nothing
("site", "misc"). Which words are which was written down once, from the usual charts of accounts and code lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, get_args

CostKind = Literal["labor", "material", "subcontract", "equipment"]
KINDS: tuple[CostKind, ...] = get_args(CostKind)

# How much a word tells, where a telling one is 1.
WEAK_WEIGHT = 0.3
KIND_WEIGHT = 0.5

_WORD = re.compile(r"[a-z]+")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that nearly every account and code carries, and that therefore say nothing about which one it is.
_EMPTY = _set(
    "a an all and at by cog cogs coas cos cost costs cst direct etc expense expenses exp for from general goods hours in"
    " job jobs inc of off on onto or other paid purchase purchased purchases sold the to up usd with work misc miscellaneous"
)
# Words that many codes and accounts share without being about the same thing.
_WEAK = _set(
    "addition admin allowance building built business charge city construction custom exterior external"
    " fee field final finish fixture front full hang home house improvement interior internal item kitchen main"
    " misc miscellaneous new office package package party pre project ready requirement reserve residential room"
    " rough service site small special specialty standard structural structure system temporary treatment trim unit"
    " wall water new bath basement garage entry"
)
# What kind of cost a word says; as stems.
_KIND_WORDS: Mapping[CostKind, frozenset[str]] = {
    "labor": _set("labor wage payroll crew gang salary"),
    "material": _set("material supply good"),
    "subcontract": _set("subcontractor contractor installer"),
    "equipment": _set("equipment rental plant machinery tool"),
}
# The platform's and others' words for the same.
_KIND_NAMES: Mapping[str, CostKind] = {
    "labor": "labor",
    "labour": "labor",
    "l": "labor",
    "material": "material",
    "materials": "material",
    "m": "material",
    "subcontract": "subcontract",
    "subcontractor": "subcontract",
    "subcontracts": "subcontract",
    "s": "subcontract",
    "equipment": "equipment",
    "e": "equipment",
}

# The trade writes these in several ways; the words on the right are taken for the one on the left.
_SAME: Mapping[str, str] = {
    "hvac": "heating ventilation air conditioning",
    "mep": "mechanical electrical plumbing",
    "sub": "subcontractor",
    "subs": "subcontractor",
    "subcontract": "subcontractor",
    "subcontracted": "subcontractor",
    "labour": "labor",
    "sitework": "site earthwork",
    "earthworks": "earthwork",
    "groundworks": "earthwork",
    "groundwork": "earthwork",
    "equip": "equipment",
    "mat": "material",
    "matl": "material",
    "matls": "material",
    "mgmt": "management",
    "elec": "electrical",
    "electric": "electrical",
    "electrics": "electrical",
    "electrician": "electrical",
    "plbg": "plumbing",
    "plumb": "plumbing",
    "plumber": "plumbing",
    "retention": "retainage",
    "gc": "generalcondition",
    "comp": "compensation",
    "ins": "insurance",
    "insul": "insulation",
    "cabs": "cabinet",
    "cabinetry": "cabinet",
    "drs": "door",
    "dr": "door",
    "ext": "exterior",
    "int": "interior",
    "temp": "temporary",
    "carpenter": "carpentry",
    "carpenters": "carpentry",
    "painter": "painting",
    "roofer": "roofing",
    "tiler": "tile",
    "hire": "rental",
    "lease": "rental",
    "timber": "lumber",
    "clean": "cleaning",
    "cleanup": "cleaning",
    "chgs": "charge",
    "conc": "concrete",
    "maint": "maintenance",
    "demo": "demolition",
    "ute": "vehicle",
    "van": "vehicle",
    "truck": "vehicle",
    "tops": "countertop",
    "countertops": "countertop",
    "wc": "worker compensation",
    "gl": "general liability",
    "glazed": "glazing",
    "firestopping": "firestop",
    "waterproofing": "waterproof",
    "dampproofing": "waterproof",
    "damp": "waterproof",
}
# Words that belong together.
_PHRASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (r"\bgeneral (conditions?|requirements?)\b", "generalcondition"),
        (r"\bpreliminar(y|ies)\b", "generalcondition"),
        (r"\btrade (partners?|contractors?)\b", "subcontractor"),
        (r"\bcis labou?r\b", "subcontractor"),
        (r"\bcontract labou?r\b", "labor"),
        (r"\bon the books\b", "labor"),
        (r"\bsheet[ -]?rock\b", "drywall"),
        (r"\bgypsum board\b", "drywall"),
        (r"\bplasterboard\b", "drywall"),
        (r"\bcast[ -]in[ -]place\b", "concrete"),
        (r"\bready[ -]?mix(ed)?\b", "concrete"),
        (r"\bair[ -]?con(ditioning|ditioner)?\b", "heating ventilation conditioning"),
        (r"\bporta?[ -]?(john|potty|loo)s?\b", "toilet"),
        (r"\bport-a-potty\b", "toilet"),
        (r"\bportable toilets?\b", "toilet"),
        (r"\bdump fees?\b", "dumpster"),
        (r"\b(tip fees?|muck away|skip bins?|skips?)\b", "dumpster"),
        (r"\bwork(er'?s?|ers'?)? comp(ensation)?\b", "worker compensation"),
        (r"\btemp(orary)? (electric\w*|power|water|heat|gas|utilit\w+)\b", "temporaryutility"),
        (r"\blight,? power,? (and |& )?heat(ing)?\b", "utility"),
        (r"\blow voltage\b", "lowvoltage"),
        (r"\b(structured wiring|horizontal cabling)\b", "lowvoltage cabling"),
        (r"\bdirt work\b", "earthwork"),
        (r"\bstorm drainage\b", "utility"),
        (r"\bmotor vehicles?\b", "vehicle"),
        (r"\bcell phones?\b", "telephone"),
    )
)
_ANY_PHRASE = re.compile("|".join(pattern.pattern for pattern, _ in _PHRASES))
# Words of overhead: an account that has one of them is not for all of a kind of cost, though the rest says so.
_OVERHEAD = _set("office admin administration officer executive corporate sale")
# An account for the one is not an account for the other.
CONTRARY: Mapping[str, str] = {"interior": "exterior", "exterior": "interior"}
# The words of one trade, each line a trade; stems. A word may belong to several.
_TRADES: tuple[str, ...] = (
    "concrete cement footing foundation flatwork slab rebar reinforc precast formwork form pour",
    "flatwork slab driveway walk sidewalk paving asphalt",
    "masonry brick block stone veneer bricklay bricklayer",
    "metal steel iron fabrication joist column",
    "lumber framing wood truss lvl beam frame stud plywood woodwork millwork",
    "truss lvl engineer",
    "carpentry framing woodwork millwork",
    "roofing roof shingle membrane",
    "siding cladding vinyl stucco",
    "insulation batt thermal",
    "waterproof damp moisture sealant",
    "door window opening glazing glass curtain storefront skylight",
    "drywall plaster plasterer plastering gypsum",
    "painting paint coating decorat decorating stain wallpaper",
    "tile tiling ceramic porcelain",
    "floor flooring carpet hardwood vinyl lvp laminate tile",
    "cabinet joinery casework vanity",
    "countertop granite quartz",
    "appliance",
    "finish drywall painting tile flooring ceiling acoustical plaster",
    "plumbing faucet sink tub fixture piping",
    "heating ventilation conditioning duct furnace mechanical",
    "electrical wiring panel panelboard switchboard switchgear lighting light outlet switch",
    "light lighting lamp",
    "lowvoltage communication cabling data telephone alarm security detection intrusion",
    "fire sprinkler suppression",
    "earthwork excavation excavate excavator grading clearing backfill dig trench dirt fill bobcat digger",
    "landscaping landscape sod planting plant irrigation garden tree",
    "driveway walk paving asphalt fence landscaping planting",
    "fence deck patio pergola",
    "utility sewer tap piping drainage septic",
    "power gas utility temporaryutility",
    "dumpster disposal trash waste debris haul hauling rubbish removal skip",
    "cleaning trash",
    "permit council inspection plan",
    "plan blueprint drawing drafting design architect architectural",
    "engineer engineering survey surveyor soil geotechnical architect design",
    "superintendent supervision supervisor manager coordination",
    "insurance bond policy liability risk",
    "warranty callback punch",
    "telephone phone internet mobile broadband",
    "freight courier delivery postage shipping",
    "vehicle fuel automobile gas diesel truck mileage",
    "elevator lift conveying escalator",
    "scaffold scaffolding crane rental equipment",
    "termite bug pest",
    "mirror shower",
    "fireplace hearth",
    "gutter downspout",
    "demolition asbestos abatement remediation hazardous",
    "furnishing furniture blind treatment drapery",
    "signage sign",
    "specialty signage accessory locker partition toilet",
    "legal solicitor attorney lawyer",
    "accounting accountancy accountant audit bookkeeping",
    "advertising marketing promotion model",
    "nail screw fastener adhesive hardware consumable sundry",
    "toilet sanitation welfare",
    "protection dust cover",
    "generalcondition superintendent temporary trailer coordination",
    "contingency allowance",
    "wage salary payroll",
)

# MasterFormat's division numbers and what they are about, in our own words' stems.
MASTERFORMAT: Mapping[str, str] = {
    "00": "bonds insurance",
    "01": "general conditions",
    "02": "existing conditions demolition",
    "03": "concrete",
    "04": "masonry",
    "05": "metals",
    "06": "wood plastics composites",
    "07": "thermal moisture protection",
    "08": "openings",
    "09": "finishes",
    "10": "specialties",
    "11": "equipment",
    "12": "furnishings",
    "13": "special construction",
    "14": "conveying equipment",
    "21": "fire suppression",
    "22": "plumbing",
    "23": "hvac",
    "25": "integrated automation",
    "26": "electrical",
    "27": "communications",
    "28": "electronic safety security",
    "31": "earthwork",
    "32": "exterior improvements",
    "33": "utilities",
    "34": "transportation",
}
_MASTERFORMAT_CODE = re.compile(r"^(\d\d)[ .-]?\d\d[ .-]?\d\d(?:\.\d+)?$")


@lru_cache(maxsize=50_000)
def words(name: str) -> tuple[tuple[str, str], ...]:
    """Return the telling words of a name as (stem, the word as written), each stem once, in order."""
    text = name.casefold().replace("’", "'")
    # Most names have no phrase in them, which one look tells; one phrase may leave another behind.
    if _ANY_PHRASE.search(text):
        for pattern, meaning in _PHRASES:
            text = pattern.sub(f" {meaning} ", text)
    found: dict[str, str] = {}
    for word in _WORD.findall(text):
        if len(word) == 1 or word in _EMPTY:
            continue
        for part in _SAME.get(word, word).split():
            found.setdefault(stem(part), word)
    return tuple(found.items())


def stem(word: str) -> str:
    """Return a word without its plural and its -ing."""
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")):
        word = word[:-1]
    return word[:-3] if len(word) > 6 and word.endswith("ing") else word


def weight(found: str) -> float:  # not money: how much a word tells
    """Return how much a stem tells, 0 to 1."""
    if kind_of_word(found) is not None:
        return KIND_WEIGHT
    return WEAK_WEIGHT if found in _WEAK_STEMS else 1.0


def kind_of_word(found: str) -> CostKind | None:
    """Return the kind of cost that a stem says, if it says one."""
    return _KIND_OF.get(found)


def kind_named(cost_type: str | None, name: str) -> tuple[CostKind | None, bool]:
    """Return the kind of cost a code is, and whether its builder said so; else its name may say it in a word."""
    if cost_type and cost_type.strip():
        # Any other type says that it is none of the four.
        return _KIND_NAMES.get(cost_type.strip().casefold()), True
    for found, _ in reversed(words(name)):
        kind = kind_of_word(found)
        if kind is not None:
            return kind, False
    return None, False


def is_overhead(found: str) -> bool:
    """Whether a stem says that an account is for the office and not for jobs."""
    return found in _OVERHEAD


def trades(found: str) -> frozenset[int]:
    """Return the trades that a stem belongs to, as numbers."""
    return _TRADES_OF.get(found, frozenset())


def masterformat_division(code: str) -> str | None:
    """Return what a code's MasterFormat division is about, where it is written like one."""
    seen = _MASTERFORMAT_CODE.match(code.strip())
    return MASTERFORMAT.get(seen[1]) if seen else None


_WEAK_STEMS = frozenset(stem(word) for word in _WEAK)
_KIND_OF: Mapping[str, CostKind] = {stem(word): kind for kind, found in _KIND_WORDS.items() for word in found}


def _trades_of() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, line in enumerate(_TRADES):
        for word in line.split():
            found.setdefault(stem(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


_TRADES_OF = _trades_of()
