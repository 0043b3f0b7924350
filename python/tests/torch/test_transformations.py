"""What PyTorch's machinery makes of the operators: compilation, export, autocast, vmap, threads, processes."""

import concurrent.futures

import pytest
import torch
import torch.multiprocessing
from torch import nn
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
    model(inputs[rank]).square().mean().backward()
    return [p.grad for p in model.parameters()]


def _ddp_worker(rank, state, inputs, store, queue):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    model = _network()
    model.load_state_dict(state)
    unstride.torch.replace_(model, strict=True)
    gradients = _train(rank, nn.parallel.DistributedDataParallel(model), inputs)
    if rank == 0:
        queue.put([g.numpy() for g in gradients])
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def _network():
    return nn.Sequential(nn.ConvTranspose2d(3, 8, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(8, 2, 2, 2))


@pytest.mark.skipif(not torch.distributed.is_available(), reason="PyTorch has no torch.distributed")
def test_distributed_data_parallel(tmp_path):
    model, inputs = _network(), [torch.randn(2, 3, 6, 6) for _ in range(2)]
    context = torch.multiprocessing.get_context("spawn")
    queue = context.Queue()
    args = (model.state_dict(), inputs, tmp_path / "store", queue)
    workers = [context.Process(target=_ddp_worker, args=(rank, *args)) for rank in range(2)]
    for worker in workers:
        worker.start()
    found = queue.get(timeout=300)
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    unstride.torch.replace_(model, strict=True)
    single = []
    for rank in range(2):
        model.zero_grad()
        single.append([g.clone() for g in _train(rank, model, inputs)])
    for gradient, a, b in zip(found, *single, strict=True):
        assert torch.equal(torch.from_numpy(gradient), a / 2 + b / 2)
