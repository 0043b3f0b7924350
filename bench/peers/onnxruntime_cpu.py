"""ONNX Runtime's CPU provider, with input and output bound to memory of ours."""

import numpy as np
import onnx
import onnxruntime

OPSET = 22


def versions():
    """The versions of the packages."""
    return {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__}


def make_model(layer, weight, bias):
    """The layer as an ONNX model of one operator, as bytes."""
    node = onnx.helper.make_node(
        "ConvTranspose",
        ["x", "weight", "bias"],
        ["y"],
        kernel_shape=layer.kernel_size,
        strides=layer.stride,
        pads=2 * layer.padding,
        output_padding=layer.output_padding,
        dilations=layer.dilation,
        group=layer.groups,
    )
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("x", layer.input_shape), ("y", layer.output_shape))
    ]
    constants = [onnx.numpy_helper.from_array(array, name) for array, name in ((weight, "weight"), (bias, "bias"))]
    graph = onnx.helper.make_graph([node], "layer", ends[:1], ends[1:], constants)
    opsets = [onnx.helper.make_opsetid("", OPSET)]
    return onnx.helper.make_model(
        graph, opset_imports=opsets, ir_version=onnx.helper.find_min_ir_version_for(opsets)
    ).SerializeToString()


def prepare(layer, layout, arrays, threads):
    """Makes a layer ready; worker.py says what this takes and returns."""
    if layout != "ncdhw":
        raise ValueError("ONNX has no other layout than ncdhw")
    x, weight, bias = arrays
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(make_model(layer, weight, bias), options, providers=["CPUExecutionProvider"])
    y = np.empty(layer.output_shape, np.float32)
    binding = session.io_binding()
    binding.bind_cpu_input("x", x)
    binding.bind_output("y", "cpu", 0, np.float32, y.shape, y.ctypes.data)

    def call(x=x):  # keeps the memory alive
        session.run_with_iobinding(binding)
        return y

    return call, lambda y: y
