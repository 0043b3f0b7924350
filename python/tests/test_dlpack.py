"""Arrays of other libraries, through DLPack, and producers that break its rules."""

import array
import ctypes
import sys

import ml_dtypes
import numpy as np
import pytest
from support import Producer, channels_last, integers

import unstride

X, W = integers(1, (2, 4, 3, 5)), integers(2, (4, 3, 2, 2))
EXPECTED = unstride.conv_transpose(X, W, stride=2)


class Namespace:
    """An array library of the array API standard."""

    made = 0

    @classmethod
    def from_dlpack(cls, producer):
        cls.made += 1
        return Array(np.from_dlpack(producer))


class Array(Producer):
    def __array_namespace__(self):
        return Namespace


def test_producers():
    output = unstride.conv_transpose(Producer(X), Producer(W), stride=2)
    assert type(output) is np.ndarray  # of a library that is not known
    np.testing.assert_array_equal(output, EXPECTED)
    X.setflags(write=False)
    np.testing.assert_array_equal(unstride.conv_transpose(Producer(X), W, stride=2), EXPECTED)
    X.setflags(write=True)
    out = np.zeros_like(EXPECTED)
    shown = Producer(out)
    assert unstride.conv_transpose(X, Producer(W), stride=2, out=shown) is shown
    np.testing.assert_array_equal(out, EXPECTED)


@pytest.mark.parametrize("order", [np.ascontiguousarray, channels_last])
def test_results_are_of_the_library_of_the_input(order):
    output = unstride.conv_transpose(Array(order(X)), Array(W), stride=2)
    assert type(output) is Array and output.array.strides == order(EXPECTED).strides
    np.testing.assert_array_equal(output.array, EXPECTED)
    grads = unstride.conv_transpose_backward(output, Array(order(X)), Array(W), stride=2)
    right = unstride.conv_transpose_backward(EXPECTED, X, W, stride=2)
    for gradient, expected in zip(grads, right, strict=True):
        assert type(gradient) is Array
        np.testing.assert_array_equal(gradient.array, expected)


def test_buffers():
    output = unstride.conv_transpose(memoryview(X), memoryview(W), stride=2)
    np.testing.assert_array_equal(output, EXPECTED)
    flat = unstride.ConvTranspose1d(1, 1, 1)
    with pytest.raises(ValueError, match="Expected 2D"):
        flat(array.array("f", [1, 2, 3]))


def test_old_producers():
    """Those before DLPack 1.0 know no max_version."""

    class Old:
        def __dlpack__(self, stream=None):
            return X.__dlpack__()

    np.testing.assert_array_equal(unstride.conv_transpose(Old(), W, stride=2), EXPECTED)


class Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class Versioned(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", Tensor),
    ]


class Managed(ctypes.Structure):
    _fields_ = [("tensor", Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


Deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype, new_capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


class Handmade:
    """An array whose DLPack structure a test fills in, and that counts how often it is released."""

    def __init__(self, memory, shape, strides=None, version=None, **fields):
        self.memory, self.releases = memory, 0
        self.shape = (ctypes.c_int64 * len(shape))(*shape)
        self.strides = None if strides is None else (ctypes.c_int64 * len(strides))(*strides)
        self.deleter = Deleter(self.release)
        tensor = {"data": memory.ctypes.data, "device_type": 1, "device_id": 0, "ndim": len(shape), "code": 2}
        tensor = Tensor(**{**tensor, "bits": 32, "lanes": 1, **fields})
        tensor.shape, tensor.strides = self.shape, self.strides
        deleter = ctypes.cast(self.deleter, ctypes.c_void_p)
        if version is None:
            self.managed, self.name = Managed(tensor, None, deleter), b"dltensor"
        else:
            self.managed, self.name = Versioned(*version, None, deleter, 0, tensor), b"dltensor_versioned"

    def release(self, pointer):
        self.releases += 1

    def __dlpack__(self, max_version=None):
        return new_capsule(ctypes.addressof(self.managed), self.name, None)


@pytest.mark.parametrize("version", [None, (1, 0), (1, 7)])
def test_structures(version):
    handmade = Handmade(X, X.shape, version=version)  # without strides, which stands for a dense array
    np.testing.assert_array_equal(unstride.conv_transpose(handmade, W, stride=2), EXPECTED)
    assert handmade.releases == 1
    memory = np.concatenate([[np.float32(7)], X.reshape(-1)])
    moved = Handmade(memory, X.shape, (60, 15, 5, 1), version, byte_offset=4)
    np.testing.assert_array_equal(unstride.conv_transpose(moved, W, stride=2), EXPECTED)
    assert moved.releases == 1
    bits = X.astype(ml_dtypes.bfloat16).view(np.uint16)
    half = Handmade(bits, X.shape, version=version, code=4, bits=16)
    output = unstride.conv_transpose(half, W.astype(ml_dtypes.bfloat16), stride=2)
    assert output.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(output.astype(np.float32), EXPECTED)


@pytest.mark.parametrize("version", [None, (1, 0)])
@pytest.mark.parametrize(
    ("error", "message", "fields"),
    [
        (
            ValueError,
            "must be in the memory of the CPU, but is on DLPack's device 2:3",
            dict(device_type=2, device_id=3),
        ),
        (TypeError, "DLPack's type 0 with 32 bits", dict(code=0)),
        (TypeError, "32 bits and 4 lanes", dict(lanes=4)),
        (TypeError, "DLPack's type 2 with 8 bits", dict(bits=8)),
        (ValueError, "input has -1 dimensions", dict(ndim=-1)),
        (ValueError, "input has 1000 dimensions", dict(ndim=1000)),
        (ValueError, "Expected 3D", dict(ndim=2)),
        (ValueError, "null", dict(data=None)),
    ],
)
def test_bad_structures(error, message, fields, version):
    bad = Handmade(X, X.shape, version=version, **fields)
    with pytest.raises(error, match=message):
        unstride.conv_transpose(bad, W, stride=2)
    assert bad.releases == 1


def test_bad_sizes():
    for shape, strides in (
        ((2, -4, 3, 5), None),
        ((2**31, 2**31, 2**31, 5), None),
        ((2, 4, 3, 5), (2**62, 2**62, 1, 1)),
    ):
        bad = Handmade(X, shape, strides)
        with pytest.raises(ValueError, match="sizes that cannot be"):
            unstride.conv_transpose(bad, W, stride=2)
        assert bad.releases == 1


def test_other_version():
    later = Handmade(X, X.shape, version=(2, 0))
    with pytest.raises(BufferError, match="version 2.0 of DLPack"):
        unstride.conv_transpose(later, W, stride=2)
    assert later.releases == 0  # its capsule releases it


def test_bad_capsules():
    class Bad:
        def __init__(self, value):
            self.value = value

        def __dlpack__(self, max_version=None):
            if isinstance(self.value, Exception):
                raise self.value
            return self.value

    used = X.__dlpack__()

    class Once:
        def __dlpack__(self, max_version=None):
            return used

    unstride.conv_transpose(Once(), W, stride=2)
    for error, message, bad in (
        (TypeError, "must return an unused capsule", Bad(None)),
        (TypeError, "must return an unused capsule", Bad(7)),
        (TypeError, "must return an unused capsule", Once()),
        (BufferError, "not to you", Bad(BufferError("not to you"))),
        (RuntimeError, "broken", Bad(RuntimeError("broken"))),
    ):
        with pytest.raises(error, match=message):
            unstride.conv_transpose(bad, W, stride=2)


def test_references():
    before = sys.getrefcount(X)
    for _ in range(10):
        unstride.conv_transpose(Array(X), Producer(W), stride=2)
    assert sys.getrefcount(X) == before
