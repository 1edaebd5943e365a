"""Sentences on single tags: which lose little, which much, and what grammar would have expected.

What grammar says is written down for English and German only, in the language files.
"""

from functools import cached_property

from facts.fact import Fact
from text.abroad import Abroad
from text.rules import Verdict, judge, judge_all
from text.sentence import NOTHING, Said, clauses

SHOWN = 4  # tags that the text discusses
ENOUGH_WORDS = 20  # in both sets, for something to be said of a tag
LEARNT = 0.5  # accuracy at home below which a tag has nothing to lose
# Tags that one would expect a tagger from English to lose in German: by their capitals, by their
# place or form, and because the treebanks' conventions differ.
BY_CAPITALS = ("NOUN", "PROPN")
EXPECTED = ("VERB", "AUX", "PRON", "ADJ", "ADV", "DET")
# The confusions that the note on a tag explains.
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
    "VERB": ("AUX", "NOUN", "ADJ", "ADV", "ADP"),
}


def beside_whole(own: Fact, whole: Fact) -> Verdict:
    """Whether the drop of some words is larger or smaller than that of all: by whole intervals."""
    if own.low is None or own.high is None or whole.low is None or whole.high is None:
        return Verdict.UNKNOWN
    if own.low > whole.high:
        return Verdict.MORE
    return Verdict.LESS if own.high < whole.low else Verdict.UNCLEAR


class TagSentences(Abroad):
    """What the first method loses on each tag."""

    @property
    def cased(self) -> bool:
        """Whether the encoder sees capitals, as far as its name tells."""
        models = [m for m in self.view.settings.methods if m.name == self.spoken_of]
        return not any("uncased" in m.model_name_or_path.lower() for m in models)

    @cached_property
    def _verdicts(self) -> dict[str, Verdict]:
        """Tag -> whether it loses more or less than all words; unknown where that says nothing."""
        told = {fact.tag: fact for fact in self._tags if self._told_of(fact.tag)}
        found = judge_all(told, lambda _, own: beside_whole(own, self.whole))
        return {fact.tag: found.get(fact.tag, Verdict.UNKNOWN) for fact in self._tags}

    def _told_of(self, tag: str) -> bool:
        """Whether a tag is frequent enough in both sets, and was learnt in the first language."""
        known = [self._right(tag, where) for where in (self.view.validation, self.view.target)]
        enough = all((fact.n or 0) >= ENOUGH_WORDS for fact in known)
        return enough and (known[0].value or 0.0) >= LEARNT

    @property
    def categories(self) -> Said:
        """Which tags lose less than all words, which more, and of which it cannot be told."""
        if not self.speaks or judge(self.whole, self.margin) != Verdict.MORE:
            return self.speak.say("categories-none", **self.named)
        groups: dict[str, list[str]] = {"less": [], "more": [], "untold": []}
        for fact in sorted(self._tags, key=lambda fact: fact.value or 0.0):
            verdict = self._verdicts[fact.tag]
            if verdict.differs:
                words = self._right(fact.tag, self.view.target)
                item = self.speak.say("tag-item", tag=fact.tag, drop=fact, words=words)
                groups[verdict.value].append(item)
            else:
                groups["untold"].append(fact.tag)
        groups["more"].reverse()
        return clauses(
            self.speak,
            "categories",
            groups,
            drop=self.whole,
            scope=self.scope_of(self.whole),
            **self.named,
        )

    @property
    def predictions(self) -> Said:
        """Which expectations of grammar came true, which failed, which are open."""
        if not self.speaks or not self.english_to_german or not self._verdicts:
            return NOTHING
        kind, tags = ("cased", BY_CAPITALS + EXPECTED) if self.cased else ("uncased", EXPECTED)
        kinds = {Verdict.MORE: "yes", Verdict.LESS: "no"}
        groups: dict[str, list[str]] = {"yes": [], "no": [], "untold": []}
        for tag in tags:
            groups[kinds.get(self._verdicts.get(tag, Verdict.UNKNOWN), "untold")].append(tag)
        said = self.speak.say("expected", kind)
        return self.speak.join([said, clauses(self.speak, "expected", groups)])

    @property
    def notes(self) -> Said:
        """A list of the tags that cost most, each with its confusion and what grammar says.

        By lower accuracy alone: what a tag contributes by being more frequent in the other
        language says something about the texts and not about the tagger.
        """
        if not self.speaks:
            return NOTHING
        lower = self.where("contribution", metric="rate", grouping="by_tag")
        rates = [fact for fact in lower if fact.tag and (fact.value or 0.0) >= self.margin]
        if not rates:
            return self.speak.say("costly", "none")
        rates.sort(key=lambda fact: -(fact.value or 0.0))
        notes = self.speak.join(map(self._note, rates[:SHOWN]), "\n")
        return self.speak.join([self.speak.say("costly", "some", **self.named), notes], "\n\n")

    def _note(self, rate: Fact) -> Said:
        """What a tag loses and costs, what it is taken for, and what grammar says of that."""
        tag, key = rate.tag, f"tag-de-{rate.tag}"
        cells = [fact for fact in self.cells if fact.tag == tag]
        taken = max(cells, key=lambda fact: fact.value or 0.0).predicted if cells else None
        explained = taken in EXPLAINED.get(tag, (taken,)) and key in self.speak.templates
        explained &= self.english_to_german and (self.cased or tag not in BY_CAPITALS)
        return self.speak.say(
            "tag-note",
            "explained" if explained else "bare",
            tag=tag,
            rate=rate,
            drop=self.drop_of(self.spoken_of, tag=tag),
            right=self._right(tag, self.view.validation),
            left=self._right(tag, self.view.target),
            taken=taken,
            note=self.speak.say(key) if explained else NOTHING,
            **self.named,
        )

    @property
    def uneven(self) -> Said:
        """That tags differ in their loss, where some do."""
        found = self.speaks and any(verdict.differs for verdict in self._verdicts.values())
        return self.speak.say("uneven") if found else NOTHING

    def _right(self, tag: str, where: str | None) -> Fact:
        return self.view.score(self.spoken_of, "accuracy", where, tag=tag)

    @property
    def _tags(self) -> list[Fact]:
        """The drop of every tag that has one."""
        found = self.where("drop", metric="accuracy", grouping="", group="")
        return [fact for fact in found if fact.tag and fact.known]
