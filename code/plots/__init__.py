"""Every figure of the report: ``plot_x(results, words, ...)`` returns a matplotlib figure.

A figure is a query on the facts: nothing is measured or estimated here and no file is written.
Its label (``get_label``) is its alternative text.
"""

from plots.acceptability import plot_acceptability_errors, plot_quality
from plots.drift import plot_drift, plot_drift_heatmap
from plots.experiments import plot_rates, plot_shares, plot_specifications
from plots.forgetting import plot_forgetting
from plots.learning import plot_learning_curves
from plots.tagging import plot_tagging
from plots.transfer import plot_confusion, plot_tag_transfer
from plots.updates import plot_representation, plot_update_structure
