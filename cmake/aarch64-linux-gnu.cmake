# The toolchain of the preset aarch64: the cross compiler of Debian's package g++-aarch64-linux-gnu, whose programs QEMU
# runs as a processor of ARMv8.0, which is what all have. Headers and CMake's packages are those of the machine that
# builds; of libraries it needs the compiler's own alone.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -cpu cortex-a53 -L /usr/aarch64-linux-gnu)
