"""Prints how Unstride compares with cuDNN, layer by layer.

compare_with_cudnn.py GPU.json      the file that unstride_gpu_bench wrote
"""

import json
import math
import sys


def main(path):
    """Prints a line for each layer and layout, and the mean over those that cuDNN has an algorithm for."""
    with open(path) as file:
        document = json.load(file)
    rows = [row for row in document["results"] if "seconds" in row]
    times = {(row["layer"], row["layout"], row["who"]): row for row in rows}
    ratios = []
    for (layer, layout, who), ours in times.items():
        if who != "unstride":
            continue
        start = f"{layer:14} {layout} {1e3 * ours['seconds']:9.4f} ms"
        theirs = times.get((layer, layout, "cudnn"))
        if not theirs:
            print(f"{start}  cuDNN has nothing for it  {ours['algorithm']}")
            continue
        ratios.append(theirs["seconds"] / ours["seconds"])
        here = [row for row in rows if (row["layer"], row["layout"]) == (layer, layout)]
        others = [row for row in here if not row["who"].startswith(("unstride", "cudnn"))]
        fastest = min(others, key=lambda row: row["seconds"], default=ours)
        better = f"; {fastest['who']} {1e3 * fastest['seconds']:.4f} ms" if fastest["seconds"] < ours["seconds"] else ""
        print(
            f"{start}  cuDNN {1e3 * theirs['seconds']:9.4f} ms  {ratios[-1]:6.2f}x"
            f"  {ours['fraction_of_peak']:4.0%} of the peak  {ours['algorithm']}{better}"
        )
    if ratios:
        print(f"geometric mean {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}x, least {min(ratios):.2f}x")
    name = "".join(c if c.isalnum() else "_" for c in document["machine"]["gpu"])
    print(f"To keep these for the report: cp {path} bench/gpu/results/{name}.json")


main(sys.argv[1])
