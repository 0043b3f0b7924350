// Wisdom as text and in files. A line that is stale or damaged does no harm.

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>

#include "support/bias.h"
#include "support/catch_compat.h"
#include "support/scratch_watch.h"
#include "support/some_wisdom.h"

namespace unstride::tests {
namespace {

std::vector<std::string> lines_of(const std::string &text) {
    std::vector<std::string> lines(1);
    for (char c : text) {
        c == '\n' ? lines.emplace_back() : lines.back() += c;
    }
    lines.pop_back();
    return lines;
}

// The line with the right checksum, whatever is in it: the CRC-32 of ISO 3309, by the polynomial division of its
// definition.
std::string sign(const std::string &line) {
    const std::string text = line.substr(0, line.rfind(" crc32="));
    std::vector<bool> bits;
    for (unsigned char c : text + std::string(4, '\0')) {
        for (int i = 0; i < 8; i++) {
            bits.push_back(c >> i & 1);
        }
    }
    for (size_t i = 0; i < 32; i++) {
        bits[i] = !bits[i];
    }
    const char *polynomial = "100000100110000010001110110110111";
    for (size_t i = 0; i + 32 < bits.size(); i++) {
        for (size_t j = bits[i] ? 0 : 33; j <= 32; j++) {
            bits[i + j] = bits[i + j] != (polynomial[j] == '1');
        }
    }
    uint32_t crc = 0;
    for (size_t i = 0; i < 32; i++) {
        crc |= uint32_t{!bits[bits.size() - 32 + i]} << i;
    }
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08x", crc);
    return text + " crc32=" + digits;
}

std::string replaced(std::string text, const std::string &from, const std::string &to) {
    const size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

// A wisdom text of one line with a right checksum.
std::string signed_text(const std::string &line) {
    return "unstride wisdom 1\n" + sign(line) + "\n";
}

TEST_CASE("wisdom survives being written and read", "[wisdom]") {
    const NoWisdom none;
    const std::string text = some_wisdom();
    CHECK(lines_of(text).size() == 5);
    const WisdomReport report = read_wisdom(text);
    CHECK(report.found);
    CHECK(report.is_wisdom);
    CHECK(report.entries == 4);
    CHECK(report.other_machines == 0);
    CHECK(report.problems.empty());
    CHECK(report.summary().empty());
    CHECK(wisdom_text() == text);
    CHECK(ConvTranspose3d(grouped).plan(input_shape, Layout::ndhwc).rows_per_task == 3);
    // The last entry wins, be it in a file or not.
    add_wisdom(entry_for(candidates(grouped, Layout::ndhwc).front(), 5));
    CHECK(ConvTranspose3d(grouped).plan(input_shape, Layout::ndhwc).rows_per_task == 5);
    CHECK(lines_of(wisdom_text()).size() == 5);
    read_wisdom(text);
    CHECK(wisdom_text() == text);

    // All sizes and parameters differ. The output padding is beyond the stride, which dilation allows; and padding may
    // differ at the end.
    ConvTranspose3dOptions options{6, 4, {2, 3, 4}, {1, 2, 3}, {1, 2, 3}, {4, 0, 1}, 2, with_bias, {5, 1, 2}};
    const Shape input{2, 6, 7, 8, 9};
    using Paddings = std::pair<Triple, std::optional<Triple>>;
    for (const auto &[padding, padding_end] :
         {Paddings({1, 2, 3}, {}), Paddings({1, 2, 3}, {{4, -20, 9}}), Paddings({-4, 0, -9}, {{0, 1, 2}})}) {
        options.padding = padding;
        options.padding_end = padding_end;
        forget_wisdom();
        add_wisdom(entry_for(candidates(options, Layout::ncdhw).front(), 2, options, input));
        const std::string other = wisdom_text();
        forget_wisdom();
        CHECK(read_wisdom(other).summary().empty());
        CHECK(ConvTranspose3d(options).plan(input, Layout::ncdhw).measured);
    }
}

TEST_CASE("wisdom that was cut off anywhere", "[wisdom]") {
    const NoWisdom none;
    const std::string text = some_wisdom();
    for (size_t size = 0; size < text.size(); size++) {
        forget_wisdom();
        const WisdomReport report = read_wisdom(text.substr(0, size));
        const std::string rest = text.substr(size);
        // A line may lack its line break, but nothing else.
        const int64_t whole = 4 - (static_cast<int64_t>(lines_of(rest).size()) - (rest.front() == '\n' ? 1 : 0));
        const bool between = rest.front() == '\n' || (size > 0 && text[size - 1] == '\n');
        INFO("cut to " << size << " of " << text.size() << " bytes: " << report.summary());
        CHECK(report.entries == std::max<int64_t>(whole, 0));
        CHECK(report.problems.size() == (between ? 0 : 1));
        CHECK(report.is_wisdom == (size >= std::string("unstride wisdom 1").size()));
    }
}

TEST_CASE("wisdom with any byte changed", "[wisdom]") {
    const NoWisdom none;
    const std::string text = some_wisdom();
    const size_t header = text.find('\n');
    std::mt19937 random(1);
    for (size_t at = 0; at < text.size(); at++) {
        for (int change : {1, 32, static_cast<int>(1 + random() % 255)}) {
            forget_wisdom();
            std::string damaged = text;
            damaged[at] = static_cast<char>(damaged[at] ^ change);
            const WisdomReport report = read_wisdom(damaged);
            INFO("byte " << at << " changed by " << change << ": " << report.summary());
            CHECK_FALSE(report.problems.empty());
            CHECK(report.is_wisdom == (at > header));
            if (at <= header) {
                CHECK(report.entries == 0);
            } else if (text[at] != '\n') {
                CHECK(report.entries == 3);
            } else {  // Two lines have become one.
                CHECK(report.entries == (at + 1 == text.size() ? 3 : 2));
            }
            CHECK(report.summary().find('\n') == std::string::npos);
        }
    }
}

TEST_CASE("wisdom with wrong contents and right checksums", "[wisdom]") {
    const NoWisdom none;
    const std::string line = lines_of(some_wisdom())[1];
    REQUIRE(read_wisdom(signed_text(line)).entries == 1);
    const auto problem = [&](const std::string &from, const std::string &to) {
        forget_wisdom();
        const WisdomReport report = read_wisdom(signed_text(replaced(line, from, to)));
        CHECK(report.entries == 0);
        CHECK(report.other_machines == 0);
        CHECK(report.problems.size() == 1);
        CHECK(wisdom_text() == "unstride wisdom 1\n");
        return report.summary();
    };
    const std::string variant = line.substr(line.find(" variant="), line.find(" rows=") - line.find(" variant="));
    const std::string version = line.substr(0, line.find(' '));
    CHECK(problem(version, "unstride=0.0.1") == "line 2: it was measured with another version of unstride; ignored");
    CHECK(problem(variant, " variant=ncdhw_nonesuch") == "line 2: this build has no variant ncdhw_nonesuch; ignored");
    const std::string other_layout = line.find("layout=ncdhw") != std::string::npos ? "ndhwc" : "ncdhw";
    CHECK(
        problem(variant,
                " variant=" + candidates(grouped, other_layout == "ndhwc" ? Layout::ndhwc : Layout::ncdhw).front().name)
            .find("is for layout") != std::string::npos);
    CHECK(problem(" rows=", " rows=1000").find("line 2: the rows of a task must be from 1 to ") == 0);
    CHECK_FALSE(problem(" rows=", " rows=-").empty());
    CHECK(problem(" threads=", " threads=-") == "line 2: the number of threads must be from 1 to 2147483647; ignored");
    CHECK(problem(" threads=", " threads=99999999999") ==
          "line 2: the number of threads must be from 1 to 2147483647; ignored");
    CHECK_FALSE(problem(" nanoseconds=", " nanoseconds=-").empty());
    CHECK_FALSE(problem(" nanoseconds=", " nanoseconds=99999999999").empty());
    CHECK_FALSE(problem(" candidates=7", " candidates=0").empty());
    CHECK_FALSE(problem(" groups=2", " groups=3").empty());
    CHECK_FALSE(problem(" groups=2", " groups=0").empty());
    CHECK_FALSE(problem(" channels=16", " channels=9223372036854775807").empty());
    CHECK_FALSE(problem(" stride=2", " stride=0").empty());
    CHECK_FALSE(problem(" kernel=3", " kernel=9223372036854775807").empty());
    CHECK_FALSE(problem(" input=", " input=9223372036854775807").empty());
    CHECK_FALSE(problem(" padding=1", " padding=99").empty());
    CHECK(problem(" threads=", " threads=0") == "line 2: it is not as this version writes it; ignored");
    CHECK(problem(" batch=", "  batch=") == "line 2: it is not as this version writes it; ignored");
    CHECK(problem(" dtype=f32", " dtype=f64").find(" is for type f32; ignored") != std::string::npos);
    CHECK(problem(" dtype=f32", " dtype=f8") == "line 2: it is not as this version writes it; ignored");
    CHECK(problem(" layout=n", " layout=m") == "line 2: it is not as this version writes it; ignored");
    CHECK(problem(" crc32=", " more=1 crc32=") == "line 2: it is not as this version writes it; ignored");

    forget_wisdom();
    CHECK(read_wisdom(replaced(signed_text(line), "wisdom 1", "wisdom 2")).summary() ==
          "line 1: it is not 'unstride wisdom 1'; ignored");
    CHECK(read_wisdom("").summary() == "line 1: it is not 'unstride wisdom 1'; ignored");
    CHECK_FALSE(read_wisdom("").is_wisdom);

    // There may be any nonsense between the words.
    std::mt19937 random(2);
    const std::string alphabet = std::string(" =,-0129\"xn\xff") + '\0';
    for (int i = 0; i < 20000; i++) {
        std::string text = line.substr(0, line.rfind(" crc32="));
        for (int changes = 1 + static_cast<int>(random() % 3); changes > 0; changes--) {
            const size_t at = version.size() + 1 + random() % (text.size() - version.size() - 1);
            text.replace(at, random() % 3, random() % 4, alphabet[random() % alphabet.size()]);
        }
        const WisdomReport report = read_wisdom(signed_text(text + " crc32="));
        REQUIRE(report.entries + report.other_machines + static_cast<int64_t>(report.problems.size()) == 1);
    }
    CHECK(ConvTranspose3d(grouped).plan(input_shape, Layout::ncdhw).rows_per_task >= 1);
}

TEST_CASE("wisdom of another machine is kept, but not used", "[wisdom]") {
    const NoWisdom none;
    const std::string line = lines_of(some_wisdom())[1];
    const std::string foreign = signed_text(replaced(line, "cpu=\"", "cpu=\"Abacus "));
    WisdomReport report = read_wisdom(foreign);
    CHECK(report.entries == 0);
    CHECK(report.other_machines == 1);
    CHECK(report.problems.empty());
    CHECK(report.summary().find("nothing in it was measured on this machine") == 0);
    CHECK_FALSE(ConvTranspose3d(grouped).plan(input_shape, Layout::ncdhw).measured);
    CHECK_FALSE(ConvTranspose3d(grouped).plan(input_shape, Layout::ndhwc).measured);
    CHECK(wisdom_text() == foreign);
    CHECK(read_wisdom(signed_text(replaced(line, " isa=", " isa=mmx"))).other_machines == 1);

    report = read_wisdom(foreign + line + "\n");
    CHECK(report.entries == 1);
    CHECK(report.other_machines == 1);
    CHECK(report.summary().empty());
    CHECK(lines_of(wisdom_text()).size() == 4);
}

TEST_CASE("wisdom files", "[wisdom]") {
    const NoWisdom none;
    namespace fs = std::filesystem;
    const fs::path folder = fs::temp_directory_path() / ("unstride-wisdom-" + std::to_string(std::random_device{}()));
    fs::create_directory(folder);
    const std::string text = some_wisdom(), path = folder / "wisdom";
    std::ofstream(path, std::ios::binary) << text;
    CHECK(load_wisdom(path).entries == 4);
    CHECK(wisdom_text() == text);
    forget_wisdom();
    for (const std::string &wrong : {path + "x", folder.string(), std::string(), std::string("/dev/zero")}) {
        const WisdomReport report = load_wisdom(wrong);
        INFO(wrong << ": " << report.summary());
        CHECK_FALSE(report.found);
        CHECK_FALSE(report.is_wisdom);
        CHECK(report.problems.size() == 1);
    }
    CHECK(load_wisdom(path + "x").summary() == "cannot be read: No such file or directory");
    const std::string pipe = folder / "pipe";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);  // Nobody will ever write to it.
    for (const std::string &special : {pipe, folder.string(), std::string("/dev/zero"), std::string("/dev/full")}) {
        CHECK(load_wisdom(special).summary() == "cannot be read: not a regular file");
    }
    load_wisdom(path);
    const WisdomReport nothing = load_wisdom("/dev/null");
    CHECK(nothing.is_wisdom);
    CHECK(nothing.entries == 0);
    CHECK(nothing.summary().empty());
    CHECK(wisdom_text() == text);
    fs::remove_all(folder);
}

// This can fail only in a process that has not looked for wisdom yet, such as CTest starts for each test.
TEST_CASE("the first plan of a process is kept as later ones are", "[wisdom]") {
    namespace fs = std::filesystem;
    const fs::path path = fs::temp_directory_path() / ("unstride-wisdom-" + std::to_string(std::random_device{}()));
    std::ofstream(path) << "unstride wisdom 1\n";
    setenv("UNSTRIDE_WISDOM", path.c_str(), 1);
    const ConvTranspose3d layer(grouped);
    layer.plan(input_shape, Layout::ncdhw);
    const int64_t after_first = heap_bytes();
    layer.plan(input_shape, Layout::ncdhw);
    const int64_t after_second = heap_bytes();
    CHECK(after_second == after_first);  // No second one is kept beside it.
    unsetenv("UNSTRIDE_WISDOM");
    fs::remove(path);
}

TEST_CASE("where wisdom is kept", "[wisdom]") {
    struct Variable {
        const char *name;
        std::string before = std::getenv(name) != nullptr ? std::getenv(name) : "";
        void set(const std::string &value) const {
            setenv(name, value.c_str(), 1);
        }
    };
    const Variable wisdom{"UNSTRIDE_WISDOM"}, configuration{"XDG_CONFIG_HOME"}, home{"HOME"};
    wisdom.set("some/file");
    configuration.set("/configuration");
    home.set("/home/me");
    CHECK(default_wisdom_path() == "some/file");
    wisdom.set("");
    CHECK(default_wisdom_path() == "/configuration/unstride/wisdom");
    configuration.set("relative");
    CHECK(default_wisdom_path() == "/home/me/.config/unstride/wisdom");
    configuration.set("");
    CHECK(default_wisdom_path() == "/home/me/.config/unstride/wisdom");
    home.set("");
    CHECK(default_wisdom_path().empty());
    for (const Variable &v : {wisdom, configuration, home}) {
        v.set(v.before);
    }
}

}  // namespace
}  // namespace unstride::tests
