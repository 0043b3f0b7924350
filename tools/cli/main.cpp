#include <algorithm>
#include <exception>
#include <iostream>
#include <new>
#include <string>

#include "commands.h"
#include "tools/files/process.h"

namespace {

// Prints the one line of a failure, and returns the exit status. The text may have names from the command line in it,
// and these may have line breaks, which become spaces.
int fail(std::string message) {
    std::replace_if(
        message.begin(), message.end(), [](unsigned char c) { return c < ' '; }, ' ');
    std::cout.exceptions(std::ios::goodbit);  // cerr flushes cout, which may be what failed
    std::cerr << "unstride: error: " << message << '\n';
    return 2;
}

}  // namespace

int main(int argc, char **argv) {
    using namespace unstride::tools;
    try {
        prepare_process();
        // A report that cannot be written is a failure.
        std::cout.exceptions(std::ios::badbit | std::ios::failbit);
        CLI::App app("Transposed convolution with the semantics of torch.nn.ConvTranspose3d, 2d and 1d", "unstride");
        app.set_version_flag("--version", "unstride " UNSTRIDE_VERSION);
        app.require_subcommand(0, 1);
        add_run(app);
        add_backward(app);
        add_init(app);
        add_plan(app);
        add_list(app);
        add_bench(app);
        add_tune(app);
        try {
            app.parse(argc, argv);
            // CLI11's own check would hide the name of a command that does not exist.
            if (app.get_subcommands().empty()) {
                return fail("a command is needed: run, backward, init, plan, list, bench or tune");
            }
        } catch (const CLI::Success &request) {  // --help or --version
            app.exit(request);
        }
        std::cout.flush();
        return 0;
    } catch (const std::ios::failure &) {
        return fail("standard output cannot be written");
    } catch (const std::bad_alloc &) {
        return fail("not enough memory");
    } catch (const std::exception &e) {
        return fail(e.what());
    } catch (...) {
        return fail("unknown failure");
    }
}
