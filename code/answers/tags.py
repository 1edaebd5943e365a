"""Answers of Task 2 about single tags and kinds of confusion: where the drop lies."""

from collections.abc import Collection

from evidence.schema import Cell, DropGroup, Transfer

from answers import findings
from answers.judging import LITTLE, MOST, judge_part
from answers.methods import MethodAnswers
from answers.voice import Phrase
from evidence.outcomes import decisive_interval
from evidence.transfer import REMAINING
from study.settings import language_of

NOT_LEARNED = "not-learned"
SHOWN = 5  # tags that the prose discusses
SHOWN_CAUSES = 3
LEARNT = 0.5  # accuracy at home below which a tag has nothing to lose
CONVENTIONS = ("quantifiers", "ADJ/VERB")  # where the two treebanks draw the line differently
WORD_ORDER = ("separable particles", "clause-final verbs")
ENOUGH_WORDS = 20  # in both sets, for a tag to be named as one that loses little

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
    def english_to_german(self) -> bool:
        """Whether the notes on grammar and annotation are about the two languages at hand."""
        languages = [language_of(name) for name in (self.settings.train, self.target or "")]
        return languages == ["en", "de"]

    @property
    def _entry(self) -> Transfer | None:
        """The transfer of the reference; of one that did not learn, nothing is concluded."""
        if not findings.learned(self.results, self.task, self.roles.reference):
            return None
        return findings.transfer_entry(self.results, self.task, self.roles.reference)

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
        shown = [self.say("tag-drop", **self._tag_values(row)) for row in rows[:SHOWN]]
        return self.say("sparing", "some" if shown else "none", listed=self.voice.listed(shown))

    @property
    def tag_notes(self) -> Phrase:
        """A list of the tags that cost most, each with its confusion and what grammar says.

        By lower accuracy alone: what a tag contributes by being more frequent in the other
        language says something about the texts and not about the tagger.
        """
        rows = [row for row in self._by_tag if row["points_rate"] > 0]
        rows.sort(key=lambda row: -row["points_rate"])
        if not rows:
            return self.say("no-costly-tag")
        return self.voice.join((self._tag_note(row) for row in rows[:SHOWN]), "\n")

    @property
    def _by_tag(self) -> list[DropGroup]:
        return self._entry["groups"]["by_tag"] if self._entry else []

    @property
    def _cells(self) -> list[Cell]:
        return self._entry["cells"] if self._entry else []

    def _tag_note(self, row: DropGroup) -> Phrase:
        """What a tag costs, what it is taken for, and the note of grammar that explains it."""
        tag = row["group"]
        cells = [cell for cell in self._cells if cell["gold"] == tag and cell["points"] > 0]
        top = max(cells, key=lambda cell: cell["points"], default=None)
        taken = top["predicted"] if top else None
        key = f"tag-{language_of(self.target or '')}-{tag}"
        explained = self.english_to_german and self.voice.words.has("phrases", key)
        fits = taken in EXPLAINED.get(tag, (taken,)) and explained
        if tag in CAPITALS and "uncased" in self.settings.methods[0].model_name_or_path:
            fits = False
        return self.say(
            "tag-note",
            "explained" if fits else "unexplained",
            **self._tag_values(row),
            taken=taken or "",
            note=self.say(key) if fits else "",
        )

    def _tag_values(self, row: DropGroup) -> dict[str, str]:
        return {
            "tag": row["group"],
            "source": self.voice.words.percent(row["source_accuracy"]),
            "target": self.voice.words.percent(row["target_accuracy"]),
            "points": self.voice.points(row["points_rate"]),
        }

    @property
    def _causes(self) -> dict[str, float]:
        """Kinds of confusion with their share of accuracy, the dearest first."""
        rows = self._entry["causes"] if self._entry else []
        return {row["cause"]: row["points"]["value"] or 0.0 for row in rows}

    @property
    def causes(self) -> Phrase:
        """The confusions that account for most of the drop; the rest class is named apart."""
        if not findings.learned(self.results, self.task, self.roles.reference):
            return self.say("causes", NOT_LEARNED)
        found, drop = self._causes, self._drop_value
        rest = found.pop(REMAINING, 0.0)
        named = [(cause, points) for cause, points in found.items() if points > 0]
        if not named:
            return self.say("causes", "none")
        items = [
            self.say(
                "cause-points",
                cause=self.voice.name("cause", cause),
                points=self.voice.points(points),
            )
            for cause, points in named[:SHOWN_CAUSES]
        ]
        return self.say(
            "causes",
            "mostly-unnamed" if drop and rest / drop >= MOST else "named",
            listed=self.voice.listed(items),
            remaining=self.voice.points(rest),
            drop=self.voice.points(drop),
        )

    @property
    def _drop_value(self) -> float | None:
        """The reference's drop, where it is a drop beyond chance."""
        if self._entry is None or (decisive_interval(self._entry["drop"])[0] or 0.0) <= 0:
            return None
        return self._entry["drop"]["value"]

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
        found = [
            points
            for cause, points in self._causes.items()
            if cause in causes and self.english_to_german  # the causes are made for this pair
        ]
        part, whole = sum(found) if found else None, self._drop_value
        points, drop = self.voice.points(part), self.voice.points(whole)
        return self.say(key, judge_part(part, whole), points=points, drop=drop)

    @property
    def confusion(self) -> Phrase:
        """The single confusion of two tags that accounts for most of the drop."""
        top = max(self._cells, key=lambda cell: cell["points"], default=None)
        if top is None or top["points"] <= 0:
            return self.say("confusion-none")
        points = self.voice.points(top["points"])
        return self.say("confusion", gold=top["gold"], predicted=top["predicted"], points=points)
