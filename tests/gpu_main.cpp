// The main function of tests that run on the GPU that UNSTRIDE_TEST_DEVICE names. Where there is none, it says so, and all are skipped.
#include <iostream>

#include "harness.h"

#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

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
        std::cout << "[SKIP] " << e.what() << std::endl;
        return 0;
    }
    return Catch::Session().run(argc, argv);
}
