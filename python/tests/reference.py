"""A transposed convolution and its gradients in double precision, as loops that scatter each input.

They share nothing with the kernels, which gather for each output. Arrays have a batch, and any number of dimensions of
space.
"""

import itertools

import numpy as np


def numbers(value, spatial):
    return (value,) * spatial if isinstance(value, int) else tuple(value)


class Reference:
    """A layer of these parameters, for weights of this shape."""

    def __init__(self, weight_shape, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        self.in_channels, self.out_per_group, *self.kernel = weight_shape
        self.groups, self.out_channels = groups, self.out_per_group * groups
        spatial = len(self.kernel)
        self.stride, self.padding, self.output_padding, self.dilation = (
            numbers(value, spatial) for value in (stride, padding, output_padding, dilation)
        )

    def output_shape(self, shape):
        space = (
            (i - 1) * s - 2 * p + d * (k - 1) + o + 1
            for i, s, p, d, k, o in zip(
                shape[2:], self.stride, self.padding, self.dilation, self.kernel, self.output_padding, strict=True
            )
        )
        return (shape[0], self.out_channels, *space)

    def meetings(self, shape):
        """Each (input position, tap, output position) that meet, for an input of this shape."""
        output = self.output_shape(shape)[2:]
        for tap in itertools.product(*(range(k) for k in self.kernel)):
            for at in itertools.product(*(range(i) for i in shape[2:])):
                to = tuple(
                    i * s - p + t * d
                    for i, s, p, t, d in zip(at, self.stride, self.padding, tap, self.dilation, strict=True)
                )
                if all(0 <= o < size for o, size in zip(to, output, strict=True)):
                    yield at, tap, to

    def channels(self):
        """The slices of input and output channels of each group."""
        inputs = self.in_channels // self.groups
        for g in range(self.groups):
            yield slice(g * inputs, (g + 1) * inputs), slice(g * self.out_per_group, (g + 1) * self.out_per_group)

    def forward(self, x, weight, bias=None):
        output = np.zeros(self.output_shape(x.shape))
        for at, tap, to in self.meetings(x.shape):
            for ins, outs in self.channels():
                output[:, outs, *to] += x[:, ins, *at].astype(float) @ weight[ins, :, *tap].astype(float)
        return output if bias is None else output + bias.astype(float).reshape(-1, *(1,) * len(self.kernel))

    def gradients(self, grad_output, x, weight):
        grad_output = grad_output.astype(float)
        grad_input, grad_weight = np.zeros(x.shape), np.zeros(weight.shape)
        for at, tap, to in self.meetings(x.shape):
            for ins, outs in self.channels():
                grad_input[:, ins, *at] += grad_output[:, outs, *to] @ weight[ins, :, *tap].astype(float).T
                grad_weight[ins, :, *tap] += x[:, ins, *at].astype(float).T @ grad_output[:, outs, *to]
        return grad_input, grad_weight, grad_output.sum(axis=(0, *range(2, x.ndim)))
