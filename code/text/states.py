"""Sentences of Task 3 on what the weights do: parts set back, hidden states, the update's shape."""

from itertools import pairwise

from facts.fact import Fact
from study.layers import restorable_parts
from text.models import ModelSentences
from text.rules import Verdict, judge, judge_all, scope
from text.sentence import NOTHING, Said
from text.view import TaskView

THIRDS = ("lower", "middle", "upper")  # of the encoder's layers
EXPLAINED = 0.01  # unexplained drift of an untouched row, as a share of a touched row's drift


class StateSentences(ModelSentences):
    """Weights against what they do."""

    # ------------------------------------------------------------------------------ restoration

    @property
    def restored(self) -> Said:
        """What each third of the layers is worth: the first method with that third set back."""
        items = [
            self._thirds_lost(view, where)
            for view in self.views.values()
            for where in view.settings.evaluations
        ]
        items = [item for item in items if item]
        first = next((view.first for view in self.views.values() if view.first), None)
        if not items:
            return self.speak.say("restored", "unknown")
        names = self.speak.methods(first=first)
        return self.speak.say("restored", "known", listed=self.speak.join(items, "; "), **names)

    @property
    def importance(self) -> Said:
        """Whether the third that moved furthest is the one that matters most; by the intervals."""
        found: dict[str, list[Said]] = {kind: [] for kind in ("other", "same", "open")}
        scopes: dict[str, list[Fact]] = {kind: [] for kind in found}
        compared = {
            (view.task, where): pair
            for view in self.views.values()
            for where in view.settings.evaluations
            if (pair := self._compared(view, where)) is not None
        }
        verdicts = judge_all(
            {place: more for place, (_, _, more) in compared.items()},
            lambda place, more: judge(more, self.views[place[0]].margin),
        )
        for (task, where), (furthest, most, more) in compared.items():
            if (verdict := verdicts[task, where]) is Verdict.UNKNOWN:
                continue
            kind = "open" if verdict != Verdict.MORE else "same" if most == furthest else "other"
            names = {"furthest": self.speak.name(furthest), "most": self.speak.name(most)}
            names["set"] = self.set_name(self.views[task], where)
            found[kind].append(self.speak.say("importance-item", kind, more=more, **names))
            scopes[kind].append(more)
        said = [
            self.speak.say(
                "importance",
                kind,
                listed=self.speak.join(items, "; "),
                scope=self._scope(scopes[kind]),
            )
            for kind, items in found.items()
            if items
        ]
        return self.speak.join(said)

    def _scope(self, facts: list[Fact]) -> Said:
        return self.speak.say("scope", scope(*facts))

    def _lost(self, view: TaskView, evaluation: str, part: str, against: str = "") -> Fact:
        key = {"evaluation": evaluation, "metric": view.metric, "part": part, "against": against}
        return view.one("restoration", view.first, **key)

    def _thirds_lost(self, view: TaskView, evaluation: str) -> Said:
        lost = {part: self._lost(view, evaluation, part) for part in THIRDS}
        if not all(fact.known for fact in lost.values()):
            return NOTHING
        return self.speak.say(
            "restored-item",
            set=self.set_name(view, evaluation),
            metric=self.speak.name(view.metric),
            lower=lost["lower"],
            middle=lost["middle"],
            upper=lost["upper"],
        )

    def _compared(self, view: TaskView, evaluation: str) -> tuple[str, str, Fact] | None:
        """The third that moved furthest, the one that matters most, and how much more it does.

        None where it was not measured.
        """
        lost = {part: self._lost(view, evaluation, part).value for part in THIRDS}
        moved = self._moved(view)
        ranked = sorted(THIRDS, key=lambda part: -(lost[part] or 0.0))
        if None in lost.values() or not moved:
            return None
        furthest, most = max(moved, key=moved.__getitem__), ranked[0]
        other = ranked[1] if most == furthest else furthest
        return furthest, most, self._lost(view, evaluation, most, other)

    @staticmethod
    def _moved(view: TaskView) -> dict[str, float]:
        """Third -> mean relative change of its layers, mean over seeds; empty without weights."""
        place = {"kind": "all", "metric": "relative"}
        own = view.facts.where(quantity="distance", task=view.task, seed=None, **place)  # type: ignore[arg-type]
        change = {f.layer: f.value for f in own if f.method == view.first and f.value is not None}
        depth = sum(layer.startswith("encoder.layer.") for layer in change)
        parts = restorable_parts(depth)
        if not set(THIRDS) <= set(parts):
            return {}
        return {part: sum(change[n] for n in parts[part]) / len(parts[part]) for part in THIRDS}

    # ------------------------------------------------------------------------------------ states

    @property
    def comparison(self) -> Said:
        """``states`` of every task."""
        return self.speak.join(self.states(task) for task in self.views)

    def states(self, task: str) -> Said:
        """Which method moves its matrices further, and whose states change more.

        In the language that the task was not trained in, where there is one.
        """
        view = self.views[task]
        margins, where = view.settings.margins, view.target or view.validation
        moved = view.ratio("moved")
        similar = view.difference("cka", where)
        if not moved.known or not similar.known:
            return NOTHING
        names = self.speak.methods(first=view.first, second=view.second)
        way, change = judge(moved, margins.depth_ratio), judge(similar, margins.similarity)
        outcomes = {
            key: "one" if verdict == Verdict.UNKNOWN else str(verdict)
            for key, verdict in (("moved", way), ("states", change))
        }
        place = self.capital(self.place(view)) | {"set": self.set_name(view, where)}
        return self.speak.join(
            [
                self.speak.say("moved", outcomes["moved"], ratio=moved, **place, **names),
                self.speak.say("states", outcomes["states"], gap=similar, **place, **names),
            ]
        )

    @property
    def similarity(self) -> Said:
        """How similar the states of the last layer stay, of the first method, set by set."""
        items = []
        for view in self.views.values():
            for where in view.settings.evaluations:
                last = self._last(view, where)
                if last is not None:
                    set_name = self.set_name(view, where)
                    items.append(self.speak.say("similarity-item", set=set_name, fact=last[-1]))
        first = next((view.first for view in self.views.values() if view.first), None)
        if not items:
            return NOTHING
        listed = self.speak.listed(items)
        return self.speak.say("similarity", listed=listed, **self.speak.methods(first=first))

    @property
    def accumulation(self) -> Said:
        """Whether the states of the first method move further from layer to layer, set by set."""
        falls = []
        for view in self.views.values():
            for where in view.settings.evaluations:
                if (rows := self._last(view, where)) is not None:
                    values = [fact.value or 0.0 for fact in rows]
                    falls.append(all(a >= b for a, b in pairwise(values)))
        if not falls:
            return NOTHING
        return self.speak.say("accumulation", "yes" if all(falls) else "no")

    def _last(self, view: TaskView, evaluation: str) -> list[Fact] | None:
        """Similarity by layer of the first method, over its seeds; None where not measured."""
        found = view.facts.where(
            quantity="similarity",
            task=view.task,
            method=view.first or "",
            evaluation=evaluation,
            seed=None,
        )
        return sorted(found, key=lambda fact: int(fact.layer)) or None

    # ------------------------------------------------------------------------------------ update

    def structure(self, task: str) -> Said:
        """Mean effective rank of the update, one method against the other."""
        view = self.views[task]
        place = {"layer": "all", "kind": "all"}
        ranks = [
            view.one("spectrum", method, metric="effective_rank", **place)
            for method in (view.first, view.second)
        ]
        if not all(fact.known for fact in ranks):
            return self.speak.say("not-compared")
        share = view.one("spectrum", view.first, metric="top8_share", **place)
        verdict = judge(view.ratio("effective_rank"), view.settings.margins.depth_ratio)
        return self.speak.say(
            "structure",
            "one" if verdict == Verdict.UNKNOWN else verdict,
            task=self.speak.name(view.task),
            first_rank=ranks[0],
            second_rank=ranks[1],
            share=share,
            ratio=view.ratio("effective_rank"),
            **self.speak.methods(first=view.first, second=view.second),
        )

    @property
    def untouched(self) -> Said:
        """Whether adapters left everything outside their targets bit for bit as it was."""
        rows = [
            fact
            for view in self.views.values()
            for fact in self.facts.where(
                quantity="untouched", task=view.task, method=view.second or ""
            )
            if fact.seed is not None
        ]
        total = sum(int(f.value or 0) for f in rows if f.metric == "tensors")
        changed = sum(int(f.value or 0) for f in rows if f.metric == "changed")
        if not total:
            return NOTHING
        return self.speak.say(
            "untouched", "changed" if changed else "zero", tensors=total, changed=changed
        )

    def rows(self, task: str) -> Said:
        """Drift of embedding rows that training looked up, and of those that it did not."""
        view = self.views[task]
        touched, others, unexplained, share = (
            view.one("embedding rows", view.first, metric=metric)
            for metric in ("touched_mean", "untouched_mean", "unexplained_max", "touched_share")
        )
        if touched.value is None or unexplained.value is None:
            return self.speak.say("no-model")
        explained = unexplained.value <= EXPLAINED * touched.value
        return self.speak.say(
            "rows",
            "explained" if explained else "unexplained",
            task=self.speak.name(view.task),
            share=share,
            touched=touched,
            others=others,
            unexplained=unexplained,
        )
