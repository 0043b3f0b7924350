#!/bin/sh
# Installs what the tests and the command line need from the distribution, where it is missing. Each line looks for the
# thing itself: what one package brings says nothing of another. Arguments name what only some targets of the Makefile
# need: tests, clang, valgrind, oclgrind, or a preset of CMake.
set -eu

missing=
[ -e /usr/include/catch2/catch.hpp ] || [ -e /usr/include/catch2/catch_all.hpp ] || missing="$missing catch2"
[ -e /usr/include/CLI/CLI.hpp ] || missing="$missing libcli11-dev"
[ -e /usr/include/nlohmann/json.hpp ] || missing="$missing nlohmann-json3-dev"
[ -e /usr/include/benchmark/benchmark.h ] || missing="$missing libbenchmark-dev"
# PoCL runs the tests for OpenCL on the CPU; programs find it through the loader.
ls /etc/OpenCL/vendors/pocl*.icd >/dev/null 2>&1 || missing="$missing pocl-opencl-icd"
PATH="$PATH:/sbin:/usr/sbin" ldconfig -p | grep -q 'libOpenCL\.so\.1 ' || missing="$missing ocl-icd-libopencl1"
command -v pkg-config >/dev/null || missing="$missing pkg-config"
aarch64=
for needed in "$@"; do
    case "$needed" in
    aarch64*)
        # Catch2 2, as in Debian 12, and nlohmann-json are headers alone: those for this machine serve ARM as well.
        aarch64=yes
        ;;
    tests)
        # Of the tests, one for ARM alone needs this, which is skipped elsewhere.
        if [ "$(uname -m)" = x86_64 ] && command -v apt-get >/dev/null; then
            aarch64=yes
        fi
        ;;
    clang)
        command -v clang >/dev/null || missing="$missing clang"
        # Sanitizers and libFuzzer are in a package of their own.
        ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a >/dev/null 2>&1 ||
            missing="$missing libclang-rt-dev"
        ;;
    valgrind | oclgrind)
        command -v "$needed" >/dev/null || missing="$missing $needed"
        ;;
    esac
done
if [ -n "$aarch64" ]; then
    command -v aarch64-linux-gnu-g++ >/dev/null || missing="$missing g++-aarch64-linux-gnu"
    command -v qemu-aarch64-static >/dev/null || missing="$missing qemu-user-static"
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Please install the equivalents of these Debian packages:$missing" >&2
    exit 1
fi
echo "Installing$missing"
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q >/dev/null
# shellcheck disable=SC2086  # a list of packages
$as_root apt-get install -y -q --no-install-recommends $missing >/dev/null
