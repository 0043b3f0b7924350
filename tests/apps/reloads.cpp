// A plugin that computes with several threads, for a program that loads it again and again.

#include "app.h"
#include "plugin.h"

int plugin_status() {
    using namespace unstride;
    return apps::run([] {
        set_num_threads(4);
        const bool right = apps::shared_by_rows().is_right() && apps::shared_by_items().is_right();
        return apps::status(right, "a plugin computed another result the second time");
    });
}
