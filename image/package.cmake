# SPDX-License-Identifier: Apache-2.0
# make deb: packages/gatewayd_VERSION_ARCHITECTURE.deb and gwconnect_…, of what make install installs and what Debian's policy
# asks for.
include(GNUInstallDirs)
set(debian ${CMAKE_SOURCE_DIR}/image/debian)
set(doc ${CMAKE_INSTALL_DATADIR}/doc/gatewayd)

file(STRINGS ${debian}/changelog newest LIMIT_COUNT 1)
if(NOT newest MATCHES "^gatewayd \\(${PROJECT_VERSION}\\) ")
  message(FATAL_ERROR "image/debian/changelog begins with '${newest}', but the version is ${PROJECT_VERSION}")
endif()
set(changelog ${CMAKE_BINARY_DIR}/package/changelog.gz)
add_custom_command(
  OUTPUT ${changelog}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/package
  COMMAND gzip -9nc ${debian}/changelog > ${changelog}
  DEPENDS ${debian}/changelog
  VERBATIM)
add_custom_target(gw_package ALL DEPENDS ${changelog})
install(FILES ${changelog} ${debian}/copyright DESTINATION ${doc})
install(FILES ${changelog} ${debian}/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/gwconnect COMPONENT gwconnect)

# dpkg's name of the machine that this is built for.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE amd64)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME gatewayd)
set(CPACK_PACKAGE_CONTACT "gatewayd maintainers <maintainers@gatewayd.example>")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# nft and dnsmasq are run as programs; the bus is how gwctl and gatewayd speak.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL Unspecified gwconnect)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_NAME gatewayd)
set(CPACK_DEBIAN_GWCONNECT_PACKAGE_NAME gwconnect)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_DEPENDS "nftables, dnsmasq-base, netbase, default-dbus-system-bus | dbus-system-bus, systemd (>= 252)")
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_SUGGESTS "wireguard-tools, polkitd, bash-completion")
set(CPACK_DEBIAN_GWCONNECT_PACKAGE_DEPENDS "netbase, systemd (>= 252)")
set(CPACK_DEBIAN_GWCONNECT_PACKAGE_SUGGESTS "systemd-resolved, wireguard-tools, bash-completion")
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_CONTROL_EXTRA ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_DEBIAN_GWCONNECT_PACKAGE_CONTROL_EXTRA ${debian}/gwconnect/postinst ${debian}/gwconnect/prerm ${debian}/gwconnect/postrm)
set(CPACK_DEBIAN_UNSPECIFIED_DESCRIPTION
"private-network gateway: WireGuard access, filtered per client
Lets people into a private network over WireGuard, each device with its own
certificate, key and stable address, and filters in the kernel (eBPF, nftables)
what each subnet, group and client may reach. What is written in
/etc/gatewayd/gateway.yaml is what the kernel is kept equal to.
.
Needs Linux 6.1 or newer with WireGuard. Nothing is filtered before a
configuration exists.")
set(CPACK_DEBIAN_GWCONNECT_DESCRIPTION
"connector of an endpoint to private networks
Makes a machine a member of networks behind gatewayd gateways: enrols with a
link from the operator, keeps the WireGuard tunnel, its routes and its name
servers as the gateway says, and renews certificate and keys by itself.
.
Needs Linux 6.1 or newer with WireGuard.")
include(CPack)
