"""What the display says of the time left."""

import pytest

from runs import progress


def test_a_time_left_is_told_only_where_something_was_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with progress.Progress(1000.0, 1) as display:
        display.start("a-run")
        now = 60.0  # loading libraries took a minute
        display.advance(1.0, 0.5)
        assert capsys.readouterr().err.splitlines()[
            -1
        ] == "a-run: 0% of the work, loss 0.500".replace("a-run", "[1/1] a-run")
        now = 120.0
        display.advance(499.0)
        assert "50% of the work, about 2 min 0 s left" in capsys.readouterr().err
