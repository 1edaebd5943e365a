"""Every table of the report, as a Markdown pipe table in the report's language.

``tabulate_x(results, words, ...)`` selects stored results, averages them over seeds (times: the
median) and formats them; nothing is measured or estimated here. All visible words come from
``words/texts/<language>/tables.toml``. A table remembers the numbers behind its cells
(``tabulation.markdown.Table``). The tables themselves are in the modules below.
"""

from tabulation.costs import tabulate_costs, tabulate_growth, tabulate_memory, tabulate_prices
from tabulation.curves import tabulate_convergence
from tabulation.errors import (
    tabulate_acceptability_errors,
    tabulate_always_wrong,
    tabulate_threshold,
    tabulate_wrong_examples,
)
from tabulation.literature import tabulate_literature
from tabulation.markdown import Table
from tabulation.overview import tabulate_key_numbers, tabulate_summary_of_requirements
from tabulation.quality import (
    tabulate_acceptability,
    tabulate_comparisons,
    tabulate_quality,
    tabulate_seqeval,
    tabulate_seqeval_trap,
    tabulate_tagging,
    tabulate_tags,
)
from tabulation.setup import (
    tabulate_environment,
    tabulate_missing,
    tabulate_setup,
    tabulate_sources,
)
from tabulation.transfer import (
    tabulate_confusions,
    tabulate_drop_causes,
    tabulate_tag_drop,
    tabulate_transfer_breakdown,
)
from tabulation.weights import (
    tabulate_drift,
    tabulate_embedding_rows,
    tabulate_mean_distance,
    tabulate_representation,
    tabulate_restoration,
    tabulate_structure,
    tabulate_untouched,
)
