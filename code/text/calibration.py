"""Sentences on how often this report's verdicts are false, by simulation."""

from dataclasses import dataclass

from facts.fact import Fact
from facts.quantities import Unit
from facts.table import Facts
from text.sentence import Said, Speaker

AIM = 0.05  # share of false statements that no kind is to exceed
DIFFERENCE = "difference of MCC"  # the kind of the first question


@dataclass(frozen=True)
class CalibrationSentences:
    """What ``bench/calibration.py`` found, for the appendix on statistics."""

    facts: Facts
    speak: Speaker

    @property
    def false(self) -> Said:
        """How often the worst kind of statement is false, beside the aim."""
        worst = {group: self._extreme("worst", group) for group in ("runs", "method")}
        errors = {f"{group}_error": self._extreme("error", group) for group in worst}
        kept = all(
            (fact.value or 0.0) - (errors[f"{group}_error"].value or 0.0) <= AIM
            for group, fact in worst.items()
        )
        return self.speak.say(
            "calibration",
            "kept" if kept else "missed",
            aim=Said(self.speak.numbers.write(AIM, Unit.PERCENT, 0)),
            studies=self._extreme("studies"),
            **worst,
            **errors,
        )

    @property
    def scope(self) -> Said:
        """How often verdicts about these runs would be false as verdicts about the method."""
        return self.speak.say("calibration-scope", rate=self._extreme("false_of_method", "runs"))

    @property
    def unclear(self) -> Said:
        """How often the first question stays open, with one run and with the most simulated."""
        rows = self.facts.where(quantity="calibration", kind=DIFFERENCE, metric="unclear")
        ranked = sorted(rows, key=lambda fact: int(fact.group))
        one, most = (ranked[0], ranked[-1]) if ranked else (Fact(quantity="calibration"),) * 2
        return self.speak.say("calibration-unclear", one=one, most=most, runs=int(most.group or 0))

    def _extreme(self, metric: str, group: str = "") -> Fact:
        return self.facts.one("calibration", metric=metric, group=group)
