#include "catalog.h"

#include <algorithm>

#include "kernels.h"  // generated: declares every kernel

namespace unstride {
namespace {

int lanes(const std::string &isa) {
    return isa == "avx512" ? 16 : isa == "avx2" ? 8
                                                : 4;
}

// The features that the targets of cmake/UnstrideCatalog.cmake name, and the operating system's support for them. Every
// processor with AVX2 has F16C, which not every compiler knows to ask for.
bool runs_here(const std::string &isa) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (isa == "avx512") {
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    }
    return isa == "baseline" || avx2;
#else
    return isa == "baseline";
#endif
}

Entry entry(const char *name, Layout layout, const char *family, int block, int columns, int stride_x, const char *isa, Kernel kernel) {
    return {{name, family, layout, isa, "f32", stride_x, block, columns, runs_here(isa)}, lanes(isa), kernel};
}

}  // namespace

const std::vector<Entry> &catalog() {
    static const std::vector<Entry> entries = {
#include "catalog_entries.inc"  // generated from schedules/catalog.txt: entry("...", ...), for every variant
    };
    return entries;
}

const Entry *find_entry(const std::string &name) {
    const std::vector<Entry> &all = catalog();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Entry &e) { return e.variant.name == name; });
    return found != all.end() ? &*found : nullptr;
}

const std::vector<Variant> &variants() {
    static const std::vector<Variant> result = [] {
        std::vector<Variant> all;
        for (const Entry &e : catalog()) {
            all.push_back(e.variant);
        }
        return all;
    }();
    return result;
}

}  // namespace unstride
