"""Answers of Task 3, first half: where the weights moved."""

from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from answers import findings
from answers.judging import (
    SAME_DEPTH,
    SAME_SIMILARITY,
    Extent,
    Trend,
    centre_of_change,
    judge_extent,
    judge_order,
    judge_ratios,
    judge_trend,
    rank_correlation,
    upper_over_lower,
)
from answers.voice import Phrase, Voice
from store.frames import select
from store.results import Results
from study.architecture import HEAD
from words.wording import MISSING

ROLES = ("reference", "adapter")
EXPLAINED = 0.01  # unexplained drift of an untouched row, as a share of a touched row's drift


@dataclass(frozen=True)
class DriftAnswers:
    """What fine-tuning did to the weights of both tasks' models.

    Attributes:
        results: the results.
        voice: the language.
    """

    results: Results
    voice: Voice

    def _method(self, task: str, role: str) -> str | None:
        found: str | None = getattr(self.results.roles(task), role)
        return found

    def _models(self) -> list[tuple[str, str]]:
        """Task and method of the (up to four) models that the assignment asks about."""
        return [
            (task, method)
            for task in self.results.profile.tasks
            for role in ROLES
            if (method := self._method(task, role)) is not None
            and findings.component_values(self.results, task, method, "l2")
        ]

    def _names(self, task: str, method: str) -> dict[str, str]:
        return {"task": self.voice.name("task", task), **self.voice.methods(method)}

    # ----------------------------------------------------------------------------------- depth

    def depth(self, task: str, role: str) -> Phrase:
        """How one model's relative change is distributed over the depth of the encoder."""
        method = self._method(task, role)
        if method is None:
            return self.voice.say("not-compared")
        profile = findings.layer_profile(self.results, task, method, "relative")
        number = self.voice.words.number
        ratio = upper_over_lower(profile)
        return self.voice.say(
            f"depth-{judge_trend(profile)}",
            **self._names(task, method),
            correlation=self.voice.words.signed(rank_correlation(profile), 2),
            ratio=MISSING if ratio is None else number(ratio, 2),
        )

    def _trends(self, measure: str) -> list[Trend]:
        profiles = [findings.layer_profile(self.results, *m, measure) for m in self._models()]
        return [trend for trend in map(judge_trend, profiles) if trend != Trend.UNKNOWN]

    @property
    def depth_extent(self) -> Extent:
        """In how many of the models the change is mainly in the upper layers."""
        return judge_extent(trend == Trend.MAINLY_UPPER for trend in self._trends("relative"))

    @property
    def upper_layers(self) -> Phrase:
        """Whether fine-tuning mainly changes the upper layers: over all models."""
        return self._upper("upper-layers")

    @property
    def headline_depth(self) -> Phrase:
        """The same in half a line."""
        return self._upper("headline-depth")

    def _upper(self, key: str) -> Phrase:
        trends = self._trends("relative")
        rising = sum(trend in (Trend.MAINLY_UPPER, Trend.RISES) for trend in trends)
        return self.voice.say(
            f"{key}-{self.depth_extent}",
            mainly=sum(trend == Trend.MAINLY_UPPER for trend in trends),
            rising=rising,
            rising_clause=self.voice.extent("rising", rising, len(trends)),
            models=len(trends),
        )

    @property
    def depth_by_measure(self) -> Phrase:
        """Whether absolute and relative change tell the same story about depth."""
        absolute, relative = self._trends("l2"), self._trends("relative")
        pairs = zip(absolute, relative, strict=True) if len(absolute) == len(relative) else ()
        return self.voice.say(f"depth-measures-{judge_extent(a == r for a, r in pairs)}")

    @property
    def depth_literature(self) -> Phrase:
        """How the finding stands to the published ones."""
        return self.voice.say(f"depth-literature-{self.depth_extent}")

    def largest(self, task: str, role: str) -> Phrase:
        """The component that changed most by each of the three measures."""
        method = self._method(task, role)
        values = {
            measure: findings.component_values(self.results, task, method, measure)
            for measure in findings.MEASURES
        }
        if method is None or not all(values.values()):
            return self.voice.say("not-compared")
        top = {measure: max(of, key=of.__getitem__) for measure, of in values.items()}
        agree = len(set(top.values())) == 1
        names = {measure: self.voice.layer(layer) for measure, layer in top.items()}
        return self.voice.say(
            "largest-agree" if agree else "largest-disagree", **self._names(task, method), **names
        )

    # ----------------------------------------------------------------------------------- tasks

    @property
    def tasks(self) -> Phrase:
        """Whether the distribution of change differs between the tasks, for the reference."""
        first, second = tuple(self.results.profile.tasks)[:2]
        centres = [self._centres(task) for task in (first, second)]
        means = [sum(of_task) / len(of_task) if of_task else None for of_task in centres]
        return self.voice.say(
            f"tasks-{judge_order(centres[0], centres[1], SAME_DEPTH)}",
            first_task=self.voice.name("task", first),
            second_task=self.voice.name("task", second),
            first_value=self.voice.words.number(means[0], 2),
            second_value=self.voice.words.number(means[1], 2),
        )

    def _centres(self, task: str) -> list[float]:
        method = self._method(task, "reference")
        profiles = findings.seed_profiles(self.results, task, method, "relative")
        return [c for c in map(centre_of_change, profiles) if c is not None]

    @property
    def tasks_size(self) -> Phrase:
        """Which task moves the encoder further, for the reference."""
        first, second = tuple(self.results.profile.tasks)[:2]
        sizes = [self._sizes(task) for task in (first, second)]
        ratios = [b / a for a, b in zip(*sizes, strict=False) if a]
        means = [sum(of_task) / len(of_task) if of_task else None for of_task in sizes]
        return self.voice.say(
            f"tasks-size-{judge_ratios(ratios)}",
            first_task=self.voice.name("task", first),
            second_task=self.voice.name("task", second),
            first_value=self.voice.words.percent(means[0], 2),
            second_value=self.voice.words.percent(means[1], 2),
        )

    def _sizes(self, task: str) -> list[float]:
        """Mean relative change of the encoder layers, one value a seed."""
        method = self._method(task, "reference")
        profiles = findings.seed_profiles(self.results, task, method, "relative")
        return [sum(profile) / len(profile) for profile in profiles if profile]

    @property
    def same_encoder(self) -> Phrase:
        """Whether both tasks start from the same encoder."""
        names = {
            self.results.profile.tasks[task].method(method).model_name_or_path
            for task, method in self._models()
        }
        return self.voice.say("encoder-same" if len(names) == 1 else "encoder-different")

    # ------------------------------------------------------------------------------------ head

    def head(self, task: str, role: str) -> Phrase:
        """The head's rank in one model, by each of the three measures."""
        method = self._method(task, role)
        ranks = self._ranks(task, method)
        if method is None or None in ranks.values():
            return self.voice.say("not-compared")
        values = findings.component_values(self.results, task, method, "relative")
        return self.voice.say(
            "head-ranks",
            **self._names(task, method),
            **{measure: str(rank) for measure, rank in ranks.items()},
            relative_change=self.voice.words.percent(values[HEAD], 1),
            components=len(values),
        )

    def _ranks(self, task: str, method: str | None) -> dict[str, int | None]:
        return {
            measure: findings.head_rank(
                findings.component_values(self.results, task, method, measure)
            )
            for measure in findings.MEASURES
        }

    def head_first(self, measure: str) -> Phrase:
        """In how many models the head changes most by a measure."""
        ranks = [self._ranks(*model)[measure] for model in self._models()]
        known = [rank for rank in ranks if rank is not None]
        return self.voice.say(
            f"head-first-{judge_extent(rank == 1 for rank in known)}",
            measure=self.voice.name("measure", measure),
            first=sum(rank == 1 for rank in known),
            models=len(known),
        )

    @property
    def head_conclusion(self) -> Phrase:
        """Whether "the head changes most" holds."""
        ranks = [self._ranks(*model) for model in self._models()]
        cases = [rank == 1 for of_model in ranks for rank in of_model.values()]
        return self.voice.say(f"head-conclusion-{judge_extent(cases)}")

    # ------------------------------------------------------------------------------- structure

    def structure(self, task: str) -> Phrase:
        """Effective rank of the update: reference against adapter."""
        first, second = (self._method(task, role) for role in ROLES)
        ranks = [
            findings.mean_structure(self.results, task, m, "effective_rank")
            for m in (first, second)
        ]
        share = findings.mean_structure(self.results, task, first, "top8_share")
        if first is None or second is None or ranks[0] is None or ranks[1] is None:
            return self.voice.say("not-compared")
        return self.voice.say(
            f"structure-{judge_ratios([ranks[1] / ranks[0]])}",
            task=self.voice.name("task", task),
            **self.voice.methods(first, second),
            first_value=self.voice.words.number(ranks[0], 1),
            second_value=self.voice.words.number(ranks[1], 1),
            share=self.voice.words.percent(share, 0),
        )

    @property
    def untouched(self) -> Phrase:
        """Whether adapters left everything outside their targets bit for bit as it was."""
        adapters = [(t, self._method(t, "adapter")) for t in self.results.profile.tasks]
        chosen = [select(self.results.untouched, task=t, method=m) for t, m in adapters]
        tensors = sum(int(of.tensors.sum()) for of in chosen if len(of))
        changed = sum(int(of.changed.sum()) for of in chosen if len(of))
        if not tensors:
            return self.voice.say("not-compared")
        outcome = "untouched-changed" if changed else "untouched-zero"
        return self.voice.say(outcome, tensors=self.voice.words.count(tensors), changed=changed)

    def embedding_rows(self, task: str) -> Phrase:
        """Drift of embedding rows that training looked up and of those that it did not."""
        method = self._method(task, "reference")
        rows = select(self.results.embedding_rows, task=task, method=method)
        if rows.empty:
            return self.voice.say("not-compared")
        columns = ("touched_share", "touched_mean", "untouched_mean", "unexplained_max")
        means = {c: float(pd.to_numeric(rows[c]).mean()) for c in columns}
        explained = means["unexplained_max"] <= EXPLAINED * means["touched_mean"]
        number = self.voice.words.number
        return self.voice.say(
            "rows-explained" if explained else "rows-unexplained",
            task=self.voice.name("task", task),
            share=self.voice.words.percent(means["touched_share"]),
            touched=number(means["touched_mean"], 4),
            untouched=number(means["untouched_mean"], 6),
            unexplained=number(means["unexplained_max"], 6),
        )

    # -------------------------------------------------------------------------- representation

    @property
    def similarity(self) -> Phrase:
        """Whether the reference's last layer stays as it was, in both languages of the taggers."""
        task = next(
            (t for t in self.results.profile.tasks if findings.find_target(self.results, t)), ""
        )
        if not task:
            return self.voice.say("not-compared")
        method = self._method(task, "reference")
        source, target = self.results.evaluations(task)[0], findings.find_target(self.results, task)
        similarities = [
            findings.last_layer_similarity(self.results, task, method, where)
            for where in (source, target or "")
        ]
        means = [sum(of) / len(of) if of else None for of in similarities]
        return self.voice.say(
            f"similarity-{judge_order(similarities[0], similarities[1], SAME_SIMILARITY)}",
            source_language=self.voice.language(source),
            target_language=self.voice.language(target),
            first_value=self.voice.words.number(means[0], 3),
            second_value=self.voice.words.number(means[1], 3),
        )

    @property
    def similarity_by_depth(self) -> Phrase:
        """Whether representations of the tagger drift with depth, layer after layer."""
        rows = self.results.representation
        tasks = [t for t in self.results.profile.tasks if findings.find_target(self.results, t)]
        if rows.empty or not tasks:
            return self.voice.say("not-compared")
        method, source = self._method(tasks[0], "reference"), self.results.evaluations(tasks[0])[0]
        chosen = select(rows, task=tasks[0], method=method, evaluation=source)
        means = chosen.groupby("layer")["cka"].mean().sort_index().tolist()
        falling = bool(means) and all(a >= b for a, b in pairwise(means))
        return self.voice.say("cka-falls" if falling else "cka-does-not-fall")
