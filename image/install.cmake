# SPDX-License-Identifier: Apache-2.0
# make install: programs, units and what the host's other services have to know of us.
include(GNUInstallDirs)
install(TARGETS gatewayd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS gwctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

set(image ${CMAKE_SOURCE_DIR}/image)
file(GLOB units CONFIGURE_DEPENDS ${image}/systemd/*.service ${image}/systemd/*.mount)
install(FILES ${units} DESTINATION lib/systemd/system)
install(FILES ${image}/systemd/gatewayd.sysusers DESTINATION lib/sysusers.d RENAME gatewayd.conf)
install(FILES ${image}/systemd/gatewayd.tmpfiles DESTINATION lib/tmpfiles.d RENAME gatewayd.conf)
install(FILES ${image}/network/networkd.conf DESTINATION lib/systemd/networkd.conf.d RENAME 50-gatewayd.conf)
install(FILES ${image}/network/80-gatewayd.network DESTINATION lib/systemd/network)
install(FILES ${image}/network/NetworkManager.conf DESTINATION lib/NetworkManager/conf.d RENAME 50-gatewayd.conf)

install(FILES ${image}/dbus/org.gatewayd.conf DESTINATION ${CMAKE_INSTALL_DATADIR}/dbus-1/system.d)
file(GLOB interfaces CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/gatewayd/dbus/interfaces/*.xml)
install(FILES ${interfaces} DESTINATION ${CMAKE_INSTALL_DATADIR}/dbus-1/interfaces)
install(FILES ${image}/polkit/org.gatewayd.policy DESTINATION ${CMAKE_INSTALL_DATADIR}/polkit-1/actions)
install(FILES ${CMAKE_SOURCE_DIR}/ctl/completion/gwctl.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME gwctl)
