import itertools

import pytest
from matplotlib.colors import to_rgb

from plots.style import DARK, PAPER, method_styles


def lightness(color):
    """CIE L* of a colour."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 116 * y ** (1 / 3) - 16


def test_the_style_of_a_known_method_does_not_depend_on_the_others():
    few, many = method_styles(["full"]), method_styles(["x", "lora", "y", "full"], ["baseline"])
    assert few["full"] == many["full"] and few["lora"] == many["lora"]


def test_unknown_methods_get_the_next_style_in_order():
    styles = method_styles(["new", "full", "newer", "new"])
    assert styles["new"] != styles["newer"]
    assert styles["new"] == method_styles(["full", "new"])["new"]
    assert len(method_styles([f"m{n}" for n in range(30)])) >= 30


def test_methods_differ_in_colour_and_in_marker():
    styles = list(method_styles(["a", "b", "c", "d", "e"]).values())
    assert len(styles) == 10
    for one, other in itertools.combinations(styles, 2):
        assert one.color != other.color and one.marker != other.marker


def test_the_two_main_methods_differ_in_grey_and_stand_out_from_white():
    styles = method_styles([])
    full, lora = (lightness(styles[name].color) for name in ("full", "lora"))
    assert abs(full - lora) > 20
    assert max(lightness(style.color) for style in styles.values()) < 80


def contrast(one, other):
    """WCAG's contrast ratio of two colours."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(color):
    """WCAG's relative luminance."""
    return ((lightness(color) + 16) / 116) ** 3


@pytest.mark.parametrize(("page", "replaced"), [(PAPER, {}), ("#14181d", DARK)])
def test_every_colour_stands_out_from_the_page(page, replaced):
    styles = method_styles(["a", "b", "c", "d", "e"]).values()
    for style in styles:
        assert contrast(replaced.get(style.color, style.color), page) >= 3, style
