#!/usr/bin/env bash
# All that needs an NVIDIA GPU, in one go: the tests on CUDA, compute-sanitizer, and the layer table beside cuDNN.
#
#     bench/gpu.sh [FOLDER]      by default build/gpu, where all results go
#
# Needs the CUDA Toolkit and cuDNN. What the machine lacks besides (Nsight Compute, compute-sanitizer) is left out, and said.
set -uo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-build/gpu}")
mkdir -p "$out"
export PATH="$PATH:/usr/local/cuda/bin"
failed=0
step() {
    local name=$1
    shift
    echo "== $name"
    "$@" >"$out/$name.log" 2>&1 && echo "   done" || { failed=1; echo "   FAILED: $out/$name.log"; tail -n 20 "$out/$name.log"; }
}

nvidia-smi --query-gpu=name,driver_version,clocks.max.sm,clocks.max.mem --format=csv | tee "$out/gpu.csv"
[ "${PIPESTATUS[0]}" = 0 ] || exit 1
build="$out/build"
make build BUILD="$build" >"$out/build.log" 2>&1 || { tail -n 20 "$out/build.log"; exit 1; }
step configure .venv/bin/cmake -DUNSTRIDE_GPU_BENCH=ON "$build"
step build-bench .venv/bin/cmake --build "$build" --target unstride_gpu_bench

export UNSTRIDE_TEST_DEVICE=cuda
step tests "$build/tests/unstride_gpu_tests"
! grep -q '\[SKIP\]' "$out/tests.log" || { cat "$out/tests.log"; exit 1; }
if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck initcheck; do
        step "$tool" compute-sanitizer --tool "$tool" --error-exitcode 1 "$build/tests/unstride_gpu_tests" "problem table in*"
    done
else
    echo "== no compute-sanitizer on this machine"
fi
step install .venv/bin/cmake --install "$build" --prefix "$out/prefix"
step example sh -c ".venv/bin/cmake -S examples/gpu -B '$out/example' -DCMAKE_PREFIX_PATH='$out/prefix' && .venv/bin/cmake --build '$out/example' && '$out/example/decoder'"
step bench "$build/bin/unstride_gpu_bench" "$out/gpu.json"
if command -v ncu >/dev/null; then
    step ncu ncu --set basic --csv --launch-count 200 "$build/bin/unstride" bench --device cuda --variants planned
else
    echo "== no Nsight Compute on this machine"
fi
.venv/bin/python - "$out/gpu.json" <<'PYTHON'
import json, math, sys
rows = [r for r in json.load(open(sys.argv[1]))["results"] if "seconds" in r]
times = {(r["layer"], r["layout"], r["who"]): r for r in rows}
ratios = []
for (layer, layout, who), ours in times.items():
    theirs = times.get((layer, layout, "cudnn"))
    if who == "unstride" and not theirs:
        print(f"{layer:14} {layout} {1e3 * ours['seconds']:9.4f} ms  cuDNN has nothing for it  {ours['algorithm']}")
    elif who == "unstride":
        ratios.append(theirs["seconds"] / ours["seconds"])
        print(f"{layer:14} {layout} {1e3 * ours['seconds']:9.4f} ms  cuDNN {1e3 * theirs['seconds']:9.4f} ms  {ratios[-1]:6.2f}x"
              f"  {ours['fraction_of_peak']:4.0%} of the peak  {ours['algorithm']}")
if ratios:
    print(f"geometric mean {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}x, least {min(ratios):.2f}x")
PYTHON
echo "To keep these for the report: cp $out/gpu.json bench/gpu/results/$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1 | tr -c '[:alnum:]\n' _).json"
exit $failed
