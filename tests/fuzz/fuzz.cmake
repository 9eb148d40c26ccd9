# SPDX-License-Identifier: Apache-2.0
# tests/fuzz/NAME_fuzz.cc -> program fuzz_NAME (libFuzzer), all code instrumented. Use a build directory of its own:
#   cmake -S . -B build-fuzz -G Ninja -DGW_FUZZ=ON -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_C_COMPILER=clang-19
#   build-fuzz/bin/fuzz_config -max_total_time=60 build-fuzz/corpus-config tests/fuzz/corpus/config
# Inputs worth keeping lie in tests/fuzz/corpus/NAME, a dictionary in tests/fuzz/NAME.dict.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  message(FATAL_ERROR "GW_FUZZ needs -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_C_COMPILER=clang-19")
endif()
set(fuzz_sanitizers -fsanitize=address,undefined -fno-sanitize-recover=undefined)

file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.cc)
# What loads the BPF programs: needs root.
set(fuzz_guard_layers gw_bpf gw_support)
set(fuzz_connect_layers gw_connect)
set(fuzz_token_layers gw_connect gw_control)
set(fuzz_dbus_layers gw_dbus)
set(fuzz_capsules_layers gw_relay)
set(fuzz_head_layers gw_enroll)
set(fuzz_map_layers gw_control)
set(fuzz_signer_layers gw_signer)

foreach(fuzzer IN LISTS fuzzers)
  get_filename_component(name ${fuzzer} NAME_WE)
  string(REGEX REPLACE "_fuzz$" "" name ${name})
  add_executable(fuzz_${name} ${fuzzer})
  target_link_libraries(fuzz_${name} PRIVATE gw_config gw_names gw_netlink gw_registry gw_pki gw_policy ${fuzz_${name}_layers})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endforeach()

# Packets through the loaded programs (root, a kernel with BPF), beside the model of the bpf tier's tests.
if(TARGET fuzz_packets)
  foreach(source IN ITEMS world fast_world image_builder rules_world model_reader model_gateway model_standard)
    target_sources(fuzz_packets PRIVATE ${CMAKE_SOURCE_DIR}/tests/bpf/programs/${source}.cc)
  endforeach()
  target_link_libraries(fuzz_packets PRIVATE gw_bpf gw_support GTest::gtest)
endif()

# The layers were declared before this file was read: give each of them the instrumentation.
get_property(targets DIRECTORY ${CMAKE_SOURCE_DIR} PROPERTY BUILDSYSTEM_TARGETS)
foreach(target IN LISTS targets)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL STATIC_LIBRARY OR type STREQUAL EXECUTABLE)
    # std::stable_sort of libstdc++ 12 calls what the same library declares deprecated, and libbpf's option
    # macros leave fields out; g++ is silent about both.
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link ${fuzz_sanitizers} -Wno-deprecated-declarations
                           -Wno-missing-designated-field-initializers)
    target_link_options(${target} PRIVATE ${fuzz_sanitizers})
  endif()
endforeach()
