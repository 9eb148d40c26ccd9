# SPDX-License-Identifier: Apache-2.0
# make install: programs, units and what the host's other services have to know of us.
include(GNUInstallDirs)
install(TARGETS gatewayd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS gatewayd-names gatewayd-enroll gatewayd-signer RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/gatewayd)
install(TARGETS gwctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

set(image ${CMAKE_SOURCE_DIR}/image)
file(GLOB units CONFIGURE_DEPENDS ${image}/systemd/*.service ${image}/systemd/*.mount ${image}/systemd/*.socket)
list(FILTER units EXCLUDE REGEX gwconnect)
install(FILES ${units} DESTINATION lib/systemd/system)
install(FILES ${image}/systemd/gatewayd.sysusers DESTINATION lib/sysusers.d RENAME gatewayd.conf)
install(FILES ${image}/systemd/gatewayd.tmpfiles DESTINATION lib/tmpfiles.d RENAME gatewayd.conf)
install(FILES ${image}/systemd/gatewayd.catalog DESTINATION lib/systemd/catalog)
install(FILES ${image}/network/networkd.conf DESTINATION lib/systemd/networkd.conf.d RENAME 50-gatewayd.conf)
install(FILES ${image}/network/80-gatewayd.network DESTINATION lib/systemd/network)
install(FILES ${image}/network/NetworkManager.conf DESTINATION lib/NetworkManager/conf.d RENAME 50-gatewayd.conf)

install(FILES ${image}/dbus/org.gatewayd.conf DESTINATION ${CMAKE_INSTALL_DATADIR}/dbus-1/system.d)
file(GLOB interfaces CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/gatewayd/dbus/interfaces/*.xml)
install(FILES ${interfaces} DESTINATION ${CMAKE_INSTALL_DATADIR}/dbus-1/interfaces)
install(FILES ${image}/polkit/org.gatewayd.policy DESTINATION ${CMAKE_INSTALL_DATADIR}/polkit-1/actions)
install(FILES ${CMAKE_SOURCE_DIR}/ctl/completion/gwctl.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME gwctl)

# What endpoints get: a package of its own.
install(TARGETS gwconnect RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT gwconnect)
install(FILES ${image}/systemd/gwconnect.service DESTINATION lib/systemd/system COMPONENT gwconnect)
install(FILES ${image}/network/networkd.conf DESTINATION lib/systemd/networkd.conf.d RENAME 50-gwconnect.conf COMPONENT gwconnect)
install(FILES ${image}/network/80-gatewayd.network DESTINATION lib/systemd/network RENAME 80-gwconnect.network COMPONENT gwconnect)
install(FILES ${CMAKE_SOURCE_DIR}/ctl/completion/gwconnect.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME gwconnect COMPONENT gwconnect)

# Pages of the manual, out of the documentation; in the package that a fourth argument names.
find_program(LOWDOWN lowdown REQUIRED)
function(gw_manual name section what)
  set(page ${CMAKE_BINARY_DIR}/man/${name}.${section}.gz)
  set(source ${CMAKE_SOURCE_DIR}/docs/${name}.md)
  add_custom_command(
    OUTPUT ${page}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/man
    COMMAND ${image}/man/render ${source} ${name} ${section} ${PROJECT_VERSION} ${what} > ${page}.text
    COMMAND gzip -9nc ${page}.text > ${page}
    DEPENDS ${source} ${image}/man/render
    VERBATIM)
  add_custom_target(gw_manual_${name} ALL DEPENDS ${page})
  set(component Unspecified)
  if(ARGC GREATER 3)
    set(component ${ARGV3})
  endif()
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT ${component})
endfunction()
gw_manual(gatewayd 8 "keep a private-network gateway as it is written")
gw_manual(gatewayd-enroll 8 "let devices enrol in a private network by themselves")
gw_manual(gwctl 1 "operate a private-network gateway")
gw_manual(gwconnect 8 "make this machine a member of private networks" gwconnect)
gw_manual(gateway.yaml 5 "configuration of a private-network gateway")
