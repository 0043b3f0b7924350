"""Shows Unstride at work, and checks what it computes.

1. The two examples of the ConvTranspose3d documentation at full size, compared with a direct computation in double
   precision at sampled outputs.
2. A real MRI volume at twice its resolution, compared with linear interpolation at every voxel, as a picture and as a
   NIfTI file.

    python examples/demo.py build/bin/unstride --output-dir build/demo

Exit status: 0 if every check passed, else 1.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nibabel
import numpy as np
from slices_picture import save_slices_picture

SAMPLES = 2000
MRI = Path(nibabel.__file__).parent / "tests" / "data" / "example4d.nii.gz"

# kernel, stride, padding and output shape; 16 to 33 channels, input (20, 16, 10, 50, 100).
DOCUMENTATION_EXAMPLES = [
    ((3, 3, 3), (2, 2, 2), (0, 0, 0), (20, 33, 21, 101, 201)),
    ((3, 5, 2), (2, 1, 1), (0, 4, 2), (20, 33, 21, 46, 97)),
]


class DemoError(Exception):
    """A check that failed, or a command that did."""


class Steps:
    """Says what is running, as step i of n; on a terminal with the seconds that it has taken so far."""

    def __init__(self, count):
        self.count = count
        self.index = 0

    @contextlib.contextmanager
    def step(self, what):
        self.index += 1
        line = f"[{self.index:2}/{self.count}] {what}"
        if not sys.stdout.isatty():
            print(line, flush=True)
            yield
            return
        finished = threading.Event()
        start = time.monotonic()

        def show(end=""):
            print(f"\r{line}  {time.monotonic() - start:.1f} s", end=end, flush=True)

        def tick():
            while not finished.wait(0.1):
                show()

        ticker = threading.Thread(target=tick, daemon=True)
        ticker.start()
        try:
            yield
        finally:
            finished.set()
            ticker.join()
            show(end="\n")


def note(text):
    for line in text.splitlines():
        print(f"        {line}", flush=True)


def unstride(program, folder, command, **arguments):
    """Runs `unstride COMMAND --argument value ...` in a folder; returns what it printed. True is for a flag."""
    line = [str(program), command]
    for name, value in arguments.items():
        if value is True:
            line.append("--" + name.replace("_", "-"))
            continue
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        line += ["--" + name.replace("_", "-"), text]
    try:
        result = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise DemoError(f"cannot run {program}: {error.strerror}") from None
    if result.returncode != 0:
        raise DemoError(f"`{' '.join(line)}` ended with status {result.returncode}: {result.stderr.strip()}")
    return result.stdout


def sample_positions(shape, rng):
    """All corners of an array and random positions: one column of indices for each of SAMPLES elements."""
    corners = np.array(list(np.ndindex((2,) * len(shape)))).T * (np.array(shape)[:, None] - 1)
    inside = rng.integers(0, np.array(shape)[:, None], (len(shape), SAMPLES - corners.shape[1]))
    return np.concatenate([corners, inside], axis=1)


def direct_transposed_convolution(x, weight, bias, positions, stride, padding):
    """The outputs at `positions` from the definition: input i and tap k meet in output i * stride - padding + k.

    Returns their values in double precision, and bounds for the error of the same sums in float32. A sum of m products,
    in any order, is off by less than m + 1 roundings of the sum of their magnitudes.
    """
    column = (slice(None), None)
    batch, channel, output = positions[0], positions[1], positions[2:]
    value = bias[channel].astype(np.float64)
    magnitude = np.abs(value)
    products = np.ones(len(value))
    for tap in np.ndindex(weight.shape[2:]):
        source, rest = np.divmod(output + np.array(padding)[column] - np.array(tap)[column], np.array(stride)[column])
        inside = (rest == 0) & (source >= 0) & (source < np.array(x.shape[2:])[column])
        hit = np.flatnonzero(inside.all(axis=0))
        inputs, weights = x[(batch[hit], slice(None), *source[:, hit])], weight[(slice(None), channel[hit], *tap)].T
        terms = inputs.astype(np.float64) * weights
        value[hit] += terms.sum(axis=1)
        magnitude[hit] += np.abs(terms).sum(axis=1)
        products[hit] += x.shape[1]
    return value, (products + 1) * 2.0**-24 * magnitude


def documentation_example(program, steps, output_dir, kernel, stride, padding, shape):
    with tempfile.TemporaryDirectory(dir=output_dir) as folder:
        folder = Path(folder)
        rng = np.random.default_rng(0)
        with steps.step("example of the documentation: input and weights"):
            np.save(folder / "x.npy", rng.standard_normal((20, 16, 10, 50, 100), dtype=np.float32))
            weights = {"weight": "weight.npy", "bias": "bias.npy"}
            channels = {"in_channels": 16, "out_channels": 33}
            unstride(program, folder, "init", **channels, kernel_size=kernel, seed=0, **weights)
        note(f"16 to 33 channels, kernel {kernel}, stride {stride}, padding {padding}")
        with steps.step("unstride run"):
            layer = {"stride": stride, "padding": padding, **weights}
            summary = unstride(program, folder, "run", input="x.npy", output="y.npy", repeat=True, **layer)
        note(summary)
        with steps.step(f"comparing {SAMPLES} outputs with a direct computation"):
            output = np.load(folder / "y.npy", mmap_mode="r")
            if output.shape != shape:
                raise DemoError(f"the output has shape {output.shape} instead of {shape}")
            positions = sample_positions(output.shape, rng)
            arrays = [np.load(folder / name) for name in ("x.npy", *weights.values())]
            expected, bound = direct_transposed_convolution(*arrays, positions, stride, padding)
            error = np.abs(output[tuple(positions)] - expected)
        note(f"largest error {error.max():.2e}, at most {(error / bound).max():.1%} of its bound (corners included)")
        if not np.all(error <= bound):
            worst = np.argmax(np.nan_to_num(error / bound, nan=np.inf))
            where = positions[:, worst].tolist()
            raise DemoError(f"output {where} is off by {error[worst]:.3g}, more than its bound {bound[worst]:.3g}")


def interpolate(volume, axis):
    """Doubles one axis by linear interpolation between the centres of voxels; the ends hold their value."""
    count = volume.shape[axis]
    centres = (np.arange(2 * count) + 0.5) / 2 - 0.5
    matrix = np.stack([np.interp(centres, np.arange(count), unit) for unit in np.eye(count)], axis=1)
    return np.moveaxis(np.tensordot(matrix, volume, (1, axis)), 0, axis)


def double_volume(program, steps, volume, folder):
    """Doubles depth, height and width of a volume (time, z, y, x) by a transposed convolution with trilinear weights.

    The time points are channels of one image, and each is its own group: one filter per channel, none mixed. NIfTI
    keeps a volume in this order, so the unbatched input is the file's memory as it is.
    """
    times = volume.shape[0]
    with steps.step("MRI volume: input and trilinear weights"):
        hat = np.array([1, 3, 3, 1], dtype=np.float32) / 4
        filters = np.einsum("z,y,x->zyx", hat, hat, hat)
        np.save(folder / "weight.npy", np.broadcast_to(filters, (times, 1, 4, 4, 4)))
        np.save(folder / "x.npy", volume)
        np.save(folder / "ones.npy", np.ones_like(volume))
    note(f"{times} time points of {volume.shape[1:]} voxels, kernel 4, stride 2, padding 1, {times} groups")
    layer = {"weight": "weight.npy", "stride": 2, "padding": 1, "groups": times}
    with steps.step("unstride run on the volume"):
        summary = unstride(program, folder, "run", input="x.npy", output="y.npy", repeat=True, **layer)
    note(summary)
    # Beyond the border a transposed convolution finds zeros, which darken the outermost voxels. What it makes of ones
    # is how much of the weights fell inside.
    with steps.step("unstride run on ones, for the share of the weights inside the border"):
        summary = unstride(program, folder, "run", input="ones.npy", output="response.npy", repeat=True, **layer)
    note(summary)
    return tuple(np.load(folder / name).astype(np.float64) for name in ("y.npy", "response.npy"))


def check_volume(steps, volume, doubled, response):
    with steps.step("comparing every voxel with linear interpolation along each axis"):
        expected = volume.astype(np.float64)
        inside = np.ones_like(expected)
        for axis in (1, 2, 3):
            expected = interpolate(expected, axis)
            share = np.ones(expected.shape[axis])
            share[[0, -1]] = 3 / 4
            inside = np.repeat(inside, 2, axis) * np.expand_dims(share, tuple(d for d in range(4) if d != axis))
    # Small integers times multiples of 1/64: float32 holds every product and every sum exactly.
    for name, result, reference in (("volume", doubled, expected * inside), ("response to ones", response, inside)):
        if result.shape != reference.shape:
            raise DemoError(f"the {name} has shape {result.shape} instead of {reference.shape}")
        error = np.abs(result - reference)
        note(f"{name}: largest error {error.max():g} over {error.size:,} voxels (must be 0: all sums are exact)")
        if not np.all(error == 0):
            raise DemoError(f"the {name} differs from linear interpolation in {np.sum(error != 0):,} voxels")


def mri(program, steps, output_dir):
    image = nibabel.load(MRI)
    volume = np.asanyarray(image.dataobj).T.astype(np.float32, order="C")
    with tempfile.TemporaryDirectory(dir=output_dir) as folder:
        doubled, response = double_volume(program, steps, volume, Path(folder))
    check_volume(steps, volume, doubled, response)
    doubled = (doubled / response).astype(np.float32)

    picture, nifti = output_dir / "mri_doubled.png", output_dir / "mri_doubled.nii.gz"
    with steps.step("drawing slices before and after"):
        spacing = image.header.get_zooms()[2::-1]
        caption = (
            "Each new voxel is a blend of its eight nearest neighbours: "
            "kernel 4×4×4 (the outer product of [1 3 3 1] / 4), "
            f"stride 2, padding 1.   Data: {MRI.name} of NiBabel, first time point.  Drawn without interpolation."
        )
        save_slices_picture(picture, volume[0], doubled[0], spacing, caption)
        half = np.diag([0.5, 0.5, 0.5, 1.0])
        half[:3, 3] = -0.25  # the centre of the first new voxel, in old voxels
        result = nibabel.Nifti1Image(doubled.T, image.affine @ half, image.header)
        result.set_data_dtype(np.float32)
        result.to_filename(nifti)
    return picture, nifti


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path, help="the unstride program, for example build/bin/unstride")
    parser.add_argument("--output-dir", type=Path, default=Path("build/demo"), help="where the picture goes")
    arguments = parser.parse_args()
    program = arguments.program.absolute()
    output_dir = arguments.output_dir.absolute()

    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        steps = Steps(count=3 * len(DOCUMENTATION_EXAMPLES) + 5)
        for example in DOCUMENTATION_EXAMPLES:
            documentation_example(program, steps, output_dir, *example)
        picture, nifti = mri(program, steps, output_dir)
    except (DemoError, OSError) as error:
        print(f"demo: FAILED: {error}", file=sys.stderr)
        return 1
    print(f"\nAll checks passed.\n  picture  {picture}\n  volume   {nifti}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
