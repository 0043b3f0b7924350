"""Networks with transposed convolutions: those of packages, and generators.

`small` is for tests: it has fewer channels, and a smaller input. The others have the sizes of their papers or packages.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn


class Network(NamedTuple):
    make: Callable[[bool], nn.Module]
    size: Callable[[bool], tuple[int, ...]]  # of the input


def monai_unet(small: bool) -> nn.Module:
    from monai.networks.nets import UNet

    channels = (4, 8, 16) if small else (16, 32, 64, 128, 256)
    return UNet(3, 1, 2, channels, (2,) * (len(channels) - 1), num_res_units=2)


def monai_dynunet(small: bool) -> nn.Module:
    from monai.networks.nets import DynUNet

    stages = 3 if small else 5
    filters = [4, 8, 16] if small else [32, 64, 128, 256, 320]
    strides = [1] + [2] * (stages - 1)
    return DynUNet(3, 1, 2, [3] * stages, strides, strides[1:], filters)


def monai_swin_unetr(small: bool) -> nn.Module:
    from monai.networks.nets import SwinUNETR

    return SwinUNETR(in_channels=1, out_channels=2, feature_size=12 if small else 48, depths=(1, 1, 1, 1))


def nnunet(small: bool) -> nn.Module:
    from dynamic_network_architectures.architectures.unet import PlainConvUNet

    features = [4, 8, 16] if small else [32, 64, 128, 256, 320, 320]
    stages = len(features)
    return PlainConvUNet(
        1,
        stages,
        features,
        nn.Conv3d,
        3,
        [1] + [2] * (stages - 1),
        2,
        2,
        2,
        conv_bias=True,
        norm_op=nn.InstanceNorm3d,
        norm_op_kwargs={"eps": 1e-5, "affine": True},
        nonlin=nn.LeakyReLU,
        nonlin_kwargs={"inplace": True},
    )


def generator(transposed: type, norm: type, channels: list[int]) -> nn.Module:
    """A generator of images or volumes from noise, as in DCGAN and 3D-GAN: each layer doubles the sizes."""
    layers = []
    for i, (inputs, outputs) in enumerate(zip(channels, channels[1:], strict=False)):
        stride, padding = (1, 0) if i == 0 else (2, 1)
        layers += [transposed(inputs, outputs, 4, stride, padding, bias=False), norm(outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-2], nn.Tanh())


def dcgan(small: bool) -> nn.Module:
    channels = [100, 64, 32, 16, 8, 3] if small else [100, 512, 256, 128, 64, 3]
    return generator(nn.ConvTranspose2d, nn.BatchNorm2d, channels)


def gan3d(small: bool) -> nn.Module:
    channels = [200, 32, 16, 8, 1] if small else [200, 512, 256, 128, 64, 1]
    return generator(nn.ConvTranspose3d, nn.BatchNorm3d, channels)


class ResidualBlock(nn.Module):
    """Three dilated convolutions of HiFi-GAN, each beside an identity."""

    def __init__(self, channels: int, kernel: int):
        super().__init__()
        self.steps = nn.ModuleList(
            nn.Sequential(
                nn.LeakyReLU(0.1),
                nn.Conv1d(channels, channels, kernel, dilation=d, padding=(kernel - 1) // 2 * d),
                nn.LeakyReLU(0.1),
                nn.Conv1d(channels, channels, kernel, padding=(kernel - 1) // 2),
            )
            for d in (1, 3, 5)
        )

    def forward(self, x):
        for step in self.steps:
            x = x + step(x)
        return x


class HiFiGAN(nn.Module):
    """The generator of HiFi-GAN V1: a wave from a spectrogram, with normalized weights in the layers that widen it."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv1d(80, channels, 7, padding=3)
        self.widen, self.blocks = nn.ModuleList(), nn.ModuleList()
        for kernel, stride in ((16, 8), (16, 8), (4, 2), (4, 2)):
            layer = nn.ConvTranspose1d(channels, channels // 2, kernel, stride, (kernel - stride) // 2)
            self.widen.append(nn.utils.parametrizations.weight_norm(layer))
            channels //= 2
            self.blocks.append(nn.ModuleList(ResidualBlock(channels, k) for k in (3, 7, 11)))
        self.last = nn.Conv1d(channels, 1, 7, padding=3)

    def forward(self, x):
        x = self.first(x)
        for layer, blocks in zip(self.widen, self.blocks, strict=True):
            x = layer(nn.functional.leaky_relu(x, 0.1))
            x = sum(block(x) for block in blocks) / len(blocks)
        return torch.tanh(self.last(nn.functional.leaky_relu(x)))


NETWORKS = {
    "MONAI UNet": Network(monai_unet, lambda small: (1, 1, *[16 if small else 64] * 3)),
    "MONAI DynUNet": Network(monai_dynunet, lambda small: (1, 1, *[16 if small else 64] * 3)),
    "MONAI SwinUNETR": Network(monai_swin_unetr, lambda small: (1, 1, 64, *[32 if small else 64] * 2)),
    "nnU-Net PlainConvUNet": Network(nnunet, lambda small: (1, 1, *[16 if small else 64] * 3)),
    "DCGAN": Network(dcgan, lambda small: (2 if small else 16, 100, 1, 1)),
    "3D-GAN": Network(gan3d, lambda _: (2, 200, 1, 1, 1)),
    "HiFi-GAN V1": Network(lambda small: HiFiGAN(32 if small else 512), lambda small: (1, 80, 4 if small else 100)),
}
