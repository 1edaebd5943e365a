"""English sentences with their dependency trees, after UD's guidelines and English-EWT's tags.

Every method of :class:`EnglishGrammar` that draws a constituent returns a fresh phrase. The words
come from ``lexicon_en.toml``, closed classes from the tables here.
"""

from __future__ import annotations

import dataclasses
import random

from corpora.miniature.lexicon import Lexeme, Lexicon
from corpora.miniature.trees import Part, Phrase, capitalise, features, insert_elided, join, word

PERSONS = {
    "1Sing": ("I", "me", "my", "myself"),
    "2Sing": ("you", "you", "your", "yourself"),
    "3SingFem": ("she", "her", "her", "herself"),
    "3SingMasc": ("he", "him", "his", "himself"),
    "3SingNeut": ("it", "it", "its", "itself"),
    "1Plur": ("we", "us", "our", "ourselves"),
    "3Plur": ("they", "them", "their", "themselves"),
}
BE = {"1Sing": ("am", "was"), "3Sing": ("is", "was")}
CONTRACTED = {"am": "'m", "is": "'s", "are": "'re", "have": "'ve", "has": "'s", "will": "'ll"}
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
    "meet": "person",
}
STYLES = {
    "past": 34,
    "present": 20,
    "modal": 9,
    "perfect": 9,
    "progressive": 8,
    "was_progressive": 4,
    "negated": 9,
    "modal_negated": 4,
}
FOREIGN = (
    "carpe diem",
    "savoir vivre",
    "la dolce vita",
    "bella figura",
    "alea iacta est",
    "mañana",
    "Wanderlust",
    "Gemütlichkeit",
    "hakuna matata",
)
INTERJECTIONS = "yes no oh wow well hello hi hey ah oops okay bravo"
NUMBERS = "two three four five six seven eight ten twelve twenty fifty 2 3 4 6 8 11 15 30 40 75 120"
DIGITS = "NumForm=Digit|NumType=Card"
DETERMINERS = {
    "this": "Number=Sing|PronType=Dem",
    "that": "Number=Sing|PronType=Dem",
    "these": "Number=Plur|PronType=Dem",
    "those": "Number=Plur|PronType=Dem",
    "some": "PronType=Ind",
    "another": "PronType=Ind",
    "every": "PronType=Tot",
    "each": "PronType=Tot",
    "all": "PronType=Tot",
    "no": "PronType=Neg",
}
DEMONSTRATIVE = {"these": "this", "those": "that"}
INDEFINITE = {
    form: (form, "PRON", "NN", f"Number=Sing|PronType={kind}")
    for form, kind in {
        "somebody": "Ind",
        "someone": "Ind",
        "something": "Ind",
        "everyone": "Tot",
        "everything": "Tot",
        "nobody": "Neg",
        "nothing": "Neg",
    }.items()
}
NEGATIVE = frozenset(("no", "nothing", "nobody", "not", "never"))
STATIVE = frozenset(
    [
        "like",
        "know",
        "trust",
        "respect",
        "fear",
        "remember",
        "hate",
        "love",
        "see",
        "need",
        "understand",
        "have",
        "want",
        "hope",
        "mention",
        "cost",
        "admire",
        "own",
        "miss",
        "believe",
        "reach",
        "lose",
        "find",
        "drop",
        "accept",
        "enjoy",
        "refuse",
        "decide",
        "promise",
    ]
)
SPEAKING = (
    ("say", "verb", ("said", "said")),
    ("shout", "verb"),
    ("whisper", "verb"),
    ("write", "verb", ("wrote", "written")),
)
TRADING = (
    ("buy", "verb", ("bought", "bought")),
    ("sell", "verb", ("sold", "sold")),
    ("build", "verb", ("built", "built")),
)
PREDICATES = {
    "transitive": 40,
    "intransitive": 12,
    "motion": 10,
    "giving": 7,
    "phrasal": 9,
    "waiting": 6,
    "wanting": 9,
    "owning": 7,
    "saying": 9,
}
SIMPLE = "transitive transitive transitive intransitive motion giving phrasal waiting owning"
SENTENCES = {
    "statement": 30,
    "adverbial": 9,
    "coordination": 6,
    "shared_subject": 4,
    "question": 5,
    "wh_question": 3,
    "who_question": 2,
    "imperative": 4,
    "exclamation": 6,
    "existential": 4,
    "price": 3,
    "percent": 3,
    "sum": 1,
    "foreign": 7,
    "smiley": 2,
    "gapping": 2,
    "speech": 3,
    "comparative": 3,
    "superlative": 2,
    "fragment": 3,
    "list": 3,
    "infinitive_adjective": 2,
    "parenthesis": 2,
    "reflexive": 2,
}


@dataclasses.dataclass(slots=True)
class Predicate:
    """A verb phrase in pieces, so that a subject or a question word can go between them.

    Attributes:
        before: finite auxiliary first, then negation, adverbs and further auxiliaries.
        head: the content word.
        after: objects, obliques and adverbs.
        subject: relation of the subject.
    """

    before: list[Part]
    head: Phrase
    after: list[Part]
    subject: str = "nsubj"


def _case(form: str) -> Phrase:
    return word(form, "ADP", "IN")


def _adverb(form: str, xpos: str = "RB", **values: str) -> Phrase:
    return word(form, "ADV", xpos, features(**values))


def _punct(form: str, xpos: str = "", glue: str = "left") -> Phrase:
    return word(form, "PUNCT", xpos or form, glue=glue)


def _finite(agreement: str, tense: str) -> str:
    number, person = agreement[1:5], agreement[0]
    number = "" if person == "2" else number
    return features(Mood="Ind", Number=number, Person=person, Tense=tense, VerbForm="Fin")


def _present_tag(agreement: str) -> str:
    return "VBZ" if agreement.startswith("3Sing") else "VBP"


def pronoun(person: str, column: int) -> Phrase:
    """Returns a personal pronoun: column 0 subject, 1 object, 2 possessive, 3 reflexive."""
    forms = PERSONS[person]
    gender = {"Fem": "Fem", "Mas": "Masc", "Neu": "Neut"}.get(person[5:8], "")
    common = {"Person": person[0], "Gender": gender, "PronType": "Prs"}
    common["Number"] = "" if person[0] == "2" else person[1:5]
    case = "" if person[5:] == "Neut" and column != 2 else ("Nom", "Acc", "Gen", "Acc")[column]
    extra = {2: {"Poss": "Yes"}, 3: {"Reflex": "Yes"}}.get(column, {})
    lemma = forms[column] if column > 1 else forms[0]
    xpos = "PRP$" if column == 2 else "PRP"
    phrase = word(forms[column], "PRON", xpos, features(Case=case, **common, **extra), lemma)
    phrase.agreement = person[:5]
    return phrase


def auxiliary(lemma: str, agreement: str, tense: str = "Pres") -> Phrase:
    """Returns a finite form of be, have or do."""
    if lemma == "be":
        form = BE.get(agreement, ("are", "were"))[tense == "Past"]
    else:
        third = {"have": "has", "do": "does"}[lemma] if agreement == "3Sing" else lemma
        form = {"have": "had", "do": "did"}[lemma] if tense == "Past" else third
    xpos = "VBD" if tense == "Past" else _present_tag(agreement)
    return word(form, "AUX", xpos, _finite(agreement, tense), lemma)


class EnglishGrammar:
    """Draws sentences.

    Args:
        generator: the source of all choices.
        classes: the lexicon.
    """

    def __init__(self, generator: random.Random, classes: Lexicon):
        self._random = generator
        self._classes = classes

    # ---- choices

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _lexeme(self, name: str) -> Lexeme:
        return self._random.choice(self._classes[name])

    def _form(self, name: str) -> str:
        return self._lexeme(name).lemma

    def _choose(self, options: str) -> str:
        return self._random.choice(options.split())

    def _weighted(self, weights: dict[str, int]) -> str:
        return self._random.choices(list(weights), list(weights.values()))[0]

    # ---- nominals

    def _name(self, kind: str = "") -> Phrase:
        kind = kind or self._choose("name name name city company")
        first = word(self._form(kind), "PROPN", "NNP", "Number=Sing")
        if kind != "name" or self._chance(0.75):
            return first
        last = word(self._form("surname"), "PROPN", "NNP", "Number=Sing")
        if self._chance(0.3):
            title = word(self._choose("Dr. Mr. Mrs."), "PROPN", "NNP", "Number=Sing")
            return join(("nmod:desc", title), ("head", last))
        return join(("head", first), ("flat", last))

    def _adjective(self, kind: str) -> Phrase:
        kind = "person" if kind == "animal" else kind
        lexeme = self._lexeme(f"{kind}_adj" if f"{kind}_adj" in self._classes else "thing_adj")
        adjective = word(lexeme.lemma, "ADJ", "JJ", "Degree=Pos")
        if self._chance(0.15):
            return join(("advmod", _adverb(self._choose("very quite really"))), ("head", adjective))
        return adjective

    def _noun(self, kind: str, plural: bool) -> Phrase:
        lexeme = self._lexeme(kind)
        if kind in ("mass", "stuff", "drink"):
            return word(lexeme.lemma, "NOUN", "NN", "Number=Sing")
        number, xpos = ("Plur", "NNS") if plural else ("Sing", "NN")
        form = lexeme.form("pl" if plural else "")
        noun = word(form, "NOUN", xpos, f"Number={number}", lexeme.lemma)
        noun.agreement = f"3{number}"
        return noun

    def _determiner(self, plural: bool, mass: bool) -> Phrase | None:
        if mass:
            form = self._choose("the the some this no no_det no_det")
        elif plural:
            form = self._choose(
                "the the the some these those all many no any_ no_det no_det no_det"
            )
        else:
            form = self._choose("the the the the the a a a a this that every no each another")
        return self._determiner_word(form)

    def _determiner_word(self, form: str) -> Phrase | None:
        if form in ("no_det", "any_"):
            return None
        if form in ("the", "a"):
            definite = "Def" if form == "the" else "Ind"
            return word(form, "DET", "DT", features(Definite=definite, PronType="Art"))
        if form == "many":
            return word(form, "ADJ", "JJ", "Degree=Pos")
        return word(form, "DET", "DT", DETERMINERS[form], DEMONSTRATIVE.get(form, form))

    def _np(self, kind: str, depth: int = 1) -> Phrase:
        mass = kind in ("mass", "stuff", "drink")
        plural = not mass and self._chance(0.3)
        noun = self._noun(kind, plural)
        adjective = self._adjective(kind) if self._chance(0.3) and not mass else None
        before = self._specifier(plural, mass)
        np = join(*before, ("amod", adjective), ("head", noun))
        _fix_article(np)
        return self._postmodified(np, kind) if depth and self._chance(0.16) else np

    def _specifier(self, plural: bool, mass: bool) -> list[Part]:
        roll = self._random.random()
        if roll < 0.1:
            return [("nmod:poss", self._possessor())]
        if roll < 0.22:
            return [("nmod:poss", pronoun(self._random.choice(list(PERSONS)), 2))]
        if plural and roll < 0.4:
            return [("nummod", self._number())]
        determiner = self._determiner(plural, mass)
        if determiner and determiner.head.form == "no" and self._chance(0.6):
            determiner = self._determiner_word("the")
        relation = "amod" if determiner and determiner.head.upos == "ADJ" else "det"
        return [(relation, determiner)]

    def _possessor(self) -> Phrase:
        owner = self._name("name")
        if self._chance(0.4):
            owner = join(
                ("det", self._determiner_word("the")), ("head", self._noun("person", False))
            )
        owner.nodes[-1].fused = f"{owner.nodes[-1].form}'s"
        return join(("head", owner), ("case", word("'s", "PART", "POS")))

    def _number(self) -> Phrase:
        form = self._choose(NUMBERS)
        shape = "Digit" if form.isdigit() else "Word"
        number = word(form, "NUM", "CD", features(NumForm=shape, NumType="Card"))
        if self._chance(0.12):
            return join(("advmod", _adverb(self._choose("about almost only"))), ("head", number))
        return number

    def _postmodified(self, np: Phrase, kind: str) -> Phrase:
        if kind == "person" and self._chance(0.6):
            return join(("head", np), ("acl:relcl", self._subject_relative(np)))
        if kind in ("thing", "device", "document", "vehicle") and self._chance(0.55):
            return join(("head", np), ("acl:relcl", self._object_relative(kind)))
        if kind == "document":
            about = join(("case", _case("about")), ("head", self._np("event", 0)))
            return join(("head", np), ("nmod", about))
        return join(("head", np), ("nmod", self._place_pp(0)))

    def _person_subject(self) -> Phrase:
        roll = self._random.random()
        if roll < 0.36:
            return pronoun(self._random.choice([*PERSONS, "1Sing", "3SingFem", "3SingMasc"]), 0)
        if roll < 0.55:
            return self._name("name")
        if roll < 0.61:
            return self._coordinated("person")
        if roll < 0.65:
            return word(*INDEFINITE[self._choose("somebody nobody everyone someone")])
        return self._np("person")

    def _coordinated(self, kind: str) -> Phrase:
        second = self._name("name") if kind == "person" else self._np(kind, 0)
        also = join(("cc", self._coordinator("and")), ("head", second))
        return join(("head", self._np(kind, 0)), ("conj", also), agreement="3Plur")

    def _coordinator(self, form: str) -> Phrase:
        return word(form, "CCONJ", "CC")

    def _object(self, kind: str) -> Phrase:
        roll = self._random.random()
        if roll < 0.14:
            if kind == "person":
                return pronoun(self._random.choice(list(PERSONS)), 1)
            return pronoun(self._random.choice(["3SingNeut", "3Plur"]), 1)
        if roll < 0.2 and kind == "person":
            return self._name("name")
        if roll < 0.26 and kind not in ("person", "drink"):
            return self._coordinated(kind)
        if roll < 0.3 and kind != "person":
            return word(*INDEFINITE[self._choose("something nothing everything")])
        return self._np(kind)

    # ---- adjuncts

    def _place_pp(self, depth: int = 1) -> Phrase:
        if self._chance(0.25):
            return join(("case", _case("in")), ("head", self._name(self._choose("city country"))))
        preposition = self._choose("in in at near behind from")
        return join(("case", _case(preposition)), ("head", self._np("place", depth)))

    def _time(self, style: str) -> tuple[str, Phrase]:
        """Draws a time that suits the tense: "yesterday" with a past, "tomorrow" with a modal."""
        roll = self._random.random()
        day, which = {
            "past": ("yesterday", "last"),
            "modal": ("tomorrow", "next"),
        }.get(style, ("today", "this"))
        if roll < 0.2:
            return "obl:unmarked", word(day, "NOUN", "NN", "Number=Sing")
        if roll < 0.4:
            noun = word(self._form("time"), "NOUN", "NN", "Number=Sing")
            if which == "this":
                return "obl:unmarked", join(("det", self._determiner_word(which)), ("head", noun))
            adjective = word(which, "ADJ", "JJ", "Degree=Pos")
            return "obl:unmarked", join(("amod", adjective), ("head", noun))
        if roll < 0.75:
            return "obl", self._dated(style)
        return "advmod", _adverb(self._when(style))

    def _when(self, style: str) -> str:
        if style == "past":
            return self._form("adv_time")
        return self._choose("soon later again" if style == "modal" else "now again")

    def _dated(self, style: str = "") -> Phrase:
        if self._chance(0.4):
            return join(("case", _case("on")), ("head", self._name("weekday")))
        if self._chance(0.3):
            when = _case(self._choose("before after during"))
            return join(("case", when), ("head", self._np("event", 0)))
        if self._chance(0.4) and style == "past":
            year = word(str(self._random.randint(1990, 2024)), "NUM", "CD", DIGITS)
            return join(("case", _case("in")), ("head", year))
        month, day = (
            self._name("month"),
            word(str(self._random.randint(1, 28)), "NUM", "CD", DIGITS),
        )
        if self._chance(0.5):
            return join(("case", _case("on")), ("head", join(("head", month), ("nummod", day))))
        return join(("case", _case("in")), ("head", month))

    def _adjuncts(self, style: str, probability: float = 0.5) -> list[Part]:
        adjuncts: list[Part] = []
        if self._chance(probability * 0.35):
            adjuncts.append(("advmod", _adverb(self._form("adv_manner"))))
        if self._chance(probability * 0.7):
            adjuncts.append(("obl", self._place_pp(0)))
        if self._chance(probability * 0.6):
            adjuncts.append(self._time(style))
        return adjuncts

    # ---- verbs

    def _verb(self, lexeme: Lexeme, code: str, agreement: str = "3Sing", voice: str = "") -> Phrase:
        if code == "pres":
            third = agreement.startswith("3Sing")
            feats, xpos = _finite(agreement, "Pres"), _present_tag(agreement)
            return word(lexeme.form("s" if third else ""), "VERB", xpos, feats, lexeme.lemma)
        feats, xpos = {
            "past": (_finite(agreement, "Past"), "VBD"),
            "part": (features(Tense="Past", VerbForm="Part", Voice=voice), "VBN"),
            "ing": ("Tense=Pres|VerbForm=Part", "VBG"),
            "": ("VerbForm=Inf", "VB"),
        }[code]
        return word(lexeme.form(code), "VERB", xpos, feats, lexeme.lemma)

    def _negation(self, aux: Phrase) -> Phrase:
        """Returns "not", or "n't" as the second half of a multiword token with the auxiliary."""
        node = aux.head
        if node.form in ("am", "may", "might") or self._chance(0.35):
            return word("not", "PART", "RB", "Polarity=Neg")
        node.fused = {"will": "won't", "can": "can't"}.get(node.form, f"{node.form}n't")
        node.form = {"will": "wo", "can": "ca"}.get(node.form, node.form)
        return word("n't", "PART", "RB", "Polarity=Neg", "not")

    def _modal(self) -> Phrase:
        form = self._choose("can could will will would should must may might")
        return word(form, "AUX", "MD", "VerbForm=Fin")

    def _group(self, lexeme: Lexeme, agreement: str, style: str) -> tuple[list[Part], Phrase]:
        """Returns the auxiliaries of a verb, in order, and the verb."""
        if style in ("past", "present"):
            return [], self._verb(lexeme, "past" if style == "past" else "pres", agreement)
        if style.endswith("negated"):
            tense = self._random.choice(["Past", "Pres"])
            aux = auxiliary("do", agreement, tense) if style == "negated" else self._modal()
            return [("aux", aux), ("advmod", self._negation(aux))], self._verb(lexeme, "")
        if style in ("modal", "do"):
            tense = self._random.choice(["Past", "Past", "Pres"])
            aux = self._modal() if style == "modal" else auxiliary("do", agreement, tense)
            return [("aux", aux)], self._verb(lexeme, "")
        if style == "perfect":
            return [("aux", auxiliary("have", agreement))], self._verb(lexeme, "part")
        tense = "Past" if style == "was_progressive" else "Pres"
        return [("aux", auxiliary("be", agreement, tense))], self._verb(lexeme, "ing")

    def _style(self, lexeme: Lexeme, style: str) -> str:
        chosen = style or self._weighted(STYLES)
        if chosen.endswith("progressive") and lexeme.lemma in STATIVE:
            return "do" if style else "past"
        return chosen

    def _predicate(self, agreement: str, style: str = "") -> Predicate:
        """Draws a verb phrase of any kind; ``style`` fixes tense and auxiliaries."""
        kind = self._weighted(PREDICATES)
        lexeme, after = getattr(self, f"_{kind}")()
        return self._verbal(lexeme, after, agreement, style)

    def _verbal(self, lexeme: Lexeme, after: list[Part], agreement: str, style: str) -> Predicate:
        if style == "infinitive":
            return Predicate([], self._verb(lexeme, ""), after)
        style = self._style(lexeme, style)
        if style.endswith("negated") and _is_negative(after):
            style = "past"
        before, head = self._group(lexeme, agreement, style)
        if self._chance(0.12) and not style.endswith("negated"):
            before.append(("advmod", _adverb(self._form("adv_frequency"))))
        return Predicate(before, head, after + self._adjuncts(style))

    def _transitive(self) -> tuple[Lexeme, list[Part]]:
        verb = self._random.choice(list(TRANSITIVE))
        return self._lexeme(verb), [("obj", self._object(TRANSITIVE[verb]))]

    def _intransitive(self) -> tuple[Lexeme, list[Part]]:
        return self._lexeme("intr"), []

    def _motion(self) -> tuple[Lexeme, list[Part]]:
        goal = self._np("place", 0) if self._chance(0.7) else self._name("city")
        to = join(("case", _case(self._choose("to to to from through"))), ("head", goal))
        return self._lexeme("go"), [("obl", to)]

    def _giving(self) -> tuple[Lexeme, list[Part]]:
        gift, receiver = self._np("thing", 0), self._object("person")
        if self._chance(0.55):
            return self._lexeme("give"), [("iobj", receiver), ("obj", gift)]
        to = join(("case", _case("to")), ("head", receiver))
        return self._lexeme("give"), [("obj", gift), ("obl", to)]

    def _phrasal(self) -> tuple[Lexeme, list[Part]]:
        if self._chance(0.35):
            lexeme = self._lexeme("particle_intr")
            return lexeme, [("compound:prt", word(lexeme.particle, "ADP", "RP"))]
        lexeme = self._lexeme("particle")
        particle = word(lexeme.particle, "ADP", "RP")
        if self._chance(0.4):
            thing = pronoun(self._random.choice(["3SingNeut", "3Plur"]), 1)
            return lexeme, [("obj", thing), ("compound:prt", particle)]
        return lexeme, [("compound:prt", particle), ("obj", self._np("thing", 0))]

    def _waiting(self) -> tuple[Lexeme, list[Part]]:
        lexeme = self._lexeme("ppverb")
        about = join(("case", _case(lexeme.particle)), ("head", self._object("person")))
        return lexeme, [("obl", about)]

    def _wanting(self) -> tuple[Lexeme, list[Part]]:
        return self._lexeme("want"), [("xcomp", self._to_infinitive())]

    def _to_infinitive(self) -> Phrase:
        inner = self._predicate_of("transitive intransitive motion waiting", "3Sing", "infinitive")
        to = word("to", "PART", "TO")
        return join(("mark", to), ("head", inner.head), *inner.after)

    def _predicate_of(self, kinds: str, agreement: str, style: str = "") -> Predicate:
        lexeme, after = getattr(self, f"_{self._choose(kinds)}")()
        return self._verbal(lexeme, after, agreement, style)

    def _owning(self) -> tuple[Lexeme, list[Part]]:
        """Main verbs "have" and "do": VERB where the auxiliaries are AUX."""
        if self._chance(0.85):
            have = Lexeme("have", "verb", ("had", "had"))
            owned = self._np(self._choose("thing vehicle abstract document animal mass stuff"))
            return have, [("obj", owned)]
        chore = word("homework", "NOUN", "NN", "Number=Sing")
        own = pronoun(self._random.choice(list(PERSONS)), 2)
        chore = join(("nmod:poss", own), ("head", chore))
        return Lexeme("do", "verb", ("did", "done")), [("obj", chore)]

    def _saying(self) -> tuple[Lexeme, list[Part]]:
        mark = word("that", "SCONJ", "IN") if self._chance(0.65) else None
        return self._lexeme("say"), [("ccomp", self._clause(mark, plain=True))]

    # ---- clauses

    def _copular(self, agreement: str) -> Predicate:
        """Draws a form of "be" with an adjective, a noun or a place, which is the head."""
        copula = auxiliary("be", agreement, self._random.choice(["Pres", "Pres", "Past"]))
        before: list[Part] = [("cop", copula)]
        if self._chance(0.15):
            before.append(("advmod", self._negation(copula)))
        roll = self._random.random()
        if roll < 0.55 or agreement != "3Sing":
            return Predicate(before, self._graded_adjective(), [])
        if roll < 0.75:
            noun = join(("amod", self._adjective("person")), ("head", self._noun("person", False)))
            article = self._determiner_word(self._choose("a the"))
            head = join(("det", article), ("head", noun))
            _fix_article(head)
            return Predicate(before, head, [])
        return Predicate(before, self._place_pp(), [])

    def _graded_adjective(self) -> Phrase:
        adjective = word(self._form("person_adj"), "ADJ", "JJ", "Degree=Pos")
        if self._chance(0.35):
            degree = _adverb(self._form("adv_degree"))
            return join(("advmod", degree), ("head", adjective))
        return adjective

    def _passive(self, agreement: str) -> Predicate:
        tense = self._random.choice(["Pres", "Past", "Past"])
        before: list[Part] = [("aux:pass", auxiliary("be", agreement, tense))]
        if self._chance(0.2):
            have = auxiliary("have", agreement, tense)
            been = word("been", "AUX", "VBN", "Tense=Past|VerbForm=Part", "be")
            before = [("aux", have), ("aux:pass", been)]
        after = self._adjuncts("past" if tense == "Past" else "", 0.6)
        if self._chance(0.5):
            by = join(("case", _case("by")), ("head", self._person_object()))
            after.insert(0, ("obl:agent", by))
        head = self._verb(self._lexeme("use"), "part", voice="Pass")
        return Predicate(before, head, after, "nsubj:pass")

    def _person_object(self) -> Phrase:
        return self._name("name") if self._chance(0.3) else self._np("person", 0)

    def _assemble(self, subject: Phrase, predicate: Predicate, *front: Part) -> Phrase:
        """Puts front material, subject and predicate together; "I am" may become "I'm"."""
        self._contract(subject, predicate)
        own = (predicate.subject, subject)
        return join(*front, own, *predicate.before, ("head", predicate.head), *predicate.after)

    def _contract(self, subject: Phrase, predicate: Predicate) -> None:
        if not predicate.before or subject.head.xpos != "PRP" or not self._chance(0.45):
            return
        first = predicate.before[0][1]
        if first is None or first.head.fused or first.head.form not in CONTRACTED:
            return
        first.head.form = CONTRACTED[first.head.form]
        subject.nodes[-1].fused = subject.nodes[-1].form + first.head.form

    def _clause(self, mark: Phrase | None = None, plain: bool = False) -> Phrase:
        """Draws a declarative clause; ``plain`` ones hold no further clause."""
        roll = self._random.random()
        front: list[Part] = [("mark", mark)] if mark else []
        if roll < 0.2:
            subject = self._person_subject()
            return self._assemble(subject, self._copular(subject.agreement), *front)
        if roll < 0.28:
            subject = self._np("device", 0)
            return self._assemble(subject, self._passive(subject.agreement), *front)
        subject = self._person_subject()
        if plain:
            predicate = self._predicate_of(SIMPLE, subject.agreement)
        else:
            predicate = self._predicate(subject.agreement)
        return self._assemble(subject, predicate, *front)

    def _subject_relative(self, np: Phrase) -> Phrase:
        form, xpos = self._random.choice([("who", "WP"), ("who", "WP"), ("that", "WDT")])
        who = word(form, "PRON", xpos, "PronType=Rel")
        predicate = self._predicate_of("transitive intransitive motion", np.agreement, "past")
        return join(("nsubj", who), ("head", predicate.head), *predicate.after[:2])

    def _object_relative(self, kind: str) -> Phrase:
        (verb,) = (verb for verb, noun in TRANSITIVE.items() if noun == kind)
        form = self._random.choice(["that", "which", ""])
        which = word(form, "PRON", "WDT", "PronType=Rel") if form else None
        subject = self._random.choice(
            [self._name("name"), pronoun("3SingFem", 0), pronoun("1Sing", 0)]
        )
        head = self._verb(self._lexeme(verb), "past", subject.agreement)
        return join(("obj", which), ("nsubj", subject), ("head", head))

    # ---- sentences

    def sentence(self) -> Phrase:
        """Draws one sentence, with capital, final punctuation and at most one negative word."""
        phrase = getattr(self, f"_{self._weighted(SENTENCES)}")()
        while sum(node.lemma in NEGATIVE for node in phrase.nodes) > 1:
            phrase = getattr(self, f"_{self._weighted(SENTENCES)}")()
        return capitalise(phrase)

    def _end(self, clause: Phrase, mark: str = ".") -> Phrase:
        return join(("head", clause), ("punct", _punct(mark, ".")))

    def _statement(self) -> Phrase:
        clause = self._clause()
        if self._chance(0.12):
            adverb = _adverb(self._form("adv_sentence"))
            clause = join(("advmod", adverb), ("punct", _punct(",")), ("head", clause))
        elif self._chance(0.12):
            clause = join(("obl", self._dated()), ("punct", _punct(",")), ("head", clause))
        return self._end(clause)

    def _adverbial(self) -> Phrase:
        marker = self._choose("because when if although while since before after as unless")
        inner = self._clause(word(marker, "SCONJ", "IN"), plain=True)
        if marker == "when":
            inner.nodes[0].upos, inner.nodes[0].xpos, inner.nodes[0].feats = (
                "ADV",
                "WRB",
                "PronType=Int",
            )
            inner.nodes[0].deprel = "advmod"
        main = self._clause(plain=True)
        if self._chance(0.4):
            inner = join(("head", inner), ("punct", _punct(",")))
            return self._end(join(("advcl", inner), ("head", main)))
        return self._end(join(("head", main), ("advcl", inner)))

    def _coordination(self) -> Phrase:
        second = self._clause(plain=True)
        cc = self._coordinator(self._choose("and and but but or"))
        also = join(("punct", _punct(",")), ("cc", cc), ("head", second))
        return self._end(join(("head", self._clause(plain=True)), ("conj", also)))

    def _shared_subject(self) -> Phrase:
        subject = self._person_subject()
        first = self._predicate_of(SIMPLE, subject.agreement, "past")
        second = self._predicate_of(SIMPLE, subject.agreement, "past")
        verb = join(("cc", self._coordinator("and")), ("head", second.head), *second.after)
        first.after.append(("conj", verb))
        return self._end(self._assemble(subject, first))

    def _question(self) -> Phrase:
        subject = self._person_subject()
        if self._chance(0.3):
            predicate = self._copular(subject.agreement)
            predicate.before = predicate.before[:1]
            _undo_contraction(predicate)
        else:
            style = self._choose("do do modal perfect progressive")
            predicate = self._predicate_of(SIMPLE, subject.agreement, style)
        first, *rest = predicate.before or [("aux", auxiliary("do", subject.agreement, "Past"))]
        own = (predicate.subject, subject)
        clause = join(first, own, *rest, ("head", predicate.head), *predicate.after)
        return self._end(clause, "?")

    def _wh_question(self) -> Phrase:
        subject = self._person_subject()
        adverb = self._choose("why when where how what what")
        verb = self._random.choice(["write", "carry", "eat", "use"])
        lexeme = self._lexeme(verb)
        aux, head = self._group(lexeme, subject.agreement, self._choose("do do modal perfect"))
        if adverb == "what":
            front: Part = ("obj", word("what", "PRON", "WP", "PronType=Int"))
            after: list[Part] = []
        else:
            front = ("advmod", _adverb(adverb, "WRB", PronType="Int"))
            after = [("obj", self._np(TRANSITIVE[verb], 0))]
        return self._end(join(front, *aux, ("nsubj", subject), ("head", head), *after), "?")

    def _who_question(self) -> Phrase:
        who = word("who", "PRON", "WP", "PronType=Int")
        predicate = self._predicate_of("transitive phrasal giving", "3Sing", "past")
        return self._end(join(("nsubj", who), ("head", predicate.head), *predicate.after), "?")

    def _imperative(self) -> Phrase:
        predicate = self._predicate_of("transitive giving phrasal waiting", "2Sing", "infinitive")
        predicate.head.head.feats = "Mood=Imp|VerbForm=Fin"
        please = word("please", "INTJ", "UH") if self._chance(0.5) else None
        clause = join(("discourse", please), ("head", predicate.head), *predicate.after)
        if self._chance(0.3):
            who = join(("head", self._name("name")), ("punct", _punct(",")))
            clause = join(("vocative", who), ("head", clause))
        return self._end(clause, self._choose(". !"))

    def _exclamation(self) -> Phrase:
        interjection = word(self._choose(INTERJECTIONS), "INTJ", "UH")
        if self._chance(0.25):
            greeted = self._name("name")
            comma = _punct(",")
            vocative = join(("punct", comma), ("head", greeted))
            return self._end(join(("head", interjection), ("vocative", vocative)), "!")
        opened = join(("head", interjection), ("punct", _punct(",")))
        return self._end(
            join(("discourse", opened), ("head", self._clause(plain=True))), self._choose(". !")
        )

    def _existential(self) -> Phrase:
        there = word("there", "PRON", "EX")
        kind = self._choose("thing animal person place abstract vehicle")
        thing = self._np(kind, 0)
        be = auxiliary("be", thing.agreement, self._random.choice(["Pres", "Past"]))
        be.head.upos = "VERB"
        return self._end(
            join(("expl", there), ("head", be), ("nsubj", thing), ("obl", self._place_pp()))
        )

    def _money(self) -> Phrase:
        amount = word(
            str(self._random.choice([5, 9, 12, 15, 20, 25, 49, 60, 80, 99, 150])),
            "NUM",
            "CD",
            DIGITS,
        )
        sign = word(self._choose("$ € £"), "SYM", "$", glue="right")
        return join(("head", sign), ("nummod", amount))

    def _price(self) -> Phrase:
        kind = self._choose("thing device document food")
        subject = self._np(kind, 0)
        lexeme = Lexeme("cost", "verb", ("cost", "cost"))
        before, head = self._group(lexeme, subject.agreement, self._choose("past present modal"))
        own: Part = ("nsubj", subject)
        return self._end(join(own, *before, ("head", head), ("obj", self._money())))

    def _percent(self) -> Phrase:
        share = word(str(self._random.randint(2, 95)), "NUM", "CD", DIGITS)
        percent = word("%", "SYM", "NN", "Number=Sing", glue="left")
        people = join(("case", _case("of")), ("head", self._plural_group()))
        subject = join(("nummod", share), ("head", percent), ("nmod", people), agreement="3Plur")
        return self._end(
            self._assemble(
                subject, self._predicate_of(SIMPLE, "3Plur", self._choose("past present"))
            )
        )

    def _plural_group(self) -> Phrase:
        return join(("det", self._determiner_word("the")), ("head", self._noun("person", True)))

    def _sum(self) -> Phrase:
        left, right = self._random.randint(2, 30), self._random.randint(2, 30)
        one, two, three = (word(str(n), "NUM", "CD", DIGITS) for n in (left, right, left + right))
        plus = join(("cc", word("+", "SYM", "SYM")), ("head", two))
        terms = join(("head", one), ("conj", plus))
        if self._chance(0.5):
            return self._end(
                join(("nsubj", terms), ("cop", auxiliary("be", "3Sing")), ("head", three))
            )
        lexeme = Lexeme("make", "verb", ("made", "made"))
        return self._end(
            join(("nsubj", terms), ("head", self._verb(lexeme, "pres")), ("obj", three))
        )

    def _foreign(self) -> Phrase:
        forms = self._random.choice(FOREIGN).split()
        words = [word(form, "X", "FW", "Foreign=Yes") for form in forms]
        phrase = join(("head", words[0]), *(("flat", other) for other in words[1:]))
        quoted = join(
            ("punct", _punct('"', "``", "right")), ("head", phrase), ("punct", _punct('"', "''"))
        )
        subject = self._person_subject()
        verb = Lexeme(*self._random.choice(SPEAKING))
        return self._end(
            join(
                ("nsubj", subject),
                ("head", self._verb(verb, "past", subject.agreement)),
                ("obj", quoted),
            )
        )

    def _smiley(self) -> Phrase:
        clause = self._end(self._clause(plain=True), self._choose(". !"))
        face = word(self._choose(":) ;) :( :-)"), "SYM", "NFP")
        return join(("head", clause), ("discourse", face))

    def _gapping(self) -> Phrase:
        """Draws "Anna ordered tea, and Paul coffee.": the second verb is an empty node."""
        verb = self._random.choice(["eat", "serve", "write", "carry"])
        lexeme, kind = self._lexeme(verb), TRANSITIVE[verb]
        names = self._random.sample([item.lemma for item in self._classes["name"]], 2)
        one, two = (word(name, "PROPN", "NNP", "Number=Sing") for name in names)
        head = self._verb(lexeme, "past")
        elided = self._verb(lexeme, "past")
        remnant = self._np(kind, 0)
        comma, cc = _punct(","), self._coordinator("and")
        first = join(("nsubj", one), ("head", head), ("obj", self._np(kind, 0)))
        second = join(("punct", comma), ("cc", cc), ("head", two), ("orphan", remnant))
        sentence = join(("head", first), ("conj", second))
        insert_elided(
            sentence,
            elided,
            after=two,
            governor=(head, "conj"),
            roles=[(comma, "punct"), (cc, "cc"), (two, "nsubj"), (remnant, "obj")],
        )
        return self._end(sentence)

    def _speech(self) -> Phrase:
        said = self._clause(plain=True)
        opened = join(
            ("punct", _punct('"', "``", "right")),
            ("head", said),
            ("punct", _punct(",")),
            ("punct", _punct('"', "''")),
        )
        subject = self._person_subject()
        verb = self._verb(Lexeme(*self._random.choice(SPEAKING)), "past", subject.agreement)
        return self._end(join(("ccomp", opened), ("nsubj", subject), ("head", verb)))

    def _comparative(self) -> Phrase:
        subject, other = self._np("person", 0), self._person_object()
        lexeme = self._lexeme("short")
        copula = auxiliary("be", subject.agreement)
        than = join(("case", _case("than")), ("head", other))
        if self._chance(0.6):
            head = word(lexeme.form("er"), "ADJ", "JJR", "Degree=Cmp", lexeme.lemma)
        else:
            more = word("more", "ADV", "RBR", "Degree=Cmp")
            head = join(
                ("advmod", more), ("head", word(self._form("long"), "ADJ", "JJ", "Degree=Pos"))
            )
        return self._end(join(("nsubj", subject), ("cop", copula), ("head", head), ("obl", than)))

    def _superlative(self) -> Phrase:
        lexeme = self._lexeme("shortnoun")
        best = word(lexeme.form("est"), "ADJ", "JJS", "Degree=Sup", lexeme.lemma)
        the = self._determiner_word("the")
        noun = self._noun(self._choose("thing device place animal"), False)
        this = word("this", "PRON", "DT", "Number=Sing|PronType=Dem")
        head = join(("det", the), ("amod", best), ("head", noun))
        be = auxiliary("be", "3Sing")
        return self._end(
            join(("nsubj", this), ("cop", be), ("head", head), ("nmod", self._place_pp(0)))
        )

    def _fragment(self) -> Phrase:
        kind = self._choose("food event place device document")
        noun = self._noun(kind, self._chance(0.3))
        phrase = join(("amod", self._adjective(kind)), ("head", noun))
        if self._chance(0.4):
            cc = join(("cc", self._coordinator("and")), ("head", self._adjective(kind)))
            return self._end(join(("head", self._adjective(kind)), ("conj", cc)), "!")
        return self._end(phrase, self._choose(". !"))

    def _list(self) -> Phrase:
        kind = self._choose("food thing animal")
        one, two, three = (self._np(kind, 0) for _ in range(3))
        last = join(("punct", _punct(",")), ("cc", self._coordinator("and")), ("head", three))
        goods = join(
            ("head", one), ("conj", join(("punct", _punct(",")), ("head", two))), ("conj", last)
        )
        subject = self._person_subject()
        head = self._verb(self._lexeme("carry"), "past", subject.agreement)
        return self._end(join(("nsubj", subject), ("head", head), ("obj", goods)))

    def _infinitive_adjective(self) -> Phrase:
        it = pronoun("3SingNeut", 0)
        copula = auxiliary("be", "3Sing", self._random.choice(["Pres", "Past"]))
        adjective = word(
            self._choose("difficult important easy good possible"), "ADJ", "JJ", "Degree=Pos"
        )
        predicate = Predicate(
            [("cop", copula)], adjective, [("csubj", self._to_infinitive())], "expl"
        )
        return self._end(self._assemble(it, predicate))

    def _reflexive(self) -> Phrase:
        person = self._random.choice([name for name in PERSONS if name != "3SingNeut"])
        verb = self._verb(self._lexeme("blame"), "past", person[:5])
        own = pronoun(person, 3)
        clause = join(
            ("nsubj", pronoun(person, 0)), ("head", verb), ("obj", own), *self._adjuncts("past")
        )
        return self._end(clause)

    def _parenthesis(self) -> Phrase:
        company = self._name("company")
        place = self._name("city")
        inside = join(
            ("punct", _punct("(", "-LRB-", "right")),
            ("head", place),
            ("punct", _punct(")", "-RRB-")),
        )
        subject = join(("head", company), ("parataxis", inside))
        lexeme = Lexeme(*self._random.choice(TRADING))
        predicate = self._verbal(
            lexeme, [("obj", self._object(self._choose("device vehicle")))], "3Sing", ""
        )
        return self._end(self._assemble(subject, predicate))


def _is_negative(parts: list[Part]) -> bool:
    nodes = [node for _, phrase in parts if phrase for node in phrase.nodes]
    return any(node.lemma in NEGATIVE for node in nodes)


def _fix_article(np: Phrase) -> None:
    """Writes "an" where the next word begins with a vowel."""
    for node, following in zip(np.nodes, np.nodes[1:], strict=False):
        if node.form == "a" and node.upos == "DET" and following.form[0].lower() in "aeiou":
            node.form = "an"


def _undo_contraction(predicate: Predicate) -> None:
    for _, phrase in predicate.before:
        if phrase is not None:
            phrase.head.fused = ""
