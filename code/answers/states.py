"""Answers of Task 3 on what the weights do: hidden states before and after tuning."""

from itertools import pairwise

from store.frames import select

from answers import findings, judging
from answers.judging import SAME_SIMILARITY
from answers.methods import PRIMARY
from answers.models import ModelAnswers
from answers.voice import Phrase

THIRDS = ("lower", "middle", "upper")  # of the encoder's layers


class StateAnswers(ModelAnswers):
    """Weights against representations."""

    @property
    def tagger(self) -> Phrase:
        """Who moves its weights further, whose states change more: in the target language."""
        found = self.transfer()
        return self._compare(*found) if found else self.voice.say("no-target")

    @property
    def comparison(self) -> Phrase:
        """The same for every task, in the last of its languages."""
        tasks = self.results.profile.tasks
        return self.voice.join(
            self._compare(task, findings.find_target(self.results, task) or tasks[task].validation)
            for task in tasks
        )

    def _compare(self, task: str, evaluation: str) -> Phrase:
        """Length of the way of the matrices that both methods train, and CKA at the last layer."""
        pair = self.pair(task)
        learned = all(findings.learned(self.results, task, m) for m in pair)
        moves = [findings.adapted_moves(self.results, task, m, pair[1]) for m in pair]
        states = [findings.last_layer_similarity(self.results, task, m, evaluation) for m in pair]
        if None in pair or not learned or not all((*moves, *states)):
            return self.voice.say("states", "unknown", **self.names(task, *pair))
        ratios = [b / a for a, b in zip(*moves, strict=False) if a]
        order = judging.judge_order(states[0], states[1], SAME_SIMILARITY)
        means = [sum(values) / len(values) for values in (*moves, *states)]
        shown = [self.voice.words.number(mean, 2) for mean in means]
        return self.voice.say(
            "states",
            f"{judging.judge_ratios(ratios)}-{order}",
            **self.names(task, *pair),
            language=self.voice.language(evaluation),
            ratio=self.voice.ratio(means[1] / means[0] if means[0] else None),
            first_move=shown[0],
            second_move=shown[1],
            first_cka=shown[2],
            second_cka=shown[3],
        )

    @property
    def restoration(self) -> Phrase:
        """Whether the layers that moved matter: the reference with thirds of them set back."""
        tasks = self.results.profile.tasks.values()
        places = [(task.name, where) for task in tasks for where in task.evaluations]
        said = [phrase for task, where in places if (phrase := self._restored(task, where))]
        same = [phrase for phrase in said if phrase.outcome == "same"]
        return self.voice.say(
            "restored",
            judging.judge_extent(phrase in same for phrase in said),
            listed=self.voice.join(said, "; "),
            first=self.voice.listed([Phrase(phrase.partition(":")[0]) for phrase in same]),
        )

    def _restored(self, task: str, evaluation: str) -> Phrase:
        """What each third of the layers is worth in one evaluated set; nothing if not measured."""
        method = self.method(task, "reference")
        losses = findings.restored(self.results, task, method, evaluation)
        profile = findings.layer_profile(self.results, task, method, "relative")
        learned = findings.learned(self.results, task, method)
        if not learned or not set(THIRDS) <= set(losses) or len(profile) < len(THIRDS):
            return Phrase("")
        thirds = {part: losses[part] for part in THIRDS}
        size = len(profile) // len(THIRDS)
        moved = {"lower": profile[:size], "middle": profile[size:-size], "upper": profile[-size:]}
        metric = PRIMARY[self.results.profile.tasks[task].kind]
        said = self.voice.say(
            "restored-item",
            **self.names(task, method),
            language=self.voice.language(evaluation),
            metric=self.voice.name("metric", metric),
            **{part: self.voice.size(metric, loss) for part, (loss, _, _) in thirds.items()},
        )
        means = {part: sum(of) / len(of) for part, of in moved.items()}
        return Phrase(said, said.key, judging.judge_parts(thirds, means), said.numbers)

    @property
    def similarity(self) -> Phrase:
        """Whether the reference's last layer stays as it was, in both languages of the taggers."""
        found = self.transfer()
        if found is None:
            return self.voice.say("no-target")
        task, method = found[0], self.method(found[0], "reference")
        places = (self.results.evaluations(task)[0], found[1])
        states = [findings.last_layer_similarity(self.results, task, method, p) for p in places]
        means = [sum(of) / len(of) if of else None for of in states]
        return self.voice.say(
            "similarity",
            judging.judge_order(states[0], states[1], SAME_SIMILARITY),
            source_language=self.voice.language(places[0]),
            target_language=self.voice.language(places[1]),
            first_value=self.voice.words.number(means[0], 2),
            second_value=self.voice.words.number(means[1], 2),
        )

    @property
    def similarity_by_depth(self) -> Phrase:
        """Whether representations of the tagger drift with depth, layer after layer."""
        found, rows = self.transfer(), self.results.representation
        if rows.empty or found is None:
            return self.voice.say("not-compared")
        task, method = found[0], self.method(found[0], "reference")
        source = self.results.evaluations(task)[0]
        chosen = select(rows, task=task, method=method, evaluation=source)
        means = chosen.groupby("layer")["cka"].mean().sort_index().tolist()
        falling = bool(means) and all(a >= b for a, b in pairwise(means))
        return self.voice.say("cka", "falls" if falling else "does-not-fall")
