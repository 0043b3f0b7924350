"""unstride.dask: chunks of the output have the bits of the whole, in this process and in others."""

import dask.array as da
import numpy as np
import pytest
import zarr
from dask.callbacks import Callback
from dask.diagnostics import ProgressBar
from distributed import Client, LocalCluster

import unstride
import unstride.dask

PARAMETERS = {"stride": (2, 2, 3), "padding": (1, 0, 1), "output_padding": (1, 1, 0), "groups": 2}
CHUNKS = ((1, 2), (3, 1), (3, 1, 4), (5, 2), (1, 9))  # uneven ones


@pytest.fixture(scope="module")
def arrays():
    random = np.random.default_rng(1)
    shapes = (3, 4, 8, 7, 10), (4, 3, 4, 3, 3), (6,)
    return [random.standard_normal(shape).astype(np.float32) for shape in shapes]


@pytest.fixture(scope="module")
def whole(arrays):
    return unstride.conv_transpose(*arrays, **PARAMETERS)


def test_uneven_chunks(arrays, whole):
    x, weight, bias = arrays
    output = unstride.dask.conv_transpose(da.from_array(x, CHUNKS), weight, bias, **PARAMETERS)
    assert output.shape == whole.shape and output.dtype == whole.dtype
    # Along depth, chunks of 3, 1 and 4 inputs lead to 6, 2 and 8 outputs, behind which there is one more.
    assert output.chunks == ((1, 2), (6,), (6, 2, 8, 1), (10, 6), (3, 25))
    np.testing.assert_array_equal(output.compute(), whole)


@pytest.mark.parametrize("chunks", [(2, -1, 5, 4, 28), -1, ((2, 1), 6, (1, 15, 1), 16, 28), "auto"])
def test_chunks_of_the_output(arrays, whole, chunks):
    x, weight, bias = arrays
    output = unstride.dask.conv_transpose(da.from_array(x, 4), weight, bias, **PARAMETERS, chunks=chunks)
    np.testing.assert_array_equal(output.compute(), whole)


def test_a_chunk_reads_what_it_needs(arrays):
    read = []

    def part(block_info=None):
        read.append(block_info[None]["array-location"][-1])
        return np.ones([end - begin for begin, end in block_info[None]["array-location"]], np.float32)

    x = da.map_blocks(part, chunks=((1,), (4,), (2, 2, 2, 2)), dtype=np.float32, meta=np.empty((0, 0, 0), np.float32))
    output = unstride.dask.conv_transpose(x, arrays[1][:, :, 0, 0, :2], stride=2)
    output[..., 4:8].compute(scheduler="synchronous")
    assert read == [(2, 4)]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_ranks_and_arrays_without_a_batch(arrays, rank):
    x, weight = arrays[0][0][(..., *[0] * (3 - rank))], arrays[1][(..., *[0] * (3 - rank))]
    output = unstride.dask.conv_transpose(da.from_array(x, 3), weight, stride=2, dilation=2)
    np.testing.assert_array_equal(output.compute(), unstride.conv_transpose(x, weight, stride=2, dilation=2))


def test_from_zarr_to_zarr_with_a_progress_bar(arrays, tmp_path, capsys):
    x, weight, bias = arrays
    zarr.create_array(tmp_path / "input", data=x, chunks=(1, 4, 4, 4, 4))
    output = unstride.dask.conv_transpose(da.from_zarr(tmp_path / "input"), weight, bias, stride=2, groups=2)
    with ProgressBar():
        output.to_zarr(tmp_path / "output")
    assert "100% Completed" in capsys.readouterr().out
    written = zarr.open_array(tmp_path / "output")
    assert written.chunks == (1, 6, 8, 8, 8) and output.chunks[2:] == ((8, 8, 2), (8, 7), (8, 8, 5))
    np.testing.assert_array_equal(written[:], unstride.conv_transpose(x, weight, bias, stride=2, groups=2))


def test_processes(arrays, whole, tmp_path):
    x, weight, bias = arrays
    zarr.create_array(tmp_path / "input", data=x, chunks=(2, 4, 3, 4, 5))
    given = da.from_zarr(tmp_path / "input").rechunk(CHUNKS)
    output = unstride.dask.conv_transpose(given, weight, bias, **PARAMETERS)
    # Files need regular chunks.
    written = unstride.dask.conv_transpose(given, weight, bias, **PARAMETERS, chunks=(1, -1, 5, 6, 11))
    options = {"dashboard_address": None, "local_directory": tmp_path / "workers"}
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **options) as cluster, Client(cluster):
        np.testing.assert_array_equal(output.compute(), whole)
        written.to_zarr(tmp_path / "output")
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "output")[:], whole)


def test_nothing_is_computed_early(arrays):
    class Never(Callback):
        def _start(self, graph):
            raise AssertionError("a computation began")

    with Never():
        unstride.dask.conv_transpose(da.from_array(arrays[0], CHUNKS), *arrays[1:], **PARAMETERS)


def test_inputs_larger_than_memory(arrays):
    x = da.ones((1, 4, 40000, 40000, 4000), chunks=(1, 4, 4000, 4000, 400), dtype=np.float32)
    output = unstride.dask.conv_transpose(x, arrays[1], stride=2, chunks=(1, -1, 40000, 40000, 4000))
    assert output.shape == (1, 3, 80002, 80001, 8001) and output.numblocks == (1, 1, 3, 3, 3)


def test_mistakes(arrays):
    x, weight, bias = arrays
    given = da.from_array(x, 4)
    conv_transpose = unstride.dask.conv_transpose
    with pytest.raises(TypeError, match="input must be a dask array, not ndarray"):
        conv_transpose(x, weight)
    with pytest.raises(TypeError, match="bias type"):
        conv_transpose(given, weight, bias.astype(np.float64))
    with pytest.raises(TypeError, match="weight type"):
        conv_transpose(given, weight.astype(np.float64))
    with pytest.raises(ValueError, match="3, 4 or 5 dimensions"):
        conv_transpose(given, weight[0, 0, 0])
    with pytest.raises(ValueError, match="to have 4 channels, but got 3"):
        conv_transpose(given[:, :3], weight)
    with pytest.raises(ValueError, match="4D .* or 5D"):
        conv_transpose(given[0, 0], weight)
    with pytest.raises(ValueError, match="output padding must be smaller"):
        conv_transpose(given, weight, output_padding=1)
    with pytest.raises(ValueError, match="all channels"):
        conv_transpose(given, weight, chunks=(3, 2, 4, 4, 4))
    with pytest.raises(ValueError, match="unknown sizes"):
        conv_transpose(given[given[:, 0, 0, 0, 0] > 0], weight)
    with pytest.raises(ValueError, match="Chunks"):
        conv_transpose(given, weight, chunks=(3, 3, 1, 1, 5, 8))
    with pytest.raises(TypeError, match="float32, float64, float16 and bfloat16"):
        conv_transpose(given.astype(np.int32), weight.astype(np.int32))
