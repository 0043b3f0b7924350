"""What layers have besides calls: parameters, activation, residual, copies, plans."""

import copy
import pickle

import numpy as np
import pytest
from support import integers

import unstride


@pytest.fixture
def layer():
    return unstride.ConvTranspose2d(4, 6, (3, 2), stride=2, padding=(1, 0), groups=2)


def test_parameters(layer):
    assert (layer.in_channels, layer.out_channels, layer.groups) == (4, 6, 2)
    assert (layer.kernel_size, layer.stride, layer.padding) == ((3, 2), (2, 2), (1, 0))
    assert (layer.output_padding, layer.dilation) == ((0, 0), (1, 1))
    assert layer.weight.shape == (4, 3, 3, 2) and layer.bias.shape == (6,)
    assert unstride.ConvTranspose1d(1, 1, 1, bias=False).bias is None
    assert layer.output_shape((1, 4, 5, 5)) == (1, 6, 9, 10)
    assert layer.output_shape((1, 4, 5, 5), (10, 11)) == (1, 6, 10, 11)
    ending = unstride.ConvTranspose1d(1, 1, 2, padding=0, padding_end=-3)
    assert ending.output_shape((1, 4)) == (1, 8)


def test_first_weights_are_those_of_pytorch():
    layer = unstride.ConvTranspose1d(1, 1, 2)  # torch.manual_seed(0); torch.nn.ConvTranspose1d(1, 1, 2)
    np.testing.assert_allclose(layer.weight, [[[-0.0052940, 0.3793229]]], rtol=1e-4)
    first = layer.weight
    layer.reset_parameters(1)
    assert (layer.weight != first).all()
    layer.reset_parameters()
    np.testing.assert_array_equal(layer.weight, first)


def test_weights_are_copies_that_cannot_be_written(layer):
    with pytest.raises(ValueError, match="read-only"):
        layer.weight[0] = 1
    weight = integers(1, layer.weight.shape)
    layer.weight = weight
    weight += 1
    np.testing.assert_array_equal(layer.weight, weight - 1)
    layer.weight = np.full(layer.weight.shape, 1 / 3)
    assert layer.weight.dtype == np.float64 and (layer.weight == 1 / 3).all()
    assert layer.bias.dtype == np.float32


def test_output_size_and_input_shape(layer):
    x = integers(1, (2, 4, 5, 5))
    output = layer(x, (10, 11))
    assert output.shape == (2, 6, 10, 11)
    np.testing.assert_array_equal(layer(x, out=np.empty_like(output)), output)
    assert layer.input_gradient(output).shape == x.shape
    assert layer.input_gradient(layer(x)).shape == x.shape


def test_residual_and_activation(layer):
    x = integers(1, (2, 4, 5, 5))
    plain = layer(x)
    residual = integers(2, plain.shape)
    np.testing.assert_array_equal(layer(x, residual=residual[..., ::-1][..., ::-1]), layer(x, residual=residual))
    np.testing.assert_allclose(layer(x, residual=residual), plain + residual, rtol=1e-6, atol=1e-6)
    added = residual.copy()
    layer(x, residual=added, out=added)
    np.testing.assert_allclose(added, plain + residual, rtol=1e-6, atol=1e-6)
    assert layer.activation == "none"
    for kind, options, function in (
        ("relu", {}, lambda v: np.maximum(v, 0)),
        ("leaky_relu", {}, lambda v: np.where(v < 0, 0.01 * v, v)),
        ("prelu", {"slopes": range(6)}, lambda v: np.where(v < 0, np.arange(6).reshape(6, 1, 1) * v, v)),
        ("clamp", {"low": -1, "high": 0.5}, lambda v: np.clip(v, -1, 0.5)),
        ("elu", {"alpha": 2}, lambda v: np.where(v < 0, 2 * np.expm1(v), v)),
    ):
        layer.set_activation(kind, **options)
        assert layer.activation == kind
        np.testing.assert_allclose(layer(x), function(plain), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_copies(layer, copied):
    x = integers(1, (2, 4, 5, 5))
    layer.reset_parameters(3)
    layer.bias = layer.bias + 1e-12
    layer.set_activation("leaky_relu", slopes=[0.5])
    layer.planning = "measure"
    other = copied(layer)
    assert type(other) is type(layer) and other.planning == "measure" and other.activation == "leaky_relu"
    np.testing.assert_array_equal(other(x), layer(x))
    np.testing.assert_array_equal(other.bias, layer.bias)
    other.weight = np.zeros(other.weight.shape)
    assert layer.weight.all()


def test_subclasses():
    class Doubled(unstride.ConvTranspose1d):
        def __init__(self, channels):
            super().__init__(channels, channels, 2)
            self.name = "doubled"

        def __call__(self, x):
            return 2 * super().__call__(x)

    layer = Doubled(3)
    x = integers(1, (1, 3, 4))
    np.testing.assert_array_equal(layer(x), 2 * unstride.ConvTranspose1d(3, 3, 2)(x))
    assert isinstance(layer, unstride.ConvTranspose) and layer.name == "doubled"


def test_plan_and_variants(layer):
    plan = layer.plan((2, 4, 5, 5), "ndhwc", dtype="bf16-f32")
    assert plan.variant.layout == "ndhwc" and plan.variant.types == "bf16-f32" and plan.variant.runs_here()
    assert plan.reason and plan.multiply_adds > 0 and plan.threads == unstride.num_threads()
    names = [variant.name for variant in unstride.variants()]
    assert plan.variant.name in names and len(names) == len(set(names)) and plan.variant.name in repr(plan)
    x = integers(1, (2, 4, 5, 5))
    expected = layer(x)
    other = next(
        v.name for v in unstride.variants()
        if v.operator == "forward" and v.layout == "ncdhw" and v.types == "f32" and v.isa == "baseline"
        and v.family == "columns" and v.stride_x == 1
    )  # fmt: skip
    layer.set_variant(other)
    assert layer.plan(x.shape).variant.name == other
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)
    layer.set_variant("")
    for operator in ("input_gradient", "weight_gradient", "bias_gradient"):
        assert layer.plan(x.shape, operator=operator).variant.operator == operator


def test_tune_leaves_wisdom():
    unstride.forget_wisdom()
    layer = unstride.ConvTranspose2d(16, 16, 4, 2)
    x = integers(1, (1, 16, 20, 10))
    expected = layer(x)
    plan = layer.tune(x)
    assert not plan.under_trial and layer.planning == "estimate"
    np.testing.assert_array_equal(layer(x), expected)
    text = unstride.wisdom_text()
    assert plan.measured == (plan.variant.name in text)
    unstride.forget_wisdom()
    report = unstride.read_wisdom(text)
    assert report.is_wisdom and not report.problems and unstride.wisdom_text() == text
    assert str(unstride.load_wisdom("/nonexistent/wisdom"))
    unstride.forget_wisdom()


def test_settings():
    threads = unstride.num_threads()
    x = integers(1, (1, 8, 20, 20, 20)) / 3
    layer = unstride.ConvTranspose3d(8, 8, 3, 2)
    expected = layer(x)
    for count in (1, 3):
        unstride.set_num_threads(count)
        assert unstride.num_threads() == count
        np.testing.assert_array_equal(layer(x), expected)
    unstride.set_num_threads(threads)
    ceiling = unstride.max_isa()
    unstride.set_max_isa("baseline")
    assert layer.plan(x.shape).variant.isa == "baseline"
    unstride.set_max_isa(ceiling)


def test_devices(layer):
    layer.weight, layer.bias = integers(1, layer.weight.shape), integers(2, layer.bias.shape)
    x = integers(3, (2, 4, 5, 5))
    expected = layer(x)
    assert unstride.devices()[0] == "cpu" and layer.device == "cpu"
    for device in unstride.devices():
        layer.device = device
        assert layer.plan(x.shape).variant.device == device
        np.testing.assert_array_equal(layer(x), expected)
