"""Answers of Task 2: zero-shot transfer of tagging."""

from answers import findings, judging
from answers.judging import Order, Verdict
from answers.tags import NOT_LEARNED, TagAnswers
from answers.voice import Phrase
from evidence.outcomes import decisive_interval
from evidence.schema import Transfer


class PosAnswers(TagAnswers):
    """What Task 2 found beyond costs and quality in the language of training."""

    @property
    def target_language(self) -> Phrase:
        """The other language."""
        return Phrase(self.voice.language(self.target))

    @property
    def drop(self) -> Phrase:
        """How far both methods fall in the other language; one after the other if not both do."""
        if not self.complete or {self._drop_outcome(m) for m in self.pair} != {Order.FIRST_LARGER}:
            return self.voice.join(self._drop(method) for method in self.pair if method)
        values = {
            f"{role}_{name}": value
            for role, method in zip(("first", "second"), self.pair, strict=True)
            for name, value in self._drop_values(method).items()
        }
        return self.voice.say("drop-both", **self.methods, language=self.target_language, **values)

    def _drop_outcome(self, method: str | None) -> str:
        if not findings.learned(self.results, self.task, method):
            return NOT_LEARNED
        entry = self._transfer(method)
        return (
            judging.interval_outcome(*decisive_interval(entry["drop"])) if entry else Order.UNKNOWN
        )

    def _transfer(self, method: str | None) -> Transfer | None:
        return findings.transfer_entry(self.results, self.task, method)

    def _drop_values(self, method: str | None) -> dict[str, str]:
        entry = self._transfer(method)
        if entry is None:
            return {}
        found = {
            "drop": self.voice.size("drop", entry["drop"]["value"]),
            "interval": self.voice.interval("drop", *decisive_interval(entry["drop"])),
        }
        for place, where in (("source", self.settings.validation), ("target", self.target)):
            found[place] = self.estimate(method, "accuracy", where)
            right = found[place].number
            found[f"{place}_errors"] = self.voice.words.percent(
                None if right is None else 1 - right
            )
        return {**found}

    def _drop(self, method: str) -> Phrase:
        if self._transfer(method) is None:
            return self.voice.say("not-compared")
        return self.voice.say(
            "drop",
            self._drop_outcome(method),
            **self.voice.methods(method),
            **self._drop_values(method),
            language=self.target_language,
        )

    @property
    def macro_drop(self) -> Phrase:
        """Macro-F1 of both methods in both languages, and the drop over the tags of both."""
        moved = [self._transfer(method) for method in self.pair]
        if None in moved:
            return self.voice.say("not-compared")
        values = {}
        for role, method, entry in zip("ab", self.pair, moved, strict=True):
            values[f"{role}_source"] = self.estimate(method, "macro_f1", self.settings.validation)
            values[f"{role}_target"] = self.estimate(method, "macro_f1", self.target)
            drop = entry["drop_macro_f1"]["value"] if entry else None
            values[f"{role}_drop"] = self.voice.effect("drop_macro_f1", drop)
            values["tags"] = self.voice.words.count(len(entry["tags_in_both"]) if entry else None)
        return self.voice.say("macro-drop", **self.methods, **values, language=self.target_language)

    @property
    def target_quality(self) -> Phrase:
        """Reference against adapter by accuracy in the other language."""
        return self.compare("target-quality", self.target, "accuracy")

    @property
    def drop_difference(self) -> Phrase:
        """Reference against adapter by the size of the drop."""
        return self.compare("drop-difference", self.target, "drop")

    @property
    def transfer(self) -> Phrase:
        """Which method transferred better, by both criteria."""
        decisive = next((metric for metric, v in self._verdicts.items() if v.reliable), "drop")
        first, second = (self.estimate(method, "accuracy", self.target) for method in self.pair)
        return self.voice.say(
            "transfer",
            judging.judge_agreement(*self._verdicts.values()),
            **self.methods,
            criterion=self.voice.say("criterion", decisive, language=self.target_language),
            first_value=first,
            second_value=second,
            language=self.target_language,
        )

    @property
    def _verdicts(self) -> dict[str, Verdict]:
        """Reference against adapter by each of the two criteria."""
        return {metric: self.verdict(self.target or "", metric) for metric in ("accuracy", "drop")}

    @property
    def why(self) -> Phrase:
        """Whether transfer goes beyond shared vocabulary: what the multilingual encoder adds."""
        reference, lexical = self.roles.reference, self._lexical
        verdict = judging.judge_comparison(
            self.compared(self.target or "", "accuracy", reference, lexical)
        )
        known = {Verdict.FIRST_BETTER: "beyond-words", Verdict.UNKNOWN: "unknown"}
        outcome = known.get(verdict, "words-alone")
        if not findings.learned(self.results, self.task, reference):
            outcome = NOT_LEARNED
        return self.voice.say(
            "why",
            outcome,
            **self.voice.methods(reference),
            language=self.target_language,
            target=self.estimate(reference, "accuracy", self.target),
            lexical=self.estimate(lexical, "accuracy", self.target),
        )

    @property
    def _lexical(self) -> str | None:
        """The most frequent tag of each form."""
        return findings.constant_control(self.results, self.task)

    def _abroad(self, rival: str | None) -> Phrase:
        """The reference against another method in the other language."""
        reference = self.roles.reference
        return self.compare("against-abroad", self.target, "accuracy", reference, rival)

    @property
    def control_transfer(self) -> Phrase:
        """Reference against the head-only control in the other language."""
        return self._abroad(self.roles.control)

    @property
    def lexical_transfer(self) -> Phrase:
        """Reference against the most frequent tag of each form."""
        return self._abroad(self._lexical)

    @property
    def foreign_transfer(self) -> Phrase:
        """Reference against an encoder without multilingual pretraining, if one was run."""
        if self.roles.foreign is None:
            return self.voice.say("foreign-not-run")
        found = self._abroad(self.roles.foreign)
        return self.voice.join([found, self.voice.say("foreign-meaning")])

    @property
    def foreign_control(self) -> Phrase:
        """The control without multilingual pretraining, described if it was run."""
        return self.voice.say("foreign-control") if self.roles.foreign else Phrase("")

    @property
    def seen(self) -> Phrase:
        """Words whose form occurs in English training against those whose form does not."""
        return self._two_groups("seen", "by_seen", "seen", "unseen")

    @property
    def pieces(self) -> Phrase:
        """Words that the tokenizer keeps whole against those it cuts most finely."""
        return self._two_groups("pieces", "by_pieces", "1", "4+")

    def _two_groups(self, key: str, kind: str, first: str, second: str) -> Phrase:
        """Accuracy of the reference on two groups of the target's words, by their difference."""
        entry = findings.tagging_method(self.results, self.task, self.roles.reference)
        of_target = entry["evaluations"].get(self.target or "") if entry else None
        difference = of_target["contrasts"][kind]["difference"] if of_target else None
        if of_target is None or difference is None or difference["value"] is None:
            return self.voice.say(f"{key}-unknown")
        rows = {row["group"]: row for row in of_target["groups"][kind]}
        return self.voice.say(
            key,
            judging.interval_outcome(*decisive_interval(difference)),
            first_value=self.voice.estimate("accuracy", rows[first]["accuracy"]),
            second_value=self.voice.estimate("accuracy", rows[second]["accuracy"]),
            first_share=self.voice.words.percent(rows[first]["share"]),
            language=self.target_language,
        )

    @property
    def words(self) -> Phrase:
        """How many words of both languages are scored."""
        known = self.task in self.results.evidence
        sets = self.results.tagging(self.task)["evaluations"] if known else {}
        source, target = (
            self.voice.words.count(sets[where]["words"] if where in sets else None)
            for where in (self.settings.validation, self.target or "")
        )
        return self.voice.say(
            "words-scored", source=source, target=target, language=self.target_language
        )
