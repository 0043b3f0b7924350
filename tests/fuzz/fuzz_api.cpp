// Calls the library as apps might, with layers, arrays and mistakes that the choices decide, and compares what comes
// back with a direct computation. libFuzzer chooses bytes for it, and alone.cpp seeds.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>

#include "calls.h"
#include "fuzz_api.h"

namespace unstride::tests {

std::string finding_of(Choices choices, Device device, std::string *last_call) {
    std::optional<Session> session;
    const auto text = [&] { return session ? session->text() : "options alone"; };
    try {
        if (choices.once_in(32)) {
            check_options_of(choices);
        } else {
            session.emplace(choices, device);
            const bool errs = choices.once_in(8);
            for (int64_t calls = choices.once_in(4) ? 2 : 1; calls > 0; calls--) {
                errs ? session->mistake() : session->call();
            }
        }
    } catch (const std::exception &e) {
        return e.what() + ("\n    " + text());
    }
    if (last_call != nullptr) {
        *last_call = text();
    }
    return "";
}

std::string finding_of(Choices choices, const Variant &variant) {
    try {
        Session session(choices, variant);
        session.call();
        session.call();
    } catch (const std::exception &e) {
        return e.what() + ("\n    " + variant.name);
    }
    return "";
}

}  // namespace unstride::tests

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    const std::string found =
        unstride::tests::finding_of(unstride::tests::Choices(bytes, count), unstride::Device::cpu);
    if (!found.empty()) {
        std::fprintf(stderr, "%s\n", found.c_str());
        std::abort();
    }
    return 0;
}
