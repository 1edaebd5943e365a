"""From stored predictions to the evidence of Tasks 1 and 2, as two nested dicts of plain values.

``summarise_acceptability`` and ``summarise_tagging`` compose ``scoring``, ``intervals``,
``baselines`` and ``transfer`` by way of ``panels``. This module is their door and the description
of what they return. Methods, evaluations, languages and tags are data: no name has a meaning, and
results keep the order given.
All values are str, int, float, bool, None, list or dict; NaN never occurs. Fractions are in [0, 1].
What is missing is None, and ``reason`` beside it says why.

ESTIMATE, a mean over seeds::

    value              float | None
    low, high          interval over items and seeds (see ``intervals``) | None
    low_items, high_items   interval over items, for these trained models | None
    sd                 sample sd over seeds | None for one seed
    per_seed           list of floats, parallel to the method's ``seeds``
    covers             "items and seeds" | "items" (one seed, or a control, which has none)
    reason             None | why something above is None

COMPARISON, first minus second method on the same items and the seeds both have::

    evaluation         name of the evaluated set (for a drop: of the target)
    metric             "matthews_correlation", "accuracy", "macro_f1" or "drop"
    first, second      methods
    effect             float | None
    low, high, p, p_corrected                          over items and seeds
    low_items, high_items, p_items, p_items_corrected  over items, for these trained models
    family             how many comparisons Holm's correction covers: all pairs of methods for this
                       metric on this evaluation
    n                  items (CoLA) or sentences (POS; for a drop: of both sets) compared
    seeds              the seeds in common, [] between two controls
    covers, reason     as in ESTIMATE

``summarise_acceptability`` returns::

    evaluation, items, level, resamples, rng_seed
    reasons            list of sentences: what is missing in this summary as a whole
    majority_label     1 | 0 | None
    methods: name ->
        control        bool; a control is "majority class", computed here
        seeds          list of int, [] for a control
        metrics        matthews_correlation, accuracy, f1, f1_unacceptable, macro_f1, loss
        confusion      2 x 2 mean over seeds, gold in rows, "not acceptable" first
        threshold      None for a control, else
            thresholds, matthews_correlation, sd   101 probabilities; MCC's mean over seeds, its sd
                                  (list | None)
            argmax                MCC at 0.5, mean over seeds
            upper_bound       mean over seeds of the best MCC at any threshold: an UPPER BOUND,
                                  chosen on the items that it is scored on
            gain                  upper_bound - argmax
            best_thresholds       list, one a seed
        errors
            by_domain, by_length, by_label, by_phenomenon: list of
                group, items, share, accuracy (ESTIMATE), matthews_correlation (ESTIMATE)
                by_domain: "in" | "out" | "unknown"; by_length: words, "1-5" ..;
                by_label: "majority" | "minority" (is the gold label the training majority?),
                [] where the majority is unknown; by_phenomenon: [] where the corpus names none
            agreement  ESTIMATE of the share of items given the majority label | None
            always_wrong: indices (row numbers of items), count, expected, share
    always_wrong       the same over all seeds of all trained methods
    comparisons        list of COMPARISON, metrics "matthews_correlation" and "accuracy"

``summarise_tagging`` returns::

    tags, source, level, resamples, rng_seed, reasons
    evaluations: name -> language, words, sentences, support (tag -> gold words)
    targets            evaluations in another language than the source's
    cause_meanings     cause -> what it covers, in words
    seqeval_trap       see ``scoring.seqeval_trap_example``
    methods: name ->
        control        bool; a control is "most frequent tag", computed here
        seeds          list of int, [] for a control
        evaluations: name -> (only sets with predictions; others are named in ``reasons``)
            metrics    accuracy, macro_f1, weighted_f1, seqeval_f1 -> ESTIMATE (seqeval_f1 has no
                       interval)
            per_tag    list of tag, support, precision, recall (means over seeds | None),
                       f1 (ESTIMATE)
            confusion  T x T mean word counts over seeds, gold in rows
            by_seen ("seen" | "unseen" in English training), by_pieces ("1" .. "4+"),
            by_length (words of the sentence, "1-5" ..): list of
                group, words, share, accuracy (ESTIMATE)
        transfer: target -> (only where source and target have predictions)
            drop       ESTIMATE, source minus target accuracy
            drop_macro_f1   ESTIMATE
            by_tag, by_seen, by_pieces, by_length: list of group, source_words, target_words,
                       source_accuracy, target_accuracy (float | None), drop (ESTIMATE),
                       points, points_rate, points_mix (``transfer.DropRow``; points add up to drop)
            cells      list of gold, predicted, source_rate, target_rate, points, share, ranked by
                       points (``transfer.CellRow``; points add up to drop)
            causes     list of cause, source_rate, target_rate, points (ESTIMATE; values add up to
                       drop), share (of the drop | None), ranked by points
    comparisons        list of COMPARISON: "accuracy" and "macro_f1" on every evaluation, "drop" to
                       every target
"""

from evidence.acceptability import MAJORITY, summarise_acceptability
from evidence.tagging import LEXICAL, summarise_tagging

__all__ = ["LEXICAL", "MAJORITY", "summarise_acceptability", "summarise_tagging"]
