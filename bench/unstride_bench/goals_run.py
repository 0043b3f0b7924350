"""The run `--only goals`: the planner's choice beside the peers, and beside the variants that may be better."""

from unstride_bench.layer_table import LAYOUTS
from unstride_bench.ratios import REGRET, Comparison
from unstride_bench.short_turns import PEER_TYPES
from unstride_bench.visits import Visits

PARTS = ("results", "bf16", "variants")  # of the document, which have rounds

# Variants are candidates for the best one if the planner expects at most so many times the least time that it expects
# of any. They take turns for some rounds, and the fastest then is the rival of the planner's choice. The rounds after
# that tell how much faster it is: those that chose it do not count, as the luckiest of many looks too fast in them.
CANDIDATE_MARGIN = 1.5
CHOOSING_ROUNDS = 3
CHOOSING_MARGIN = 0.3


class GoalsRun(Visits):
    """Measures what tells of the project's goals."""

    parts = PARTS

    def add_rows(self, layer):
        """Adds rows for Unstride and its peers, in f32 and in bf16."""
        super().add_rows(layer)
        for row in self.rows_of_libraries(layer):
            if row["who"] == "unstride" or "bf16" in PEER_TYPES.get(row["who"], ()):
                self.document["bf16"].append({**row, "dtype": "bf16"})

    def after_load(self, layer):
        """Adds the variants that may be better than the planner's choice."""
        self.add_candidates(layer)

    def after_round(self, layer):
        """Chooses the rivals of the planner's choices."""
        for row in self.rows(layer, "results"):
            if row["who"] == "unstride":
                self.choose_rival(layer, row)

    def add_candidates(self, layer):
        """Adds rows for the planner's choice and for the variants that may be better."""
        for row in self.rows(layer, "results"):
            if row["who"] == "unstride":
                layout, planned = row["layout"], row["variant"]
                names = [v["name"] for v in self.benchmark.variants if (v["layout"], v["device"]) == (layout, "cpu")]
                worker = self.benchmark.worker("unstride")
                expected = worker.ask("expect", layout=layout, variants=names)["seconds"]
                most = CANDIDATE_MARGIN * min(expected.values(), default=0)
                candidates = [name for name, seconds in expected.items() if seconds <= most and name != planned]
                for name in (planned, *candidates):
                    place = {"layer": layer.name, "layout": layout, "variant": name}
                    self.document["variants"].append({**place, "planned": name == planned, "final": False})

    def comparisons(self, layer):
        """What is asked about a layer: in each layout, the speed beside the fastest peer in any layout, the same in
        this layout, that in bf16, and the planner's choice beside its rival or those that may become it."""
        asked = []
        for layout in LAYOUTS:
            for part in ("results", "bf16"):
                rows = self.rows(layer, part)
                ours = next(row for row in rows if (row["who"], row["layout"]) == ("unstride", layout))
                theirs = [row for row in rows if row["who"] != "unstride"]
                asked.append(Comparison(ours, theirs))
                if part == "results":
                    asked.append(Comparison(ours, [row for row in theirs if row["layout"] == layout]))
                    asked.append(self.choice(layer, ours))
        return asked

    def choice(self, layer, ours):
        """The planner's choice in a layout beside its rival, or beside the candidates while there is no rival."""
        planned, *others = [row for row in self.rows(layer, "variants") if row["layout"] == ours["layout"]]
        if not planned["final"]:
            return Comparison(ours, others, 1 / REGRET, CHOOSING_MARGIN, CHOOSING_ROUNDS)
        return Comparison(ours, [row for row in others if row["final"]], 1 / REGRET)

    def choose_rival(self, layer, ours):
        """Once the candidates have had their rounds, makes the fastest of them the rival, whose rounds begin anew."""
        planned, *others = [row for row in self.rows(layer, "variants") if row["layout"] == ours["layout"]]
        fastest = self.choice(layer, ours).fastest()
        if not planned["final"] and (not others or fastest[0].rounds >= CHOOSING_ROUNDS):
            planned["final"] = True
            if others:
                rival = fastest[1]
                rival.update(final=True, rounds=[None] * len(rival["rounds"]))
        planned.update({name: ours[name] for name in ("rounds", "seconds")})  # its turns are those of the result
