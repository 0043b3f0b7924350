"""OpenVINO's CPU plugin, into a preallocated output.

With channels last, a pre- and a postprocessor state the layout of the tensors, and the plugin needs no reorders.
"""

import numpy as np
import openvino as ov
from openvino import opset13

CORE = ov.Core()


def versions():
    """The version of the package."""
    return {"openvino": ov.__version__}


def make_model(layer, weight, bias):
    """The layer as a model with channels first."""
    x = opset13.parameter(list(layer.input_shape), weight.dtype)
    if layer.groups == 1:
        operator = opset13.convolution_backprop_data
    else:
        operator = opset13.group_convolution_backprop_data
        weight = weight.reshape(layer.groups, layer.in_channels // layer.groups, *weight.shape[1:])
    padding = list(layer.padding)
    y = operator(
        x,
        opset13.constant(weight),
        list(layer.stride),
        pads_begin=padding,
        pads_end=padding,
        dilations=list(layer.dilation),
        output_padding=list(layer.output_padding),
    )
    return ov.Model([opset13.add(y, opset13.constant(bias.reshape(1, -1, *[1] * len(layer.kernel_size))))], [x])


def with_channels_last(model, dimensions):
    """The model with input and output that have channels last."""
    processor = ov.preprocess.PrePostProcessor(model)
    for end in (processor.input(), processor.output()):
        space = "DHW"[-dimensions:]
        end.tensor().set_layout(ov.Layout(f"N{space}C"))
        end.model().set_layout(ov.Layout(f"NC{space}"))
    return processor.build()


def prepare(layer, layout, arrays, threads, dtype="f32"):
    """Makes a layer ready; worker.py says what this takes and returns.

    In f16 the plugin computes in f32 where the processor has no more. It takes no arrays of bf16, but may compute
    those of f32 in it.
    """
    if dtype == "bf16" and "BF16" not in CORE.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise ValueError("OpenVINO computes no bf16 on this processor")
    x, weight, bias = (array.astype(np.float16 if dtype == "f16" else np.float32, copy=False) for array in arrays)
    model = make_model(layer, weight, bias)
    if layout == "ndhwc":
        model = with_channels_last(model, len(layer.kernel_size))
        x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": dtype,
    }
    compiled = CORE.compile_model(model, "CPU", options)
    request = compiled.create_infer_request()
    y = np.empty(tuple(compiled.output(0).shape), x.dtype)
    request.set_input_tensor(ov.Tensor(x, shared_memory=True))
    request.set_output_tensor(ov.Tensor(y, shared_memory=True))

    def call(x=x):  # the request does not keep the memory of its tensors alive
        request.infer()
        return y

    return call, lambda y: (y if layout == "ncdhw" else np.moveaxis(y, -1, 1)).astype(np.float32, copy=False)
