// The fuzzer of the API without libFuzzer: random geometries by their seeds, and inputs that libFuzzer found.
//
//     fuzz_api [--count N] [--seed FIRST] [--device opencl] [--tell] [FILE or FOLDER...]
//     fuzz_api --variants ISA [--count N]      calls of each variant of an instruction set, for valgrind
//
// With --tell it says what each one is. It ends with status 0 if nothing was found. A crash tells its seed or file,
// too.

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz_api.h"

namespace {

using namespace unstride::tests;

constexpr int most_findings = 20;

// What is tried at the moment, for the handler of signals.
char current[512];

extern "C" void tell_current(int signal) {
    std::fprintf(stderr, "signal %d in %s\n", signal, current);
    std::_Exit(2);
}

struct Arguments {
    uint64_t count = 0, seed = 1;
    unstride::Device device = unstride::Device::cpu;
    bool tell = false;
    std::string variants;
    std::vector<std::filesystem::path> files;
};

Arguments parse(int argc, char **argv) {
    Arguments arguments;
    for (int i = 1; i < argc; i++) {
        const std::string name = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
        if (name == "--count") {
            arguments.count = std::stoull(argv[++i]);
        } else if (name == "--seed") {
            arguments.seed = std::stoull(argv[++i]);
        } else if (name == "--device" && value == "opencl") {
            arguments.device = unstride::Device::opencl;
            i++;
        } else if (name == "--variants") {
            arguments.variants = argv[++i];
        } else if (name == "--tell") {
            arguments.tell = true;
        } else if (std::filesystem::is_directory(name)) {
            for (const auto &entry : std::filesystem::directory_iterator(name)) {
                arguments.files.push_back(entry.path());
            }
        } else {
            arguments.files.emplace_back(name);
        }
    }
    return arguments;
}

class Findings {
public:
    explicit Findings(const Arguments &arguments) : device_(arguments.device), tell_(arguments.tell) {
    }

    // Tries one input, whose name is told with what is found.
    void look(const std::string &name, const Choices &choices) {
        std::snprintf(current, sizeof current, "%s", name.c_str());
        std::string last_call;
        const std::string found = finding_of(choices, device_, tell_ ? &last_call : nullptr);
        if (!found.empty()) {
            std::cerr << name << ": " << found << std::endl;
            count_++;
        } else if (tell_) {
            std::cout << name << ": " << last_call << '\n';
        }
    }

    void look_at(const unstride::Variant &variant, uint64_t seed) {
        std::snprintf(current, sizeof current, "%s", variant.name.c_str());
        const std::string found = finding_of(Choices(seed), variant);
        if (!found.empty()) {
            std::cerr << "seed " << seed << ": " << found << std::endl;
            count_++;
        }
    }

    int count() const {
        return count_;
    }

private:
    unstride::Device device_;
    bool tell_;
    int count_ = 0;
};

int run_variants(const Arguments &arguments) {
    Findings findings(arguments);
    int variants = 0;
    for (const unstride::Variant &variant : unstride::variants()) {
        if (variant.isa != arguments.variants || !variant.runs_here()) {
            continue;
        }
        variants++;
        for (uint64_t i = 0; i < std::max<uint64_t>(arguments.count, 1); i++) {
            findings.look_at(variant, arguments.seed + i);
        }
    }
    std::cout << variants << " variants: " << findings.count() << " findings" << std::endl;
    return findings.count() == 0 && variants > 0 ? 0 : 1;
}

int run(const Arguments &arguments) {
    if (!arguments.variants.empty()) {
        return run_variants(arguments);
    }
    if (arguments.device != unstride::Device::cpu) {
        unstride::device_info(arguments.device);  // A device that is missing is an error, and no finding of each call.
    }
    Findings findings(arguments);
    for (const std::filesystem::path &path : arguments.files) {
        std::ifstream file(path, std::ios::binary);
        const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
        findings.look(path.string(), Choices(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
    }
    uint64_t done = 0;
    for (; done < arguments.count && findings.count() < most_findings; done++) {
        const uint64_t seed = arguments.seed + done;
        findings.look("--count 1 --seed " + std::to_string(seed), Choices(seed));
        if ((done + 1) % 10'000 == 0) {
            std::cout << done + 1 << " geometries, " << findings.count() << " findings" << std::endl;
        }
    }
    std::cout << arguments.files.size() << " files and " << done << " random geometries from seed " << arguments.seed
              << ": " << findings.count() << " findings" << std::endl;
    return findings.count() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char **argv) {
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
        std::signal(signal, tell_current);
    }
    try {
        const Arguments arguments = parse(argc, argv);
        const int status = run(arguments);
        if (arguments.device != unstride::Device::cpu) {
            // Oclgrind is gone already when Halide's runtime gives back what it has of the driver at the end.
            std::_Exit(status);
        }
        return status;
    } catch (const std::exception &e) {
        std::cerr << e.what() << std::endl;
        return 2;
    }
}
