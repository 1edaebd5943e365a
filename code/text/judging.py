"""Sentences on how differences are judged: level, margins, reach, and what intervals cover."""

from dataclasses import dataclass

from evidence.panels import ENOUGH_SEEDS
from facts.fact import Fact
from store.results import Results
from study.addresses import language_of
from study.settings import TaskSettings
from text.rules import ALPHA, out_of_reach
from text.sentence import Said, Speaker
from text.view import TaskView


@dataclass(frozen=True)
class JudgingSentences:
    """How the study judges what it measured."""

    results: Results
    speak: Speaker

    @property
    def level(self) -> Said:
        """Confidence level of every interval."""
        return self.speak.say("level", level=self._procedure("level"))

    @property
    def alpha(self) -> Said:
        """The level of the tests."""
        return Said(self.speak.words.number(ALPHA, 2))

    @property
    def resamples(self) -> Said:
        """Resamples behind every interval and test."""
        return self.speak.say("resamples", count=self._procedure("resamples"))

    def _procedure(self, metric: str) -> Fact:
        rows = self.results.facts.where(quantity="procedure", metric=metric)
        return next(iter(rows), Fact(quantity="procedure", metric=metric))

    @property
    def margins(self) -> Said:
        """The smallest differences that matter, by quantity."""
        margins = self._tasks[0].margins
        number = self.speak.words.number
        return self.speak.say(
            "margins",
            mcc=number(margins.matthews_correlation, 2),
            accuracy=number(100 * margins.accuracy, 1),
            macro=number(100 * margins.macro_f1, 0),
            loss=number(margins.loss, 2),
            similarity=number(margins.similarity, 2),
            cost=number(margins.cost_ratio, 1),
            depth=number(margins.depth_ratio, 2),
        )

    @property
    def reach(self) -> Said:
        """For which primary comparisons this design could not have said "no difference"."""
        beyond, within = list[str](), list[str]()
        for task in self._tasks:
            view = TaskView(self.results, task.name)
            metrics = [(view.metric, view.validation)]
            if view.target:
                metrics += [(view.metric, view.target), ("drop", view.target)]
            for metric, where in metrics:
                gap = view.difference(metric, where)
                if gap.known:
                    wide = out_of_reach(gap, view.margin)
                    (beyond if wide else within).append(self._comparison(task.name, metric, where))
        outcome = "all" if beyond and not within else "some" if beyond else "none"
        return self.speak.say("reach", outcome, listed=self.speak.listed(beyond))

    def _comparison(self, task: str, metric: str, where: str) -> Said:
        names = {"metric": self.speak.name(metric), "where": self.speak.name(language_of(where))}
        return self.speak.say("compared", task=self.speak.name(task), **names)

    @property
    def headline_seeds(self) -> Said:
        """What the intervals cover, by task, in half a line."""
        counts = {task.name: self._fewest_seeds(task) for task in self._tasks}
        few = [self.speak.name(task) for task, count in counts.items() if count < ENOUGH_SEEDS]
        outcome = "items" if len(few) == len(counts) else "both" if not few else "mixed"
        return self.speak.say("headline-seeds", outcome, few=self.speak.listed(few))

    def _fewest_seeds(self, task: TaskSettings) -> int:
        """Of the two compared methods: what an interval covers follows from the fewer seeds."""
        view = TaskView(self.results, task.name)
        return min(len(view.seeds(method)) for method in (view.first, view.second))

    @property
    def _tasks(self) -> list[TaskSettings]:
        return list(self.results.profile.tasks.values())
