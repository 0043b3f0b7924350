#include "plan/wisdom.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "checks/checks.h"
#include "device/machine.h"
#include "plan/wisdom_line.h"
#include "process/lasting.h"
#include "process/planning_changes.h"
#include "unstride/wisdom.h"

namespace unstride {
namespace {

// The path that users give in place of a file to have no wisdom. It is read as wisdom without lines, as it is not a
// regular file.
constexpr const char *empty_wisdom_path = "/dev/null";

// The wisdom of the process.
struct Store {
    Mutex mutex;
    std::string isa;                        // the instruction set of this machine when lines were last sorted
    std::map<std::string, Winner> winners;  // the winners of this machine, by key
    std::map<std::string, std::string> other_machines;  // lines of other machines as they were read, by key
    std::once_flag environment;                         // set once the environment's wisdom was loaded
};

Lasting<constructed<Store>> lasting_store;

Store &store() {
    return lasting_store.get();
}

// Puts a line where it belongs in the store. Returns whether it is a winner of this machine. The caller holds the
// store's lock.
bool file_line(const WisdomLine &parsed, std::string_view line) {
    if (parsed.winner) {
        store().winners[parsed.key] = *parsed.winner;
    } else {
        store().other_machines[parsed.key] = line;
    }
    return parsed.winner.has_value();
}

// Sorts all lines into winners of this machine and lines of others again if the machine's instruction set has changed.
// This happens when the program sets another ceiling (unstride/machine.h), with which it is another machine to wisdom.
// The caller holds the store's lock.
void sort_for(const Machine &machine) {
    if (store().isa == machine.isa) {
        return;
    }
    store().isa = machine.isa;
    std::map<std::string, std::string> lines;
    lines.swap(store().other_machines);
    for (const auto &[key, winner] : store().winners) {
        lines[key] = wisdom_line(key, winner);
    }
    store().winners.clear();
    for (const auto &[key, line] : lines) {
        try {
            file_line(parse_wisdom_line(line, machine), line);
        } catch (const InvalidArgument &) {
            // The line was kept unread while it was another machine's, and turns out to be wrong. It is left out.
        }
    }
}

// Adds a line to the store, and to the counts of the report. Throws InvalidArgument as parse_wisdom_line() does.
void take_line(std::string_view line, const Machine &machine, WisdomReport &report) {
    const WisdomLine parsed = parse_wisdom_line(line, machine);
    const Lock lock(store().mutex);
    sort_for(machine);
    planning_changes++;
    if (file_line(parsed, line)) {
        report.entries++;
    } else {
        report.other_machines++;
    }
}

// Adds all lines of a text to the store. Lines that cannot be used are named in the report, and others are still taken.
void take_text(std::string_view text, const Machine &machine, WisdomReport &report) {
    for (int number = 1; !text.empty(); number++) {
        const size_t length = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, length);
        text.remove_prefix(std::min(length + 1, text.size()));
        if (number == 1) {
            report.is_wisdom = line == wisdom_header;
            if (!report.is_wisdom) {
                break;
            }
            continue;
        }
        try {
            take_line(line, machine, report);
        } catch (const InvalidArgument &e) {
            report.problems.push_back("line " + std::to_string(number) + ": " + e.what());
        }
    }
    if (!report.is_wisdom) {
        report.problems.push_back("line 1: it is not '" + std::string(wisdom_header) + "'");
    }
}

[[noreturn]] void fail_to_read(const std::string &why) {
    throw std::runtime_error("cannot be read: " + why);
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE *)>;

// Opens a regular file for reading. Throws std::runtime_error if it cannot be opened or is not a regular file: opening
// a pipe would wait for somebody to write, and reading a device may have no end.
File open_regular_file(const std::string &path) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    File file(descriptor == -1 ? nullptr : fdopen(descriptor, "rb"), std::fclose);
    struct stat status {};
    if (!file || fstat(descriptor, &status) != 0) {
        fail_to_read(std::strerror(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        fail_to_read("not a regular file");
    }
    return file;
}

// Returns all of a file. Throws std::runtime_error if it cannot be read, or is larger than any wisdom.
std::string read_file(const std::string &path) {
    if (path == empty_wisdom_path) {
        return std::string(wisdom_header) + "\n";
    }
    constexpr size_t most = size_t{16} << 20;  // bytes: room for some 50 000 winners
    const File file = open_regular_file(path);
    std::string text;
    char block[4096];
    while (const size_t count = std::fread(block, 1, sizeof block, file.get())) {
        text.append(block, count);
        if (text.size() > most) {
            throw std::runtime_error("larger than any wisdom");
        }
    }
    if (std::ferror(file.get()) != 0) {
        fail_to_read(std::strerror(errno));
    }
    return text;
}

// Adds the lines of a file to the store, and returns what it found. It does not load the wisdom of the environment
// first, as that is loaded by this function, too.
WisdomReport load(const std::string &path) {
    WisdomReport report;
    const Machine machine = untimed_machine(1);
    try {
        const std::string text = read_file(path);
        report.found = true;
        take_text(text, machine, report);
    } catch (const std::exception &e) {
        report.problems.emplace_back(e.what());
    }
    return report;
}

// Returns the value of an environment variable; empty if it is not set.
std::string variable(const char *name) {
    const char *value = std::getenv(name);
    return value != nullptr ? value : "";
}

constexpr const char *wisdom_variable = "UNSTRIDE_WISDOM";

}  // namespace

void load_environment_wisdom() {
    std::call_once(store().environment, [] {
        const std::string path = variable(wisdom_variable);
        const std::string summary = path.empty() ? "" : load(path).summary();
        if (!summary.empty()) {
            std::fprintf(stderr, "unstride: warning: %s: %s\n", path.c_str(), summary.c_str());
        }
        planning_changes++;
    });
}

std::optional<Winner> recall(const Problem &problem, const Machine &machine) {
    load_environment_wisdom();
    const Lock lock(store().mutex);
    if (store().winners.empty() && store().other_machines.empty()) {
        return std::nullopt;
    }
    sort_for(untimed_machine(1));
    const auto found = store().winners.find(wisdom_key(problem, machine));
    return found != store().winners.end() ? std::optional(found->second) : std::nullopt;
}

void remember(const Problem &problem, const Machine &machine, const Winner &winner) {
    load_environment_wisdom();
    const Lock lock(store().mutex);
    sort_for(machine);
    store().winners[wisdom_key(problem, machine)] = winner;
}

void add_wisdom(const WisdomEntry &entry) {
    load_environment_wisdom();
    check_options(entry.options);
    const Geometry geometry = resolve(entry.options, entry.input_shape, entry.output_size);
    const Machine machine = untimed_machine(entry.threads);
    const Problem problem = problem_of(entry, geometry);
    const Winner winner = check_winner(entry, problem, machine);
    remember(problem, machine, winner);
    planning_changes++;
}

std::string WisdomReport::summary() const {
    std::string text;
    if (!problems.empty()) {
        text = problems.front();
        if (found) {
            text +=
                problems.size() > 1 ? "; ignored, with " + std::to_string(problems.size() - 1) + " more" : "; ignored";
        }
    } else if (entries == 0 && other_machines > 0) {
        const Machine machine = untimed_machine(1);
        text = "nothing in it was measured on this machine, " + machine.cpu + " with " + machine.isa;
    }
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
    return text;
}

WisdomReport load_wisdom(const std::string &path) {
    load_environment_wisdom();
    return load(path);
}

WisdomReport read_wisdom(const std::string &text) {
    load_environment_wisdom();
    WisdomReport report;
    report.found = true;
    take_text(text, untimed_machine(1), report);
    return report;
}

std::string wisdom_text() {
    load_environment_wisdom();
    std::string text = std::string(wisdom_header) + "\n";
    const Lock lock(store().mutex);
    for (const auto &[key, winner] : store().winners) {
        text += wisdom_line(key, winner) + "\n";
    }
    for (const auto &[key, line] : store().other_machines) {
        text += line + "\n";
    }
    return text;
}

void forget_wisdom() {
    // Otherwise the environment's wisdom would still be loaded later, and come back after it was forgotten.
    std::call_once(store().environment, [] {});
    const Lock lock(store().mutex);
    store().winners.clear();
    store().other_machines.clear();
    planning_changes++;
}

std::string default_wisdom_path() {
    std::string named = variable(wisdom_variable);
    const std::string configuration = variable("XDG_CONFIG_HOME"), home = variable("HOME");
    if (!named.empty()) {
        return named;
    }
    // The specification of XDG_CONFIG_HOME says that programs have to ignore relative paths in it.
    std::string folder = home.empty() ? "" : home + "/.config";
    if (!configuration.empty() && configuration.front() == '/') {
        folder = configuration;
    }
    return folder.empty() ? "" : folder + "/unstride/wisdom";
}

}  // namespace unstride
