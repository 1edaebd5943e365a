"""Ctrl-C and SIGTERM during a training: it ends after the step, with a checkpoint."""

import signal
import threading
from types import FrameType
from typing import Any

from transformers import TrainerCallback

from study.errors import Interruption


class StopRequest(TrainerCallback):
    """While it is entered, the first signal stops the training after its step; a second, at once.

    Signals reach the main thread alone; in another thread this does nothing.
    """

    signals = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self._received: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._hear) for number in self.signals}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def raise_if_received(self) -> None:
        """Raises if a signal came.

        Raises:
            Interruption: with the signal's number.
        """
        if self._received is not None:
            raise Interruption(self._received)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Saves and stops."""
        if self._received is not None:
            control.should_save = control.should_training_stop = True

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self._received = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
