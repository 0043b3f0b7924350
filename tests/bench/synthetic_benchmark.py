"""Made-up numbers in the form of bench/bench.py: all layers of the table, with whatever may be missing."""

import random

from unstride_bench import layer_table
from unstride_bench.gradients_run import GRADIENTS
from unstride_bench.layer_table import LAYOUTS
from unstride_bench.peers import PEERS
from unstride_bench.short_turns import EPILOGUES, PEER_TYPES, TYPES

VARIANTS = {
    "ncdhw": (
        "columns_12x32_s1",
        "columns_12x32_s2",
        "columns_8x48_s1",
        "columns_8x48_s2",
        "channels_32x8_s1",
        "channels_32x8_s2",
        "depthwise_4x64_s2",
    ),
    "ndhwc": (
        "channels_32x12_s1",
        "channels_32x12_s2",
        "channels_64x6_s1",
        "channels_64x6_s2",
        "columns_1x64_s1",
        "depthwise_64x4_s2",
    ),
}
PEAK_GFLOPS, BANDWIDTH_GBS, CLOCK_GHZ = 200.0, 40.0, 3.2


def product(sizes):
    result = 1
    for size in sizes:
        result *= size
    return result


def limits(layer):
    """Operations, not looking at borders, and bytes."""
    flops = 2 * product(layer.input_shape) * layer.out_channels // layer.groups * product(layer.kernel_size)
    weights = layer.in_channels * layer.out_channels // layer.groups * product(layer.kernel_size)
    return flops, 4 * (product(layer.input_shape) + weights + layer.out_channels + product(layer.output_shape))


def synthetic_document(peers=True, most_layers=None):
    chance = random.Random(3)
    document = {
        "schema": 1,
        "created": "2026-11-22T12:00+00:00",
        "settings": {"threads": 2, "isa": None, "only": None, "rounds": 3, "seconds": 0.3, "variants": "fast"},
        "machine": {
            "cpu": "A made-up processor",
            "threads": 2,
            "peak_gflops": PEAK_GFLOPS,
            "clock_ghz": CLOCK_GHZ,
            "bandwidth_gbs": BANDWIDTH_GBS,
            "processors": 2,
            "memory_bytes": 16 << 30,
            "load_average": 0.1,
            "system": "made up",
        },
        "versions": {"unstride": "0.1.0"},
        "results": [],
        "gradients": [],
        "bf16": [],
        "layer_kernels": [],
        "variants": [],
        "epilogues": [],
        "types": [],
        "layers": [],
        "code": [],
        "peers": {
            p.name: {"label": p.label, "note": p.note, "layouts": p.layouts, "environment": p.environment}
            for p in PEERS
            if peers
        },
    }

    def result(layer, layout, who, seconds, extra, **more):
        return {
            "layer": layer.name,
            "layout": layout,
            "who": who,
            "seconds": seconds,
            "fastest": 0.98 * seconds,
            "slowest": 1.2 * seconds,
            "rounds": [seconds * (1 + 0.01 * i * (-1 if who == "unstride" else 1)) for i in range(-3, 4)],
            "samples": 30,
            "difference": 1e-6,
            "extra_bytes": int(extra),
            **more,
        }

    for layer in layer_table.read()[:most_layers]:
        flops, moved = limits(layer)
        document["layers"].append(
            {
                "name": layer.name,
                "summary": layer.summary,
                "source": layer.source,
                "in_channels": layer.in_channels,
                "out_channels": layer.out_channels,
                "groups": layer.groups,
                "text": layer.text,
                "flops": flops,
                "compulsory_bytes": moved,
            }
        )
        fastest = max(flops / PEAK_GFLOPS, moved / BANDWIDTH_GBS) * 1e-9
        for layout in LAYOUTS:
            planned = chance.choice(VARIANTS[layout])
            times = {name: fastest / chance.uniform(0.15, 0.95) for name in VARIANTS[layout]}
            times[planned] = min(times.values()) * chance.choice((0.95, 1.03, 1.1))
            for name, seconds in times.items():
                if name == planned or not name.startswith("depthwise") or layer.groups == layer.in_channels:
                    document["variants"].append(
                        {
                            "layer": layer.name,
                            "layout": layout,
                            "seconds": seconds,
                            "rounds": [seconds] * 3,
                            "variant": f"{layout}_{name}_avx512",
                            "planned": name == planned,
                            "final": True,
                        }
                    )
            document["results"].append(
                result(
                    layer,
                    layout,
                    "unstride",
                    times[planned],
                    moved / 50,
                    packed_bytes=1000,
                    variant=f"{layout}_{planned}_avx512",
                    scratch_bytes=1000,
                )
            )
            document["epilogues"].append(
                {
                    "layer": layer.name,
                    "layout": layout,
                    "seconds": {
                        name: times[planned] * (1 if name == "none" else chance.uniform(1, 1.4)) for name in EPILOGUES
                    },
                }
            )
            types = {name: times[planned] * (1 if name == "f32" else chance.uniform(0.6, 2)) for name in TYPES}
            typed = {
                peer: {name: {"seconds": types[name] * chance.uniform(0.8, 9), "difference": 1e-2} for name in names}
                for peer, names in PEER_TYPES.items()
            }
            document["types"].append(
                {
                    "layer": layer.name,
                    "layout": layout,
                    "seconds": types,
                    "peers": typed if peers else {},
                    "difference": {name: 0 if name == "f64" else chance.uniform(1e-7, 4e-3) for name in TYPES},
                }
            )
            if layer.groups > 1:
                own = f"{layer.name}_{layout}_{planned}_avx512"
                document["layer_kernels"].append(
                    result(layer, layout, "layer_kernels", times[planned] * chance.uniform(0.7, 1.1), 0, variant=own)
                )
            for operator in GRADIENTS if peers else ():
                for who in ("unstride", "torch"):
                    seconds = times[planned] * chance.uniform(0.8, 3)
                    document["gradients"].append(result(layer, layout, who, seconds, 0, operator=operator))
            document["bf16"].append(result(layer, layout, "unstride", types["bf16"], 0, variant=planned, dtype="bf16"))
            for peer in PEERS if peers else ():
                if peer.name in PEER_TYPES:
                    seconds = types["bf16"] * chance.uniform(0.8, 30)
                    document["bf16"].append(result(layer, layout, peer.name, seconds, 0, dtype="bf16"))
                if layout in peer.layouts:
                    document["results"].append(
                        result(
                            layer,
                            layout,
                            peer.name,
                            times[planned] * chance.lognormvariate(0.8, 0.5),
                            moved * chance.uniform(0, 3),
                        )
                    )
    if peers:
        failed = document["results"][-1]
        for key in set(failed) - {"layer", "layout", "who"}:
            del failed[key]
        failed["error"] = "RuntimeError: <could not> & would not"
        for results in document["types"][-1]["peers"].values():
            results["f16"] = {"cannot": "NotImplementedError: <none> for 'Half'"}
        document["types"][0]["peers"] = {}  # as where a run without peers was resumed with them
    for layout, names in VARIANTS.items():
        for name in names:
            document["code"].append(
                {
                    "variant": f"{layout}_{name}_avx512",
                    "fmas": 24,
                    "loads": 14,
                    "spills": 0,
                    "instructions": 42,
                    "code_bytes": 30000,
                    "predicted_cycles": 12.3,
                }
            )
    document["gpus"] = [
        {
            "machine": {"gpu": "A made-up GPU"},
            "results": [
                {
                    "layer": "seed1",
                    "layout": "ncdhw",
                    "who": who,
                    "algorithm": f"of {who}",
                    "seconds": seconds,
                    "first_call_seconds": 0.1,
                    "workspace_bytes": 3 << 20,
                    "gflops": 1,
                    "fraction_of_peak": 0.5,
                    "fraction_of_limit": 0.6,
                    "difference": 1e-6,
                }
                for who, seconds in (("unstride", 1e-4), ("cudnn", 1.5e-4), ("cudnn_tf32", 0.5e-4))
            ],
        }
    ]
    document["gpu_code"] = [
        {
            "variant": "ncdhw_columns_32x1_s1_cuda",
            "architecture": "sm_90",
            "registers": 82,
            "shared_bytes": 0,
            "stack_bytes": 0,
            "spilled_bytes": 0,
            "occupancy": 0.3125,
        }
    ]
    del document["code"][0]["predicted_cycles"]
    document["code"][0]["prediction_error"] = "llvm-mca is not installed"
    return document


def synthetic_experiments():
    """Two layers, with a scheduler that works, one that never does, and one for GPUs: in the form of experiments.py."""
    layers = layer_table.read()[:2]
    document = {
        "schema": 1,
        "settings": {"threads": 2, "isa": "avx2", "generator": "0"},
        "planned": [],
        "schedules": [],
        "layers": [],
        "machine": {
            "cpu": "A made-up processor",
            "threads": 2,
            "peak_gflops": PEAK_GFLOPS,
            "bandwidth_gbs": BANDWIDTH_GBS,
            "clock_ghz": CLOCK_GHZ,
        },
        "retraining": [
            {
                "layer": layers[0].name,
                "layout": "ncdhw",
                "samples": 30,
                "best_sample": 1.5,
                "before": 4.25,
                "after_message": "crash",
            }
        ],
    }

    def schedule(layer, layout, scheduler, setting, device="cpu", **more):
        document["schedules"].append(
            {
                "layer": layer.name,
                "layout": layout,
                "device": device,
                "scheduler": scheduler,
                "setting": setting,
                "status": "ok",
                "message": "",
                "kernel": f"{layer.name}_{layout}_k",
                "folder": f"{layer.name}_{layout}/k",
                "processor_seconds": 3,
                "schedule_seconds": 2,
                "compile_seconds": 1,
                "peak_bytes": 64 << 20,
                **more,
            }
        )

    for layer in layers:
        flops, moved = limits(layer)
        document["layers"].append(
            {
                "name": layer.name,
                "summary": layer.summary,
                "source": layer.source,
                "text": layer.text,
                "flops": flops,
                "compulsory_bytes": moved,
            }
        )
        for layout in LAYOUTS:
            variant = f"{layout}_channels_24x4_s1_avx2"
            document["planned"].append(
                {
                    "layer": layer.name,
                    "layout": layout,
                    "variant": variant,
                    "seconds": 0.01,
                    "difference": 1e-6,
                    "families": {"channels": {"variant": variant, "seconds": 0.01}},
                    "own": {
                        "variant": variant,
                        "seconds": 0.008,
                        "kernel": "own",
                        "folder": "hand",
                        "code_bytes": 2048,
                        "fmas": 24,
                        "loads": 12,
                        "stores": 0,
                    },
                }
            )
            schedule(
                layer, layout, "Works", "default", seconds=0.04, ratio=4.0, code_bytes=4096, fmas=8, loads=9, stores=0
            )
            schedule(
                layer, layout, "Works", "a=1", seconds=0.02, ratio=2.0, code_bytes=4096, fmas=8, loads=16, stores=8
            )
            schedule(layer, layout, "Adams2019", "default", status="memory limit", message="took more than 8 <GiB>")
            schedule(
                layer, layout, "Sometimes (GPU)", "default", "gpu", registers=40, spilled_bytes=8, checked_on="opencl"
            )
    return document
