"""Sentences on the kinds of error that a drop consists of, with examples.

A kind of error is read off the right and the given tag; it describes and does not explain.
"""

import itertools
from collections.abc import Iterable
from typing import Any

from evidence.transfer import REMAINING
from facts.fact import Fact
from text.abroad import Abroad
from text.rules import Verdict, judge, judge_all
from text.sentence import NOTHING, Said
from words.escaping import Markup, escape_markdown

SHOWN = 4  # kinds of error that the text names
ENOUGH_WORDS = 20  # in both groups, for them to be compared
MOST = 0.5  # of the drop
WORD_ORDER = ("clause-final verbs", "separable particles")
# Where the two treebanks draw a line differently.
CONVENTIONS = ("possessive DET", "quantifiers", "ADJ/VERB")


class CauseSentences(Abroad):
    """What kinds of error the drop of the first method consists of."""

    @property
    def kinds(self) -> Said:
        """The kinds of error that cost most, each with its interval, and what fits no kind."""
        if not self.speaks:
            return NOTHING
        found = sorted(self._causes, key=lambda fact: -(fact.value or 0.0))
        rest = self._cause(REMAINING)
        told = [fact for fact in found if fact.cause != REMAINING]
        costly = self._judge(told)
        named = [*itertools.takewhile(lambda fact: costly[fact.cause] == Verdict.MORE, told)]
        shown, whole = named[:SHOWN], self.whole
        if not shown or rest.value is None or not whole.value:
            return self.speak.say("causes-none", rest=rest, drop=whole, **self.named)
        others = told[len(shown) :]
        return self.speak.say(
            "causes",
            "scattered" if rest.value / whole.value >= MOST else "named",
            drop=whole,
            listed=self.speak.listed(
                self.speak.say("cause-item", cause=self.speak.name(fact.cause), points=fact)
                for fact in shown
            ),
            next=others[0] if others else rest,
            rest=rest,
            **self.named,
        )

    @property
    def influence(self) -> Said:
        """What the place of verbs and of their particles costs, of the drop."""
        if not self.speaks:
            return NOTHING
        final, particles = (self._cause(cause) for cause in WORD_ORDER)
        verdicts = set(self._judge([final, particles]).values())
        outcome = "some" if Verdict.MORE in verdicts else "unclear"
        if verdicts == {Verdict.SAME}:
            outcome = "little"
        if not self.english_to_german or Verdict.UNKNOWN in verdicts:
            outcome = "unknown"
        return self.speak.say(
            "order", outcome, final=final, particles=particles, drop=self.whole, **self.named
        )

    @property
    def conventions(self) -> Said:
        """Which kinds that cost something follow from how the two treebanks are annotated."""
        if not self.speaks or not self.english_to_german:
            return NOTHING
        judged = self._judge([self._cause(cause) for cause in CONVENTIONS])
        costly = [cause for cause, verdict in judged.items() if verdict == Verdict.MORE]
        if not costly:
            return self.speak.say("conventions", "none")
        listed = self.speak.listed(map(self.speak.name, costly))
        return self.speak.say("conventions", "some", listed=listed)

    @property
    def confusion(self) -> Said:
        """The single confusion of two tags that costs most."""
        top = max(self.cells, key=lambda fact: fact.value or 0.0, default=None)
        if not self.speaks or top is None:
            return self.speak.say("confusion-none")
        return self.speak.say(
            "confusion", points=top, tag=top.tag, taken=top.predicted, **self.named
        )

    @property
    def treebank_kinds(self) -> Said:
        """Kinds of error that are conventions of the two treebanks, where they are known."""
        return self.speak.say("treebank-kinds") if self.english_to_german else NOTHING

    @property
    def pieces(self) -> Said:
        """Words that the tokenizer keeps whole against those it cuts most finely."""
        place: dict[str, Any] = {"grouping": "by_pieces", "metric": "accuracy"}
        place["evaluation"] = self.view.target or ""
        gap = self.view.one("contrast", self.spoken_of, group="1", against="4+", **place)
        groups = {
            name: self.view.one("score", self.spoken_of, group=group, **place)
            for name, group in (("whole", "1"), ("cut", "4+"))
        }
        outcome: str = judge(gap, self.margin)
        if gap.known and min(fact.n or 0 for fact in groups.values()) < ENOUGH_WORDS:
            outcome = "few"
        return self.speak.say("pieces", outcome, gap=gap, **groups, **self.named)

    @property
    def examples(self) -> Said:
        """Errors in their sentences, one of each of the most frequent kinds, chosen by rule."""
        rows = self.view.results.examples.get(self.view.task)
        if rows is None or rows.empty or not self.speaks:
            return NOTHING
        own = rows[
            (rows["kind"] == "typical error")
            & (rows["evaluation"] == self.view.target)
            & (rows["method"] == self.spoken_of)
        ]
        said = [self._example(row) for row in own.to_dict("records")]
        intro = self.speak.say("examples", **self.named)
        return self.speak.join([intro, self.speak.join(said, "\n")], "\n\n") if said else NOTHING

    def _example(self, row: dict[Any, Any]) -> Said:
        items = self.view.results.items[self.view.task][row["evaluation"]]
        word = items.iloc[int(row["item"])]
        sentence = items[items["sentence"] == word["sentence"]]
        return self.speak.say(
            "example",
            sentence=quote(sentence["form"], int(word["position"])),
            tag=word["tag"],
            taken=row["predicted"],
            cause=self.speak.name(row["cause"]),
            count=int(row["count"]),
        )

    @property
    def _causes(self) -> list[Fact]:
        return [fact for fact in self.where("contribution") if fact.cause]

    def _judge(self, causes: Iterable[Fact]) -> dict[str, Verdict]:
        """Whether kinds of error that a sentence lists cost something of the drop."""
        return judge_all({f.cause: f for f in causes}, lambda _, fact: judge(fact, self.margin))

    def _cause(self, cause: str) -> Fact:
        place = {"cause": cause, "evaluation": self.view.target or ""}
        return self.view.one("contribution", self.spoken_of, **place)


def quote(forms: Iterable[str], position: int) -> Markup:
    """A sentence with one word in bold, punctuation set close."""
    text = ""
    for number, form in enumerate(forms):
        word = escape_markdown(str(form))
        close = not any(letter.isalnum() for letter in form) and form not in ("(", "„", "-", "–")
        text += "" if close or not text else " "
        text += f"**{word}**" if number == position else word
    return Markup(text)
