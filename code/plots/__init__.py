"""Every figure of the report: ``plot_x(results, ..., words)`` returns a ``Drawing``.

A figure selects stored results and averages them over seeds; nothing is measured or estimated here
and no file is written. The figures themselves are in the modules below.
"""

from plots.costs import plot_memory
from plots.drift import plot_drift_comparison, plot_drift_heatmap, plot_drift_histogram
from plots.learning import plot_learning_curves, plot_learning_curves_by_time
from plots.quality import plot_acceptability_errors, plot_quality_and_cost, plot_threshold
from plots.tagging import plot_tagging
from plots.transfer import plot_confusion, plot_tag_transfer, plot_transfer_breakdown
from plots.updates import plot_representation, plot_update_structure
