# libwaywarden: the rooms base..engine as one shared library that exports what include/waywarden/ declares, and what
# gets installed. The linker drops what no exported function reaches, and with it the libraries only that needed.
include(GNUInstallDirs)

set(WW_LIBRARY_ROOMS base wire validator bgpsec store sources rib feeds bmpout engine)

# The program is called waywarden too, so the target is named after the file.
add_library(libwaywarden SHARED)
foreach(room IN LISTS WW_LIBRARY_ROOMS)
  if(TARGET ww_${room})
    target_sources(libwaywarden PRIVATE $<TARGET_OBJECTS:ww_${room}>)
    get_target_property(libs ww_${room} LINK_LIBRARIES)
    foreach(lib IN LISTS libs)
      if(NOT lib MATCHES "^ww_")
        target_link_libraries(libwaywarden PRIVATE ${lib})
      endif()
    endforeach()
  endif()
endforeach()
target_link_libraries(libwaywarden PRIVATE ww_options)
set(WW_EXPORT_MAP ${PROJECT_SOURCE_DIR}/cmake/libwaywarden.map)
target_link_options(libwaywarden PRIVATE -Wl,--version-script=${WW_EXPORT_MAP} -Wl,--as-needed -Wl,--gc-sections)
set_target_properties(libwaywarden PROPERTIES
  OUTPUT_NAME waywarden
  LINKER_LANGUAGE C
  LINK_DEPENDS ${WW_EXPORT_MAP}
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR})

# The file finds its prefix from where it lies, so an installed tree may be moved.
file(RELATIVE_PATH WW_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/waywarden.pc.in ${PROJECT_BINARY_DIR}/generated/waywarden.pc @ONLY)

install(TARGETS libwaywarden LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/waywarden DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_BINARY_DIR}/generated/waywarden.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
