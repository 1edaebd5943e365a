"""Answers of Task 2 about single tags and kinds of confusion: where the drop lies."""

from collections.abc import Collection

from answers import findings
from answers.judging import LITTLE, MOST, judge_part
from answers.methods import MethodAnswers
from answers.voice import Phrase
from evidence.outcomes import decisive_interval
from evidence.schema import Cell, DropGroup, Transfer

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
    def _entry(self) -> Transfer | None:
        return findings.transfer_entry(self.results, self.task, self.roles.reference)

    # ------------------------------------------------------------------------------------ tags

    @property
    def sparing_tags(self) -> Phrase:
        """Tags, found often enough in both sets, that lose least accuracy."""
        rows = [
            row
            for row in self._by_tag
            if min(row["source_words"], row["target_words"]) >= ENOUGH_WORDS
            and (row["source_accuracy"] or 0.0) >= LEARNT
            and (row["drop"]["value"] or 0.0) < LITTLE
        ]
        rows.sort(key=lambda row: row["drop"]["value"] or 0.0)
        shown = [self.voice.say("tag-drop", **self._tag_values(row)) for row in rows[:SHOWN]]
        outcome = "some" if shown else "none"
        return self.voice.say("sparing", outcome, listed=self.voice.listed(shown))

    @property
    def tag_notes(self) -> Phrase:
        """A list of the tags that cost most, each with its confusion and what grammar says.

        By lower accuracy alone: what a tag contributes by being more frequent in the other
        language says something about the texts and not about the tagger.
        """
        rows = [row for row in self._by_tag if row["points_rate"] > 0]
        rows.sort(key=lambda row: -row["points_rate"])
        if not rows:
            return self.voice.say("no-costly-tag")
        return self.voice.join((self._tag_note(row) for row in rows[:SHOWN]), "\n")

    @property
    def _by_tag(self) -> list[DropGroup]:
        return self._entry["groups"]["by_tag"] if self._entry else []

    @property
    def _cells(self) -> list[Cell]:
        return self._entry["cells"] if self._entry else []

    def _tag_note(self, row: DropGroup) -> Phrase:
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
        cells = [cell for cell in self._cells if cell["gold"] == tag]
        top = max(cells, key=lambda cell: cell["points"], default=None)
        return top["predicted"] if top and top["points"] > 0 else None

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

    def _tag_values(self, row: DropGroup) -> dict[str, str]:
        return {
            "tag": row["group"],
            "source": self.voice.words.percent(row["source_accuracy"]),
            "target": self.voice.words.percent(row["target_accuracy"]),
            "points": self.voice.points(row["points_rate"]),
        }

    # ---------------------------------------------------------------------------------- causes

    def _causes(self) -> list[tuple[str, float]]:
        """Kinds of confusion with their share of accuracy, the dearest first."""
        rows = self._entry["causes"] if self._entry else []
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
        """The reference's drop, where it is a drop beyond chance."""
        if self._entry is None or (decisive_interval(self._entry["drop"])[0] or 0.0) <= 0:
            return None
        return self._entry["drop"]["value"]

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
        part, whole = sum(found) if found else None, self._drop_value
        return self.voice.say(
            key,
            judge_part(part, whole),
            points=self.voice.points(part),
            drop=self.voice.points(whole),
        )

    @property
    def confusion(self) -> Phrase:
        """The single confusion of two tags that accounts for most of the drop."""
        cells = [cell for cell in self._cells if cell["points"] > 0]
        if not cells:
            return self.voice.say("confusion-none")
        top = max(cells, key=lambda cell: cell["points"])
        return self.voice.say(
            "confusion",
            gold=top["gold"],
            predicted=top["predicted"],
            points=self.voice.points(top["points"]),
        )
