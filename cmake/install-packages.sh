#!/bin/sh
# Installs the libraries that the tests and the command line need from the distribution, where they are missing.
set -eu

missing=
[ -e /usr/include/catch2/catch.hpp ] || [ -e /usr/include/catch2/catch_all.hpp ] || missing="$missing catch2"
[ -e /usr/include/CLI/CLI.hpp ] || missing="$missing libcli11-dev"
[ -e /usr/include/nlohmann/json.hpp ] || missing="$missing nlohmann-json3-dev"
[ -e /usr/include/benchmark/benchmark.h ] || missing="$missing libbenchmark-dev"
ls /etc/OpenCL/vendors/*.icd >/dev/null 2>&1 || missing="$missing pocl-opencl-icd" # runs the GPU tests on the CPU
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
