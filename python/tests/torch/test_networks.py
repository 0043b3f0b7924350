"""Real networks, with random weights: they compute the same after their layers are replaced, but for rounding."""

import pytest
import torch
from monai.inferers import sliding_window_inference
from networks import NETWORKS

import unstride.torch


def outputs_of(model, input):
    outputs = model(input)
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def step(model, input):
    """The outputs of a step of training, the loss, the gradients, and the parameters after it."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    optimizer.zero_grad()
    outputs = outputs_of(model, input)
    loss = sum(output.square().mean() for output in outputs)
    loss.backward()
    gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    optimizer.step()
    return outputs, loss, gradients, [p.detach().clone() for p in model.parameters()]


def close(results, expected):
    """Compares with the largest number of each, as sums of many numbers may cancel."""
    for result, one in zip(results, expected, strict=True):
        scale = one.abs().max().clamp(min=1e-3)
        torch.testing.assert_close(result / scale, one / scale, rtol=0, atol=2e-3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_compute_the_same(name):
    network = NETWORKS[name]
    model, input = network.make(True), torch.randn(network.size(True))
    state = {key: value.clone() for key, value in model.state_dict().items()}
    for train in (False, True):
        model.train(train)
        results = []
        for ours in (False, True):
            model.load_state_dict(state)
            if ours:
                replaced = unstride.torch.replace_(model, strict=True)
                assert replaced.replaced and not replaced.left
            if train:
                results.append(step(model, input))
            else:
                with torch.no_grad():
                    results.append((outputs_of(model, input),))
            if ours:
                assert unstride.torch.restore_(model) == replaced.replaced
        for expected, result in zip(*results, strict=True):
            close(
                result if isinstance(result, list) else [result], expected if isinstance(expected, list) else [expected]
            )


@pytest.mark.filterwarnings("ignore")
def test_sliding_windows():
    """The last windows are a smaller batch than the others."""
    model, input = NETWORKS["MONAI UNet"].make(True).eval(), torch.randn(1, 1, 40, 32, 32)

    def infer():
        with torch.no_grad():
            return sliding_window_inference(input, (16, 16, 16), 4, model, overlap=0.25)

    expected = infer()
    assert unstride.torch.replace_(model, strict=True).replaced
    close([infer()], [expected])
