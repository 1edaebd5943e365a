"""Answers of Task 2 about single tags and kinds of confusion: where the drop lies."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from answers import findings
from answers.judging import LITTLE, MOST, judge_part
from answers.methods import MethodAnswers
from answers.voice import Phrase

SHOWN = 5  # tags that the prose discusses
SHOWN_CAUSES = 3
LEARNT = 0.5  # accuracy at home below which a tag has nothing to lose
CONVENTIONS = ("quantifiers", "ADJ/VERB")  # where the two treebanks draw the line differently
WORD_ORDER = ("separable particles", "clause-final verbs")
ENOUGH_WORDS = 20  # in both sets, for a tag to be named as one that loses little
REMAINING = "remaining"

# The confusions that the note on a tag explains; of a tag without an entry it explains all.
EXPLAINED: dict[str, tuple[str, ...]] = {
    "ADJ": ("ADV", "VERB"),
    "ADP": ("ADV", "PART", "DET", "SCONJ"),
    "ADV": ("ADJ", "PART", "ADP"),
    "AUX": ("VERB",),
    "CCONJ": ("ADV", "PART"),
    "DET": ("PRON", "ADJ", "ADP"),
    "NOUN": ("PROPN",),
    "NUM": ("DET", "ADJ", "PRON"),
    "PART": ("ADP", "ADV", "INTJ", "SCONJ"),
    "PRON": ("DET", "SCONJ"),
    "PROPN": ("NOUN",),
    "PUNCT": ("SYM",),
    "SCONJ": ("ADP", "ADV", "PRON"),
}
CAPITALS = ("NOUN", "PROPN")  # whose notes speak of capitals, which an uncased encoder never sees


class TagAnswers(MethodAnswers):
    """The drop of the reference, divided by tags and by confusions."""

    @property
    def target(self) -> str | None:
        """The evaluated set in the other language."""
        return findings.find_target(self.results, self.task)

    @property
    def _transfer_entry(self) -> Mapping[str, Any]:
        return findings.transfer_entry(self.results, self.task, self.roles.reference)

    def _groups(self, kind: str) -> Sequence[Any]:
        """Rows of one kind (``DropGroup``)."""
        found: Sequence[Any] = self._transfer_entry.get("groups", {}).get(kind, ())
        return found

    # ------------------------------------------------------------------------------------ tags

    @property
    def sparing_tags(self) -> Phrase:
        """Tags, found often enough in both sets, that lose least accuracy."""
        rows = [
            row
            for row in self._groups("by_tag")
            if row["drop"]["value"] is not None
            and min(row["source_words"], row["target_words"]) >= ENOUGH_WORDS
            and row["source_accuracy"] >= LEARNT
            and row["drop"]["value"] < LITTLE
        ]
        rows.sort(key=lambda row: row["drop"]["value"])
        shown = [self.voice.say("tag-drop", **self._tag_values(row)) for row in rows[:SHOWN]]
        outcome = "some" if shown else "none"
        return self.voice.say("sparing", outcome, listed=self.voice.listed(shown))

    @property
    def tag_notes(self) -> Phrase:
        """A list of the tags that cost most, each with its confusion and what grammar says.

        By lower accuracy alone: what a tag contributes by being more frequent in the other
        language says something about the texts and not about the tagger.
        """
        rows = [r for r in self._groups("by_tag") if (r["points_rate"] or 0) > 0]
        rows.sort(key=lambda row: -row["points_rate"])
        if not rows:
            return self.voice.say("no-costly-tag")
        return self.voice.join((self._tag_note(row) for row in rows[:SHOWN]), "\n")

    def _tag_note(self, row: dict[str, Any]) -> Phrase:
        tag, taken = row["group"], self._taken_for(row["group"])
        note = self._grammar(tag, taken)
        return self.voice.say(
            "tag-note",
            "explained" if note else "unexplained",
            **self._tag_values(row),
            taken=taken or "",
            note=note or "",
        )

    def _taken_for(self, tag: str) -> str | None:
        """The tag that costs most when it stands in the place of the right one."""
        cells = [c for c in self._transfer_entry.get("cells", ()) if c["gold"] == tag]
        top = max(cells, key=lambda cell: cell["points"], default=None)
        return str(top["predicted"]) if top and top["points"] > 0 else None

    def _grammar(self, tag: str, taken: str | None) -> Phrase | None:
        """The note on a tag, where it explains the confusion that was found."""
        key = f"tag-{findings.language_of(self.target) if self.target else ''}-{tag}"
        if tag in CAPITALS and "uncased" in self._encoder:
            return None
        fits = taken in EXPLAINED.get(tag, (taken,))
        return self.voice.say(key) if fits and self.voice.words.has("phrases", key) else None

    @property
    def _encoder(self) -> str:
        return self.settings.methods[0].model_name_or_path

    def _tag_values(self, row: dict[str, Any]) -> dict[str, str]:
        return {
            "tag": row["group"],
            "source": self.voice.percent(row["source_accuracy"]),
            "target": self.voice.percent(row["target_accuracy"]),
            "points": self.voice.points(row["points_rate"]),
        }

    # ---------------------------------------------------------------------------------- causes

    def _causes(self) -> list[tuple[str, float]]:
        """Kinds of confusion with their share of accuracy, the dearest first."""
        rows = self._transfer_entry.get("causes", ())
        found = [(row["cause"], row["points"]["value"] or 0.0) for row in rows]
        return sorted(found, key=lambda pair: -pair[1])

    @property
    def causes(self) -> Phrase:
        """The confusions that account for most of the drop; the rest class is named apart."""
        found = self._causes()
        rest = dict(found).get(REMAINING, 0.0)
        named = [(cause, points) for cause, points in found if cause != REMAINING and points > 0]
        if not named:
            return self.voice.say("causes", "none")
        items = [
            self.voice.say(
                "cause-points",
                cause=self.voice.name("cause", cause),
                points=self.voice.points(points),
            )
            for cause, points in named[:SHOWN_CAUSES]
        ]
        return self.voice.say(
            "causes",
            "mostly-unnamed" if self._share_of_drop(rest) >= MOST else "named",
            listed=self.voice.listed(items),
            remaining=self.voice.points(rest),
            drop=self.voice.points(self._drop_value),
        )

    @property
    def _drop_value(self) -> float | None:
        entry = self._transfer_entry.get("drop")
        return entry["value"] if entry else None

    def _share_of_drop(self, points: float) -> float:
        return points / self._drop_value if self._drop_value and self._drop_value > 0 else 0.0

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
        found = [points for cause, points in self._causes() if cause in causes]
        drop = self._transfer_entry.get("drop") or {"value": None}
        part, whole = sum(found) if found else None, drop["value"]
        return self.voice.say(
            key,
            judge_part(part, whole),
            points=self.voice.points(part),
            drop=self.voice.points(whole),
        )

    @property
    def confusion(self) -> Phrase:
        """The single confusion of two tags that accounts for most of the drop."""
        cells = [cell for cell in self._transfer_entry.get("cells", ()) if cell["points"] > 0]
        if not cells:
            return self.voice.say("confusion-none")
        top = max(cells, key=lambda cell: cell["points"])
        return self.voice.say(
            "confusion",
            gold=top["gold"],
            predicted=top["predicted"],
            points=self.voice.points(top["points"]),
        )
