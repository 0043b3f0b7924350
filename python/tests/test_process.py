"""Threads, memory, references, and what an import brings along."""

import ctypes
import gc
import pathlib
import resource
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from support import integers

import unstride
from unstride import _core


def in_threads(count, work):
    """Runs work(i) in threads at once, and raises what one of them raised."""
    errors = []

    def run(i):
        try:
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_functions_in_threads_keep_their_weights():
    x = integers(1, (1, 4, 6, 6, 6))
    weights = [integers(i, (4, 4, 3, 3, 3)) for i in range(4)]
    expected = [unstride.conv_transpose(x, w, stride=2) for w in weights]

    def work(i):
        for _ in range(50):
            np.testing.assert_array_equal(unstride.conv_transpose(x, weights[i], stride=2), expected[i])

    in_threads(4, work)


def test_a_layer_in_threads():
    """Calls beside assignments: each output is that of one of the weights, never of a mixture."""
    layer = unstride.ConvTranspose2d(8, 8, 3, 2, bias=False)
    x = np.ones((1, 8, 9, 9), np.float32)
    weights = [np.full(layer.weight.shape, value, np.float32) for value in (1, 2)]
    layer.weight = weights[0]
    one = layer(x)

    def work(i):
        for j in range(100):
            if i == 0:
                layer.weight = weights[j % 2]
            else:
                output = layer(x)
                assert (output == one).all() or (output == 2 * one).all()

    in_threads(4, work)


def test_other_threads_run_meanwhile():
    layer = unstride.ConvTranspose3d(32, 32, 3)
    x = np.zeros((1, 32, 24, 24, 24), np.float32)
    done, beats = threading.Event(), []

    def beat():
        while not done.is_set():
            beats.append(None)
            time.sleep(0.0005)

    thread = threading.Thread(target=beat)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # so that only a call that gives up the interpreter's lock lets others run
    thread.start()
    before, end = len(beats), time.monotonic() + 20
    while len(beats) <= before + 3 and time.monotonic() < end:
        layer(x)
    found = len(beats) - before
    sys.setswitchinterval(interval)
    done.set()
    thread.join()
    assert found > 3


@pytest.mark.parametrize("order", [np.ascontiguousarray, lambda array: array[..., ::-1]])
def test_memory_and_references_are_stable(order):
    threads = unstride.num_threads()
    unstride.set_num_threads(1)
    layer = unstride.ConvTranspose2d(2, 3, 2, 2)
    x, w = order(np.ones((1, 2, 16, 16), np.float32)), np.ones((2, 3, 2, 2), np.float32)
    y = layer(x)

    def calls(count):
        for _ in range(count):
            layer(x)
            unstride.conv_transpose(x, w, stride=2)
            unstride.conv_transpose_backward(y, x, w, stride=2)
            layer.weight = w
            with pytest.raises(ValueError):
                layer(x, out=y[:, :2])
            with pytest.raises(TypeError):
                unstride.conv_transpose(x, w, stride="2")

    calls(200)
    gc.collect()
    objects = [x, w, y, None, True, 2, np.dtype("float32")]
    before = [sys.getrefcount(o) for o in objects]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    calls(1700)  # 10^4 calls of the module
    gc.collect()
    after = [sys.getrefcount(o) for o in objects]
    assert after[:3] == before[:3]
    assert all(abs(a - b) < 1000 for a, b in zip(after, before, strict=True))
    # An output has 12 KB: one in each round that is not freed would be 20 MB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 10_000
    unstride.set_num_threads(threads)


def test_cache_of_layers_is_bounded():
    unstride.conv_transpose(np.ones((1, 1, 2), np.float32), np.ones((1, 1, 2), np.float32))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for size in range(400, 430):
        w = np.zeros((64, 64, size), np.float32)  # 7 MB each, and as much when it is packed
        unstride.conv_transpose(np.ones((1, 64, 2), np.float32), w)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 250_000


def test_import_brings_numpy_alone():
    code = """
import sys, numpy
before = set(sys.modules)
import unstride
print(sorted({name.split(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['unstride']"


def test_module_shows_no_symbols():
    """Another library in the process may have Halide's runtime, too, or another version of unstride."""
    module = ctypes.CDLL(_core.__file__)
    assert hasattr(module, "PyInit__core")
    assert not hasattr(module, "halide_malloc") and not hasattr(module, "halide_do_par_for")


def test_library_is_one():
    """The C API, which PyTorch's operators call, has the threads and plans of the module, and shows no kernels."""
    library = ctypes.CDLL(str(pathlib.Path(_core.__file__).with_name("libunstride_python.so")))
    assert not hasattr(library, "halide_malloc") and not hasattr(library, "halide_do_par_for")
    assert not any(hasattr(library, f"unstride_{variant.name}") for variant in unstride.variants())
    threads, count = unstride.num_threads(), ctypes.c_int32()
    unstride.set_num_threads(3)
    assert library.unstride_num_threads(ctypes.byref(count)) == 0 and count.value == 3
    unstride.set_num_threads(threads)


def test_stubs_have_all_names():
    stub = (unstride.__path__[0]) + "/_core.pyi"
    with open(stub) as file:
        text = file.read()
    for name in unstride.__all__:
        if name != "__version__":
            assert f"class {name}" in text or f"def {name}(" in text, name
    assert "object = " not in text  # a parameter without a type of its own
