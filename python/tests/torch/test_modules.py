"""The modules: in models, with what PyTorch does to modules, and with weights that change."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

import unstride.torch

KINDS = [
    (nn.ConvTranspose1d, unstride.torch.ConvTranspose1d, 1),
    (nn.ConvTranspose2d, unstride.torch.ConvTranspose2d, 2),
    (nn.ConvTranspose3d, unstride.torch.ConvTranspose3d, 3),
]


def close(result, expected):
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)


def pair(theirs, ours, *args, **options):
    """A module of PyTorch's, and one of ours with the same parameters."""
    module, replaced = theirs(*args, **options), ours(*args, **options)
    replaced.load_state_dict(module.state_dict())
    replaced.strict = True
    return module, replaced


class UNet(nn.Module):
    """A small U-Net with tied decoders of its two branches."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv3d(1, 8, 3, stride=2, padding=1)
        self.deep = nn.Conv3d(8, 16, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose3d(16, 8, 2, stride=2)
        self.top = nn.Sequential(nn.ConvTranspose3d(16, 4, 2, stride=2), nn.InstanceNorm3d(4), nn.LeakyReLU())
        self.same = self.up

    def forward(self, x):
        skip = torch.relu(self.down(x))
        deep = torch.relu(self.deep(skip))
        return self.top(torch.cat([self.up(deep) + self.same(deep), skip], 1))


def dcgan():
    """DCGAN's generator with a quarter of its channels."""
    layers = []
    for inputs, outputs in ((25, 128), (128, 64), (64, 32), (32, 16)):
        stride = 1 if inputs == 25 else 2
        layers += [nn.ConvTranspose2d(inputs, outputs, 4, stride, stride - 1, bias=False), nn.BatchNorm2d(outputs)]
        layers.append(nn.ReLU())
    return nn.Sequential(*layers, nn.ConvTranspose2d(16, 3, 4, 2, 1, bias=False), nn.Tanh())


MODELS = [(UNet, (2, 1, 16, 16, 16), ["up", "top.0"]), (dcgan, (2, 25, 1, 1), ["0", "3", "6", "9", "12"])]


@pytest.mark.parametrize("make, size, names", MODELS, ids=["unet", "dcgan"])
def test_replacing_changes_nothing_but_rounding(make, size, names):
    model, input = make(), torch.randn(size)
    expected = copy.deepcopy(model)
    parameters = dict(model.named_parameters())
    hooked = []
    model.get_submodule(names[0]).register_forward_hook(lambda *_: hooked.append(1))
    result = unstride.torch.replace_(model, strict=True)
    assert result.replaced == names and result.left == {}
    assert all(p is parameters[name] for name, p in model.named_parameters())
    for train in (True, False):
        model.train(train)
        expected.train(train)
        outputs = []
        for m in (model, expected):
            m.zero_grad()
            outputs.append(m(input))
            outputs[-1].square().sum().backward()
        close(*outputs)
        scale = max(p.grad.abs().max() for p in expected.parameters())
        for p, q in zip(model.parameters(), expected.parameters(), strict=True):
            close(p.grad / scale, q.grad / scale)
    assert hooked
    assert unstride.torch.replace_(model).left == dict.fromkeys(names, "it is Unstride's already")
    assert unstride.torch.restore_(model) == names
    close(model(input), expected(input))
    assert [type(m) for m in model.modules()] == [type(m) for m in expected.modules()]


def test_replacing_is_reported():
    class Own(nn.ConvTranspose2d):
        pass

    model = nn.Sequential(Own(1, 1, 2), nn.ConvTranspose2d(1, 1, 2), nn.ConvTranspose2d(1, 1, 2), nn.Conv2d(1, 1, 2))
    result = unstride.torch.replace_(model, lambda module, name: name != "2")
    assert result.replaced == ["1"]
    assert result.left == {"0": "Own is a subclass of PyTorch's module", "2": "filter_fn left it out"}
    layer = nn.ConvTranspose1d(1, 1, 2)
    assert unstride.torch.replace_(layer).replaced == [""] and type(layer) is unstride.torch.ConvTranspose1d


@pytest.mark.parametrize("theirs, ours, spatial", KINDS)
def test_output_size_and_single_items(theirs, ours, spatial):
    module, replaced = pair(theirs, ours, 3, 4, 3, stride=3, padding=1)
    assert repr(module) == repr(replaced)
    for batch in ((2,), ()):
        input = torch.randn(*batch, 3, *[4] * spatial)
        size = [11] * spatial
        close(replaced(input, size), module(input, size))
        close(replaced(input, output_size=size), module(input, output_size=size))
        with pytest.raises(ValueError, match="requested an output size"):
            replaced(input, [99] * spatial)


def test_copies_and_files():
    module, replaced = pair(nn.ConvTranspose2d, unstride.torch.ConvTranspose2d, 3, 4, 3)
    input = torch.randn(1, 3, 5, 5)
    expected = replaced(input)
    file = io.BytesIO()
    torch.save(replaced, file)
    file.seek(0)
    copies = [copy.deepcopy(replaced), pickle.loads(pickle.dumps(replaced)), torch.load(file, weights_only=False)]
    for copied in copies:
        assert type(copied) is unstride.torch.ConvTranspose2d and torch.equal(copied(input), expected)
        with torch.no_grad():
            copied.weight.add_(1)
        assert not torch.equal(copied(input), expected) and torch.equal(replaced(input), expected)
    fresh = nn.ConvTranspose2d(3, 4, 3)
    fresh.load_state_dict(replaced.state_dict())
    close(fresh(input), module(input))


@pytest.mark.parametrize("norm", [nn.utils.weight_norm, parametrizations.weight_norm, parametrizations.spectral_norm])
@pytest.mark.filterwarnings("ignore")
@torch.no_grad()  # PyTorch cannot copy a module whose weight it has computed with a gradient
def test_computed_weights(norm):
    model = norm(nn.ConvTranspose1d(4, 3, 4, stride=2, padding=1)).eval()
    input = torch.randn(2, 4, 9)
    expected = model(input)
    assert unstride.torch.replace_(model, strict=True).replaced == [""]
    assert isinstance(model, unstride.torch.ConvTranspose1d)
    close(model(input), expected)
    copied = copy.deepcopy(model)
    close(copied(input), expected)
    # Weights that are computed anew often lie where the last ones were.
    for parameter in model.parameters():
        parameter.mul_(-2 if parameter.dim() == 3 else 1)
    close(model(input), of_pytorch(model)(input))
    assert unstride.torch.restore_(model) == [""]
    if parametrize.is_parametrized(model):
        parametrize.remove_parametrizations(model, "weight")
        assert type(model) is nn.ConvTranspose1d


def of_pytorch(model):
    copied = copy.deepcopy(model)
    unstride.torch.restore_(copied)
    return copied


@pytest.mark.parametrize("theirs, ours, spatial", KINDS)
def test_optimizer_steps(theirs, ours, spatial):
    module, replaced = pair(theirs, ours, 3, 2, 3, stride=2)
    input = torch.randn(2, 3, *[4] * spatial)
    for m in (module, replaced):
        optimizer = torch.optim.Adam(m.parameters(), lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            m(input).square().mean().backward()
            optimizer.step()
    close(replaced.weight, module.weight)
    close(replaced(input), module(input))


def test_packed_weights_are_never_stale():
    """Whatever changes a parameter: version counters do not see it through `data`, NumPy, or in inference mode."""
    replaced = unstride.torch.ConvTranspose2d(3, 4, 3)
    input = torch.randn(1, 3, 5, 5)

    def expected():
        return nn.functional.conv_transpose2d(input, replaced.weight, replaced.bias)

    def swap():
        replaced.weight = nn.Parameter(torch.randn(3, 4, 3, 3))

    changes = [
        lambda: replaced.weight.add_(1),
        lambda: replaced.weight.data.add_(1),
        lambda: replaced.weight.detach().numpy().__imul__(2),
        lambda: replaced.weight.view(-1)[-1:].add_(5),
        lambda: replaced.bias.data.add_(1),
        lambda: replaced.load_state_dict({"weight": torch.ones(3, 4, 3, 3), "bias": torch.ones(4)}),
        lambda: replaced.to(memory_format=torch.channels_last),
        swap,
    ]
    for mode in (torch.no_grad, torch.inference_mode):
        for change in changes:
            with mode():
                close(replaced(input), expected())
                change()
                close(replaced(input), expected())


def test_inference_tensors():
    with torch.inference_mode():
        replaced = unstride.torch.ConvTranspose2d(3, 4, 3)
        input = torch.randn(1, 3, 5, 5)
        replaced.strict = True
        for _ in range(2):
            close(replaced(input), nn.functional.conv_transpose2d(input, replaced.weight, replaced.bias))
            replaced.weight.mul_(2)


def test_many_layers_do_not_fill_the_memory():
    input = torch.randn(1, 3, 5)
    layers = [unstride.torch.ConvTranspose1d(3, 4, 3, stride=s) for s in range(1, 150)]
    for layer in layers + layers[::-1]:
        close(layer(input), nn.functional.conv_transpose1d(input, layer.weight, layer.bias, layer.stride))
    unstride.torch.forget_layers()
    close(layers[0](input), nn.functional.conv_transpose1d(input, layers[0].weight, layers[0].bias))
