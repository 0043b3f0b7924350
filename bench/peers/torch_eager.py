"""torch.nn.ConvTranspose3d as it is called by most."""

import torch

FORMATS = {"ncdhw": torch.contiguous_format, "ndhwc": torch.channels_last_3d}


def versions():
    onednn = next((word for word in torch.__config__.show().split("\n") if "MKL-DNN" in word), "")
    return {"torch": torch.__version__, "oneDNN of torch": onednn.strip(" -").split(" (")[0].split()[-1],
            "instruction set of torch": torch.backends.cpu.get_cpu_capability()}


def make_module(layer, layout, arrays, threads):
    """The module with its weights, and the input, in a layout."""
    torch.set_num_threads(threads)
    x, weight, bias = map(torch.from_numpy, arrays)
    module = torch.nn.ConvTranspose3d(layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride,
                                      layer.padding, layer.output_padding, layer.groups, True, layer.dilation)
    module.eval().requires_grad_(False)
    module.weight.data, module.bias.data = weight, bias
    return module.to(memory_format=FORMATS[layout]), x.contiguous(memory_format=FORMATS[layout])


def calling(function, x):
    @torch.inference_mode()
    def call():
        return function(x)

    return call, lambda y: y.contiguous().numpy()


def prepare(layer, layout, arrays, threads):
    return calling(*make_module(layer, layout, arrays, threads))
