"""Sentences on the rates that were tried: the best of each method, and what follows from them."""

from typing import Any

from evidence.experiments import BEST
from facts.fact import Fact
from text.rules import Verdict, judge
from text.sentence import NOTHING, Said
from text.view import ABSENT, TaskSentences
from words.escaping import Markup
from words.variants import write_rate

PUBLISHED_RATIO = 10.0  # of LoRA's best rate to that of full fine-tuning: Schulman et al. (2025)


class RateSentences(TaskSentences):
    """Whether the rates of a task were the best of those tried, each method as often."""

    @property
    def rates(self) -> Said:
        """Of each method, whether its rate is the best of those tried where none is reported."""
        tries = self.view.settings.experiments.tries
        if not self.made or not tries:
            return NOTHING
        said = [self._rate(method) for method in tries]
        if not any(said):
            return self.speak.say("rates-unfinished")
        shown = self.speak.say("rates-shown", task=Markup(self.view.task))
        return self.speak.join([*said, shown])

    def _rate(self, method: str) -> Said:
        best = self.view.one("setting", method, variant=BEST, metric="learning_rate")
        if best.value is None:
            return NOTHING
        tries = self.view.settings.experiments.tries[method]
        own = next(variant for variant in tries if variant.own_rate)
        gain = self.change(method, BEST)
        rates = sorted(variant.method.training.learning_rate for variant in tries)
        same = best.value == own.method.training.learning_rate
        values: dict[str, Any] = {
            **self.speak.methods(method=method),
            "tries": len(tries),
            "own": self._rate_of(own.method.training.learning_rate),
            "best": self._rate_of(best.value),
            "gain": gain,
            "metric": self.speak.name(self.view.metric),
            "range": self._range(best),
        }
        if (best.low, best.high) == (rates[0], rates[-1]):  # any of them may be the best
            values["low"], values["high"] = map(self._rate_of, (rates[0], rates[-1]))
            return self.speak.say("rate-open", "own" if same else "other", **values)
        said = self.speak.say(
            "rate", "own" if same else str(judge(gain, self.view.margin)), **values
        )
        edge = {rates[0]: "low", rates[-1]: "high"}.get(best.value)
        return self.speak.join([said, self.speak.say("rate-edge", edge) if edge else NOTHING])

    def _rate_of(self, rate: float) -> Markup:
        return Markup(write_rate(self.speak.numbers, rate))

    def _range(self, best: Fact) -> Said:
        """In which range the best rate lies, resampling the sentences that select."""
        if best.low is None or best.high is None:
            return NOTHING
        outcome = "one" if best.low == best.high else "several"
        low, high = map(self._rate_of, (best.low, best.high))
        return self.speak.say("rate-range", outcome, low=low, high=high)

    @property
    def ratio(self) -> Said:
        """How many times the first method's best rate the second's is, beside the published ten."""
        ratio = self.view.one(
            "ratio", self.view.second, against=self.view.first or ABSENT, variant=BEST,
            metric="learning_rate",
        )  # fmt: skip
        if ratio.low is None or ratio.high is None:
            return NOTHING
        inside = ratio.low <= PUBLISHED_RATIO <= ratio.high
        outcome = "within" if inside else "above" if ratio.low > PUBLISHED_RATIO else "below"
        return self.speak.say("rate-ratio", outcome, ratio=ratio, **self.compared)

    @property
    def best(self) -> Said:
        """The verdict where each method has its own best rate."""
        gap = self.view.one(
            "difference", self.view.first, against=self.view.second or ABSENT, variant=BEST,
            **self.headline_set,
        )  # fmt: skip
        verdict = judge(gap, self.view.margin)
        if verdict is Verdict.UNKNOWN:
            return NOTHING
        main = judge(self.view.difference(), self.view.margin)
        agrees = "open" if not main.decided else "same" if verdict is main else "other"
        if main.decided and not verdict.decided:
            agrees = "lost"
        return self.speak.say(
            "best",
            str(verdict),
            gap=gap,
            beside=self.speak.say("beside", agrees),
            metric=self.speak.name(self.view.metric),
            **self.compared,
        )

    @property
    def expected(self) -> Said:
        """What the best of one and of all tries is expected to report, for both methods."""
        steps = [len(tries) for tries in self.view.settings.experiments.tries.values()]
        if not steps:
            return NOTHING
        facts = {
            f"{role}_{count}": self.view.one(
                "expected best", method, variant=BEST, step=step, **self.headline_set
            )
            for role, method in (("first", self.view.first), ("second", self.view.second))
            for count, step in (("one", 1), ("all", steps[0]))
        }
        if not all(fact.known for fact in facts.values()):
            return NOTHING
        metric = self.speak.name(self.view.metric)
        return self.speak.say("expected", "", count=steps[0], metric=metric, **facts, **self.paired)
