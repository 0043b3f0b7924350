"""Times torch.nn.ConvTranspose3d on the layers of layers.csv, in both layouts, beside `unstride bench --json`.

    unstride bench --json bench.json
    python bench/pytorch.py [--against bench.json] [--threads N] [--layers A,B]

Needs PyTorch, which the project itself does not. Prints milliseconds, the median of repeated calls, and with --against how
many times as fast Unstride is as the faster of PyTorch's layouts. Set MALLOC_MMAP_THRESHOLD_, MALLOC_TRIM_THRESHOLD_ and
MALLOC_TOP_PAD_ to a few gigabytes, so that page faults of PyTorch's fresh output do not count against it.
"""

import argparse
import csv
import json
import pathlib
import statistics
import time

import torch


def triple(text):
    return tuple(int(size) for size in text.split("x"))


def seconds(layer, x):
    with torch.no_grad():
        layer(x)
        times = []
        while sum(times) < 0.3 or len(times) < 5:
            start = time.perf_counter()
            layer(x)
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(row):
    layer = torch.nn.ConvTranspose3d(
        int(row["in_channels"]),
        int(row["out_channels"]),
        triple(row["kernel_size"]),
        triple(row["stride"]),
        triple(row["padding"]),
        triple(row["output_padding"]),
        int(row["groups"]),
        True,
        triple(row["dilation"]),
    )
    x = torch.rand(int(row["batch"]), int(row["in_channels"]), *triple(row["input_size"]))
    contiguous = seconds(layer, x)
    last = torch.channels_last_3d
    return contiguous, seconds(layer.to(memory_format=last), x.to(memory_format=last))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", help="what unstride bench --json wrote")
    parser.add_argument("--threads", type=int, help="default: PyTorch's own")
    parser.add_argument("--layers", help="names, separated by commas; default: all")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    ours = {}
    if arguments.against:
        for result in json.loads(pathlib.Path(arguments.against).read_text())["results"]:
            if result["planned"]:
                ours[result["layer"], result["layout"]] = result["seconds"]

    ratios = {"ncdhw": [], "ndhwc": []}
    with open(pathlib.Path(__file__).with_name("layers.csv"), newline="") as table:
        for row in csv.DictReader(table):
            if arguments.layers and row["name"] not in arguments.layers.split(","):
                continue
            times = measure(row)
            line = f"{row['name']:14} torch {1e3 * times[0]:9.2f} {1e3 * times[1]:9.2f}"
            for layout, of_layout in ratios.items():
                if (row["name"], layout) in ours:
                    of_layout.append(min(times) / ours[row["name"], layout])
                    line += f"   {layout} {1e3 * ours[row['name'], layout]:8.2f} {of_layout[-1]:6.2f}x"
            print(line, flush=True)
    for layout, of_layout in ratios.items():
        if of_layout:
            print(f"{layout}: least {min(of_layout):.2f}x, median {statistics.median(of_layout):.2f}x")


if __name__ == "__main__":
    main()
