// bucketline._core: the engine as Python sees it. Private: the package wraps it.
#include "src/registration.h"

NB_MODULE(_core, module) {
  using namespace bucketline::python;
  // What lives until the interpreter ends is no leak: the default Runtime, say.
  nanobind::set_leak_warnings(false);
  module.attr("version") = BUCKETLINE_VERSION;
  RegisterErrors(module);
  RegisterRanks(module);
  RegisterRuntime(module);
  RegisterStores(module);
  RegisterLabels(module);
  RegisterUploads(module);
  RegisterDataset(module);
  RegisterIndex(module);
  RegisterImage(module);
  RegisterLoader(module);
  RegisterStream(module);
  RegisterSamples(module);
  RegisterPack(module);
}
