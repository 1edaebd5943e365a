"""What an experiment is called: by the settings that differ from the comparison."""

from study.settings import Value, Variant
from words.numbers import Numbers

RATES = ("learning_rate", "head_learning_rate")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def name_variant(numbers: Numbers, variant: Variant) -> str:
    """What differs in a variant: ``rank 4``; several settings are separated by commas."""
    return ", ".join(name_change(numbers, name, value) for name, value in variant.changes)


def name_change(numbers: Numbers, name: str, value: Value) -> str:
    """A setting with its value; one without a wording of its own as ``name = value``."""
    words, shown = numbers.words, write_value(numbers, name, value)
    if words.has("changes", f"change_{name}"):
        return words.say("changes", f"change_{name}", value=shown)
    return f"{words.name(name)} = {shown}"


def write_value(numbers: Numbers, name: str, value: Value) -> str:
    """The value of a setting, as text without markup."""
    if isinstance(value, tuple):
        return ", ".join(map(numbers.words.name, value))
    if isinstance(value, str):
        return numbers.words.name(value)
    if name in RATES:
        return write_rate(numbers, value)
    if name == "train_share":
        digits = len(f"{100 * value:.6g}".partition(".")[2])
        return str(numbers.words.percent(value, digits))
    return str(numbers.words.number(value, len(f"{value:.6g}".partition(".")[2])))


def write_rate(numbers: Numbers, rate: float) -> str:
    """A learning rate: ``3·10⁻⁴``, ``1.7·10⁻⁵``."""
    mantissa, power = f"{rate:e}".split("e")
    digits = len(f"{float(mantissa):.3g}".partition(".")[2])
    raised = str(int(power)).translate(_RAISED)
    return f"{numbers.words.number(float(mantissa), digits)}·10{raised}"
