#include "module.h"

#include <unstride/error.h>

#include "numpy.h"

namespace nb = nanobind;

namespace {

// Errors of the library become those that Python has for the same mistake.
void translate(const std::exception_ptr &exception, void *) {
    try {
        std::rethrow_exception(exception);
    } catch (const unstride::InvalidArgument &e) {
        PyErr_SetString(PyExc_ValueError, e.what());
    } catch (const unstride::OutOfMemory &e) {
        PyErr_SetString(PyExc_MemoryError, e.what());
    } catch (const unstride::Error &e) {
        PyErr_SetString(PyExc_RuntimeError, e.what());
    }
}

}  // namespace

NB_MODULE(_core, m) {
    m.attr("__doc__") = "The part of unstride that is written in C++. Use it through the package.";
    m.attr("version") = UNSTRIDE_VERSION;
    nb::register_exception_translator(translate);
    // Layers that live in a global variable are alive when the interpreter ends.
    nb::set_leak_warnings(false);
    unstride::python::import_numpy();
    unstride::python::add_plans(m);
    unstride::python::add_layers(m);
    unstride::python::add_functions(m);
    unstride::python::add_settings(m);
}
