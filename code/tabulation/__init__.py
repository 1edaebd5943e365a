"""Every table of the report, as a Markdown pipe table in the report's language.

``tabulate_x(results, words, ...)`` selects stored results, averages them over seeds (times: the
median) and formats them; nothing is measured or estimated here. All visible words come from
``words/texts/<language>/tables.toml``. The tables themselves are in the modules below.
"""

from tabulation.acceptability import (
    tabulate_acceptability,
    tabulate_acceptability_errors,
    tabulate_always_wrong,
    tabulate_phenomena,
    tabulate_quality,
    tabulate_threshold,
    tabulate_wrong_examples,
)
from tabulation.curves import tabulate_convergence
from tabulation.drift import (
    tabulate_drift,
    tabulate_embedding_rows,
    tabulate_mean_distance,
    tabulate_representation,
    tabulate_structure,
    tabulate_untouched,
)
from tabulation.overview import (
    tabulate_environment,
    tabulate_literature,
    tabulate_missing,
    tabulate_sources,
    tabulate_summary_of_requirements,
)
from tabulation.tagging import (
    tabulate_confusions,
    tabulate_drop_causes,
    tabulate_seqeval,
    tabulate_seqeval_trap,
    tabulate_tag_drop,
    tabulate_tagging,
    tabulate_tags,
    tabulate_transfer_breakdown,
)
from tabulation.tasks import (
    tabulate_comparisons,
    tabulate_corpora,
    tabulate_costs,
    tabulate_memory,
    tabulate_models,
    tabulate_setup,
)

__all__ = [
    "tabulate_acceptability",
    "tabulate_acceptability_errors",
    "tabulate_always_wrong",
    "tabulate_comparisons",
    "tabulate_confusions",
    "tabulate_convergence",
    "tabulate_corpora",
    "tabulate_costs",
    "tabulate_drift",
    "tabulate_drop_causes",
    "tabulate_embedding_rows",
    "tabulate_environment",
    "tabulate_literature",
    "tabulate_mean_distance",
    "tabulate_memory",
    "tabulate_missing",
    "tabulate_models",
    "tabulate_phenomena",
    "tabulate_quality",
    "tabulate_representation",
    "tabulate_seqeval",
    "tabulate_seqeval_trap",
    "tabulate_setup",
    "tabulate_sources",
    "tabulate_structure",
    "tabulate_summary_of_requirements",
    "tabulate_tag_drop",
    "tabulate_tagging",
    "tabulate_tags",
    "tabulate_threshold",
    "tabulate_transfer_breakdown",
    "tabulate_untouched",
    "tabulate_wrong_examples",
]
