"""The one exception that reaches the user: a sentence instead of a traceback.

``run.py`` prints a ``StudyError`` and exits with status 1. Anything else that escapes is a bug and
keeps its traceback.
"""


class Interruption(KeyboardInterrupt):
    """Raised when a signal (2 for Ctrl-C, 15 for SIGTERM) asks the process to end."""

    def __init__(self, signal: int):
        self.signal = signal
        super().__init__(signal)

    @property
    def status(self) -> int:
        """The exit status that a shell expects: 128 and the number."""
        return 128 + self.signal


class StudyError(Exception):
    """A problem whose cause lies in the input, the network, the disk or the GPU's memory.

    Args:
        problem: what was expected and what was got, as a sentence.
        where: the place, ``file:line`` where there is one.
        remedy: what the reader can do now, as a sentence or a command.
    """

    def __init__(self, problem: str, *, where: str | None = None, remedy: str | None = None):
        self.problem = problem
        self.where = where
        self.remedy = remedy
        text = f"{where}: {problem}" if where else problem
        super().__init__(f"{text}\n  What to do: {remedy}" if remedy else text)


def find_cause(error: BaseException) -> str:
    """The first line of the error that caused this one; "" where there is none."""
    cause, seen = error, {id(error)}
    while (behind := cause.__cause__ or cause.__context__) and id(behind) not in seen:
        cause = behind
        seen.add(id(behind))
    text = next(iter(str(cause).strip().splitlines()), "")
    return "" if cause is error else f"{type(cause).__name__}: {text[:300]}".removesuffix(": ")


def refuse_other_revision(name: str, asked: str, served: str | None, remedy: str) -> None:
    """Refuses an answer of a hub at another revision than the pinned one.

    Its content could be different.

    Raises:
        StudyError: they differ.
    """
    if served and served != asked:
        raise StudyError(
            f"the hub serves commit {served[:12]} of {name} where commit {asked[:12]} was asked "
            "for",
            remedy=remedy,
        )
