# SPDX-License-Identifier: Apache-2.0
# make install: programs, the bus policy, completion.
include(GNUInstallDirs)
foreach(program IN ITEMS gatewayd gwctl)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
  endif()
endforeach()
install(FILES ${CMAKE_SOURCE_DIR}/image/dbus/org.gatewayd.conf DESTINATION ${CMAKE_INSTALL_DATADIR}/dbus-1/system.d OPTIONAL)
install(FILES ${CMAKE_SOURCE_DIR}/ctl/completion/gwctl.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME gwctl OPTIONAL)
file(GLOB interfaces CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/gatewayd/dbus/interfaces/*.xml)
install(FILES ${interfaces} DESTINATION ${CMAKE_INSTALL_DATADIR}/dbus-1/interfaces)
install(FILES ${CMAKE_SOURCE_DIR}/image/polkit/org.gatewayd.policy DESTINATION ${CMAKE_INSTALL_DATADIR}/polkit-1/actions)
