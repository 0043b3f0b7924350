// A plugin's part of a test as a program, with nothing loaded.

#include "plugin.h"

int main() {
    return plugin_status();
}
