// HostLayout: where one host of a job finds its files: /opt/ml, or a folder that stands for it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bucketline {

// The paths below the root are those of SageMaker's container contract.
class HostLayout {
 public:
  explicit HostLayout(std::string root) : root_(std::move(root)) {}

  const std::string& root() const { return root_; }
  std::string input() const { return root_ + "/input"; }
  std::string config() const { return root_ + "/input/config"; }
  std::string data() const { return root_ + "/input/data"; }
  std::string channel(std::string_view name) const { return data() + "/" + std::string(name); }
  std::string model() const { return root_ + "/model"; }
  std::string output() const { return root_ + "/output"; }
  std::string output_data() const { return root_ + "/output/data"; }
  std::string output_intermediate() const { return root_ + "/output/intermediate"; }
  std::string failure() const { return root_ + "/output/failure"; }
  std::string code() const { return root_ + "/code"; }

  // "/opt/ml/checkpoints/" as it lies here, without a slash at the end. Precondition: it lies below /opt/ml.
  std::string Here(std::string_view container_path) const;

 private:
  std::string root_;  // absolute, no slash at the end
};

// "algo-1", "algo-2", ...
std::string HostName(size_t index);

// The names of all hosts, as resourceconfig.json lists them: sorted bytewise.
std::vector<std::string> HostNames(size_t count);

// One layout for each host: the root itself for a single one, <root>/algo-k for several.
std::vector<HostLayout> HostLayouts(const std::string& root, size_t count);

// Makes the folders. What an earlier job left in them is kIo naming it, or is removed when `fresh`; the code folder is
// always kept. `checkpoints`: as Here() gives it.
void MakeLayout(const HostLayout& layout, const std::string& checkpoints, bool fresh);

}  // namespace bucketline
