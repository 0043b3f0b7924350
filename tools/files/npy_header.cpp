#include "npy_header.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <stdexcept>

namespace unstride::tools {

namespace {

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text), rest_(text) {
    }

    NpyHeader header() {
        NpyHeader result;
        std::set<std::string> seen;
        expect('{');
        while (!accept('}')) {
            const std::string key = quoted();
            expect(':');
            if (key == "descr") {
                result.dtype = dtype();
            } else if (key == "fortran_order") {
                result.fortran_order = boolean();
            } else if (key == "shape") {
                result.sizes = tuple();
            } else {
                fail();
            }
            if (!seen.insert(key).second || (next() != '}' && !accept(','))) {
                fail();
            }
        }
        if (seen.size() != 3 || next() != '\0') {
            fail();
        }
        return result;
    }

private:
    // Skips white space. Returns the next character, or 0 at the end.
    char next() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n"), rest_.size()));
        return rest_.empty() ? '\0' : rest_.front();
    }

    bool accept(char c) {
        if (next() != c) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    void expect(char c) {
        if (!accept(c)) {
            fail();
        }
    }

    std::string take(size_t count) {
        if (count > rest_.size()) {
            fail();
        }
        std::string taken(rest_.substr(0, count));
        rest_.remove_prefix(count);
        return taken;
    }

    std::string quoted() {
        const char quote = next();
        if (quote != '\'' && quote != '"') {
            fail();
        }
        rest_.remove_prefix(1);
        std::string value = take(rest_.find(quote));
        rest_.remove_prefix(1);
        return value;
    }

    std::string dtype() {
        if (next() != '[') {
            return quoted();
        }
        size_t length = 0;
        for (int depth = 0; length == 0 || depth > 0; length++) {
            if (length == rest_.size()) {
                fail();
            }
            if (rest_[length] == '[') {
                depth++;
            } else if (rest_[length] == ']') {
                depth--;
            }
        }
        return take(length);
    }

    bool boolean() {
        const bool value = next() == 'T';
        const std::string_view word = value ? "True" : "False";
        if (take(word.size()) != word) {
            fail();
        }
        return value;
    }

    std::vector<int64_t> tuple() {
        std::vector<int64_t> values;
        expect('(');
        while (!accept(')')) {
            next();
            int64_t value = 0;
            const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
            if (error != std::errc() || value < 0) {
                fail();
            }
            rest_.remove_prefix(end - rest_.data());
            values.push_back(value);
            // A tuple of one is written with a comma: (3) is a number in Python.
            if (!accept(',') && (values.size() == 1 || next() != ')')) {
                fail();
            }
        }
        return values;
    }

    [[noreturn]] void fail() const {
        throw std::runtime_error("malformed .npy header at its character " +
                                 std::to_string(text_.size() - rest_.size()));
    }

    std::string_view text_;
    std::string_view rest_;
};

}  // namespace

NpyHeader parse_npy_header(std::string_view text) {
    return Parser(text).header();
}

}  // namespace unstride::tools
