"""Answers of Task 2: zero-shot transfer of tagging."""

from evidence.schema import Transfer

from answers import findings
from answers.judging import Verdict, interval_outcome, judge_agreement, judge_comparison
from answers.tags import NOT_LEARNED, TagAnswers
from answers.voice import Phrase
from evidence.outcomes import decisive_interval


class PosAnswers(TagAnswers):
    """What Task 2 found beyond costs and quality in the language of training."""

    @property
    def source(self) -> Phrase:
        """The language of training, as it stands after "in"."""
        return Phrase(self.voice.language(self.settings.train))

    @property
    def targets(self) -> list[str]:
        """The evaluated sets in other languages."""
        return findings.find_targets(self.results, self.task)

    @property
    def _other_languages(self) -> str:
        return self.voice.listed(list(dict.fromkeys(map(self.voice.language, self.targets))))

    @property
    def title(self) -> Phrase:
        """What is trained and tested, for the heading of the task."""
        outcome = "transfer" if self.targets else "alone"
        return self.say("pos-title", outcome, targets=self._other_languages)

    @property
    def treebanks(self) -> Phrase:
        """The treebanks of training and testing."""
        source, *tested = dict.fromkeys(
            address.split(":")[0] for address in (self.settings.train, *self.targets)
        )
        outcome = "transfer" if tested else "alone"
        return self.say(
            "treebanks",
            "usual" if (source, tested) == ("en_ewt", ["de_gsd"]) else outcome,
            source=self.voice.name("corpus", source),
            tested=self.voice.listed([self.voice.name("corpus", name) for name in tested]),
            targets=self._other_languages,
        )

    @property
    def closeness(self) -> Phrase:
        """How close the two languages are, where that is known of them."""
        return self.voice.say("close-languages") if self.english_to_german else Phrase("")

    @property
    def treebank_kinds(self) -> Phrase:
        """Kinds of confusion that are conventions of the two treebanks, where they are known."""
        return self.voice.say("treebank-kinds") if self.english_to_german else Phrase("")

    @property
    def drop(self) -> Phrase:
        """How far both methods fall in the other language; one after the other if not both do."""
        if self.target is None:
            return self.voice.say("no-target")
        if not self.complete or {self._drop_outcome(m) for m in self.pair} != {"first-larger"}:
            return self.voice.join(self._drop(method) for method in self.pair if method)
        values = {
            f"{role}_{name}": value
            for role, method in zip(("first", "second"), self.pair, strict=True)
            for name, value in self._drop_values(method).items()
        }
        return self.say("drop-both", **values)

    def _drop(self, method: str) -> Phrase:
        values = self._drop_values(method)
        if not values:
            return self.say("not-compared")
        return self.say("drop", self._drop_outcome(method), **self.voice.methods(method), **values)

    def _drop_outcome(self, method: str | None) -> str:
        if not findings.learned(self.results, self.task, method):
            return NOT_LEARNED
        entry = self._transfer(method)
        return interval_outcome(*decisive_interval(entry["drop"])) if entry else "unknown"

    def _drop_values(self, method: str | None) -> dict[str, str]:
        entry = self._transfer(method)
        if entry is None:
            return {}
        found: dict[str, str] = {
            "drop": self.voice.size("drop", entry["drop"]["value"]),
            "interval": self.voice.interval("drop", *decisive_interval(entry["drop"])),
        }
        for place, where in (("source", self.settings.validation), ("target", self.target)):
            right = self.estimate(method, "accuracy", where)
            wrong = None if right.number is None else 1 - right.number
            found |= {place: right, f"{place}_errors": self.voice.words.percent(wrong)}
        return found

    def _transfer(self, method: str | None) -> Transfer | None:
        return findings.transfer_entry(self.results, self.task, method)

    @property
    def macro_drop(self) -> Phrase:
        """Macro-F1 of both methods in both languages, and the drop over the tags of both."""
        values: dict[str, str] = {}
        if self.target is None:
            return self.voice.say("no-target")
        for role, method in zip("ab", self.pair, strict=True):
            entry = self._transfer(method)
            if entry is None:
                return self.say("not-compared")
            values |= {
                f"{role}_source": self.estimate(method, "macro_f1", self.settings.validation),
                f"{role}_target": self.estimate(method, "macro_f1", self.target),
                f"{role}_drop": self.voice.effect("drop_macro_f1", entry["drop_macro_f1"]["value"]),
                "tags": self.voice.words.count(len(entry["tags_in_both"])),
            }
        return self.say("macro-drop", **values)

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
        if self.target is None:
            return self.voice.say("no-target")
        verdicts = {name: self.verdict(self.target or "", name) for name in ("accuracy", "drop")}
        decisive = next((metric for metric, v in verdicts.items() if v.reliable), "drop")
        first, second = (self.estimate(method, "accuracy", self.target) for method in self.pair)
        return self.say(
            "transfer",
            judge_agreement(*verdicts.values()),
            criterion=self.say("criterion", decisive),
            first_value=first,
            second_value=second,
        )

    @property
    def why(self) -> Phrase:
        """Whether transfer goes beyond shared vocabulary: what the multilingual encoder adds."""
        if self.target is None:
            return self.voice.say("no-target")
        reference, lexical = self.roles.reference, self.computed_control
        found = self.compared(self.target or "", "accuracy", reference, lexical)
        known = {Verdict.FIRST_BETTER: "beyond-words", Verdict.UNKNOWN: "unknown"}
        outcome = known.get(judge_comparison(found), "words-alone")
        if not findings.learned(self.results, self.task, reference):
            outcome = NOT_LEARNED
        return self.say(
            "why",
            outcome,
            target=self.estimate(reference, "accuracy", self.target),
            lexical=self.estimate(lexical, "accuracy", self.target),
        )

    @property
    def control_transfer(self) -> Phrase:
        """Reference against the head-only control in the other language."""
        return self.compare("against-abroad", self.target, "accuracy", self.roles.control)

    @property
    def lexical_transfer(self) -> Phrase:
        """Reference against the most frequent tag of each form."""
        return self.compare("against-abroad", self.target, "accuracy", self.computed_control)

    @property
    def foreign_transfer(self) -> Phrase:
        """Reference against an encoder without multilingual pretraining, if one was run."""
        if self.roles.foreign is None:
            return self.voice.say("foreign-not-run")
        found = self.compare("against-abroad", self.target, "accuracy", self.roles.foreign)
        return self.voice.join([found, self.say("foreign-meaning")])

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
        return self.say(
            key,
            interval_outcome(*decisive_interval(difference)),
            first_value=self.voice.estimate("accuracy", rows[first]["accuracy"]),
            second_value=self.voice.estimate("accuracy", rows[second]["accuracy"]),
            first_share=self.voice.words.percent(rows[first]["share"]),
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
        return self.say("words-scored", source=source, target=target)
