#include "bucketline/train/nn/script_model.h"

#include <sstream>
#include <utility>

#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/store/blocking.h"

namespace bucketline::nn {
namespace {

constexpr char kFile[] = "model.pt";
constexpr uint64_t kFileLimit = uint64_t{16} << 30;

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// What went wrong; the lines before it are a trace through the module's source.
std::string LastLine(const std::string& text) {
  const size_t end = text.find_last_not_of(" \n");
  if (end == std::string::npos) return text;
  const size_t newline = text.rfind('\n', end);
  const size_t begin = newline == std::string::npos ? 0 : newline + 1;
  return text.substr(begin, end + 1 - begin);
}

class ScriptModel : public Model {
 public:
  ScriptModel(::torch::jit::Module module, std::string fingerprint, std::string uri)
      : module_(std::move(module)), fingerprint_(std::move(fingerprint)), uri_(std::move(uri)) {}

  at::Tensor Forward(const at::Tensor& images) override {
    const ::torch::jit::GraphOptimizerEnabledGuard unoptimised(false);
    try {
      const c10::IValue output = module_.forward({images});
      if (output.isTensor()) return output.toTensor();
    } catch (const c10::Error& error) {
      throw Failed(error.what_without_backtrace());
    } catch (const std::exception& error) {  // TorchScript's own raise
      throw Failed(error.what());
    }
    throw Error(ErrorCode::kInvalidArgument,
                "the module does not give one tensor of logits; wrap it in one that does", uri_);
  }
  void SetTraining(bool training) override { module_.train(training); }
  void Prepare(at::Device device) override {
    module_.to(device);
    std::vector<at::Tensor> parameters;
    for (const auto& item : module_.named_parameters()) parameters.push_back(item.value);
    UseChannelsLast(parameters);
  }
  NamedParameters Parameters() override {
    NamedParameters parameters;
    for (const auto& item : module_.named_parameters()) {
      if (item.value.requires_grad()) parameters.emplace_back(item.name, item.value);
    }
    return parameters;
  }
  NamedTensors State() override {
    NamedTensors state;
    for (const auto& item : module_.named_parameters()) state[item.name] = item.value;
    for (const auto& item : module_.named_buffers()) state[item.name] = item.value;
    return state;
  }
  std::map<std::string, Bytes> Files() override {
    ::torch::jit::Module on_cpu = module_.deepcopy();
    on_cpu.to(at::kCPU);
    std::ostringstream stream;
    on_cpu.save(stream);
    return {{kFile, Bytes::Copy(stream.str())}};
  }
  std::string Fingerprint() const override { return fingerprint_; }

 private:
  Error Failed(const std::string& reason) const {
    return Error(ErrorCode::kInvalidArgument, "the module's forward failed: " + LastLine(reason), uri_);
  }

  ::torch::jit::Module module_;
  const std::string fingerprint_;
  const std::string uri_;
};

}  // namespace

std::unique_ptr<Model> LoadScriptModel(Runtime& runtime, const std::string& text) {
  const Uri uri = Uri::Parse(text);
  const Bytes bytes = GetBytes(*runtime.StoreFor(uri), GetRequest{.key = Runtime::KeyOf(uri)}, kFileLimit);
  std::istringstream stream(bytes.ToString());
  ::torch::jit::Module module;
  try {
    module = ::torch::jit::load(stream, at::Device(at::kCPU));
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kCorruptData,
                "not a TorchScript module, which torch.jit.script(model).save(file) writes (" +
                    FirstLine(error.what()) + ")",
                text);
  }
  auto model = std::make_unique<ScriptModel>(
      std::move(module), "TorchScript module " + Hex(Sha256(bytes.view())).substr(0, 16), text);
  if (model->Parameters().empty()) {
    throw Error(ErrorCode::kInvalidArgument, "the module has no parameter that wants a gradient", text);
  }
  return model;
}

}  // namespace bucketline::nn
