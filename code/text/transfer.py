"""Sentences on zero-shot transfer: how far quality falls, and which method transfers better."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from facts.fact import Fact
from facts.quantities import Unit
from text.abroad import Abroad
from text.rules import ALPHA, Verdict, judge, scope
from text.sentence import NOTHING, Said

VISIBLE = 0.0005  # points below half a tenth are shown as none


def favoured(difference: Fact, margin: float) -> str:
    """Which side of a difference is better: first, second, same, unclear or unknown.

    Of two drops the smaller one is better.
    """
    verdict = judge(difference, margin)
    better = verdict.turned() if difference.metric == "drop" else verdict
    return {Verdict.MORE: "first", Verdict.LESS: "second"}.get(better, better.value)


def agreement(level: str, fall: str) -> str:
    """What two criteria say together of who transferred better.

    Returns:
        ``yes``: both name the same; ``partly``: one names one, the other nobody; ``opposite``;
        ``same``: no difference that matters by either; ``unclear``; ``unknown``.
    """
    found = {level, fall}
    named = found & {"first", "second"}
    if len(named) == 2:
        return "opposite"
    if named:
        return "yes" if len(found) == 1 else "partly"
    return found.pop() if len(found) == 1 else "unclear"


class TransferSentences(Abroad):
    """The drop between the languages, and the two methods beside each other."""

    @property
    def drop(self) -> Said:
        """How far both methods fall in the other language; one by one if not both do."""
        if self.view.target is None:
            return self.speak.say("no-target")
        pair = [m for m in (self.view.first, self.view.second) if m is not None]
        if not pair:
            return self.speak.say("not-compared")
        if len(pair) == 2 and {self.fall_of(m) for m in pair} == {Verdict.MORE}:
            drops = [self.drop_of(m) for m in pair]
            said = self.speak.say(
                "drop-both",
                first_drop=drops[0],
                second_drop=drops[1],
                scope=self.scope_of(*drops),
                **self.scores(first=pair[0], second=pair[1]),
                **self.texts(first=pair[0], second=pair[1]),
            )
        else:
            said = self.speak.join(map(self._one_drop, pair))
        return self.speak.join([said, self._doubt(pair)])

    def _one_drop(self, method: str) -> Said:
        fact = self.drop_of(method)
        return self.speak.say(
            "drop",
            self.fall_of(method),
            drop=fact,
            margin=self.margin_text,
            scope=self.scope_of(fact),
            **self.scores(first=method),
            **self.texts(first=method),
        )

    def _doubt(self, pair: Sequence[str]) -> Said:
        """What has to be said of methods that are not reliably above their controls."""
        lacking = [method for method in pair if self.view.learned(method) is False]
        if not lacking:
            return NOTHING
        outcome = "both" if len(lacking) > 1 else ""
        return self.speak.say("hardly-learned", outcome, **self.texts(first=lacking[0]))

    @property
    def macro(self) -> Said:
        """The drop in macro-F1 over the tags that both sets have."""
        pair = [m for m in (self.view.first, self.view.second) if m is not None]
        drops = [self.drop_of(m, "macro_f1") for m in pair]
        if len(pair) < 2 or not all(fact.known for fact in drops):
            return NOTHING
        return self.speak.say(
            "macro-drop",
            first_drop=drops[0],
            second_drop=drops[1],
            **self.texts(first=pair[0], second=pair[1]),
        )

    @property
    def frequencies(self) -> Said:
        """What of the drop is other frequencies of the tags, and what lower accuracy on them."""
        method = self.spoken_of
        mix, rate = self._share(method, "mix"), self._share(method, "rate")
        if method is None or mix.value is None:
            return NOTHING
        way = "adds" if mix.value > 0 else "lessens"
        outcome = way if abs(mix.value) >= VISIBLE else "nothing"
        texts = self.texts(first=method)
        said = self.speak.say("frequencies", outcome, mix=mix, rate=rate, **texts)
        return self.speak.join([said, self._shifted_tag(method)])

    def _shifted_tag(self, method: str) -> Said:
        """The tag whose frequency changes the drop most."""
        shares = self.where("contribution", metric="mix")
        of_tags = [fact for fact in shares if fact.tag and fact.value is not None]
        top = max(of_tags, key=lambda fact: abs(fact.value or 0.0), default=None)
        if top is None or abs(top.value or 0.0) < VISIBLE:
            return NOTHING
        places = {"source": self.view.validation, "target": self.view.target}
        right = {
            f"{role}_score": self.view.score(method, "accuracy", where, tag=top.tag)
            for role, where in places.items()
        }
        if not all(fact.known for fact in right.values()):
            return NOTHING
        outcome = "adds" if (top.value or 0.0) > 0 else "lessens"
        if abs(top.value or 0.0) > abs(self._share(method, "mix").value or 0.0) + VISIBLE:
            outcome += "-partly"  # other tags work against it
        return self.speak.say(
            "shifted-tag", outcome, tag=top.tag, share=top, **right, **self.languages
        )

    @property
    def lexicon(self) -> Said:
        """Why the lexicon is ahead by macro-F1 in the language of training, where it is."""
        first, lexicon = self.view.first, self.view.computed
        where = self.view.validation
        lead = self.view.difference("macro_f1", where, first=lexicon, second=first)
        if judge(lead, self.view.settings.margins.macro_f1) != Verdict.MORE:
            return NOTHING
        own, theirs = (
            {
                fact.tag: fact
                for fact in self.view.facts.where(
                    quantity="score", task=self.view.task, method=method or "", metric="f1",
                    evaluation=where, seed=None, part="",
                )
                if fact.known
            }
            for method in (first, lexicon)
        )  # fmt: skip
        gains = {t: theirs[t].value - own[t].value for t in own if t in theirs}  # type: ignore[operator]
        tag = max(gains, key=gains.__getitem__)  # of equal ones the first
        return self.speak.say(
            "lexicon-ahead",
            lead=lead,
            tag=tag,
            own=own[tag],
            theirs=theirs[tag],
            **self.texts(first=first, lexicon=lexicon),
        )

    def _share(self, method: str | None, metric: str) -> Fact:
        """A part of the drop, over all tags."""
        place = {"metric": metric, "grouping": "by_tag", "evaluation": self.view.target or ""}
        return self.view.one("contribution", method, **place)

    # ------------------------------------------------------------------- which method is ahead

    @cached_property
    def _gaps(self) -> tuple[Fact, Fact]:
        """First minus second, by accuracy in the other language and by drop."""
        where = self.view.target
        return self.view.difference("accuracy", where), self.view.difference("drop", where)

    @property
    def verdict(self) -> Said:
        """Which method transferred better, by both criteria."""
        return self._verdict("transfer")

    @property
    def stated(self) -> Said:
        """The same where nobody has asked: for abstract and conclusion."""
        return self._verdict("transfer-stated")

    def _verdict(self, key: str) -> Said:
        if self.view.target is None:
            return self.speak.say("no-target")
        if not self.view.complete:
            return self.speak.say("not-compared")
        level, fall = (favoured(fact, self.margin) for fact in self._gaps)
        outcome = agreement(level, fall)
        gap, relief = self._gaps
        values = {
            **self.texts(first=self.view.first, second=self.view.second),
            **self.scores(first=self.view.first, second=self.view.second),
            **self._ranks(level if level in ("first", "second") else fall),
        }
        said = self.speak.say(
            key,
            outcome,
            gap=gap,
            relief=relief,
            lead=gap if level == "first" else gap.turned(),
            spared=relief.turned() if fall == "first" else relief,
            margin=self.margin_text,
            scope=self.scope_of(gap, relief),
            **values,
        )
        if outcome in ("yes", "same", "unknown"):
            return said
        return self.speak.join([said, self._criterion("level", gap, level),
                                self._criterion("fall", relief, fall)])  # fmt: skip

    def _criterion(self, key: str, gap: Fact, side: str) -> Said:
        """One criterion: who is ahead by how much, or what remains open."""
        outcome = {"first": "yes", "second": "yes"}.get(side, side)
        if side == "unclear" and not (gap.low or 0.0) <= 0 <= (gap.high or 0.0):
            outcome = "untested"
        # Of a gap in accuracy the larger side leads, of two drops the smaller one.
        positive = (gap.value or 0.0) >= 0
        leans = "first" if positive == (gap.metric != "drop") else "second"
        return self.speak.say(
            key,
            outcome,
            gap=gap,
            lead=gap if positive else gap.turned(),
            margin=self.margin_text,
            level=self.speak.numbers.write(ALPHA, Unit.PLAIN, 2),
            **self.texts(first=self.view.first, second=self.view.second),
            **self.scores(first=self.view.first, second=self.view.second),
            **self._ranks(side if side in ("first", "second") else leans),
        )

    def _ranks(self, ahead: str) -> dict[str, Any]:
        """Placeholders for the method that is ahead and the other: names and accuracies."""
        pair = (self.view.first, self.view.second)
        better, worse = pair if ahead == "first" else pair[::-1]
        return {
            **self.speak.methods(better=better, worse=worse),
            **self.scores(better=better, worse=worse),
        }

    @property
    def limits(self) -> Said:
        """What the verdict does not cover."""
        if self.view.target is None or not self.view.complete:
            return NOTHING
        return self.speak.say("limits", scope(*self._gaps))

    @property
    def convergence(self) -> Said:
        """How far both methods had fitted their own sentences when training ended."""
        pair = (self.view.first, self.view.second)
        losses = [self.view.one("convergence", m, metric="final_train_loss") for m in pair]
        steps = [self.view.cost(m, "steps") for m in pair]
        if losses[0].value is None or losses[1].value is None:
            return self.speak.say("fitted-unknown")
        alike = abs(losses[0].value - losses[1].value) < self.view.settings.margins.loss
        ahead = "first" if losses[0].value < losses[1].value else "second"
        schedule = "same" if steps[0].value == steps[1].value else "own"
        return self.speak.say(
            "fitted",
            "alike" if alike else "apart",
            first_loss=losses[0],
            second_loss=losses[1],
            schedule=self.speak.say(
                "fitted-schedule", schedule, first_steps=steps[0], second_steps=steps[1],
                first_epochs=self._epochs(pair[0]), second_epochs=self._epochs(pair[1]),
                **self.texts(first=pair[0], second=pair[1]),
            ),
            **self.texts(first=pair[0], second=pair[1]),
            **self._ranks(ahead),
        )  # fmt: skip

    @property
    def forgetting(self) -> Said:
        """Whether the drop looks as if an adapter kept more of what was pretrained."""
        method = self.settings_of(self.view.second)
        if method is None or method.adapter is None or method.adapter.peft_type != "LORA":
            return NOTHING
        side = favoured(self._gaps[1], self.margin)
        texts = self.texts(first=self.view.first, second=self.view.second)
        return self.speak.say("forgetting", side, **texts) if self.view.target else NOTHING

    def _epochs(self, method: str | None) -> int | None:
        found = self.settings_of(method)
        return found.training.num_train_epochs if found else None
