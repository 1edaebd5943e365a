"""What tagging is trained and tested on: languages, treebanks, words."""

from text.abroad import Abroad
from text.sentence import NOTHING, Said

USUAL = ("en_ewt", ["de_gsd"])


class TreebankSentences(Abroad):
    """The languages and treebanks at hand, for the set-up and the heading of the task."""

    @property
    def title(self) -> Said:
        """What is trained and tested, for the heading of the task."""
        return self.speak.say("title", self._kind, targets=self._targets, **self.languages)

    @property
    def source(self) -> Said:
        """The language of training, as it stands after "on"."""
        return Said(self.languages["source"])

    @property
    def treebanks(self) -> Said:
        """The treebanks of training and testing, as the beginning of a sentence on their tags."""
        source, *tested = dict.fromkeys(
            address.split(":")[0] for address in (self.view.settings.train, *self.view.targets)
        )
        return self.speak.say(
            "treebanks",
            "usual" if (source, tested) == USUAL else self._kind,
            corpus=self.speak.name(source),
            tested=self.speak.listed(map(self.speak.name, tested)),
            targets=self._targets,
            **self.languages,
        )

    @property
    def words(self) -> Said:
        """How many words of the validation set and of the other language are scored."""
        sizes = {
            f"{role}_words": self.view.facts.one(
                "size", task=self.view.task, evaluation=where or "", metric="words"
            )
            for role, where in (("source", self.view.validation), ("target", self.view.target))
        }
        return self.speak.say("words-scored", self._kind, **sizes, **self.languages)

    @property
    def foreign_control(self) -> Said:
        """The control that starts from another encoder, described if it was run."""
        if self.view.foreign is None:
            return NOTHING
        return self.speak.say("foreign-control", **self.speak.methods(foreign=self.view.foreign))

    @property
    def _kind(self) -> str:
        return "transfer" if self.view.targets else "alone"

    @property
    def _targets(self) -> Said:
        return self.speak.listed(dict.fromkeys(map(self.language, self.view.targets)))
