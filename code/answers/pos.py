"""Answers of Task 2: zero-shot transfer of tagging."""

from collections.abc import Collection
from typing import Any

from answers import findings
from answers.judging import (
    Agreement,
    Verdict,
    interval_outcome,
    judge_agreement,
    judge_comparison,
    judge_part,
)
from answers.methods import MethodAnswers
from answers.voice import Phrase
from words.wording import MISSING

SHOWN = 5  # tags that the prose discusses
SHOWN_CAUSES = 3
LEARNT = 0.5  # accuracy at home below which a tag has nothing to lose
CONVENTIONS = ("quantifiers", "ADJ/VERB")  # where the two treebanks draw the line differently
WORD_ORDER = ("separable particles", "clause-final verbs")
ENOUGH_WORDS = 20  # in both sets, for a tag to be named as one that loses little


class PosAnswers(MethodAnswers):
    """What Task 2 found beyond costs and quality in the language of training."""

    @property
    def target(self) -> str | None:
        """The evaluated set in the other language."""
        return findings.find_target(self.results, self.task)

    @property
    def target_language(self) -> Phrase:
        """Its language."""
        return Phrase(self.voice.language(self.target))

    # ------------------------------------------------------------------------------------ drop

    @property
    def reference_drop(self) -> Phrase:
        """How far the reference falls in the other language."""
        return self._drop("drop", self.roles.reference)

    @property
    def adapter_drop(self) -> Phrase:
        """How far the adapter falls in the other language."""
        return self._drop("drop", self.roles.adapter)

    @property
    def headline_drop(self) -> Phrase:
        """The reference's fall in half a line."""
        return self._drop("headline-drop", self.roles.reference)

    def _drop(self, key: str, method: str | None) -> Phrase:
        entry = findings.transfer_entry(self.results, self.task, method).get("drop")
        if method is None or entry is None:
            return self.voice.say("not-compared")
        values = [
            findings.estimate(self.results, self.task, method, "accuracy", where)
            for where in (self.settings.validation, self.target or "")
        ]
        return self.voice.say(
            f"{key}-{interval_outcome(entry['low'], entry['high'])}",
            **self.voice.methods(method),
            source=self.voice.estimate("accuracy", values[0]),
            target=self.voice.estimate("accuracy", values[1]),
            source_errors=self.voice.words.percent(_errors(values[0])),
            target_errors=self.voice.words.percent(_errors(values[1])),
            drop=self.voice.effect("drop", entry["value"]).lstrip("+"),
            interval=self.voice.interval("drop", entry["low"], entry["high"]),
            language=self.target_language,
        )

    @property
    def macro_drop(self) -> Phrase:
        """Macro-F1 of both methods in both languages."""
        if not self.complete:
            return self.voice.say("not-compared")
        values = {
            f"{role}_{place}": self.voice.estimate(
                "macro_f1",
                findings.estimate(self.results, self.task, method, "macro_f1", where or ""),
            )
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
        return self._transfer("transfer")

    @property
    def headline_transfer(self) -> Phrase:
        """The same in half a line."""
        return self._transfer("headline-transfer")

    def _transfer(self, key: str) -> Phrase:
        decisive = next((metric for metric, v in self._verdicts.items() if v.reliable), "drop")
        return self.voice.say(
            f"{key}-{self.transfer_outcome}",
            **self.methods,
            criterion=self.voice.say(f"criterion-{decisive}", language=self.target_language),
        )

    @property
    def transfer_outcome(self) -> Agreement:
        """What accuracy in the other language and the drop say together."""
        return judge_agreement(*self._verdicts.values())

    @property
    def _verdicts(self) -> dict[str, Verdict]:
        """Reference against adapter by each of the two criteria."""
        return {
            metric: judge_comparison(
                findings.comparison(
                    self.results,
                    self.task,
                    self.target or "",
                    metric,
                    self.roles.reference,
                    self.roles.adapter,
                )
            )
            for metric in ("accuracy", "drop")
        }

    # -------------------------------------------------------------------------------- controls

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
        return Phrase(f"{found} {self.voice.say('foreign-meaning')}")

    @property
    def foreign_control(self) -> Phrase:
        """The control without multilingual pretraining, described if it was run."""
        return self.voice.say("foreign-control") if self.roles.foreign else Phrase("")

    # ------------------------------------------------------------------------------------ tags

    @property
    def costly_tags(self) -> Phrase:
        """The tags whose lower accuracy costs most, with their points.

        Without what a tag contributes by being more frequent in the other language, which says
        something about the texts and not about the tagger.
        """
        rows = [row for row in self._by("by_tag", "points_rate") if row["points_rate"] > 0][:SHOWN]
        return Phrase(self.voice.listed([self._points("tag-points", row) for row in rows]))

    @property
    def sparing_tags(self) -> Phrase:
        """Tags, found often enough in both sets, that lose least accuracy."""
        rows = [
            row
            for row in self._by("by_tag", "drop")
            if row["drop"]["value"] is not None
            and min(row["source_words"], row["target_words"]) >= ENOUGH_WORDS
            and row["source_accuracy"] >= LEARNT
        ]
        lowest = rows[::-1][:SHOWN]
        return Phrase(self.voice.listed([self._points("tag-drop", row) for row in lowest]))

    @property
    def tag_notes(self) -> Phrase:
        """A list of the tags that cost most, each with what grammar says about it."""
        rows = [row for row in self._by("by_tag", "points_rate") if row["points_rate"] > 0][:SHOWN]
        if not rows:
            return self.voice.say("no-costly-tag")
        return Phrase("\n".join(f"- {self._tag_note(row)}" for row in rows))

    def _tag_note(self, row: dict[str, Any]) -> Phrase:
        tag = row["group"]
        key = f"tag-{self._target_code}-{tag}"
        known = self.voice.words.has("phrases", key)
        return self.voice.say(
            "tag-note",
            tag=tag,
            source=self.voice.words.percent(row["source_accuracy"]),
            target=self.voice.words.percent(row["target_accuracy"]),
            points=self.voice.words.number(100 * row["points_rate"], 2),
            note=self.voice.say(key if known else "tag-without-note"),
        )

    @property
    def _target_code(self) -> str:
        return findings.language_of(self.target) if self.target else ""

    def _by(self, kind: str, column: str) -> list[dict[str, Any]]:
        """Rows of the reference's transfer, those with the largest value first."""
        entry = findings.transfer_entry(self.results, self.task, self.roles.reference)
        return sorted(entry.get(kind, ()), key=lambda row: -(_plain(row[column]) or 0))

    def _points(self, key: str, row: dict[str, Any]) -> str:
        return self.voice.say(
            key,
            tag=row["group"],
            source=self.voice.words.percent(row["source_accuracy"]),
            target=self.voice.words.percent(row["target_accuracy"]),
            points=self.voice.words.number(100 * row["points_rate"], 2),
        )

    # ---------------------------------------------------------------------------------- causes

    @property
    def causes(self) -> Phrase:
        """The confusions that account for most of the drop; the rest class is left out."""
        entry = findings.transfer_entry(self.results, self.task, self.roles.reference)
        named = [row for row in entry.get("causes", ()) if row["cause"] != "remaining"]
        ranked = sorted(named, key=lambda row: -(row["points"]["value"] or 0))
        shown = [row for row in ranked if (row["points"]["value"] or 0) > 0][:SHOWN_CAUSES]
        if not shown:
            return self.voice.say("causes-none")
        items = [
            self.voice.say(
                "cause-points",
                cause=self.voice.name("cause", row["cause"]),
                points=self.voice.words.number(100 * row["points"]["value"], 2),
            )
            for row in shown
        ]
        rest = next((r for r in entry["causes"] if r["cause"] == "remaining"), None)
        remaining = self.voice.words.number(100 * rest["points"]["value"] if rest else None, 2)
        return self.voice.say("causes", listed=self.voice.listed(items), remaining=remaining)

    @property
    def conventions(self) -> Phrase:
        """Points of the drop that the two treebanks' conventions account for."""
        return self._part("conventions", CONVENTIONS)

    @property
    def word_order(self) -> Phrase:
        """Points of the drop that verbs at the end and separable particles account for."""
        return self._part("word-order", WORD_ORDER)

    def _part(self, key: str, causes: Collection[str]) -> Phrase:
        """How much of the reference's drop some of its causes make up."""
        entry = findings.transfer_entry(self.results, self.task, self.roles.reference)
        rows = [row for row in entry.get("causes", ()) if row["cause"] in causes]
        part = sum(row["points"]["value"] for row in rows) if rows else None
        drop = entry["drop"] if entry else {"value": None, "low": None}
        certain = drop["value"] if (drop["low"] or 0) > 0 else None
        return self.voice.say(
            f"{key}-{judge_part(part, certain)}",
            points=self.voice.words.number(None if part is None else 100 * part, 2),
            drop=self.voice.words.number(None if certain is None else 100 * certain, 2),
        )

    @property
    def confusion(self) -> Phrase:
        """The single confusion of two tags that accounts for most of the drop."""
        entry = findings.transfer_entry(self.results, self.task, self.roles.reference)
        cells = [cell for cell in entry.get("cells", ()) if cell["points"] > 0]
        if not cells:
            return self.voice.say("confusion-none")
        top = max(cells, key=lambda cell: cell["points"])
        return self.voice.say(
            "confusion",
            gold=top["gold"],
            predicted=top["predicted"],
            points=self.voice.words.number(100 * top["points"], 2),
        )

    @property
    def seen(self) -> Phrase:
        """Words whose form occurs in English training against those whose form does not."""
        return self._two_groups("seen", "by_seen", "seen", "unseen")

    @property
    def pieces(self) -> Phrase:
        """Words that the tokenizer keeps whole against those it cuts most finely."""
        return self._two_groups("pieces", "by_pieces", "1", "4+")

    def _two_groups(self, key: str, kind: str, first: str, second: str) -> Phrase:
        """Accuracy of the reference on two groups of the target's words, by their intervals."""
        entry = findings.method_evidence(self.results, self.task, self.roles.reference)
        of_target = entry.get("evaluations", {}).get(self.target, {})
        rows = {row["group"]: row for row in of_target.get(kind, ())}
        if first not in rows or second not in rows:
            return self.voice.say(f"{key}-unknown")
        one, other = rows[first]["accuracy"], rows[second]["accuracy"]
        if None in (one["low"], other["low"]):
            return self.voice.say(f"{key}-unknown")
        order = interval_outcome(one["low"] - other["high"], one["high"] - other["low"])
        return self.voice.say(
            f"{key}-{order}",
            first_value=self.voice.estimate("accuracy", one),
            second_value=self.voice.estimate("accuracy", other),
            first_share=self.voice.words.percent(rows[first]["share"]),
            language=self.target_language,
        )

    @property
    def words(self) -> Phrase:
        """How many words of both languages are scored."""
        sets = self.results.evidence[self.task].get("evaluations", {})
        counts = [
            self.voice.words.count(sets[where]["words"]) if where in sets else MISSING
            for where in (self.settings.validation, self.target or "")
        ]
        return self.voice.say(
            "words-scored", source=counts[0], target=counts[1], language=self.target_language
        )


def _errors(entry: dict[str, Any] | None) -> float | None:
    return None if entry is None or entry["value"] is None else 1 - entry["value"]


def _plain(value: Any) -> float | None:
    return value["value"] if isinstance(value, dict) else value
