// A forward in the destructor of a static object that outlives those of the library, as it was made before them.
//
//     static_destructor after_main|first_use      whether main has computed, too

#include <cstdlib>
#include <string>

#include "app.h"

namespace {

using namespace unstride;

struct Late {
    ~Late() {
        const int found = apps::run([] {
            set_num_threads(4);
            const bool right = apps::shared_by_rows().is_right() && apps::shared_by_items().is_right();
            return apps::status(right, "a forward after main has another result the second time");
        });
        if (found != 0) {
            std::_Exit(found);
        }
    }
} const late;

}  // namespace

int main(int argc, char **argv) {
    if (argc != 2 || std::string(argv[1]) == "first_use") {
        return argc != 2;
    }
    return apps::run([] {
        set_num_threads(4);
        const bool right = apps::shared_by_rows().is_right() && apps::shared_by_items().is_right();
        return apps::status(right, "a forward has another result the second time");
    });
}
