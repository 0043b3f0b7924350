// The main function of tests that run on the GPU that UNSTRIDE_TEST_DEVICE names. Without an NVIDIA GPU those of CUDA
// are skipped, and it says so; but OpenCL every machine has, as cmake/install-packages.sh installs PoCL and the loader.
#include <iostream>

#include "support/harness.h"
#include "support/run_tests.h"

int main(int argc, char **argv) {
    using namespace unstride;
    const Device device = tests::tested_device();
    if (device == Device::cpu) {
        std::cerr << "UNSTRIDE_TEST_DEVICE has to name a GPU: cuda or opencl\n";
        return 2;
    }
    try {
        const DeviceInfo info = device_info(device);
        std::cout << to_string(device) << ": " << info.name << ", " << info.processors << " processors" << std::endl;
    } catch (const DeviceError &e) {
        if (device == Device::opencl) {
            std::cerr << e.what() << ": cmake/install-packages.sh installs PoCL, which needs no GPU, and the loader\n";
            return 1;
        }
        std::cout << "[SKIP] " << e.what() << std::endl;
        return 0;
    }
    return tests::run_tests(argc, argv);
}
