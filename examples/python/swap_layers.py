"""Swaps the transposed convolutions of two networks, MONAI's UNet and the generator of 3D-GAN, and shows their time.

It needs PyTorch, and MONAI for the first network: pip install torch monai. Both networks have random weights. Times are
medians of calls in turns, before and after the swap, in all of PyTorch's threads.

    python examples/python/swap_layers.py
"""

import statistics
import time

import torch
from torch import nn

import unstride.torch


def monai_unet():
    from monai.networks.nets import UNet

    return UNet(3, 1, 2, (16, 32, 64, 128, 256), (2, 2, 2, 2), num_res_units=2), (1, 1, 64, 64, 64)


def gan3d():
    channels = (200, 512, 256, 128, 64, 1)
    layers = []
    for i, (inputs, outputs) in enumerate(zip(channels, channels[1:], strict=False)):
        stride, padding = (1, 0) if i == 0 else (2, 1)
        layers += [
            nn.ConvTranspose3d(inputs, outputs, 4, stride, padding, bias=False),
            nn.BatchNorm3d(outputs),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers[:-2], nn.Tanh()), (2, 200, 1, 1, 1)


def milliseconds(call) -> float:
    begin = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - begin)


def compare(name, model, input):
    def infer():
        with torch.no_grad():
            model(input)

    def train():
        model.zero_grad()
        model(input).square().mean().backward()

    for what, call in (("inference", infer), ("training step", train)):
        model.train(what == "training step")
        before, after = [], []
        for turn in range(8):
            before.append(milliseconds(call))
            unstride.torch.replace_(model)
            after.append(milliseconds(call))
            unstride.torch.restore_(model)
            if turn == 0:  # it plans, and packs weights
                before, after = [], []
        ratio = statistics.median(b / a for b, a in zip(before, after, strict=True))
        print(
            f"{name:15} {what:13}  before {statistics.median(before):7.1f} ms"
            f"  after {statistics.median(after):7.1f} ms  {ratio:.2f}x"
        )


def main():
    for name, make in (("MONAI UNet", monai_unet), ("3D-GAN", gan3d)):
        try:
            model, size = make()
        except ImportError as error:
            print(f"{name}: {error}")
            continue
        compare(name, model, torch.randn(size))


if __name__ == "__main__":
    main()
