"""The colours of the pages can be read by everybody: contrast by WCAG 2.2, in the light and in the dark.

Text needs 4.5:1 on whatever it may stand on (1.4.3), the edge of a control and the sign of focus 3:1 (1.4.11). Buttons
that cannot be pressed are exempt there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import product

import pytest

from api.web.render import STATIC

Colour = tuple[float, float, float]

CSS = re.sub(r"/\*.*?\*/", "", (STATIC / "tieout.css").read_text(encoding="utf-8"), flags=re.DOTALL)
TOKEN = re.compile(r"--([a-z-]+): light-dark\(oklch\(([^)]+)\), oklch\(([^)]+)\)\)")
TOKENS = {name: schemes for name, *schemes in TOKEN.findall(CSS)}
RULE = re.compile(r"([^{};]+)\{([^{}]*)\}")
SCHEMES = (0, 1)
TEXT_MIN, CONTROL_MIN = 4.5, 3.0
# What is coloured so is a button or a chosen chip, and has a text colour of its own.
SOLID = {"accent", "red"}
ON_SOLID = "on-accent"
# What a person presses, types into or must see the edge of.
CONTROLS = {"input, select, textarea", "button.quiet, .button.quiet", ".chips a", ".account"}


def linear(text: str) -> Colour:
    """Linear sRGB of an oklch() triple, cut to what a screen can show."""
    lightness, chroma, hue = (float(each.rstrip("%")) for each in text.split())
    lightness /= 100
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    return min(max(red, 0), 1), min(max(green, 0), 1), min(max(blue, 0), 1)


def contrast(one: Colour, other: Colour) -> float:
    """The ratio of relative luminances."""
    left, right = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (one, other))
    return (right + 0.05) / (left + 0.05)


def faded(colour: Colour, over: Colour, opacity: float) -> Colour:
    """A colour that lets some of what is under it through; browsers mix what they have encoded."""
    red, green, blue = (
        decoded(opacity * encoded(each) + (1 - opacity) * encoded(under))
        for each, under in zip(colour, over, strict=True)
    )
    return red, green, blue


def encoded(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def decoded(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def rules() -> Iterator[tuple[str, dict[str, str]]]:
    """Each rule's selector, and which token each of its properties is."""
    for selector, body in RULE.findall(CSS):
        found = re.findall(r"(?:^|;)\s*(color|background|border|border-color):[^;]*?var\(--([a-z-]+)\)", body)
        yield " ".join(selector.split()), {name: token for name, token in found if token in TOKENS}


USED = list(rules())
GROUNDS = sorted({found["background"] for _, found in USED if "background" in found} - SOLID)
TEXTS = sorted({found["color"] for _, found in USED if "color" in found} - {ON_SOLID})


def shown(token: str, scheme: int) -> Colour:
    return linear(TOKENS[token][scheme])


def test_the_formula_is_the_one_of_wcag_and_the_tokens_are_found() -> None:
    white, black = linear("100% 0 0"), linear("0% 0 0")
    assert contrast(white, black) == pytest.approx(21, abs=0.01)
    assert contrast(white, linear("62.8% 0.2577 29.23")) == pytest.approx(4.0, abs=0.02), "pure red"
    assert {"ground", "surface", "sunk", "accent-wash"} <= set(GROUNDS)
    assert {"ink", "faint", "accent", "green", "yellow", "red"} <= set(TEXTS)
    assert {selector for selector, _ in USED} >= CONTROLS


@pytest.mark.parametrize("scheme", SCHEMES, ids=("light", "dark"))
def test_every_text_can_be_read_on_everything_it_may_stand_on(scheme: int) -> None:
    pairs = [*product(TEXTS, GROUNDS), *product([ON_SOLID], sorted(SOLID))]
    ratios = {pair: contrast(shown(pair[0], scheme), shown(pair[1], scheme)) for pair in pairs}
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < TEXT_MIN} == {}


def test_who_sets_a_solid_background_sets_its_text_too() -> None:
    solid = [(selector, found) for selector, found in USED if found.get("background") in SOLID]
    assert solid
    assert [selector for selector, found in solid if found.get("color") != ON_SOLID] == []


@pytest.mark.parametrize("scheme", SCHEMES, ids=("light", "dark"))
def test_the_edge_of_every_control_and_the_focus_are_seen(scheme: int) -> None:
    edges = {
        found.get("border-color") or found.get("border") for selector, found in USED if selector in CONTROLS
    }
    ratios = {
        (edge, ground): contrast(shown(str(edge), scheme), shown(ground, scheme))
        for edge, ground in product([*sorted(map(str, edges)), "accent", "red"], GROUNDS)
    }
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < CONTROL_MIN} == {}


@pytest.mark.parametrize("scheme", SCHEMES, ids=("light", "dark"))
def test_what_breathes_is_never_too_faint_to_read(scheme: int) -> None:
    (breath,) = re.findall(r"@keyframes breathe \{ 50% \{ opacity: ([\d.]+); \} \}", CSS)
    for under in ("ground", "surface"):
        text, wash = (
            faded(shown(token, scheme), shown(under, scheme), float(breath))
            for token in ("accent", "accent-wash")
        )
        assert contrast(text, wash) >= TEXT_MIN
