"""German sentences with their dependency trees, after UD's guidelines and German-GSD's tags.

A clause is drawn as the fields of the topological model (finite verb, middle field, right bracket,
final field) and only then put into verb-first, verb-second or verb-final order. Words come from
``lexicon_de.toml``; language-specific tags are those of STTS.
"""

from __future__ import annotations

import dataclasses
import random

from corpora.miniature.lexicon_german import (
    AUXILIARIES,
    DEFINITE,
    GENDERS,
    Adjective,
    GermanLexicon,
    Noun,
    Verb,
    declined,
    finite_form,
)
from corpora.miniature.trees import (
    Part,
    Phrase,
    capitalise,
    drop_redundant_commas,
    features,
    insert_elided,
    join,
    word,
)

FUSED = {
    ("zu", "dem"): "zum",
    ("zu", "der"): "zur",
    ("in", "dem"): "im",
    ("in", "das"): "ins",
    ("an", "dem"): "am",
    ("an", "das"): "ans",
    ("von", "dem"): "vom",
    ("bei", "dem"): "beim",
}
PRONOUNS = {  # Nom, Acc, Dat, possessive stem
    "1Sing": ("ich", "mich", "mir", "mein"),
    "3SingMasc": ("er", "ihn", "ihm", "sein"),
    "3SingFem": ("sie", "sie", "ihr", "ihr"),
    "3SingNeut": ("es", "es", "ihm", "sein"),
    "1Plur": ("wir", "uns", "uns", "unser"),
    "3Plur": ("sie", "sie", "ihnen", "ihr"),
}
REFLEXIVES = {"1Sing": "mich", "1Plur": "uns"}
TRANSITIVE = {
    "eat": "food",
    "serve": "drink",
    "write": "document",
    "use": "device",
    "drive": "vehicle",
    "carry": "thing",
    "visit": "place",
    "attend": "event",
    "discuss": "abstract",
    "like": "person",
}
PREDICATES = {
    "transitive": 38,
    "intransitive": 13,
    "motion": 10,
    "helping": 6,
    "giving": 8,
    "waiting": 7,
    "reflexive": 5,
    "owning": 5,
    "becoming": 3,
}
STYLES = {"present": 34, "past": 22, "perfect": 22, "modal": 15, "future": 7}
ADVERBIAL_PARTICLES = frozenset(["ein", "weg", "zurück"])
NEGATIVE = frozenset(("nicht", "kein", "niemand", "nichts"))
FOREIGN = (
    "carpe diem",
    "savoir vivre",
    "la dolce vita",
    "work in progress",
    "learning by doing",
    "fair play",
    "bella figura",
    "alea iacta est",
    "mañana",
    "hakuna matata",
)
INTERJECTIONS = "ja nein ach oh hallo na tja wow bravo hoppla"
DIGITS = "NumForm=Digit|NumType=Card"
NUMBERS = "zwei drei vier fünf sechs acht zehn zwölf zwanzig 2 3 4 6 8 11 15 30 40 75 120"
SENTENCES = {
    "statement": 30,
    "subordinate": 11,
    "that_clause": 7,
    "infinitive_clause": 5,
    "purpose": 3,
    "coordination": 6,
    "question": 5,
    "wh_question": 4,
    "imperative": 4,
    "exclamation": 8,
    "existential": 4,
    "passive": 6,
    "copular": 9,
    "price": 4,
    "percent": 4,
    "sum": 1,
    "foreign": 5,
    "smiley": 3,
    "gapping": 3,
    "speech": 3,
    "comparative": 4,
    "superlative": 2,
    "fragment": 3,
    "list": 2,
    "dated": 4,
}


@dataclasses.dataclass(slots=True)
class Clause:
    """A clause in topological fields.

    Attributes:
        subject: relation and phrase.
        finite: relation ("head" where the finite verb is the head) and the finite verb.
        middle: what stands between the brackets, in order.
        right: the right bracket in verb-second order: particle, participle, infinitive, predicate.
        joined: finite verb and particle as one word, for verb-final order; None without a particle.
        fronted: indices into ``middle`` of what may take the front field.
        final: what follows the right bracket.
    """

    subject: Part
    finite: Part
    middle: list[Part]
    right: list[Part]
    joined: Phrase | None = None
    fronted: tuple[int, ...] = ()
    final: list[Part] = dataclasses.field(default_factory=list)


def verb_second(clause: Clause, front: Part | None = None) -> Phrase:
    """Puts the finite verb second, after ``front`` or after the subject."""
    if front is None:
        opening = [clause.subject, clause.finite]
    else:
        opening = [front, clause.finite, clause.subject]
    return join(*opening, *clause.middle, *clause.right, *clause.final)


def verb_first(clause: Clause) -> Phrase:
    """Puts the finite verb first, as in yes-no questions."""
    return join(clause.finite, clause.subject, *clause.middle, *clause.right, *clause.final)


def verb_final(clause: Clause, *marker: Part) -> Phrase:
    """Puts the finite verb last, as in subordinate clauses; a separable verb becomes one word."""
    if clause.joined is not None:
        verbs: list[Part] = [("head", clause.joined)]
    else:
        verbs = [*clause.right, clause.finite]
    return join(*marker, clause.subject, *clause.middle, *verbs, *clause.final)


def _finite(agreement: str, tense: str) -> str:
    number, person = agreement[1:5], agreement[0]
    return features(Mood="Ind", Number=number, Person=person, Tense=tense, VerbForm="Fin")


def _auxiliary(lemma: str, agreement: str, tense: str = "Pres") -> Phrase:
    form = finite_form(lemma, AUXILIARIES[lemma], agreement, tense)
    xpos = "VAFIN" if lemma in ("haben", "sein", "werden") else "VMFIN"
    return word(form, "AUX", xpos, _finite(agreement, tense), lemma)


def _adverb(form: str, xpos: str = "ADV", **values: str) -> Phrase:
    return word(form, "ADV", xpos, features(**values))


def _punct(form: str, xpos: str = "", glue: str = "left") -> Phrase:
    return word(
        form, "PUNCT", xpos or {",": "$,", ".": "$.", "?": "$.", "!": "$."}[form], glue=glue
    )


def _quoted(phrase: Phrase) -> Phrase:
    opening, closing = _punct("„", "$(", "right"), _punct("“", "$(")
    return join(("punct", opening), ("head", phrase), ("punct", closing))


def _enclosed(phrase: Phrase) -> Phrase:
    """Sets a clause between commas; those that meet other punctuation are dropped at the end."""
    return join(("punct", _punct(",")), ("head", phrase), ("punct", _punct(",")))


def prepositional(preposition: str, nominal: Phrase) -> Phrase:
    """Puts a preposition before a nominal; "zu dem" and the like become one token."""
    phrase = join(("case", word(preposition, "ADP", "APPR")), ("head", nominal))
    first, second = phrase.nodes[:2]
    if second.xpos == "ART":
        first.fused = FUSED.get((first.form, second.form), "")
    return phrase


class GermanGrammar:
    """Draws sentences.

    Args:
        generator: the source of all choices.
        lexicon: the words.
    """

    def __init__(self, generator: random.Random, lexicon: GermanLexicon):
        self._random = generator
        self._lexicon = lexicon

    # ---- choices

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _choose(self, options: str) -> str:
        return self._random.choice(options.split())

    def _weighted(self, weights: dict[str, int]) -> str:
        return self._random.choices(list(weights), list(weights.values()))[0]

    def _word(self, name: str) -> str:
        return self._random.choice(self._lexicon.words[name])

    def _verb(self, name: str) -> Verb:
        return self._random.choice(self._lexicon.verbs[name])

    def _adjective(self, name: str) -> Adjective:
        adjectives = self._lexicon.adjectives
        return self._random.choice(adjectives.get(f"{name}_adj", adjectives["thing_adj"]))

    # ---- nominals

    def _name(self, case: str, kind: str = "") -> Phrase:
        kind = kind or self._choose("female male")
        gender = {"female": "Fem", "male": "Masc", "company": ""}.get(kind, "Neut")
        feats = features(Case=case, Gender=gender, Number="Sing")
        first = word(self._word(kind), "PROPN", "NE", feats)
        if kind not in ("female", "male") or self._chance(0.75):
            return first
        last = word(self._word("surname"), "PROPN", "NE", feats)
        if self._chance(0.25):
            return join(("head", word("Dr.", "PROPN", "NE", feats)), ("flat:name", last))
        return join(("head", first), ("flat:name", last))

    def _noun_word(self, noun: Noun, case: str, number: str) -> Phrase:
        feats = features(Case=case, Gender=GENDERS[noun.gender], Number=number)
        phrase = word(noun.form(case, number), "NOUN", "NN", feats, noun.lemma)
        phrase.agreement = f"3{number}"
        return phrase

    def _attribute(
        self, adjective: Adjective, table: str, case: str, noun: Noun, number: str
    ) -> Phrase:
        form = adjective.stem + declined(table, case, noun.slot(number))
        feats = features(Case=case, Degree="Pos", Gender=GENDERS[noun.gender], Number=number)
        attribute = word(form, "ADJ", "ADJA", feats, adjective.lemma)
        if self._chance(0.1):
            return join(("advmod", _adverb(self._choose("sehr besonders"))), ("head", attribute))
        return attribute

    def _determiner(self, form: str, case: str, noun: Noun, number: str) -> tuple[Part, str]:
        """Returns a determiner and the declension of adjectives after it."""
        slot = noun.slot(number)
        common = {"Case": case, "Number": number}
        common["Gender"] = GENDERS[noun.gender] if number == "Sing" else ""
        if form == "der":
            article = DEFINITE[case].split()["mfnp".index(slot)]
            feats = features(Definite="Def", PronType="Art", **common)
            return ("det", word(article, "DET", "ART", feats, "der")), "weak"
        if form in ("dieser", "jeder", "alle"):
            kind, xpos = ("Dem", "PDAT") if form == "dieser" else ("Tot", "PIAT")
            stem = {"dieser": "dies", "jeder": "jed", "alle": "all"}[form]
            inflected = stem + declined("der", case, slot)
            return (
                "det",
                word(inflected, "DET", xpos, features(PronType=kind, **common), form),
            ), "weak"
        return self._ein_word(form, case, slot, common)

    def _ein_word(
        self, form: str, case: str, slot: str, common: dict[str, str]
    ) -> tuple[Part, str]:
        inflected = form + declined("ein", case, slot)
        if form == "ein":
            feats = features(Definite="Ind", PronType="Art", **common)
            return ("det", word(inflected, "DET", "ART", feats, "ein")), "mixed"
        if form == "kein":
            feats = features(PronType="Neg", **common)
            return ("det", word(inflected, "DET", "PIAT", feats, "kein")), "mixed"
        feats = features(Poss="Yes", PronType="Prs", **common)
        return ("det:poss", word(inflected, "DET", "PPOSAT", feats, form)), "mixed"

    def _specified(self, form: str, case: str, noun: Noun, number: str) -> tuple[Part, str]:
        """Chooses a determiner of some kind: word, numeral, indefinite or none ("")."""
        if form == "":
            return ("det", None), "strong"
        if form == "number":
            return ("nummod", self._number()), "strong"
        if form in ("viele", "einige", "mehrere"):
            inflected = form[:-1] + declined("der", case, "p")
            feats = features(Case=case, Number="Plur", PronType="Ind")
            lemma = {"viele": "viel"}.get(form, form)
            return ("det", word(inflected, "DET", "PIAT", feats, lemma)), "strong"
        return self._determiner(form, case, noun, number)

    def _number(self) -> Phrase:
        form = self._choose(NUMBERS)
        shape = "Digit" if form.isdigit() else "Word"
        number = word(form, "NUM", "CARD", features(NumForm=shape, NumType="Card"))
        if self._chance(0.12):
            return join(("advmod", _adverb(self._choose("etwa fast nur"))), ("head", number))
        return number

    def _np(
        self, kind: str, case: str, depth: int = 1, determiner: str = "any", number: str = ""
    ) -> Phrase:
        """Draws a noun phrase: determiner, adjective, noun, and what follows it if ``depth``."""
        noun = self._random.choice(self._lexicon.nouns[kind])
        plural = bool(noun.plural) and determiner not in ("ein", "jeder") and self._chance(0.28)
        number = number or ("Plur" if plural else "Sing")
        if determiner == "any":
            determiner = self._any_determiner(noun, number, case)
        first, table = self._specified(determiner, case, noun, number)
        adjective: Part = ("amod", None)
        if noun.plural and self._chance(0.3):
            drawn = self._adjective(kind)
            adjective = ("amod", self._attribute(drawn, table, case, noun, number))
        np = join(first, adjective, ("head", self._noun_word(noun, case, number)))
        return self._postmodified(np, noun, kind) if depth and self._chance(0.17) else np

    def _any_determiner(self, noun: Noun, number: str, case: str) -> str:
        if not noun.plural:
            return self._random.choice(["", "", "der", "kein", "unser"])
        if number == "Sing":
            options = "der der der der der ein ein ein ein kein dieser jeder mein sein ihr unser"
            return self._choose(options)
        options = (
            "der der der der viele einige mehrere alle diese number number unser mein kein none"
        )
        chosen = self._choose(options)
        return {"diese": "dieser", "none": "" if case != "Gen" else "der"}.get(chosen, chosen)

    def _postmodified(self, np: Phrase, noun: Noun, kind: str) -> Phrase:
        if kind == "person" and self._chance(0.6):
            return join(("head", np), ("acl:relcl", self._subject_relative(np, noun)))
        if kind in ("thing", "device", "document", "vehicle") and self._chance(0.45):
            return join(("head", np), ("acl:relcl", self._object_relative(np, noun, kind)))
        if kind in ("document", "abstract", "thing", "device", "vehicle"):
            owner = self._np("person", "Gen", 0, self._choose("der der dieser mein unser"))
            return join(("head", np), ("nmod", owner))
        place = prepositional("in", self._np("place", "Dat", 0, "der"))
        return join(("head", np), ("nmod", place))

    def _relative_pronoun(self, np: Phrase, noun: Noun, case: str) -> Phrase:
        number = np.agreement[1:5]
        form = DEFINITE[case].split()["mfnp".index(noun.slot(number))]
        gender = GENDERS[noun.gender] if number == "Sing" else ""
        feats = features(Case=case, Gender=gender, Number=number, PronType="Rel")
        return word(form, "PRON", "PRELS", feats, "der")

    def _subject_relative(self, np: Phrase, noun: Noun) -> Phrase:
        pronoun = self._relative_pronoun(np, noun, "Nom")
        clause = self._clause_of("transitive intransitive helping motion", pronoun, np.agreement)
        return _enclosed(verb_final(clause))

    def _object_relative(self, np: Phrase, noun: Noun, kind: str) -> Phrase:
        (verb,) = (verb for verb, objects in TRANSITIVE.items() if objects == kind)
        pronoun = self._relative_pronoun(np, noun, "Acc")
        subject = self._random.choice([self._name("Nom"), self._pronoun("1Sing", "Nom")])
        clause = self._verbal(
            self._verb(verb), subject, subject.agreement, [], self._choose("past perfect")
        )
        return _enclosed(verb_final(clause, ("obj", pronoun)))

    def _pronoun(self, person: str, case: str) -> Phrase:
        form = PRONOUNS[person][("Nom", "Acc", "Dat").index(case)]
        feats = features(
            Case=case, Gender=person[5:], Number=person[1:5], Person=person[0], PronType="Prs"
        )
        phrase = word(form, "PRON", "PPER", feats, PRONOUNS[person][0])
        phrase.agreement = person[:5]
        return phrase

    def _indefinite(self, form: str, case: str) -> Phrase:
        kind = "Neg" if form in ("niemand", "nichts") else "Tot" if form == "alles" else "Ind"
        return word(form, "PRON", "PIS", features(Case=case, Number="Sing", PronType=kind))

    def _person(self, case: str, depth: int = 1) -> Phrase:
        roll = self._random.random()
        if roll < 0.3:
            people = [name for name in PRONOUNS if name != "3SingNeut"]
            return self._pronoun(self._random.choice(people), case)
        if roll < 0.5:
            return self._name(case)
        if roll < 0.57:
            second = join(("cc", self._coordinator("und")), ("head", self._name(case)))
            return join(("head", self._np("person", case, 0)), ("conj", second), agreement="3Plur")
        if roll < 0.62 and case == "Nom":
            return self._indefinite(self._choose("man jemand niemand"), case)
        return self._np("person", case, depth)

    def _coordinator(self, form: str) -> Phrase:
        return word(form, "CCONJ", "KON")

    def _object(self, kind: str, case: str) -> Phrase:
        roll = self._random.random()
        if kind == "person":
            return self._person(case)
        if roll < 0.1:
            return self._pronoun(self._choose("3SingMasc 3SingFem 3SingNeut 3Plur"), case)
        if roll < 0.15:
            return self._indefinite(self._choose("nichts etwas alles"), case)
        if roll < 0.22 and kind != "drink":
            second = join(("cc", self._coordinator("und")), ("head", self._np(kind, case, 0)))
            return join(("head", self._np(kind, case, 0)), ("conj", second))
        return self._np(kind, case)

    # ---- adjuncts

    def _place(self) -> Phrase:
        if self._chance(0.3):
            return prepositional("in", self._name("Dat", self._choose("city country")))
        nominal = self._np("place", "Dat", 0, self._choose("der der der ein dieser unser"))
        return prepositional(self._choose("in in in bei vor hinter neben"), nominal)

    def _goal(self) -> Phrase:
        roll = self._random.random()
        if roll < 0.25:
            return prepositional("nach", self._name("Dat", self._choose("city country")))
        if roll < 0.65:
            return prepositional("zu", self._np("place", "Dat", 0, self._choose("der der dieser")))
        return prepositional("in", self._np("place", "Acc", 0, self._choose("der der ein dieser")))

    def _time(self, style: str) -> tuple[str, Phrase]:
        past = style in ("past", "perfect")
        roll = self._random.random()
        if roll < 0.4:
            return "advmod", _adverb(self._word("then" if past else "now"))
        if roll < 0.6:
            return "obl", self._on_day()
        if roll < 0.75:
            which = Adjective("letzt" if past else "nächst", "letzt" if past else "nächst")
            noun = self._random.choice(self._lexicon.nouns["time"])
            feats = features(Case="Acc", Degree="Pos", Gender=GENDERS[noun.gender], Number="Sing")
            form = which.stem + declined("strong", "Acc", noun.slot("Sing"))
            attribute = word(form, "ADJ", "ADJA", feats, which.lemma)
            return "obl", join(("amod", attribute), ("head", self._noun_word(noun, "Acc", "Sing")))
        preposition = self._choose("vor nach während bei")
        case = "Gen" if preposition == "während" else "Dat"
        return "obl", prepositional(preposition, self._np("event", case, 0, "der"))

    def _on_day(self) -> Phrase:
        noun = self._random.choice(self._lexicon.nouns["weekday"])
        article, _ = self._determiner("der", "Dat", noun, "Sing")
        return prepositional("an", join(article, ("head", self._noun_word(noun, "Dat", "Sing"))))

    def _adjuncts(self) -> list[Part]:
        drawn: list[Part] = []
        if self._chance(0.3):
            drawn.append(
                ("advmod", word(self._adjective_of("manner"), "ADJ", "ADJD", "Degree=Pos"))
            )
        if self._chance(0.35):
            drawn.append(("obl", self._place()))
        return drawn

    def _adjective_of(self, name: str) -> str:
        return self._random.choice(self._lexicon.adjectives[name]).lemma

    # ---- predicates: a verb, its objects, and what stays next to the right bracket

    def _transitive(self) -> tuple[Verb, list[Part], list[Part]]:
        verb = self._random.choice(list(TRANSITIVE))
        return self._verb(verb), [("obj", self._object(TRANSITIVE[verb], "Acc"))], []

    def _intransitive(self) -> tuple[Verb, list[Part], list[Part]]:
        return self._verb("intr"), [], []

    def _motion(self) -> tuple[Verb, list[Part], list[Part]]:
        return self._verb("go"), [], [("obl", self._goal())]

    def _helping(self) -> tuple[Verb, list[Part], list[Part]]:
        return self._verb("help"), [("obl:arg", self._person("Dat"))], []

    def _giving(self) -> tuple[Verb, list[Part], list[Part]]:
        gift = self._np(self._choose("thing document device"), "Acc", 0)
        return self._verb("give"), [("obl:arg", self._person("Dat", 0)), ("obj", gift)], []

    def _waiting(self) -> tuple[Verb, list[Part], list[Part]]:
        verb = self._verb("wait")
        kind = "person" if verb.preposition == "mit" else self._choose("person event abstract")
        about = self._np(kind, verb.case)
        if self._chance(0.3):
            about = self._name(verb.case)
        return verb, [], [("obl", prepositional(verb.preposition, about))]

    def _reflexive(self) -> tuple[Verb, list[Part], list[Part]]:
        sich = word("sich", "PRON", "PRF", "Case=Acc|Person=3|PronType=Prs|Reflex=Yes", "sich")
        return self._verb("refl"), [("expl:pv", sich)], []

    def _owning(self) -> tuple[Verb, list[Part], list[Part]]:
        kind = self._choose("thing vehicle abstract document animal")
        return Verb("haben", "hat", "hatte", "gehabt"), [("obj", self._np(kind, "Acc"))], [_NOTHING]

    def _becoming(self) -> tuple[Verb, list[Part], list[Part]]:
        verb = Verb("werden", "wird", "wurde", "geworden", auxiliary="sein")
        state = word(self._adjective("person").lemma, "ADJ", "ADJD", "Degree=Pos")
        return verb, [], [("xcomp", state)]

    # ---- clauses

    def _subject_form(self, phrase: Phrase, agreement: str) -> None:
        """Makes "sich" agree with a first person."""
        for node in phrase.nodes:
            if node.lemma == "sich" and agreement in REFLEXIVES:
                node.form = REFLEXIVES[agreement]
                node.feats = features(
                    Case="Acc", Number=agreement[1:], Person="1", PronType="Prs", Reflex="Yes"
                )
                node.lemma = "ich" if agreement == "1Sing" else "wir"

    def _clause(self, style: str = "") -> Clause:
        subject = self._person("Nom")
        return self._clause_of("", subject, subject.agreement, style)

    def _clause_of(
        self, kinds: str, subject: Phrase, agreement: str, style: str = "", timed: float = 0.5
    ) -> Clause:
        """Draws the rest of a clause around a subject; ``timed``: how often a time is given."""
        kind = self._choose(kinds) if kinds else self._weighted(PREDICATES)
        verb, objects, near = getattr(self, f"_{kind}")()
        for _, phrase in objects:
            if phrase is not None:
                self._subject_form(phrase, agreement)
        style = style or self._weighted(STYLES)
        middle, fronted = self._middle(objects, near, style, timed)
        clause = self._verbal(verb, subject, agreement, middle, style)
        clause.fronted = fronted
        return clause

    def _middle(
        self, objects: list[Part], near: list[Part], style: str, timed_share: float
    ) -> tuple[list[Part], tuple[int, ...]]:
        """Orders the middle field: light pronouns, time, objects, negation, manner, place, goal."""
        light = [part for part in objects if part[1] is not None and _is_pronoun(part[1])]
        light.sort(key=lambda part: part[0] == "obl:arg")
        heavy = [part for part in objects if part not in light]
        timed: list[Part] = [self._time(style)] if self._chance(timed_share) else []
        if self._chance(0.25) and timed_share and not timed:
            timed = [("advmod", _adverb(self._word("frequency")))]
        negated = self._chance(0.14) and not _is_indefinite(objects)
        negation: list[Part] = []
        if negated:
            negation = [("advmod", word("nicht", "PART", "PTKNEG", "Polarity=Neg"))]
        adjuncts = self._adjuncts() if not near else []
        middle = [*light, *timed, *heavy, *negation, *adjuncts, *near]
        movable = [part for part in (*timed, *adjuncts) if part[0] == "obl" or part in timed]
        return middle, tuple(middle.index(part) for part in movable)

    def _verbal(
        self, verb: Verb, subject: Phrase, agreement: str, middle: list[Part], style: str
    ) -> Clause:
        """Fills the two brackets for a tense or a modal."""
        own: Part = ("nsubj", subject)
        if style in ("present", "past"):
            return self._simple_tense(
                verb, own, agreement, middle, "Past" if style == "past" else "Pres"
            )
        xpos = "VAINF" if verb.base in ("haben", "werden") else "VVINF"
        if style == "perfect":
            xpos = xpos.replace("INF", "PP")
            lexical = word(verb.participle, "VERB", xpos, "VerbForm=Part", verb.lemma)
            finite = _auxiliary(verb.auxiliary, agreement)
        else:
            lexical = word(verb.lemma, "VERB", xpos, "VerbForm=Inf", verb.lemma)
            modal = self._choose("können müssen sollen wollen dürfen")
            tense = self._choose("Pres Pres Past")
            finite = _auxiliary(modal, agreement, tense)
            if style == "future":
                finite = _auxiliary("werden", agreement)
        return Clause(own, ("aux", finite), middle, [("head", lexical)])

    def _simple_tense(
        self, verb: Verb, subject: Part, agreement: str, middle: list[Part], tense: str
    ) -> Clause:
        form, feats = verb.finite(agreement, tense), _finite(agreement, tense)
        xpos = "VAFIN" if verb.base in ("haben", "werden") else "VVFIN"
        finite = word(form, "VERB", xpos, feats, verb.base)
        if not verb.particle:
            return Clause(subject, ("head", finite), middle, [])
        upos = "ADV" if verb.particle in ADVERBIAL_PARTICLES else "ADP"
        particle: Part = ("compound:prt", word(verb.particle, upos, "PTKVZ"))
        joined = word(verb.particle + form, "VERB", xpos, feats, verb.lemma)
        return Clause(subject, ("head", finite), middle, [particle], joined)

    def _main(self, clause: Clause) -> Phrase:
        """Verb-second order, in half of the cases with something else than the subject in front."""
        if clause.fronted and self._chance(0.55):
            front = clause.middle.pop(self._random.choice(clause.fronted))
            return verb_second(clause, front)
        if self._chance(0.1):
            adverb = _adverb(self._word("sentence_adverb"))
            return verb_second(clause, ("advmod", adverb))
        return verb_second(clause)

    def _copula(self, subject: Phrase, kind: str = "person") -> Clause:
        agreement = subject.agreement
        finite = _auxiliary("sein", agreement, self._choose("Pres Pres Past"))
        middle: list[Part] = []
        if self._chance(0.18):
            middle.append(("advmod", word("nicht", "PART", "PTKNEG", "Polarity=Neg")))
        return Clause(("nsubj", subject), ("cop", finite), middle, [("head", self._state(kind))])

    def _state(self, kind: str) -> Phrase:
        if self._chance(0.25) and kind in ("person", "device"):
            return self._place()
        state = word(self._adjective(kind).lemma, "ADJ", "ADJD", "Degree=Pos")
        if self._chance(0.35):
            return join(("advmod", _adverb(self._word("degree"))), ("head", state))
        return state

    # ---- sentences

    def sentence(self) -> Phrase:
        """Draws one sentence, with capital, final punctuation and at most one negative word."""
        phrase = getattr(self, f"_{self._weighted(SENTENCES)}")()
        while sum(node.lemma in NEGATIVE for node in phrase.nodes) > 1:
            phrase = getattr(self, f"_{self._weighted(SENTENCES)}")()
        return capitalise(drop_redundant_commas(phrase))

    def _end(self, clause: Phrase, mark: str = ".") -> Phrase:
        return join(("head", clause), ("punct", _punct(mark)))

    def _statement(self) -> Phrase:
        return self._end(self._main(self._clause()))

    def _copular(self) -> Phrase:
        kind = self._choose("person person device abstract place")
        subject = self._person("Nom") if kind == "person" else self._np(kind, "Nom")
        return self._end(verb_second(self._copula(subject, kind)))

    def _any_clause(self) -> Clause:
        return self._copula(self._person("Nom", 0)) if self._chance(0.2) else self._clause()

    def _subordinate(self) -> Phrase:
        """weil, obwohl, wenn, ...: verb-final; in front of the main clause it causes inversion."""
        mark = word(self._choose("weil obwohl wenn während bevor als falls da"), "SCONJ", "KOUS")
        style = "past" if mark.head.form == "als" else ""
        inner = self._any_clause() if not style else self._clause("past")
        subordinate = verb_final(inner, ("mark", mark))
        main = self._clause(style)
        if self._chance(0.4):
            opened = join(("head", subordinate), ("punct", _punct(",")))
            return self._end(verb_second(main, ("advcl", opened)))
        main.final.append(("advcl", _enclosed(subordinate)))
        return self._end(self._main(main))

    def _that_clause(self) -> Phrase:
        form = self._choose("dass dass dass ob")
        inner = verb_final(self._any_clause(), ("mark", word(form, "SCONJ", "KOUS")))
        verb = self._verb("say") if form == "dass" else Verb("fragen", "fragt", "fragte", "gefragt")
        subject = self._person("Nom", 0)
        middle: list[Part] = []
        if form == "ob":
            sich = word("sich", "PRON", "PRF", "Case=Acc|Person=3|PronType=Prs|Reflex=Yes", "sich")
            self._subject_form(sich, subject.agreement)
            middle = [("expl:pv", sich)]
        style = self._choose("present past perfect")
        clause = self._verbal(verb, subject, subject.agreement, middle, style)
        clause.final.append(("ccomp", _enclosed(inner)))
        return self._end(verb_second(clause))

    def _infinitive(self, *marker: Part) -> Phrase:
        """A clause with "zu": before the verb, or inside a separable one ("anzurufen")."""
        verb, objects, near = getattr(
            self, f"_{self._choose('transitive intransitive motion helping')}"
        )()
        middle, _ = self._middle(objects, near, "present", 0.0)
        if verb.particle:
            form = f"{verb.particle}zu{verb.base}"
            lexical: list[Part] = [
                ("head", word(form, "VERB", "VVIZU", "VerbForm=Inf", verb.lemma))
            ]
        else:
            zu = word("zu", "PART", "PTKZU")
            lexical = [("mark", zu), ("head", word(verb.base, "VERB", "VVINF", "VerbForm=Inf"))]
        return join(*marker, *middle, *lexical)

    def _infinitive_clause(self) -> Phrase:
        if self._chance(0.3):
            subject = self._pronoun("3SingNeut", "Nom")
            finite = _auxiliary("sein", "3Sing", self._choose("Pres Past"))
            state = word(self._adjective_of("impersonal"), "ADJ", "ADJD", "Degree=Pos")
            clause = Clause(("expl", subject), ("cop", finite), [], [("head", state)])
            clause.final.append(("csubj", _enclosed(self._infinitive())))
            return self._end(verb_second(clause))
        subject = self._person("Nom", 0)
        style = self._choose("present past perfect")
        clause = self._verbal(self._verb("try"), subject, subject.agreement, [], style)
        clause.final.append(("xcomp", _enclosed(self._infinitive())))
        return self._end(verb_second(clause))

    def _purpose(self) -> Phrase:
        inner = self._infinitive(("mark", word("um", "SCONJ", "KOUI")))
        clause = self._clause()
        clause.final.append(("advcl", _enclosed(inner)))
        return self._end(self._main(clause))

    def _coordination(self) -> Phrase:
        cc = self._choose("und und aber aber oder denn")
        second = self._main(self._clause())
        comma = None if cc in ("und", "oder") else _punct(",")
        also = join(("punct", comma), ("cc", self._coordinator(cc)), ("head", second))
        return self._end(join(("head", self._main(self._clause())), ("conj", also)))

    def _question(self) -> Phrase:
        return self._end(verb_first(self._any_clause()), "?")

    def _wh_question(self) -> Phrase:
        if self._chance(0.25):
            who = word("wer", "PRON", "PWS", "Case=Nom|Number=Sing|PronType=Int")
            clause = self._clause_of("transitive helping giving intransitive", who, "3Sing")
            return self._end(verb_second(clause), "?")
        adverb = _adverb(self._choose("wann warum wo wie"), "PWAV", PronType="Int")
        return self._end(verb_second(self._clause(), ("advmod", adverb)), "?")

    def _imperative(self) -> Phrase:
        feats = "Case=Nom|Number=Plur|Person=2|Polite=Form|PronType=Prs"
        subject = word("Sie", "PRON", "PPER", feats)
        kinds = "transitive helping giving waiting"
        clause = self._clause_of(kinds, subject, "3Plur", "present", timed=0.0)
        _, verb = clause.finite
        if verb is not None:
            verb.head.xpos, verb.head.feats = "VVIMP", "Mood=Imp|Number=Plur|Person=2|VerbForm=Fin"
        if self._chance(0.6):
            light = sum(_is_pronoun(part) for _, part in clause.middle if part is not None)
            clause.middle.insert(light, ("discourse", word("bitte", "INTJ", "ITJ")))
        return self._end(verb_first(clause), self._choose(". !"))

    def _exclamation(self) -> Phrase:
        form = self._choose(INTERJECTIONS)
        interjection = word(form, "INTJ", "PTKANT" if form in ("ja", "nein") else "ITJ")
        if self._chance(0.25):
            greeted = join(("punct", _punct(",")), ("head", self._name("Nom")))
            return self._end(join(("head", interjection), ("vocative", greeted)), "!")
        opened = join(("head", interjection), ("punct", _punct(",")))
        main = verb_second(self._any_clause())
        return self._end(join(("discourse", opened), ("head", main)), self._choose(". !"))

    def _existential(self) -> Phrase:
        kind = self._choose("thing animal place abstract vehicle food")
        determiner = self._choose("ein ein kein")
        thing = self._np(kind, "Acc", 0, determiner, "Sing")
        if self._chance(0.4):
            thing = self._np(kind, "Acc", 0, self._choose("viele einige number kein"), "Plur")
        feats = _finite("3Sing", "Pres")
        gives = word("gibt", "VERB", "VVFIN", feats, "geben")
        place = ("obl", self._place())
        clause = Clause(
            ("nsubj", self._pronoun("3SingNeut", "Nom")), ("head", gives), [("obj", thing)], []
        )
        if self._chance(0.5):
            return self._end(verb_second(clause, place))
        clause.middle.append(place)
        return self._end(verb_second(clause))

    def _passive(self) -> Phrase:
        kind = self._choose("use write eat discuss")
        verb = self._verb(kind)
        subject = self._np(TRANSITIVE[kind], "Nom", 0)
        finite = _auxiliary("werden", subject.agreement, self._choose("Pres Past Past"))
        middle: list[Part] = [
            self._time("past" if finite.head.form.startswith("wurde") else "present")
        ]
        if self._chance(0.5):
            middle.append(("obl:agent", prepositional("von", self._person("Dat", 0))))
        lexical = word(verb.participle, "VERB", "VVPP", "VerbForm=Part", verb.lemma)
        clause = Clause(("nsubj:pass", subject), ("aux:pass", finite), middle, [("head", lexical)])
        clause.fronted = (0,)
        if self._chance(0.25):
            inner = verb_final(clause, ("mark", word("dass", "SCONJ", "KOUS")))
            return self._end(self._reported(inner))
        return self._end(self._main(clause))

    def _reported(self, inner: Phrase) -> Phrase:
        subject = self._person("Nom", 0)
        clause = self._verbal(self._verb("say"), subject, subject.agreement, [], "present")
        clause.final.append(("ccomp", _enclosed(inner)))
        return verb_second(clause)

    def _price(self) -> Phrase:
        subject = self._np(
            self._choose("thing device document food"),
            "Nom",
            0,
            self._choose("der dieser mein"),
            "Sing",
        )
        amount = word(self._choose("5 9 12 15 20 25 49 60 80 99 150"), "NUM", "CARD", DIGITS)
        sign = word(self._choose("€ € $ £"), "SYM", "XY")
        if self._chance(0.3):
            sign = self._noun_word(
                self._random.choice(self._lexicon.nouns["currency"]), "Acc", "Plur"
            )
        price = join(("nummod", amount), ("head", sign))
        verb = Verb("kosten", "kostet", "kostete", "gekostet")
        style = self._choose("present present past modal")
        return self._end(verb_second(self._verbal(verb, subject, "3Sing", [("obj", price)], style)))

    def _percent(self) -> Phrase:
        share = word(str(self._random.randint(2, 95)), "NUM", "CARD", DIGITS)
        percent = word("%", "SYM", "XY")
        people = self._np("person", "Gen", 0, "der", "Plur")
        subject = join(("nummod", share), ("head", percent), ("nmod", people), agreement="3Plur")
        clause = self._clause_of("transitive intransitive motion", subject, "3Plur")
        return self._end(self._main(clause))

    def _sum(self) -> Phrase:
        left, right = self._random.randint(2, 30), self._random.randint(2, 30)
        one, two, three = (word(str(n), "NUM", "CARD", DIGITS) for n in (left, right, left + right))
        plus = join(("cc", word("+", "SYM", "XY")), ("head", two))
        terms = join(("head", one), ("conj", plus))
        return self._end(
            join(("nsubj", terms), ("cop", _auxiliary("sein", "3Sing")), ("head", three))
        )

    def _foreign(self) -> Phrase:
        words = [
            word(form, "X", "FM", "Foreign=Yes") for form in self._random.choice(FOREIGN).split()
        ]
        phrase = join(("head", words[0]), *(("flat", other) for other in words[1:]))
        subject = self._person("Nom", 0)
        style = self._choose("past perfect")
        clause = self._verbal(
            self._verb("speak"), subject, subject.agreement, [("obj", _quoted(phrase))], style
        )
        return self._end(verb_second(clause))

    def _smiley(self) -> Phrase:
        face = word(self._choose(":) ;) :( :-)"), "SYM", "XY")
        return join(
            ("head", self._end(verb_second(self._any_clause()), self._choose(". !"))),
            ("discourse", face),
        )

    def _gapping(self) -> Phrase:
        """Draws "Anna bestellte Tee und Paul Kaffee.": the second verb is an empty node."""
        kind = self._choose("eat serve write carry")
        verb = self._random.choice([v for v in self._lexicon.verbs[kind] if not v.particle])
        one, two = self._name("Nom", "female"), self._name("Nom", "male")
        feats, form = _finite("3Sing", "Past"), verb.finite("3Sing", "Past")
        head, elided = (word(form, "VERB", "VVFIN", feats, verb.base) for _ in range(2))
        remnant = self._np(TRANSITIVE[kind], "Acc", 0)
        cc = self._coordinator("und")
        first = join(("nsubj", one), ("head", head), ("obj", self._np(TRANSITIVE[kind], "Acc", 0)))
        second = join(("cc", cc), ("head", two), ("orphan", remnant))
        sentence = join(("head", first), ("conj", second))
        insert_elided(
            sentence,
            elided,
            after=two,
            governor=(head, "conj"),
            roles=[(cc, "cc"), (two, "nsubj"), (remnant, "obj")],
        )
        return self._end(sentence)

    def _speech(self) -> Phrase:
        said = _quoted(capitalise(drop_redundant_commas(self._main(self._clause()))))
        opened = join(("head", said), ("punct", _punct(",")))
        subject = self._person("Nom", 0)
        clause = self._verbal(self._verb("speak"), subject, subject.agreement, [], "past")
        return self._end(verb_second(clause, ("ccomp", opened)))

    def _comparative(self) -> Phrase:
        subject = self._np(self._choose("person animal"), "Nom", 0, self._choose("der mein"))
        adjective = self._random.choice(self._lexicon.adjectives["compared"])
        other = self._np("person", "Nom", 0, self._choose("der dieser unser"))
        if self._chance(0.6):
            state = word(adjective.comparative, "ADJ", "ADJD", "Degree=Cmp", adjective.lemma)
            than = join(("case", word("als", "ADP", "KOKOM")), ("head", other))
        else:
            pos = word(adjective.lemma, "ADJ", "ADJD", "Degree=Pos")
            state = join(("advmod", _adverb("so")), ("head", pos))
            than = join(("case", word("wie", "ADP", "KOKOM")), ("head", other))
        finite = _auxiliary("sein", subject.agreement)
        return self._end(join(("nsubj", subject), ("cop", finite), ("head", state), ("obl", than)))

    def _superlative(self) -> Phrase:
        adjective = self._random.choice(self._lexicon.adjectives["compared_thing"])
        noun = self._random.choice(self._lexicon.nouns[self._choose("thing device place")])
        article, table = self._determiner("der", "Nom", noun, "Sing")
        form = adjective.superlative + declined(table, "Nom", noun.slot("Sing"))
        feats = features(Case="Nom", Degree="Sup", Gender=GENDERS[noun.gender], Number="Sing")
        best = word(form, "ADJ", "ADJA", feats, adjective.lemma)
        head = join(article, ("amod", best), ("head", self._noun_word(noun, "Nom", "Sing")))
        this = word("das", "PRON", "PDS", "Case=Nom|Gender=Neut|Number=Sing|PronType=Dem", "der")
        place = prepositional("in", self._np("place", "Dat", 0, self._choose("der dieser")))
        be = _auxiliary("sein", "3Sing")
        return self._end(join(("nsubj", this), ("cop", be), ("head", head), ("nmod", place)))

    def _fragment(self) -> Phrase:
        kind = self._choose("food event place device document")
        noun = self._random.choice(self._lexicon.nouns[kind])
        number = self._choose("Sing Sing Plur")
        adjective = self._attribute(self._adjective(kind), "strong", "Nom", noun, number)
        phrase = join(("amod", adjective), ("head", self._noun_word(noun, "Nom", number)))
        return self._end(phrase, self._choose(". !"))

    def _list(self) -> Phrase:
        kind = self._choose("food thing document")
        one, two, three = (self._np(kind, "Acc", 0) for _ in range(3))
        second = join(("punct", _punct(",")), ("head", two))
        third = join(("cc", self._coordinator("und")), ("head", three))
        goods = join(("head", one), ("conj", second), ("conj", third))
        subject = self._person("Nom", 0)
        (verb,) = (verb for verb, objects in TRANSITIVE.items() if objects == kind)
        clause = self._verbal(
            self._verb(verb),
            subject,
            subject.agreement,
            [("obj", goods)],
            self._choose("past perfect modal"),
        )
        return self._end(verb_second(clause))

    def _dated(self) -> Phrase:
        """Draws a clause with "am 3. März 2014", "um 8 Uhr" or "im Jahr 2003" in front."""
        subject, style = self._person("Nom"), self._choose("past perfect")
        clause = self._clause_of("", subject, subject.agreement, style, timed=0.0)
        return self._end(verb_second(clause, ("obl", self._date())))

    def _date(self) -> Phrase:
        year = word(str(self._random.randint(1990, 2024)), "NUM", "CARD", DIGITS)
        kind = self._choose("day hour year")
        if kind == "hour":
            uhr = word("Uhr", "NOUN", "NN", "Case=Acc|Gender=Fem|Number=Sing")
            hour = word(str(self._random.randint(1, 23)), "NUM", "CARD", DIGITS)
            return prepositional("um", join(("nummod", hour), ("head", uhr)))
        noun = self._random.choice(self._lexicon.nouns["month"])
        if kind == "year":
            noun = Noun("Jahr", "n", "Jahre")
        article, _ = self._determiner("der", "Dat", noun, "Sing")
        month = self._noun_word(noun, "Dat", "Sing")
        if kind == "year":
            return prepositional("in", join(article, ("head", month), ("nmod", year)))
        ordinal = f"{self._random.randint(1, 28)}."
        feats = features(Case="Dat", Gender="Masc", NumType="Ord", Number="Sing")
        day = word(ordinal, "ADJ", "ADJA", feats)
        following = ("nmod", year if self._chance(0.5) else None)
        return prepositional("an", join(article, ("amod", day), ("head", month), following))


def _is_pronoun(phrase: Phrase) -> bool:
    return phrase.head.xpos in ("PPER", "PRF") and len(phrase) == 1


def _is_indefinite(parts: list[Part]) -> bool:
    """Says whether "nicht" is out of place beside these objects ("kein" would be used)."""
    nodes = [phrase.nodes[0] for _, phrase in parts if phrase]
    return any(
        node.lemma in _INDEFINITE or node.upos not in ("DET", "PRON", "PROPN") for node in nodes
    )


_NOTHING: Part = ("advmod", None)
"""Keeps adverbs of manner and place away from a verb that has no use for them."""

_INDEFINITE = frozenset(
    ["ein", "kein", "nichts", "etwas", "alles", "viel", "einige", "mehrere", "niemand", "jemand"]
)
