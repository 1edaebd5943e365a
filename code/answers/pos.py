"""Answers of Task 2: zero-shot transfer of tagging."""

from answers import findings
from answers.judging import (
    Agreement,
    Order,
    Verdict,
    interval_outcome,
    judge_agreement,
    judge_comparison,
)
from answers.tags import TagAnswers
from answers.voice import Phrase
from evidence.outcomes import decisive_interval
from evidence.schema import Transfer
from words.wording import MISSING


class PosAnswers(TagAnswers):
    """What Task 2 found beyond costs and quality in the language of training."""

    @property
    def target_language(self) -> Phrase:
        """The other language."""
        return Phrase(self.voice.language(self.target))

    # ------------------------------------------------------------------------------------ drop

    @property
    def drop(self) -> Phrase:
        """How far both methods fall in the other language; one after the other if not both do."""
        roles = (self.roles.reference, self.roles.adapter)
        if not self.complete or {self._drop_order(m) for m in roles} != {Order.FIRST_LARGER}:
            return self.voice.join(self._drop(method) for method in roles if method)
        first, second = (self._drop_values(method) for method in roles)
        return self.voice.say(
            "drop-both",
            **self.methods,
            language=self.target_language,
            **{f"first_{name}": value for name, value in first.items()},
            **{f"second_{name}": value for name, value in second.items()},
        )

    def _drop_order(self, method: str | None) -> Order:
        entry = self._transfer(method)
        return interval_outcome(*decisive_interval(entry["drop"])) if entry else Order.UNKNOWN

    def _transfer(self, method: str | None) -> Transfer | None:
        return findings.transfer_entry(self.results, self.task, method)

    def _drop_values(self, method: str | None) -> dict[str, str]:
        entry = self._transfer(method)
        if entry is None:
            return {}
        places = {"source": self.settings.validation, "target": self.target}
        found = {
            name: findings.estimate(self.results, self.task, method, "accuracy", where or "")
            for name, where in places.items()
        }
        wrong = {
            f"{name}_errors": self.voice.words.percent(
                None if e is None or e["value"] is None else 1 - e["value"]
            )
            for name, e in found.items()
        }
        return {
            **{name: self.voice.estimate("accuracy", e) for name, e in found.items()},
            **wrong,
            "drop": self.voice.size("drop", entry["drop"]["value"]),
            "interval": self.voice.interval("drop", *decisive_interval(entry["drop"])),
        }

    def _drop(self, method: str) -> Phrase:
        if self._transfer(method) is None:
            return self.voice.say("not-compared")
        return self.voice.say(
            "drop",
            self._drop_order(method),
            **self.voice.methods(method),
            **self._drop_values(method),
            language=self.target_language,
        )

    @property
    def macro_drop(self) -> Phrase:
        """Macro-F1 of both methods in both languages."""
        if not self.complete:
            return self.voice.say("not-compared")
        values = {
            f"{role}_{place}": self.estimate(method, "macro_f1", where)
            for role, method in (("a", self.roles.reference), ("b", self.roles.adapter))
            for place, where in (("source", self.settings.validation), ("target", self.target))
        }
        return self.voice.say("macro-drop", **self.methods, **values, language=self.target_language)

    # -------------------------------------------------------------------------------- transfer

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
        return self.voice.say(
            "transfer",
            self.transfer_outcome,
            **self.methods,
            criterion=self.voice.say("criterion", decisive, language=self.target_language),
            first_value=self.estimate(self.roles.reference, "accuracy", self.target),
            second_value=self.estimate(self.roles.adapter, "accuracy", self.target),
            language=self.target_language,
        )

    @property
    def transfer_outcome(self) -> Agreement:
        """What accuracy in the other language and the drop say together."""
        return judge_agreement(*self._verdicts.values())

    @property
    def _verdicts(self) -> dict[str, Verdict]:
        """Reference against adapter by each of the two criteria."""
        return {metric: self.verdict(self.target or "", metric) for metric in ("accuracy", "drop")}

    # -------------------------------------------------------------------------------- controls

    @property
    def why(self) -> Phrase:
        """Whether transfer goes beyond shared vocabulary: what the multilingual encoder adds."""
        reference, lexical = (
            self.roles.reference,
            findings.constant_control(self.results, self.task),
        )
        found = findings.comparison(
            self.results, self.task, self.target or "", "accuracy", reference, lexical
        )
        verdict = judge_comparison(found)
        outcome = {Verdict.FIRST_BETTER: "beyond-words", Verdict.UNKNOWN: "unknown"}.get(
            verdict, "words-alone"
        )
        return self.voice.say(
            "why",
            outcome,
            **self.voice.methods(reference),
            language=self.target_language,
            target=self.estimate(reference, "accuracy", self.target),
            lexical=self.estimate(lexical, "accuracy", self.target),
        )

    @property
    def control_transfer(self) -> Phrase:
        """Reference against the head-only control in the other language."""
        return self.compare(
            "against-abroad", self.target, "accuracy", self.roles.reference, self.roles.control
        )

    @property
    def lexical_transfer(self) -> Phrase:
        """Reference against the most frequent tag of each form."""
        control = findings.constant_control(self.results, self.task)
        return self.compare(
            "against-abroad", self.target, "accuracy", self.roles.reference, control
        )

    @property
    def foreign_transfer(self) -> Phrase:
        """Reference against an encoder without multilingual pretraining, if one was run."""
        if self.roles.foreign is None:
            return self.voice.say("foreign-not-run")
        found = self.compare(
            "against-abroad", self.target, "accuracy", self.roles.reference, self.roles.foreign
        )
        return self.voice.join([found, self.voice.say("foreign-meaning")])

    @property
    def foreign_control(self) -> Phrase:
        """The control without multilingual pretraining, described if it was run."""
        return self.voice.say("foreign-control") if self.roles.foreign else Phrase("")

    # ----------------------------------------------------------------------------------- words

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
        contrast = of_target["contrasts"][kind] if of_target else None
        if of_target is None or contrast is None or contrast["difference"]["value"] is None:
            return self.voice.say(f"{key}-unknown")
        rows = {row["group"]: row for row in of_target["groups"][kind]}
        one, other = rows[first]["accuracy"], rows[second]["accuracy"]
        return self.voice.say(
            key,
            interval_outcome(*decisive_interval(contrast["difference"])),
            first_value=self.voice.estimate("accuracy", one),
            second_value=self.voice.estimate("accuracy", other),
            first_share=self.voice.words.percent(rows[first]["share"]),
            language=self.target_language,
        )

    @property
    def words(self) -> Phrase:
        """How many words of both languages are scored."""
        known = self.task in self.results.evidence
        sets = self.results.tagging(self.task)["evaluations"] if known else {}
        counts = [
            self.voice.words.count(sets[where]["words"]) if where in sets else MISSING
            for where in (self.settings.validation, self.target or "")
        ]
        return self.voice.say(
            "words-scored", source=counts[0], target=counts[1], language=self.target_language
        )
