#include "cli/pack_ray.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <unistd.h>

#include "bucketline/store/posix_error.h"

namespace bucketline::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPin[] = {"etag", "size", "version"};

// What runs when the package may not be there to say so itself.
constexpr const char* kProgram =
    "import shutil, sys\n"
    "try:\n"
    "    from bucketline.ray_command import main\n"
    "except ImportError as error:\n"
    "    shutil.rmtree(sys.argv[1])\n"
    "    sys.exit(f\"bucketline: --ray needs the Python package, which {sys.executable} does not have "
    "({error}): "
    "pip install 'bucketline[ray]'\")\n"
    "sys.exit(main(sys.argv[1]))\n";

// Those that the package knows.
nlohmann::ordered_json Reach(const RuntimeOptions& runtime, PinMode pin) {
  const S3Options& s3 = runtime.s3;
  const RuntimeOptions plain;
  S3Options known;
  known.endpoint_url = s3.endpoint_url;
  known.region = s3.region;
  known.profile = s3.profile;
  known.anonymous = s3.anonymous;
  known.requester_pays = s3.requester_pays;
  if (!(known == s3) || runtime.hedge != plain.hedge || runtime.connections != plain.connections) {
    throw Error(ErrorCode::kUnsupported,
                "with --ray the connection has --endpoint-url, --region, --profile, --anonymous and "
                "--requester-pays; leave the others out");
  }
  const auto text = [](const std::string& given) {
    return given.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(given);
  };
  return {{"endpoint_url", text(s3.endpoint_url)}, {"region", text(s3.region)},
          {"profile", text(s3.profile)},           {"anonymous", s3.anonymous},
          {"requester_pays", s3.requester_pays},   {"pin", kPin[static_cast<size_t>(pin)]}};
}

nlohmann::ordered_json Settings(const RayPack& asked) {
  const PackOptions& pack = asked.pack;
  nlohmann::ordered_json settings = {{"format", pack.format},
                                     {"shard_size", pack.shard_size},
                                     {"shuffle", nullptr},
                                     {"short_side", pack.short_side},
                                     {"quality", pack.quality},
                                     {"skip_bad", pack.skip_bad},
                                     {"max_skipped", pack.max_skipped},
                                     {"memory", pack.memory},
                                     {"threads", pack.threads},
                                     {"max_requests", pack.max_requests},
                                     {"max_shards", pack.max_shards},
                                     {"verify", pack.verify}};
  if (pack.shuffle) settings["shuffle"] = *pack.shuffle;
  if (pack.threads == 0) settings["threads"] = asked.ray.cpus;
  return settings;
}

}  // namespace

std::string WriteRayPack(const Dataset& dataset, const RuntimeOptions& runtime, PinMode pin,
                         const RayPack& pack, const std::stop_token& stop) {
  const nlohmann::ordered_json spec = {{"name", pack.name},
                                       {"reach", Reach(runtime, pin)},
                                       {"out", pack.out},
                                       {"settings", Settings(pack)},
                                       {"address", pack.ray.address},
                                       {"cpus", pack.ray.cpus},
                                       {"quarantine", pack.quarantine},
                                       {"json", pack.json}};
  std::string folder = (fs::temp_directory_path() / "bucketline-ray-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw PosixError(errno, "make a temporary folder", folder);
  try {
    dataset.Save(folder + "/data.manifest", {}, stop);
    std::ofstream file(folder + "/pack.json", std::ios::binary);
    file << spec.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::flush;
    if (!file)
      throw Error(ErrorCode::kIo, "cannot write this file; is its disk full?", folder + "/pack.json");
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    throw;
  }
  return folder;
}

void ContinueInPython(const std::string& folder) {
  std::error_code failure;
  const fs::path beside = fs::read_symlink("/proc/self/exe", failure).parent_path() / "python3";
  const char* const chosen = std::getenv("BUCKETLINE_PYTHON");
  const std::string python = chosen != nullptr && *chosen != '\0' ? chosen
                             : fs::exists(beside, failure)        ? beside.string()
                                                                  : "python3";
  // What this program kept for itself (interrupt.h) is the next one's.
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  std::array<std::string, 4> words = {python, "-c", kProgram, folder};
  std::array<char*, 5> arguments = {words[0].data(), words[1].data(), words[2].data(), words[3].data(),
                                    nullptr};
  ::execvp(python.c_str(), arguments.data());
  const int error = errno;
  fs::remove_all(folder, failure);
  throw Error(
      ErrorCode::kUnsupported,
      fmt::format("--ray needs Python with the package: pip install 'bucketline[ray]'; {} cannot be run: {}",
                  python, std::generic_category().message(error)));
}

}  // namespace bucketline::cli
