#ifndef UNSTRIDE_TESTS_APPS_PLUGIN_H
#define UNSTRIDE_TESTS_APPS_PLUGIN_H

// All that a plugin shows to the program that loads it: 0 if its part of a test is right.
extern "C" __attribute__((visibility("default"))) int plugin_status();

#endif
