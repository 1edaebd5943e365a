"""Sentences on the experiments: whether rates were the best tried, what the verdict rests on."""

from functools import cached_property
from typing import Any

from evidence.experiments import BEST
from facts.fact import Fact
from study.layers import HEAD
from study.settings import Variant
from text.rules import Verdict, judge, judge_all, scope
from text.sentence import NOTHING, Said, clauses
from text.view import ABSENT, TaskSentences
from words.escaping import Markup, escape_markdown
from words.variants import name_variant, write_rate

EPOCHS, SHARE, HEAD_RATE = "num_train_epochs", "train_share", "head_learning_rate"


class ExperimentSentences(TaskSentences):
    """What changes of the settings, one at a time, do to the verdict on a task."""

    # ----------------------------------------------------------------------- does it survive?

    @cached_property
    def differences(self) -> dict[str, Fact]:
        """The first minus the second method under each specification that was run, by its name.

        Further adapters that were tried count beside the second method, at their best rate.
        """
        facts = self._chosen(quantity="difference", method=self.view.first or ABSENT)
        return {
            self.name(fact): fact for fact in facts if fact.against != fact.method and fact.known
        }

    def name(self, fact: Fact) -> Markup:
        """What a specification is called, with the adapter where it is not the second method."""
        words = self.speak.words
        if fact.variant == BEST:
            name = words.say("changes", "best")
        else:
            variants = self.view.settings.experiments.specifications[fact.variant]
            name = name_variant(self.speak.numbers, variants[0])
            own = [v for v in variants if v.method.name in (fact.method, fact.against)]
            if len(own) == 1:
                name = f"{words.name(own[0].method.name)}: {name}"
        if fact.against != self.view.second:
            name = f"{name} ({words.name(fact.against)})"
        return escape_markdown(name)

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """Verdicts on all specifications, at the level of one verdict together."""
        return judge_all(self.differences, lambda _, fact: judge(fact, self.view.margin))

    @property
    def answer(self) -> Said:
        """Whether the verdict survives other choices; that there are none, where none were made."""
        if not self.made:
            return self.speak.say("survives", "none")
        if not self.differences:
            return self.speak.say("survives", "unknown")
        return self.speak.say(
            "survives",
            self._survival,
            **self._counts,
            figure=self._figure("specifications"),
            yes=self.speak.say("yes", scope(*self.differences.values())),
        )

    @property
    def brief(self) -> Said:
        """The counts alone, for the conclusion; nothing where nothing was tried."""
        known = self.made and self.differences
        return self.speak.say("survives", "brief", **self._counts) if known else NOTHING

    @property
    def how(self) -> Said:
        """How the experiments were made."""
        return self.speak.say("how", task=Markup(self.view.task)) if self.made else NOTHING

    @property
    def limits(self) -> Said:
        """What experiments, or their absence, leave open."""
        seeds = len(self.view.settings.experiments.seeds)
        return self.speak.say("limits", "made" if self.made else "none", seeds=seeds)

    @property
    def _counts(self) -> dict[str, int]:
        """Specifications with the verdict of the comparison, with another one, with none."""
        main = judge(self.view.difference(), self.view.margin)
        told = list(self.verdicts.values())
        agree = sum(verdict is main for verdict in told)
        unclear = sum(not verdict.decided for verdict in told)
        agree = agree if main.decided else 0
        against = len(told) - unclear - agree
        return {"count": len(told), "agree": agree, "against": against, "unclear": unclear}

    @property
    def _survival(self) -> str:
        found = self._counts
        if not judge(self.view.difference(), self.view.margin).decided:
            return "open-decided" if found["against"] else "open"
        if found["against"]:
            return "no"
        return "untold" if not found["agree"] else "partly" if found["unclear"] else "yes"

    @property
    def listed(self) -> Said:
        """Which specifications say what, each verdict with those that have it."""
        found: dict[str, list[str]] = {str(v): [] for v in Verdict}
        for name, verdict in self.verdicts.items():
            found[str(verdict)].append(
                self.speak.say("specification-item", name=Markup(name), gap=self.differences[name])
            )
        found["unclear"] += found.pop("unknown")
        return clauses(self.speak, "specification", found, **self.compared)

    # ----------------------------------------------------------------------- cost

    @property
    def cost(self) -> Said:
        """What the tries and the other experiments took."""
        found = {
            f"{group}_{name}": self.view.facts.one(
                "search", task=self.view.task, group=group, metric=metric
            )
            for group in ("tries", "rest")
            for name, metric in (("time", "training_seconds"), ("runs", "runs"))
        }
        groups = [g for g in ("tries", "rest") if found[f"{g}_time"].known]
        if not groups:
            return NOTHING
        return self.speak.say("search", "both" if len(groups) == 2 else groups[0], **found)

    # ----------------------------------------------------------------------- single settings

    @property
    def share(self) -> Said:
        """Whether the two methods' lines meet as the training data shrink."""
        meeting = self.view.facts.one(
            "crossing", task=self.view.task, method=self.view.first or ABSENT,
            against=self.view.second or ABSENT, **self.headline_set,
        )  # fmt: skip
        if not meeting.known and not meeting.reason:
            return NOTHING
        outcome = "meet" if meeting.known else "apart"
        figure = self._figure("shares")
        return self.speak.say("shares", outcome, meeting=meeting, figure=figure, **self.compared)

    @property
    def epochs(self) -> Said:
        """What more epochs did to each method, where that was run."""
        return self._effects("more-epochs", EPOCHS)

    @property
    def head(self) -> Said:
        """What another rate of the head did to its distance and to quality."""
        said = []
        for variant in self._variants(HEAD_RATE):
            changes = dict(variant.changes)
            place = {"layer": HEAD, "kind": "all", "metric": "relative"}
            now = self.view.one("distance", variant.method.name, **place)
            then = self.view.one("distance", variant.method.name, variant=variant.name, **place)
            if now.value and then.value:
                said.append(
                    self.speak.say(
                        "head-at-rate",
                        "further" if then.value > now.value else "less",
                        method=self.speak.name(variant.method.name, "definite"),
                        rate=Markup(write_rate(self.speak.numbers, float(str(changes[HEAD_RATE])))),
                        now=now,
                        then=then,
                    )
                )
        return self.speak.join([*said, self._effects("head-rate-effect", HEAD_RATE)])

    def _effects(self, key: str, setting: str) -> Said:
        """What a change of one setting did to the quality of each method that it was made of."""
        said = []
        for variant in self._variants(setting):
            change = self.change(variant.method.name, variant.name)
            if change.known:
                value = dict(variant.changes)[setting]
                said.append(
                    self.speak.say(
                        key,
                        str(judge(change, self.view.margin)),
                        change=change,
                        value=value if isinstance(value, int) else str(value),
                        metric=self.speak.name(self.view.metric),
                        task=self.speak.name(self.view.task),
                        method=self.speak.name(variant.method.name, "definite"),
                    )
                )
        return self.speak.join(said)

    def _variants(self, setting: str) -> list[Variant]:
        """Specifications in which this setting alone differs."""
        specified = self.view.settings.experiments.specifications.values()
        return [v for own in specified for v in own if [name for name, _ in v.changes] == [setting]]

    # ----------------------------------------------------------------------- what is asked

    def _chosen(self, **key: Any) -> list[Fact]:
        variants = [BEST, *self.view.settings.experiments.specifications]
        chosen = {"task": self.view.task, "variant": variants, **self.headline_set, **key}
        return list(self.view.facts.where(**chosen))

    def _figure(self, name: str) -> Markup:
        return Markup(f"@fig-{self.view.task}-{name}")
