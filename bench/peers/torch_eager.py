"""torch.nn.ConvTranspose3d, 2d or 1d, as it is called by most."""

import torch

TYPES = {"f32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16}
MODULES = {1: torch.nn.ConvTranspose1d, 2: torch.nn.ConvTranspose2d, 3: torch.nn.ConvTranspose3d}
GRADIENTS = ("input_gradient", "weight_gradient", "bias_gradient")  # in the order of PyTorch's output_mask
CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


def versions():
    """The versions of PyTorch and of oneDNN in it, and the instruction set that it uses."""
    onednn = next((word for word in torch.__config__.show().split("\n") if "MKL-DNN" in word), "")
    return {
        "torch": torch.__version__,
        "oneDNN of torch": onednn.strip(" -").split(" (")[0].split()[-1],
        "instruction set of torch": torch.backends.cpu.get_cpu_capability(),
    }


def memory_format_of(layer, layout):
    """PyTorch's name of a layout."""
    dimensions = len(layer.kernel_size)
    if layout == "ndhwc" and dimensions not in CHANNELS_LAST:
        raise ValueError("PyTorch has no channels last for one dimension")
    return CHANNELS_LAST[dimensions] if layout == "ndhwc" else torch.contiguous_format


def make_module(layer, layout, arrays, threads):
    """The module with its weights, and the input, in a layout."""
    torch.set_num_threads(threads)
    x, weight, bias = map(torch.from_numpy, arrays)
    memory_format = memory_format_of(layer, layout)
    module = MODULES[len(layer.kernel_size)](
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        layer.stride,
        layer.padding,
        layer.output_padding,
        layer.groups,
        True,
        layer.dilation,
    )
    module.eval().requires_grad_(False)
    module.weight.data, module.bias.data = weight, bias
    return module.to(memory_format=memory_format), x.contiguous(memory_format=memory_format)


def calling(function, x):
    """What `prepare` returns, for a function of the input."""

    @torch.inference_mode()
    def call():
        return function(x)

    return call, lambda y: y.contiguous().to(torch.promote_types(y.dtype, torch.float32)).numpy()  # NumPy has no bf16


def prepare(layer, layout, arrays, threads, dtype="f32"):
    """Makes a layer ready; worker.py says what this takes and returns."""
    module, x = make_module(layer, layout, arrays, threads)
    return calling(module.to(TYPES[dtype]), x.to(TYPES[dtype]))


def prepare_gradient(layer, layout, arrays, threads, operator):
    """Makes a gradient of a layer ready: what autograd calls, asked for this gradient alone."""
    *parameters, grad_output = arrays
    module, x = make_module(layer, layout, parameters, threads)
    grad_output = torch.from_numpy(grad_output).contiguous(memory_format=memory_format_of(layer, layout))
    mask = [operator == name for name in GRADIENTS]

    def backward(x):
        gradients = torch.ops.aten.convolution_backward(
            grad_output,
            x,
            module.weight,
            [layer.out_channels],
            layer.stride,
            layer.padding,
            layer.dilation,
            True,
            layer.output_padding,
            layer.groups,
            mask,
        )
        return gradients[mask.index(True)]

    return calling(backward, x)
