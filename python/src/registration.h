// What each register_<area>.cc adds to the module.
#pragma once

#include <nanobind/nanobind.h>

namespace bucketline::python {

void RegisterErrors(nanobind::module_& module);
void RegisterRanks(nanobind::module_& module);
void RegisterRuntime(nanobind::module_& module);
void RegisterStores(nanobind::module_& module);
void RegisterLabels(nanobind::module_& module);
void RegisterUploads(nanobind::module_& module);
void RegisterDataset(nanobind::module_& module);
void RegisterIndex(nanobind::module_& module);
void RegisterImage(nanobind::module_& module);
void RegisterLoader(nanobind::module_& module);
void RegisterPack(nanobind::module_& module);
void RegisterStream(nanobind::module_& module);
void RegisterSamples(nanobind::module_& module);

}  // namespace bucketline::python
