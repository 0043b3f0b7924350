"""The two operators that torch.compile makes of a frozen layer, called directly: oneDNN with weights packed ahead.

The output is in oneDNN's choice of layout, which is channels last in both cases. PyTorch has no public name for them.
"""

import torch
from torch_eager import calling, make_module, versions  # noqa: F401


def prepare(layer, layout, arrays, threads):
    """Makes a layer ready; worker.py says what this takes and returns."""
    module, x = make_module(layer, layout, arrays, threads)
    geometry = [list(sizes) for sizes in (layer.padding, layer.output_padding, layer.stride, layer.dilation)]
    weight = torch.ops.mkldnn._reorder_convolution_transpose_weight(
        module.weight, *geometry, layer.groups, list(x.shape)
    )
    bias = module.bias

    def run(x):
        return torch.ops.mkldnn._convolution_transpose_pointwise(
            x, weight, bias, *geometry, layer.groups, "none", [], ""
        )

    return calling(run, x)
