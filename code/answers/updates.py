"""Answers of Task 3 on the updates themselves: their rank, and what no update may touch."""

import pandas as pd
from store.frames import select

from answers import findings, judging
from answers.models import ModelAnswers
from answers.voice import Phrase

EXPLAINED = 0.01  # unexplained drift of an untouched row, as a share of a touched row's drift


class UpdateAnswers(ModelAnswers):
    """What an update looks like, and checks of where there is none."""

    def structure(self, task: str) -> Phrase:
        """Effective rank of the update: reference against adapter."""
        first, second = self.pair(task)
        one = findings.mean_structure(self.results, task, first, "effective_rank")
        other = findings.mean_structure(self.results, task, second, "effective_rank")
        if one is None or other is None:
            return self.voice.say("not-compared")
        share = findings.mean_structure(self.results, task, first, "top8_share")
        return self.voice.say(
            "structure",
            judging.judge_ratios([other / one]),
            **self.names(task, first, second),
            first_value=self.voice.words.number(one, 1),
            second_value=self.voice.words.number(other, 1),
            share=self.voice.words.percent(share, 0),
        )

    @property
    def untouched(self) -> Phrase:
        """Whether adapters left everything outside their targets bit for bit as it was."""
        tensors = changed = 0
        for task in self.results.profile.tasks:
            rows = select(self.results.untouched, task=task, method=self.method(task, "adapter"))
            tensors, changed = tensors + int(rows.tensors.sum()), changed + int(rows.changed.sum())
        if not tensors:
            return self.voice.say("not-compared")
        return self.voice.say(
            "untouched",
            "changed" if changed else "zero",
            tensors=self.voice.words.count(tensors),
            changed=self.voice.words.count(changed),
        )

    def embedding_rows(self, task: str) -> Phrase:
        """Drift of embedding rows that training looked up and of those that it did not."""
        method = self.method(task, "reference")
        rows = select(self.results.embedding_rows, task=task, method=method)
        if rows.empty:
            return self.voice.say("not-compared")
        columns = ("touched_share", "touched_mean", "untouched_mean", "unexplained_max")
        means = {c: float(pd.to_numeric(rows[c]).mean()) for c in columns}
        explained = means["unexplained_max"] <= EXPLAINED * means["touched_mean"]
        return self.voice.say(
            "rows",
            "explained" if explained else "unexplained",
            task=self.voice.name("task", task),
            share=self.voice.words.percent(means["touched_share"]),
            touched=self.voice.words.number(means["touched_mean"], 4),
            untouched=self.voice.words.number(means["untouched_mean"], 6),
            unexplained=self.voice.words.number(means["unexplained_max"], 6),
        )
