"""The source of a function in the document: the lines that compute, without their docstring."""

import ast

from rendering.report import Report
from synthetic_study import build_study


def test_the_lines_that_compute_a_distance_are_shown() -> None:
    report = Report(build_study(), "en")
    shown = str(report.source("drift", "weight_distance").data)
    source = shown.removeprefix("```python\n").removesuffix("\n```")
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef) and ast.get_docstring(function) is None
    assert "math.sqrt" in source and "Args:" not in source
