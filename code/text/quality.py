"""Sentences on how well the methods do on the validation set of a task."""

from facts.fact import Fact
from facts.quantities import unit_of
from text.literature import compare_with_published
from text.rules import ALPHA, Verdict, judge, scope
from text.sentence import NOTHING, Said
from text.view import TaskSentences

ACCURACY = "accuracy"
UNBALANCED = 0.1  # a share of one label further than this from one half


class QualitySentences(TaskSentences):
    """The method that trains every weight against the one that trains an adapter."""

    # -------------------------------------------------------------------------------- the question

    @property
    def verdict(self) -> Verdict:
        """The first minus the second method by the task's metric; "more": the adapter loses."""
        return self._judge(self.view.difference())

    @property
    def answer(self) -> Said:
        """Whether the adapter loses or gains, how much, and how surely."""
        if not self.view.complete:
            return self.speak.say("not-compared")
        return self.speak.join([self._compare("quality", self.view.metric), self._doubt])

    @property
    def _doubt(self) -> Said:
        """Which of the compared methods is not reliably above its controls, if any."""
        lacking = [m for m in (self.view.first, self.view.second) if self.view.learned(m) is False]
        if not lacking:
            return NOTHING
        outcome = "neither" if len(lacking) > 1 else "one"
        names = self.speak.methods(method=lacking[0])
        return self.speak.say("above-controls", outcome, **names)

    @property
    def accuracy(self) -> Said:
        """The same by accuracy."""
        return self._compare("accuracy", ACCURACY) if self.view.complete else NOTHING

    @property
    def headline(self) -> Said:
        """The answer as the abstract tells it."""
        return self._compare("headline", self.view.metric)

    def _compare(self, key: str, metric: str) -> Said:
        gap = self.view.difference(metric)
        verdict = self._judge(gap)
        outcome = self._doubtful(gap) if verdict is Verdict.UNCLEAR else verdict.value
        margin = self.view.settings.margins.of(gap.metric) or 0.0
        if key == "quality" and verdict is Verdict.MORE and (gap.low or 0.0) >= margin:
            outcome = "more-much"
        return self.speak.say(
            key,
            outcome,
            gap=gap,
            first_score=self.view.score(self.view.first, metric),
            second_score=self.view.score(self.view.second, metric),
            metric=self.speak.name(metric),
            margin=self._margin(gap),
            level=self.speak.words.number(ALPHA, 2),
            yes=self.speak.say("yes", scope(gap)),
            here=self.speak.say("here", scope(gap)),
            **self.compared,
        )

    def _judge(self, gap: Fact) -> Verdict:
        return judge(gap, self.view.settings.margins.of(gap.metric) or 0.0)

    def _doubtful(self, gap: Fact) -> str:
        """``unclear-loss`` or ``unclear-gain``: on which side an undecided estimate lies.

        ``untested`` where the interval leaves zero out and only the test does not.
        """
        if gap.low is not None and gap.high is not None and not gap.low <= 0 <= gap.high:
            return "untested"
        return "unclear-gain" if (gap.value or 0.0) < 0 else "unclear-loss"

    def _margin(self, gap: Fact) -> str:
        margin = self.view.settings.margins.of(gap.metric) or 0.0
        return self.speak.numbers.write(margin, unit_of(gap))

    # -------------------------------------------------------------------------- how far to trust it

    @property
    def schedule(self) -> Said:
        """Whether the adapter was still improving when its training ended."""
        slope = self.view.one("convergence", self.view.second, metric="slope")
        margin = self.view.settings.margins.of(self.view.metric) or 0.0
        verdict = judge(slope, margin)
        if verdict is Verdict.UNKNOWN:
            return NOTHING
        outcome = {Verdict.MORE: "rising", Verdict.UNCLEAR: "unclear"}.get(verdict, "ended")
        training = self.view.settings.methods[0].training
        return self.speak.say(
            "schedule",
            outcome,
            slope=slope,
            epochs=training.num_train_epochs,
            metric=self.speak.name(self.view.metric),
            **self.compared,
        )

    @property
    def seeds(self) -> Said:
        """What the number of seeds allows to generalise over."""
        count = min(len(self.view.seeds(m)) for m in (self.view.first, self.view.second))
        outcome = {0: "none", 1: "one", 2: "two"}.get(count, "several")
        return self.speak.say("seeds", outcome, count=count)

    @property
    def threshold(self) -> Said:
        """What each method would reach at its best threshold: an upper bound for both."""
        first, second = (
            self.view.one("threshold", m, metric="upper_bound", evaluation=self.view.validation)
            for m in (self.view.first, self.view.second)
        )
        if not (first.known and second.known):
            return NOTHING
        return self.speak.say("threshold", first_best=first, second_best=second, **self.compared)

    @property
    def controls(self) -> Said:
        """Whether each method is above the control that trains the head alone."""
        if self.view.control is None:
            return self.speak.say("controls-absent")
        said = []
        for method in (self.view.first, self.view.second):
            gap = self.view.difference(first=method, second=self.view.control)
            outcome = {Verdict.MORE: "above", Verdict.UNKNOWN: "unknown"}.get(
                self._judge(gap), "not-told"
            )
            names = self.speak.methods(first=method, second=self.view.control)
            said.append(self.speak.say("control", outcome, gap=gap, **names) if method else NOTHING)
        return self.speak.join(said)

    @property
    def majority(self) -> Said:
        """How balanced the labels are, and what a constant answer reaches."""
        rows = self.view.facts.where(
            quantity="share",
            task=self.view.task,
            evaluation=self.view.validation,
            metric="majority",
        )
        share = next(iter(rows), Fact(quantity="share"))
        if share.value is None:
            return NOTHING
        apart = abs(share.value - 0.5)
        outcome = "unbalanced" if apart > UNBALANCED else "balanced" if apart else "even"
        mcc = self.view.score(self.view.computed, self.view.metric)
        return self.speak.say("majority", outcome, share=share, mcc=mcc)

    # ----------------------------------------------------------------------------------- literature

    @property
    def literature(self) -> Said:
        """How the difference stands to the published gap between full fine-tuning and LoRA."""
        rows = compare_with_published(self.view.results, self.view.task)
        row = next((row for row in rows if row.published.quantity == "gap"), None)
        if row is None or not self.view.complete:
            return NOTHING
        outcome = {True: "covered", False: "not-covered", None: "open"}[row.covered]
        return self.speak.say(
            "published-gap", outcome, gap=self.speak.numbers.words.number(row.published.value, 3)
        )

    # --------------------------------------------------------------------------------------- advice

    @property
    def advice(self) -> Said:
        """When every weight is worth training here, and when an adapter is enough: by its price."""
        if not self.view.complete:
            return self.speak.say("not-compared")
        gap = self.view.difference()
        return self.speak.say(
            "advice",
            self.verdict,
            gap=gap,
            metric=self.speak.name(self.view.metric),
            margin=self._margin(gap),
            here=self.speak.say("here", scope(gap)),
            **self.view.held_and_kept,
            **self.compared,
        )

    # --------------------------------------------------------------------------------------- errors

    @property
    def domain(self) -> Said:
        """Sentences from sources that occur in training against those from new ones."""
        return self._groups("domain", "by_domain", "in", "out")

    @property
    def label(self) -> Said:
        """Sentences with the majority label against the others; nothing where both are equal."""
        if self.majority.outcome == "even":
            return NOTHING
        return self._groups("label", "by_label", "majority", "minority")

    def _groups(self, key: str, grouping: str, first: str, second: str) -> Said:
        """Accuracy of the first method on two groups of items, by their contrast."""
        place = {"evaluation": self.view.validation, "grouping": grouping, "metric": ACCURACY}
        contrast = self.view.one("contrast", self.view.first, group=first, against=second, **place)
        one, other = (
            self.view.one("score", self.view.first, group=group, **place)
            for group in (first, second)
        )
        verdict = judge(contrast, self.view.settings.margins.accuracy)
        return self.speak.say(
            key, verdict, contrast=contrast, one=one, other=other, **self.compared
        )

    @property
    def shared_errors(self) -> Said:
        """Items that no run gets right, beside what independent errors would give."""
        task, where = self.view.task, self.view.validation
        count, expected = (
            self.view.facts.one("shared errors", task=task, evaluation=where, metric=metric)
            for metric in ("count", "expected")
        )
        if count.value is None:
            return NOTHING
        outcome = "none" if count.value == 0 else "some"
        return self.speak.say("shared-errors", outcome, count=count, expected=expected)
