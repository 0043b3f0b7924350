#ifndef UNSTRIDE_PYTHON_MODULE_H
#define UNSTRIDE_PYTHON_MODULE_H

#include <nanobind/nanobind.h>

namespace unstride::python {

// Each adds a part of the module.
void add_plans(nanobind::module_ &m);
void add_layers(nanobind::module_ &m);
void add_functions(nanobind::module_ &m);
void add_settings(nanobind::module_ &m);

}  // namespace unstride::python

#endif
