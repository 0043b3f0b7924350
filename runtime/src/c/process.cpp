// What all layers of the process share: threads, the ceiling of instruction sets, and wisdom.

#include "c/arguments.h"
#include "c/status.h"
#include "c/text.h"
#include "unstride/unstride.h"

namespace unstride::c {
namespace {

void report_to(unstride_wisdom_report *report, const WisdomReport &found) {
    if (report == nullptr) {
        return;
    }
    unstride_wisdom_report result{};
    result.found = found.found ? 1 : 0;
    result.is_wisdom = found.is_wisdom ? 1 : 0;
    result.entries = found.entries;
    result.other_machines = found.other_machines;
    write_text(found.summary(), result.summary, sizeof result.summary);
    fill("report", report, result);
}

// Refuses a report that cannot be filled in, before anything is done.
void check_report(const unstride_wisdom_report *report) {
    if (report != nullptr) {
        check_struct_size("report", report->size);
    }
}

}  // namespace
}  // namespace unstride::c

using namespace unstride;
using namespace unstride::c;

const char *unstride_version(void) {
    return UNSTRIDE_VERSION;
}

unstride_status unstride_set_num_threads(int32_t count) {
    return status_of([&] { set_num_threads(count); });
}

unstride_status unstride_num_threads(int32_t *count) {
    return status_of([&] { *check_given("count", count) = num_threads(); });
}

unstride_status unstride_set_max_isa(const char *name) {
    return status_of([&] { set_max_isa(check_given("name", name)); });
}

unstride_status unstride_max_isa(char *name, size_t capacity, size_t *needed) {
    return status_of([&] { return_text(max_isa(), name, capacity, needed); });
}

unstride_status unstride_wisdom_load(const char *path, unstride_wisdom_report *report) {
    return status_of([&] {
        check_report(report);
        report_to(report, load_wisdom(check_given("path", path)));
    });
}

unstride_status unstride_wisdom_read(const char *text, unstride_wisdom_report *report) {
    return status_of([&] {
        check_report(report);
        report_to(report, read_wisdom(check_given("text", text)));
    });
}

unstride_status unstride_wisdom_text(char *text, size_t capacity, size_t *needed) {
    return status_of([&] { return_text(wisdom_text(), text, capacity, needed); });
}

unstride_status unstride_wisdom_forget(void) {
    return status_of([] { forget_wisdom(); });
}

unstride_status unstride_wisdom_default_path(char *path, size_t capacity, size_t *needed) {
    return status_of([&] { return_text(default_wisdom_path(), path, capacity, needed); });
}
