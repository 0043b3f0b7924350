# These targets need nothing but a bare machine: the first one that needs them makes .venv from requirements.txt, and
# installs Catch2, CLI11, nlohmann-json, Google Benchmark and PoCL from the distribution where they are missing.
# `make help` lists the targets.

BUILD  ?= build
PRESET ?= release
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc)

# BENCH has options of bench/bench.py, as in
# make bench BENCH="--layers seed1,seed2"
# make bench-peers BENCH="--only goals"
# make bench-peers BENCH="--only gradients --minutes 5"
BENCH  ?=
# EXPERIMENTS has options of `bench/experiments.py compare`, as in
# make experiments EXPERIMENTS="--layers gcnet --plugin Mine=libautoschedule_mine.so"
EXPERIMENTS ?=

MINUTES ?= 10
# The Python that a wheel is for: that of 3.11 is for that version alone, that of a later one for all from 3.12 on. Where
# WHEEL_TORCH is a Python that has PyTorch, the wheel has operators in C++ for PyTorch 2.10 and later (docs/torch.md).
WHEEL_PYTHON ?= python3
WHEEL_TORCH  ?=
WHEEL_VENV   = $(BUILD)/wheel-build-venv

VENV   := .venv
FUZZ   := $(BUILD)/fuzz
PEERS  := .venv-peers
TORCH  := .venv-torch
DASK   := .venv-dask
PYTHON := $(VENV)/bin/python
CMAKE  := $(VENV)/bin/cmake
CTEST  := $(VENV)/bin/ctest

# Ninja's progress: steps done and all steps; time so far, and how much longer it may take.
export NINJA_STATUS = [%f/%t, %w so far, about %W left] $()

# Builds for ARM compile their kernels with the generator of the build for this machine, and one with sanitizers takes
# all kernels from there.
HOST_BUILD := $(if $(filter aarch64%,$(PRESET)),host-generator,$(if $(filter asan,$(PRESET)),host-kernels))

SOURCES = $(shell git ls-files '*.cpp' '*.c' '*.h')

.DEFAULT_GOAL := help

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: $(BUILD)/CMakeCache.txt  ## build what it needs, run the main job on real data, and draw a picture of it
	@echo "Building the kernels for f32, and the command line with them"
	@$(CMAKE) --build $(BUILD) -j $(JOBS) --target unstride_cli_f32
	@echo "Running the demo"
	@$(PYTHON) examples/demo.py $(BUILD)/bin/unstride-f32 --output-dir $(BUILD)/demo

build: $(BUILD)/CMakeCache.txt $(HOST_BUILD)  ## build the library, the command line and the tests
	@echo "Building the kernels for all types and for GPUs, the command line, and the tests"
	@$(CMAKE) --build $(BUILD) -j $(JOBS)

test: export PACKAGES = tests
test: build  ## run the tests
	@echo "Running the tests, $(JOBS) at a time"
	@$(PYTHON) cmake/run-tests.py $(CTEST) $(BUILD) --parallel $(JOBS)

test-large: $(BUILD)/CMakeCache.txt  ## compute an array of 2^31 elements, which takes 5 GiB of memory
	@$(CMAKE) --build $(BUILD) -j $(JOBS) --target unstride_tests
	$(BUILD)/tests/unstride_tests "[large]"

test-aarch64:  ## build everything for ARM with 64 bits, and run the tests in QEMU: an hour or more
	@$(MAKE) --no-print-directory PRESET=aarch64 BUILD=build/aarch64 test

test-aarch64-part:  ## the same with a kernel of each family and operator, and their tests: minutes
	@$(MAKE) --no-print-directory PRESET=aarch64-part BUILD=build/aarch64-part some-tests

some-tests: $(BUILD)/CMakeCache.txt $(HOST_BUILD)
	@$(CMAKE) --build $(BUILD) -j $(JOBS) --target unstride_some_tests
	@$(PYTHON) cmake/run-tests.py $(CTEST) $(BUILD) --parallel $(JOBS)

host-generator:
	@$(MAKE) --no-print-directory PRESET=release BUILD=build build/CMakeCache.txt
	@$(CMAKE) --build build -j $(JOBS) --target unstride.generator

host-kernels:
	@$(MAKE) --no-print-directory PRESET=release BUILD=build build

test-torch: $(BUILD)/CMakeCache.txt $(TORCH)/done  ## build unstride.torch and run its tests, for which it downloads PyTorch
	@$(CMAKE) -B $(BUILD) -DUNSTRIDE_TORCH=ON -DUNSTRIDE_TORCH_PYTHON=$(CURDIR)/$(TORCH)/bin/python
	@$(CMAKE) --build $(BUILD) -j $(JOBS) --target unstride_package
	PYTHONPATH=$(BUILD)/python $(TORCH)/bin/python -m pytest -p no:cacheprovider python/tests/torch

test-tsan: build  ## run the tests in which threads meet, under ThreadSanitizer
	$(CTEST) --test-dir $(BUILD) -R '^races' --output-on-failure --parallel $(JOBS)

test-asan:  ## build all but the kernels with sanitizers for addresses and undefined behavior, and run the tests
	@$(MAKE) --no-print-directory PRESET=asan BUILD=build/asan test

test-valgrind: $(BUILD)/CMakeCache.txt  ## run every kernel for AVX2 under valgrind, on small problems
	@cmake/install-packages.sh valgrind
	@$(CMAKE) --build $(BUILD) -j $(JOBS) --target fuzz_api
	UNSTRIDE_WISDOM= valgrind --quiet --error-exitcode=9 $(BUILD)/tests/fuzz_api --variants avx2

# Oclgrind is the only driver of OpenCL then, and writes what it finds into a file.
test-oclgrind: $(BUILD)/CMakeCache.txt  ## run random geometries for OpenCL in Oclgrind, which finds races and bad addresses
	@cmake/install-packages.sh oclgrind
	@$(CMAKE) --build $(BUILD) -j $(JOBS) --target fuzz_api
	@ls /usr/lib*/oclgrind/liboclgrind-rt-icd.so >$(BUILD)/oclgrind.icd
	@rm -f $(BUILD)/oclgrind.log
	OCL_ICD_VENDORS=$(CURDIR)/$(BUILD)/oclgrind.icd OCLGRIND_DATA_RACES=1 OCLGRIND_CHECK_API=1 \
	    OCLGRIND_LOG=$(BUILD)/oclgrind.log $(BUILD)/tests/fuzz_api --device opencl --count 40
	@! cat $(BUILD)/oclgrind.log 2>/dev/null | grep .

fuzz: fuzzers  ## look for faults with libFuzzer for MINUTES (default: 10), which needs clang; what is found is in build/fuzz
	@mkdir -p $(FUZZ)/api $(FUZZ)/formats
	@for fuzzer in api formats; do \
	    echo "Fuzzing $$fuzzer for half of $(MINUTES) minutes"; \
	    UNSTRIDE_WISDOM= $(FUZZ)/libfuzzer_$$fuzzer -max_total_time=$$(($(MINUTES) * 30)) -max_len=4096 -timeout=120 \
	        -rss_limit_mb=4096 -print_final_stats=1 -verbosity=0 -artifact_prefix=$(FUZZ)/ \
	        $(FUZZ)/$$fuzzer tests/fuzz/corpus/$$fuzzer || exit 1; \
	done

fuzz-corpus: fuzzers  ## keep the inputs of `make fuzz` that reach something new in tests/fuzz/corpus
	@for fuzzer in api formats; do \
	    mkdir -p $(FUZZ)/$$fuzzer; rm -rf $(FUZZ)/merged; mkdir $(FUZZ)/merged; \
	    UNSTRIDE_WISDOM= $(FUZZ)/libfuzzer_$$fuzzer -merge=1 -use_counters=0 -verbosity=0 $(FUZZ)/merged \
	        tests/fuzz/corpus/$$fuzzer $(FUZZ)/$$fuzzer || exit 1; \
	    rm -rf tests/fuzz/corpus/$$fuzzer; mv $(FUZZ)/merged tests/fuzz/corpus/$$fuzzer; \
	done

fuzzers: $(BUILD)/CMakeCache.txt
	@cmake/install-packages.sh clang
	@$(CMAKE) --build $(BUILD) -j $(JOBS) --target unstride
	@$(CMAKE) -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(VENV)/bin/ninja -DCMAKE_CXX_COMPILER=clang++ \
	    -DUNSTRIDE_BUILD=$(CURDIR)/$(BUILD) -S tests/fuzz/libfuzzer -B $(FUZZ)
	@$(CMAKE) --build $(FUZZ) -j $(JOBS)

test-dask: $(BUILD)/CMakeCache.txt $(DASK)/done  ## build the Python package and run the tests of unstride.dask
	@$(CMAKE) --build $(BUILD) -j $(JOBS) --target unstride_package
	PYTHONPATH=$(BUILD)/python $(DASK)/bin/python -m pytest -p no:cacheprovider python/tests/dask

bench: build layer-kernels  ## measure all variants on the layer table, and write a report
	$(PYTHON) bench/bench.py --build $(BUILD) $(BENCH)

# The goals and the gradients need no kernels for single layers.
bench-peers: build $(if $(findstring --only ,$(BENCH)),,layer-kernels) $(PEERS)/done  ## the same, in turns with PyTorch, OpenVINO and ONNX Runtime
	$(PYTHON) bench/bench.py --build $(BUILD) --peers $(PEERS)/bin/python $(BENCH)

experiments: build  ## compare autoschedulers with the hand-written schedules, and write a report: about an hour
	$(PYTHON) bench/experiments.py compare --build $(BUILD) $(EXPERIMENTS)

layer-kernels: build
	$(CMAKE) --build $(BUILD) -j $(JOBS) --target unstride_bench_layer_kernels

# The library is that of the build, so that no kernel is compiled for a wheel. Its build folder is not that of
# `pip install .`, which would find in CMake's cache that there are no kernels to compile, and take those of the build.
wheel: $(BUILD)/CMakeCache.txt  ## build the Python package as a wheel, for the Python of WHEEL_PYTHON
	@$(CMAKE) --build $(BUILD) -j $(JOBS) --target unstride_python_library
	@$(WHEEL_PYTHON) -m venv --clear $(WHEEL_VENV)
	@$(WHEEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-wheel.txt
	CMAKE_BUILD_PARALLEL_LEVEL=$(JOBS) $(WHEEL_VENV)/bin/python -m pip wheel . --no-deps --no-build-isolation \
	    --disable-pip-version-check --wheel-dir $(BUILD)/wheels \
	    -C build-dir='$(BUILD)/wheel-of-build/{wheel_tag}' \
	    -C cmake.define.UNSTRIDE_PYTHON_LIBRARY=$(abspath $(BUILD))/python/unstride/libunstride_python.so \
	    -C cmake.define.UNSTRIDE_TORCH=$(if $(WHEEL_TORCH),ON -C cmake.define.UNSTRIDE_TORCH_PYTHON=$(WHEEL_TORCH),OFF)

test-wheel: wheel  ## install the wheel where nothing else is, and run the tests of the package
	$(WHEEL_VENV)/bin/python python/tests/wheel_check.py $(BUILD) $(WHEEL_TORCH)

install: build  ## install the library to PREFIX
	$(CMAKE) --install $(BUILD) --prefix $(PREFIX)

format: $(VENV)/done  ## format the sources
	$(VENV)/bin/clang-format -i $(SOURCES)
	$(VENV)/bin/ruff format --quiet

lint: $(VENV)/done | setup  ## check the format, and run ruff and clang-tidy
	$(VENV)/bin/clang-format --dry-run --Werror $(SOURCES)
	$(VENV)/bin/ruff format --quiet --check
	$(VENV)/bin/ruff check --quiet
	@$(CMAKE) --preset $(PRESET) -B $(BUILD)/lint -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON  # those of GCC are not Clang's
	clang-tidy -p $(BUILD)/lint --quiet $(filter %.cpp,$(SOURCES))

clean:  ## remove what was built
	rm -rf $(BUILD)

$(BUILD)/CMakeCache.txt: requirements.txt | setup $(HOST_BUILD)
	@echo "Configuring $(BUILD)"
	@$(CMAKE) --preset $(PRESET) -B $(BUILD)

setup:  # both are downloads, which go on at the same time
	@$(MAKE) --no-print-directory --jobs 2 $(VENV)/done packages

$(VENV)/done: requirements.txt
	@echo "Setting up $(VENV): Halide, CMake, Ninja and what the demo and the tests need of Python"
	@python3 -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --no-compile --disable-pip-version-check -r requirements.txt
	@touch $@

$(PEERS)/done: bench/requirements-peers.txt
	@echo "Setting up $(PEERS): PyTorch, OpenVINO and ONNX Runtime, some gigabytes"
	python3 -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r bench/requirements-peers.txt
	@touch $@

$(TORCH)/done: requirements-torch.txt
	@echo "Setting up $(TORCH): PyTorch, some gigabytes"
	python3 -m venv $(TORCH)
	$(TORCH)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-torch.txt
	@touch $@

$(DASK)/done: requirements-dask.txt
	@echo "Setting up $(DASK): dask and zarr"
	python3 -m venv $(DASK)
	$(DASK)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dask.txt
	@touch $@

packages:
	@cmake/install-packages.sh $(PRESET) $(PACKAGES)

.PHONY: help demo build test test-torch test-tsan test-asan test-valgrind test-oclgrind fuzz fuzz-corpus fuzzers \
    bench bench-peers experiments layer-kernels wheel test-wheel install format lint clean setup packages test-large \
    test-dask test-aarch64 test-aarch64-part some-tests host-generator host-kernels
