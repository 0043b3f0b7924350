#!/usr/bin/env bash
# Does all that needs an NVIDIA GPU in one go: the tests on CUDA, compute-sanitizer, and the layer table beside cuDNN.
#
#     bench/gpu.sh [all] [FOLDER]           builds, then runs all steps; results go to FOLDER, by default build/gpu
#     bench/gpu.sh build [FOLDER]           builds FOLDER/programs alone, on a machine that needs no GPU
#     bench/gpu.sh run FOLDER [STEP...]     runs these, or the named steps of them, on one that needs no network
#
# To build it needs the CUDA Toolkit and cuDNN, to run cuDNN and, for all steps, the Toolkit's compute-sanitizer and
# Nsight Compute; what the machine lacks of these is left out, and said. $BUILD names a build folder to use, and
# $STEP_SECONDS how long a step may take.
set -uo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
all | build | run) action=$1; shift ;;
*) action=all ;;
esac
out=$(realpath -m "${1:-build/gpu}")
[ $# = 0 ] || shift
programs="$out/programs"
mkdir -p "$programs/lib"
export PATH="$PATH:/usr/local/cuda/bin"
failed=0

# Runs a command with its output in a file of the step's name.
step() {
    local name=$1
    shift
    echo "== $name"
    local start=$SECONDS
    timeout "${STEP_SECONDS:-3600}" "$@" >"$out/$name.log" 2>&1
    local status=$?
    [ $status = 0 ] && echo "   done in $((SECONDS - start)) s" && return
    failed=1
    echo "   FAILED with status $status after $((SECONDS - start)) s: $out/$name.log"
    tail -n 20 "$out/$name.log"
}

build_programs() {
    local build=${BUILD:-$out/build}
    step build make build BUILD="$build"
    step configure-bench .venv/bin/cmake -DUNSTRIDE_GPU_BENCH=ON "$build"
    step build-bench .venv/bin/cmake --build "$build" --target unstride_gpu_bench
    step install .venv/bin/cmake --install "$build" --prefix "$out/prefix"
    step configure-example .venv/bin/cmake -S examples/gpu -B "$out/example" -DCMAKE_PREFIX_PATH="$out/prefix"
    step build-example .venv/bin/cmake --build "$out/example"
    [ $failed = 0 ] || exit 1
    cp "$build/tests/unstride_gpu_tests" "$build/bin/unstride_gpu_bench" "$build/bin/unstride" "$out/example/decoder" \
        "$programs"
    # Of the libraries that the programs need, this is the only one that a machine with the CUDA Toolkit may lack.
    cp "$(ldd "$programs/unstride_gpu_bench" | sed -n 's/.*libbenchmark.* => \([^ ]*\).*/\1/p')" "$programs/lib"
}

run_tests() {
    step tests "$programs/unstride_gpu_tests"
    ! grep -q '\[SKIP\]' "$out/tests.log" || { cat "$out/tests.log"; failed=1; }
}

run_sanitizer() {
    if ! command -v compute-sanitizer >/dev/null; then
        echo "== no compute-sanitizer on this machine"
        return
    fi
    step "$1" compute-sanitizer --tool "$1" --error-exitcode 1 "$programs/unstride_gpu_tests" "problem table in*"
}

# What bounds the planned kernels of layers that are large, small, grouped and shallow. The first calls warm up.
run_ncu() {
    if ! command -v ncu >/dev/null; then
        echo "== no Nsight Compute on this machine"
        return
    fi
    for layer in gcnet monai_unet mednext_res gan3d_2 grouped4; do
        for layout in ncdhw ndhwc; do
            step "ncu-$layer-$layout" ncu --set basic --csv --launch-skip 3 --launch-count 1 \
                "$programs/unstride" bench --device cuda --layers "$layer" --layout "$layout"
        done
    done
}

run_step() {
    case "$1" in
    tests) run_tests ;;
    memcheck | racecheck | initcheck) run_sanitizer "$1" ;;
    example) step example "$programs/decoder" ;;
    bench)
        step bench "$programs/unstride_gpu_bench" "$out/gpu.json"
        python3 bench/gpu/compare_with_cudnn.py "$out/gpu.json"
        ;;
    ncu) run_ncu ;;
    *) echo "bench/gpu.sh: error: no step $1" >&2; exit 2 ;;
    esac
}

[ $action = run ] || build_programs
[ $action = build ] && exit 0
nvidia-smi --query-gpu=name,driver_version,clocks.max.sm,clocks.max.mem --format=csv | tee "$out/gpu.csv"
[ "${PIPESTATUS[0]}" = 0 ] || exit 1
export UNSTRIDE_TEST_DEVICE=cuda LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$programs/lib"
[ $# != 0 ] || set -- tests memcheck racecheck initcheck example bench ncu
for name in "$@"; do
    run_step "$name"
done
exit $failed
