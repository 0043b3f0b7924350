"""Operators give results the format that the kernels without values, which follow PyTorch's own rule, foretell."""

import itertools

import pytest
import torch

from unstride.torch._operators import _backward_fake, _forward_fake, backward_op, forward_op

KERNELS, WITHOUT_VALUES = (forward_op, backward_op), (_forward_fake, _backward_fake)


@pytest.fixture(autouse=True)
def one_thread():
    """Thousands of tiny calls: on a busy machine, most of their time would go into waiting for other threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def layouts(size):
    """Tensors of this size that are dense in any order of dimensions, or where all of one dimension are one element."""
    memory = torch.randn(2 * max(torch.Size(size).numel(), 1))
    for order in itertools.permutations(range(len(size))):
        strides, step = [0] * len(size), 1
        for d in order:
            strides[d] = step
            step *= max(size[d], 1)
        yield memory.as_strided(size, strides)
        yield memory.as_strided(size, [2 * stride for stride in strides])
    for d in range(len(size)):
        yield memory.as_strided(size, [0 if d == e else stride for e, stride in enumerate(strides)])


def strides(operators, x, w):
    forward, backward = operators
    spatial = x.dim() - 2
    geometry = ([1] * spatial, [0] * spatial, [0] * spatial, 1, [1] * spatial)
    output = forward(x, w, None, *geometry)
    gradients = backward(output, x, w, *geometry, [True, True, True])
    return [t.stride() for t in (output, *gradients)]


SIZES = {
    2: [(n, c, *space) for n in (0, 1, 2) for c in (1, 3) for space in ((1, 1), (1, 4), (4, 1), (3, 4))],
    3: [(n, c, *space) for n in (1, 2) for c in (1, 3) for space in ((1, 1, 1), (1, 3, 1), (2, 3, 2))],
}


def check(x, w):
    """Returns whether the output of these is in channels_last, after a look at all strides."""
    found = strides(KERNELS, x, w)
    assert found == strides(WITHOUT_VALUES, x, w), (x.shape, x.stride(), w.shape, w.stride())
    return found[0][1] == 1


@pytest.mark.parametrize("spatial", SIZES)
def test_formats_of_inputs(spatial):
    found = {check(x, torch.ones(size[1], 2, *[2] * spatial)) for size in SIZES[spatial] for x in layouts(size)}
    assert found == {False, True}


@pytest.mark.parametrize("spatial", SIZES)
def test_formats_of_weights(spatial):
    x = torch.ones(2, 3, *[4] * spatial)
    kernels = ((1,) * spatial, (1, 3, 1)[:spatial], (2, 3, 2)[:spatial])
    found = {check(x, w) for kernel in kernels for w in layouts((3, 2, *kernel))}
    assert found == {False, True}
