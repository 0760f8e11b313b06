// What the library exports (exports.map): the plugin's entry, and what Python says before TensorFlow calls it.
#include <string>

#include "src/tf_filesystem/engine.h"
#include "src/tf_filesystem/file_ops.h"
#include "src/tf_filesystem/filesystem_ops.h"
#include "src/tf_filesystem/owned_memory.h"
#include "src/tf_filesystem/status.h"

namespace bucketline::tf {
namespace {

std::string& CaBundle() {
  static std::string& path = *new std::string;
  return path;
}

void MakeEngine(Filesystem* filesystem, Status* status) {
  Tell(status, [&] { filesystem->self = new Engine(CaBundle()); });
}

template <typename Ops>
Table<Ops> TableOf(const Ops& ops) {
  return {.abi = 0, .api = 0, .size = sizeof(Ops), .ops = new (GiveRoom<Ops>(1)) Ops(ops)};
}

}  // namespace
}  // namespace bucketline::tf

// The certificates to trust, as of RuntimeOptions::ca_bundle. Before registration, if at all.
extern "C" void bucketline_tf_set_ca_bundle(const char* path) { bucketline::tf::CaBundle() = path; }

// Called by TensorFlow, once. Without TensorFlow in the process it offers no scheme.
extern "C" void TF_InitPlugin(bucketline::tf::PluginInfo* info) {
  using namespace bucketline::tf;  // NOLINT(google-build-using-namespace): the names of one page
  info->allocate = Allocate;
  info->free = Free;
  info->schemes = FindStatusFunctions() ? 1 : 0;
  info->ops = GiveRoom<SchemeInfo>(1);
  *info->ops = {.scheme = GiveText("s3"),
                .filesystem = TableOf(FilesystemOpsWith(MakeEngine)),
                .random_access_file = TableOf(kRandomAccessFileOps),
                .writable_file = TableOf(kWritableFileOps),
                .memory_region = {}};
}
