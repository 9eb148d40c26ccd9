# SPDX-License-Identifier: Apache-2.0
# Compiles bpf/*.bpf.c with clang-19 and embeds them as libbpf skeletons: generated/bpf/NAME.skel.h.
find_program(BPF_CLANG clang-19 REQUIRED)
find_program(BPFTOOL bpftool REQUIRED PATHS /usr/sbin)
find_program(BPF_STRIP llvm-strip-19 REQUIRED)
add_library(gw_bpf_programs INTERFACE)
file(GLOB bpf_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/*.bpf.c ${CMAKE_SOURCE_DIR}/tests/bench/*.bpf.c)
file(GLOB bpf_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/*.h)
# The headers of the kernel that it is built for; clang takes those of the build machine otherwise.
set(bpf_include -I${CMAKE_SYSROOT}/usr/include/${CMAKE_LIBRARY_ARCHITECTURE})
if(CMAKE_SYSROOT)
  list(PREPEND bpf_include --sysroot=${CMAKE_SYSROOT})
endif()
set(bpf_skeletons)
foreach(source IN LISTS bpf_sources)
  get_filename_component(name ${source} NAME_WLE)
  get_filename_component(name ${name} NAME_WLE)
  set(object ${CMAKE_BINARY_DIR}/bpf/${name}.bpf.o)
  set(skeleton ${CMAKE_BINARY_DIR}/generated/bpf/${name}.skel.h)
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/bpf ${CMAKE_BINARY_DIR}/generated/bpf
    COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -I${CMAKE_SOURCE_DIR}
            ${bpf_include} -c ${source} -o ${object}
    COMMAND ${BPF_STRIP} -g ${object}
    # Generated code is nobody's to lint.
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTBEGIN" > ${skeleton}.tmp
    COMMAND ${BPFTOOL} gen skeleton ${object} name gw_${name} >> ${skeleton}.tmp
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTEND" >> ${skeleton}.tmp
    COMMAND ${CMAKE_COMMAND} -E rename ${skeleton}.tmp ${skeleton}
    DEPENDS ${source} ${bpf_headers}
    VERBATIM)
  list(APPEND bpf_skeletons ${skeleton})
endforeach()
add_custom_target(gw_bpf_skeletons DEPENDS ${bpf_skeletons})
add_dependencies(gw_bpf_programs gw_bpf_skeletons)
