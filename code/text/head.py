"""Sentences of Task 3 on the head: whether it changes most, at which rate, and what it is worth."""

from study.layers import HEAD
from text.models import ModelSentences, extent
from text.rules import judge, judge_all
from text.sentence import NOTHING, Said, clauses

MEASURES = ("relative", "l2")


class HeadSentences(ModelSentences):
    """The head against the other parts of a model."""

    @property
    def changes_most(self) -> Said:
        """Whether the head changes most, by both measures: the runs at hand."""
        runs = {
            measure: [
                (fact.value or 0.0) > 1
                for model in self.models
                for fact in model.runs("trend", metric="head_over_next", kind=measure)
            ]
            for measure in MEASURES
        }
        extents = [extent(cases) for cases in runs.values()]
        if "unknown" in extents:
            return self.speak.say("head", "unknown")
        same = extents[0] if extents[0] == extents[1] and extents[0] != "some" else "depends"
        counted = {measure: self.count(cases) for measure, cases in runs.items()}
        return self.speak.say("head", same, **counted)

    @property
    def ratios(self) -> Said:
        """The head's relative change over that of the part that changed most beside it."""
        place = {"metric": "head_over_next", "kind": "relative"}
        known = [model for model in self.models if model.one("trend", **place).known]
        listed = self.speak.listed(self.estimates(known, lambda m: m.one("trend", **place)))
        return self.speak.say("head-ratios", listed=listed) if known else NOTHING

    @property
    def rate(self) -> Said:
        """That the head is trained at the method's rate, and how far the rates lie apart."""
        ratios = []
        for view in self.views.values():
            if view.complete:
                rates = [
                    view.settings.method(m).training.learning_rate
                    for m in (view.first, view.second)
                    if m
                ]
                ratios.append(rates[1] / rates[0])
        if not ratios:
            return NOTHING
        least, greatest = (self.factor(ratio, 0) for ratio in (min(ratios), max(ratios)))
        names = self.speak.methods(first=self.models[0].method, second=self.models[1].method)
        outcome = (
            "equal" if max(ratios) == min(ratios) == 1 else "one" if least == greatest else "range"
        )
        return self.speak.say("head-rate", outcome, least=least, greatest=greatest, **names)

    @property
    def restored(self) -> Said:
        """What the trained head is worth: the score without its change, model by model."""
        lost = {}
        for model in self.models:
            view = model.view
            place = {"evaluation": view.validation, "metric": view.metric, "part": HEAD}
            lost[model] = model.one("restoration", **place)
        verdicts = judge_all(lost, lambda model, fact: judge(fact, model.view.margin))
        listed = {
            kind: [
                self.speak.say("model-loss", model=self.name(m), fact=lost[m])
                for m, own in verdicts.items()
                if own == kind
            ]
            for kind in ("more", "less", "same", "unclear")
        }
        said = clauses(self.speak, "head-restored", listed)
        served = self.speak.say("head-served") if listed["less"] or listed["same"] else NOTHING
        return self.speak.join([said, served])
