"""What a chunk imports: figures and the export."""

from rendering.export import export_results as export_results
from rendering.figures import show_figure as show_figure
