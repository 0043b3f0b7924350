"""What PyTorch's machinery makes of the operators: compilation, export, autocast, vmap, threads, processes."""

import concurrent.futures
import shutil

import pytest
import torch
import torch.multiprocessing
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.functional import conv_transpose2d

import unstride.torch
from unstride.torch import conv_transpose
from unstride.torch._operators import forward_op

GEOMETRY = (2, 1, 1)  # stride, padding, output_padding


def tensors(**options):
    return [torch.randn(size, **options) for size in ((2, 4, 5, 6), (4, 3, 3, 3), (3,))]


def close(result, expected):
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels_last"])
def test_compile(dynamic, last):
    torch._dynamo.reset()

    def f(x, w, b):
        return torch.relu(conv_transpose(x, w, b, *GEOMETRY)) + 1

    compiled = torch.compile(f, fullgraph=True, dynamic=dynamic, backend="aot_eager")
    for height in (5, 7):
        given = tensors(requires_grad=True)
        x = torch.randn(2, 4, height, 6)
        x = (x.contiguous(memory_format=torch.channels_last) if last else x).requires_grad_()
        result, expected = compiled(x, *given[1:]), torch.relu(conv_transpose2d(x, *given[1:], *GEOMETRY)) + 1
        close(result, expected)
        assert result.stride() == expected.stride()
        wanted = [x, *given[1:]]
        for a, b in zip(*(torch.autograd.grad(y.sum(), wanted) for y in (result, expected)), strict=True):
            close(a, b)


@pytest.mark.skipif(shutil.which("g++") is None, reason="PyTorch's compiler needs a C++ compiler")
def test_inductor():
    """PyTorch's compiler, which makes C++ of all around the layers, in inference and in training."""
    torch._dynamo.reset()
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.ConvTranspose2d(4, 3, 3, 2), nn.BatchNorm2d(3), nn.Tanh())
    compiled, input = torch.compile(model), torch.randn(2, 2, 6, 7)
    results = []
    for ours in (False, True):
        if ours:
            unstride.torch.replace_(model, strict=True)
        for call in (compiled, model):
            model.zero_grad()
            output = call(input)
            output.square().mean().backward()
            results.append([output.detach(), *(p.grad.clone() for p in model.parameters())])
    for result in results[1:]:
        for a, e in zip(result, results[0], strict=True):
            close(a, e)


def test_plain_calls_in_all_modes():
    """Plain calls take operators of their own, with derivatives of any order."""
    x, w, b = tensors(dtype=torch.float64, requires_grad=True)
    for bias in (b, None):
        results = []
        for f in (conv_transpose, conv_transpose2d):
            output = f(x, w, bias, *GEOMETRY)
            given = (x, w) if bias is None else (x, w, b)
            first = torch.autograd.grad(output.sin().sum(), given, create_graph=True)
            second = torch.autograd.grad(sum(g.square().sum() for g in first), given, allow_unused=True)
            results.append([output, *first, *second])
        for a, e in zip(*results, strict=True):
            close(a, e)
    for frozen in ((x, w.detach(), b), (x.detach(), w, b.detach()), (x.detach(), w.detach(), b)):
        results = []
        for f in (conv_transpose, conv_transpose2d):
            needed = [t for t in frozen if t.requires_grad]
            results.append(torch.autograd.grad(f(*frozen, *GEOMETRY).square().sum(), needed))
        for a, e in zip(*results, strict=True):
            close(a, e)
    with torch.inference_mode():
        close(conv_transpose(x, w, b, *GEOMETRY), conv_transpose2d(x, w, b, *GEOMETRY))
    assert not conv_transpose(x.detach(), w.detach(), None, 2).requires_grad


def test_numbers_of_any_size_and_kind():
    """Small numbers go to the operators as one number, in which others have no place."""
    x, w = torch.randn(1, 2, 5, 5), torch.randn(2, 1, 2, 2)
    for stride, padding, groups, dilation in (
        (17, 0, 1, 1),
        (15, 1, 2, 1),
        ([2], (1,), 2, [3, 16]),
        ([1, 3], [0, 1], 1, 1),
    ):
        given = (x, w, None, stride, padding, 0, groups, dilation)
        close(conv_transpose(*given, strict=True), conv_transpose2d(*given))
    for wrong in ({"stride": 0}, {"padding": -1}, {"stride": (1, 2, 3)}, {"groups": 0}, {"dilation": 0}):
        errors = []
        for f in (conv_transpose, conv_transpose2d):
            with pytest.raises((RuntimeError, ValueError)) as error:
                f(x, w, **wrong)
            errors.append((type(error.value), str(error.value)))
        assert errors[0] == errors[1]


def test_programs_that_are_traced_hold_the_operator():
    x, w, b = tensors()
    traced = make_fx(lambda x: conv_transpose(x, w, b, *GEOMETRY))(x)
    assert forward_op in [node.target for node in traced.graph.nodes]
    close(traced(x), conv_transpose2d(x, w, b, *GEOMETRY))


def test_untransposed_convolutions_are_left_alone():
    """PyTorch's operator for backends, whose derivative plain calls use, has our kernels for their layers alone."""
    with pytest.raises(RuntimeError, match="transposed convolutions alone"):
        torch.ops.aten.convolution_overrideable(*tensors(), [1, 1], [0, 0], [1, 1], False, [0, 0], 1)


def test_compiled_and_exported_programs_hold_the_operator():
    model = nn.Sequential(nn.ConvTranspose2d(4, 3, 3, 2), nn.ReLU())
    unstride.torch.replace_(model)
    input = torch.randn(2, 4, 5, 6)
    program = torch.export.export(model, (input,))
    assert forward_op in [node.target for node in program.graph.nodes]
    close(program.module()(input), model(input))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast(dtype):
    x, w, b = tensors(requires_grad=True)
    with torch.autocast("cpu", dtype=dtype):
        results = [
            conv_transpose(x, w, b, *GEOMETRY, strict=True),
            forward_op(x, w, b, [2, 2], [1, 1], [1, 1], 1, [1, 1]),
            conv_transpose(x.to(dtype), w, b, *GEOMETRY, strict=True),
        ]
        expected = conv_transpose2d(x, w, b, *GEOMETRY)
    for result in results:
        assert result.dtype == expected.dtype == dtype
        torch.testing.assert_close(result, expected, rtol=2e-2, atol=2e-2)
    gradients = [torch.autograd.grad(y.float().sum(), (x, w, b)) for y in (results[0], expected)]
    for a, e in zip(*gradients, strict=True):
        assert a.dtype == torch.float32
        torch.testing.assert_close(a, e, rtol=5e-2, atol=2e-1)


def test_vmap():
    x, w, b = tensors()
    many, weights = torch.randn(3, 2, 4, 5, 6), torch.randn(3, 4, 3, 3, 3)
    mapped = torch.vmap(lambda x: conv_transpose(x, w, b, *GEOMETRY))(many)
    close(mapped, torch.stack([conv_transpose2d(x, w, b, *GEOMETRY) for x in many]))
    mapped = torch.vmap(lambda w: conv_transpose(x, w, b, *GEOMETRY))(weights)
    close(mapped, torch.stack([conv_transpose2d(x, w, b, *GEOMETRY) for w in weights]))
    turned = many.movedim(0, 2)
    mapped = torch.vmap(lambda x: conv_transpose(x, w, b, *GEOMETRY), in_dims=2, out_dims=1)(turned)
    close(mapped, torch.vmap(lambda x: conv_transpose2d(x, w, b, *GEOMETRY), in_dims=2, out_dims=1)(turned))


def test_gradients_of_each_sample():
    x, w, b = tensors()

    def of_one(f):
        return torch.func.vmap(torch.func.grad(lambda w, x: f(x[None], w, b, *GEOMETRY).square().sum()), (None, 0))

    close(of_one(conv_transpose)(w, x), of_one(conv_transpose2d)(w, x))


def test_forward_mode_goes_to_pytorch():
    x, w, b = tensors()
    results = [
        torch.func.jvp(lambda x, f=f: f(x, w, b, *GEOMETRY), (x,), (x,)) for f in (conv_transpose, conv_transpose2d)
    ]
    for a, e in zip(*results, strict=True):
        close(a, e)


def test_what_has_no_kernel_goes_to_pytorch():
    class Sub(torch.Tensor):
        pass

    for convert in (
        lambda t: t.to(torch.complex64),
        lambda t: t.to(torch.int64),
        lambda t: t.to("meta"),
        lambda t: t.as_subclass(Sub),
    ):
        x, w, b = map(convert, tensors())
        result, expected = conv_transpose(x, w, b, *GEOMETRY), conv_transpose2d(x, w, b, *GEOMETRY)
        assert type(result) is type(expected) and result.dtype == expected.dtype and result.device == expected.device
        if not result.is_meta:
            assert torch.equal(result, expected)
        with pytest.raises(NotImplementedError, match="unstride.torch: "):
            conv_transpose(x, w, b, *GEOMETRY, strict=True)


def test_bits_do_not_depend_on_threads():
    x, w, b = torch.randn(2, 16, 24, 24), torch.randn(16, 16, 4, 4), torch.randn(16)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 7):
            torch.set_num_threads(threads)
            given = [t.clone().requires_grad_() for t in (x, w, b)]
            output = conv_transpose(*given, 2, 1, strict=True)
            results.append([output, *torch.autograd.grad(output.square().sum(), given)])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, e) for result in results for a, e in zip(result, results[0], strict=True))


def test_threads_of_the_app_share_layers():
    x, w, b = tensors()
    weights = [w, w + 1, w]
    expected = [conv_transpose2d(x, w, b, *GEOMETRY) for w in weights]
    shared = w.clone()

    def work(i):
        for _ in range(50):
            close(conv_transpose(x, weights[i % 3], b, *GEOMETRY, strict=True), expected[i % 3])
            close(conv_transpose(x, shared, b, *GEOMETRY, strict=True), expected[0])

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))


def _train(rank, model, inputs):
    model.zero_grad()
    model(inputs[rank]).square().mean().backward()
    return [p.grad.clone() for p in model.parameters()]


def _ddp_worker(rank, state, inputs, store, queue):
    """Trains eagerly and compiled: most of the time goes into importing PyTorch and its compiler, once for both."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    model = _network()
    model.load_state_dict(state)
    unstride.torch.replace_(model, strict=True)
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return torch._dynamo.lookup_backend("aot_eager")(graph, inputs)

    distributed = nn.parallel.DistributedDataParallel(model)
    results = [_train(rank, trained, inputs) for trained in (distributed, torch.compile(distributed, backend=backend))]
    if rank == 0:
        compiled = [sum(node.target is forward_op for node in graph.graph.nodes) for graph in graphs]
        queue.put((compiled, [[g.numpy() for g in gradients] for gradients in results]))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def _network():
    """A network of more than a MiB of weights, which PyTorch exchanges at once: it compiles the two layers apart."""
    return nn.Sequential(nn.ConvTranspose2d(3, 128, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(128, 128, 4, 4))


@pytest.mark.skipif(not torch.distributed.is_available(), reason="PyTorch has no torch.distributed")
def test_distributed_data_parallel(tmp_path):
    model, inputs = _network(), [torch.randn(2, 3, 3, 3) for _ in range(2)]
    context = torch.multiprocessing.get_context("spawn")
    queue = context.Queue()
    args = (model.state_dict(), inputs, tmp_path / "store", queue)
    workers = [context.Process(target=_ddp_worker, args=(rank, *args)) for rank in range(2)]
    for worker in workers:
        worker.start()
    compiled, found = queue.get(timeout=300)
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert [layers for layers in compiled if layers > 0] == [1, 1]
    unstride.torch.replace_(model, strict=True)
    single = [_train(rank, model, inputs) for rank in range(2)]
    for gradients in found:
        for gradient, a, b in zip(gradients, *single, strict=True):
            assert torch.equal(torch.from_numpy(gradient), a / 2 + b / 2)
