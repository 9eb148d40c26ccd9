// SPDX-License-Identifier: Apache-2.0
// Tables that follow the memory of the machine, and what is pinned.
#include "bpf/loader/size.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <filesystem>

#include "bpf/abi.h"
#include "gatewayd/base/fd.h"
#include "tests/bpf/programs/world.h"

namespace gw::test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20U;

uint32_t entries_of(const std::string& path) {
  const UniqueFd map(bpf_obj_get(path.c_str()));
  bpf_map_info info{};
  uint32_t length = sizeof info;
  return map.valid() && bpf_obj_get_info_by_fd(map.get(), &info, &length) == 0 ? info.max_entries : 0;
}

TEST(TableSize, FollowsTheMemoryOfTheMachine) {
  EXPECT_EQ(bpf::entries_for(GW_MAX_FLOWS, 8192 * kMiB), GW_MAX_FLOWS);
  EXPECT_EQ(bpf::entries_for(GW_MAX_FLOWS, 3900 * kMiB), GW_MAX_FLOWS) << "a Raspberry Pi of 4 GB";
  EXPECT_EQ(bpf::entries_for(GW_MAX_FLOWS, 1950 * kMiB), GW_MAX_FLOWS / 2) << "a virtual machine of 2 GB";
  EXPECT_EQ(bpf::entries_for(GW_MAX_FLOWS, 910 * kMiB), GW_MAX_FLOWS / 4) << "a Raspberry Pi of 1 GB";
  EXPECT_EQ(bpf::entries_for(GW_MAX_FLOWS, 460 * kMiB), GW_MAX_FLOWS / 8) << "a virtual machine of 512 MB";
}

TEST(TableSize, OfWhatIsPinnedStays) {
  const LoadedPolicy beside;
  const std::string directory = std::filesystem::path(beside.directory()).parent_path() / "small";
  std::filesystem::create_directory(directory);
  constexpr uint32_t kSmall = 4096;
  const UniqueFd small(
      bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "gw_flows", sizeof(gw_flow_key), sizeof(gw_flow), kSmall, nullptr));
  ASSERT_TRUE(small.valid());
  ASSERT_EQ(bpf_obj_pin(small.get(), (directory + "/gw_flows").c_str()), 0);
  const auto opened = bpf::Dataplane::open(directory);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(entries_of(directory + "/gw_flows"), kSmall);
  EXPECT_EQ(entries_of(directory + "/gw_hosts"), GW_MAX_HOSTS) << "what the configuration fills keeps its size";
}

}  // namespace
}  // namespace gw::test
