"""What the tests share: data, layouts, and the geometries that they compute."""

import ml_dtypes
import numpy as np

TYPES = [np.float32, np.float64, np.float16, ml_dtypes.bfloat16]

# Weight's shape, spatial sizes of the input, and parameters. Each has what no other one has.
GEOMETRIES = {
    "1d": ((3, 2, 3), (5,), {"stride": 2, "padding": 1, "output_padding": 1}),
    "1d output padding by dilation": ((2, 2, 2), (4,), {"dilation": 3, "output_padding": 2}),
    "2d one number for each": ((4, 3, 2, 3), (4, 5), {"stride": (3, 2), "padding": (0, 1), "dilation": (1, 2)}),
    "2d groups": ((6, 2, 3, 3), (4, 3), {"stride": 2, "padding": 1, "groups": 3}),
    "3d kernel is stride": ((4, 5, 2, 2, 2), (2, 3, 4), {"stride": 2}),
    "3d depthwise": ((8, 1, 3, 3, 3), (3, 2, 3), {"stride": 2, "padding": 1, "output_padding": 1, "groups": 8}),
    "3d kernel below stride": ((2, 16, 1, 1, 1), (2, 2, 3), {"stride": (2, 3, 2)}),
    "3d many channels": ((17, 9, 3, 2, 3), (2, 3, 2), {"padding": 1}),
}


def integers(seed, shape, dtype=np.float32):
    """Small integers, of which all sums are exact in all types."""
    return np.random.default_rng(seed).integers(-2, 3, shape).astype(dtype)


def channels_last(array, channel=1):
    """The same numbers in the memory format where channels are dense."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, channel, -1)), -1, channel)


def strides_of(array):
    """Strides of the dimensions that have elements to step over."""
    return [stride for stride, size in zip(array.strides, array.shape, strict=True) if size > 1]


class Producer:
    """An array that is known by its __dlpack__ alone."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()
