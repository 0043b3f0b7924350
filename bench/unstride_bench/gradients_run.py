"""The run `--only gradients`: forward and each gradient beside PyTorch's, in all layouts."""

from unstride_bench.layer_table import LAYOUTS
from unstride_bench.ratios import Comparison
from unstride_bench.visits import Visits

GRADIENTS = ("input_gradient", "weight_gradient", "bias_gradient")


class GradientsRun(Visits):
    """Measures forward and the gradients, each by itself."""

    parts = ("results", "gradients")

    def add_rows(self, layer):
        """Adds rows for forward and for each gradient."""
        super().add_rows(layer)
        for operator in GRADIENTS:
            self.document["gradients"] += [{**row, "operator": operator} for row in self.rows_of_libraries(layer)]

    def rows_to_load(self, layer, wanted):
        """All of ours, which peers' gradients are compared with, and what is wanted of the peers."""
        ours = [row for part in self.parts for row in self.rows(layer, part) if row["who"] == "unstride"]
        return ours + [row for row in wanted if row["who"] != "unstride"]

    def comparisons(self, layer):
        """What is asked about a layer: for each operator and layout, the speed beside the fastest peer in any layout,
        and in this layout."""
        asked = []
        for operator in (None, *GRADIENTS):
            rows = [row for part in self.parts for row in self.rows(layer, part) if row.get("operator") == operator]
            theirs = [row for row in rows if row["who"] != "unstride"]
            for layout in LAYOUTS:
                ours = next(row for row in rows if (row["who"], row["layout"]) == ("unstride", layout))
                asked.append(Comparison(ours, theirs))
                asked.append(Comparison(ours, [row for row in theirs if row["layout"] == layout]))
        return asked
